import type { MonoTypeOperatorFunction } from 'rxjs';
import { InferenceExecutionError, type LlmStreamEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { Accumulator } from '../recovery/accumulator.js';
import { failWith } from '../recovery/attachSnapshot.js';
import type { RunEvent } from './RunLog.js';

/** Gives the error that ends the source, whoever made it, the snapshot of the events that have passed here. */
export function keepSeen<T>(eventOf: (value: T) => RunEvent): MonoTypeOperatorFunction<T> {
  return operate((subscriber) => {
    const seen = new Accumulator();
    return {
      next: (value) => {
        seen.push(eventOf(value) as LlmStreamEvent);
        subscriber.next(value);
      },
      error: (error) => subscriber.error(error instanceof InferenceExecutionError ? failWith(error, seen) : error),
    };
  });
}
