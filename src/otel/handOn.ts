import { context, type Context } from '@opentelemetry/api';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { operate } from '../internal/operate.js';

/**
 * Hands notifications on under the context in which somebody has subscribed. They arrive under that of the span, and what is
 * started because of them (the next turn, a tool, whatever the application does) is no part of the span.
 */
export function handOn<T>(parent: Context): MonoTypeOperatorFunction<T> {
  return operate<T, T>((subscriber) => ({
    next: (value) => context.with(parent, () => subscriber.next(value)),
    error: (error) => context.with(parent, () => subscriber.error(error)),
    complete: () => context.with(parent, () => subscriber.complete()),
  }));
}
