import {
  asyncScheduler,
  catchError,
  defer,
  forkJoin,
  from,
  of,
  retry,
  take,
  tap,
  throwError,
  throwIfEmpty,
  timer,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs';
import { RETRY_AFTER_CAP, type InferenceExecutionError } from '../contract/index.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import { openBackoff, retryAfterOf } from '../recovery/backoff.js';
import { isRefusal } from './CircuitOpenError.js';
import { isTransient } from './health.js';

/** Configuration for {@link retryOpen}. Times are in milliseconds. */
export interface RetryOpenConfig {
  /** Most retries of each subscription. Defaults to 2. */
  count?: number;
  /**
   * Wait before a retry: milliseconds, or a function of the error and the number of the retry (from 0) that gives
   * milliseconds or a notifier. Never shorter than a `Retry-After`, which counts up to `retryAfterCap`. Defaults to full
   * jitter over 500 · 2^n (2,000 · 2^n when the provider is overloaded) up to 8,000.
   */
  delay?: number | ((error: InferenceExecutionError, retry: number) => number | ObservableInput<unknown>);
  /** Longest `Retry-After` that is honoured. Defaults to 60,000. */
  retryAfterCap?: number;
  /** Says no to a retry that the budget would allow. Defaults to yes. */
  when?: (error: InferenceExecutionError, retry: number) => boolean;
  /** Gives a number from 0 to 1 for the jitter. Defaults to `Math.random`. */
  random?: () => number;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/**
 * Mirrors the source, and subscribes to it again when it errors before its first event: the request could not be opened.
 *
 * Only for errors after which the same request may succeed (`isRetryable`, or a broken connection); all others pass through
 * at once, and so does the refusal of an open circuit breaker, which is there to fail fast. As soon as an event has come the
 * stream belongs to `recover`, and every error passes through. When the retries are spent the last error is sent. Errors keep
 * their identity; what is no `InferenceExecutionError` becomes the `cause` of one. Completion passes through. Unsubscribing
 * stops the attempt or the wait at once. The budget is that of each subscription. Works on collected results too.
 * ```text
 * source  --#  --#  --a--b|
 *         retryOpen({ count: 2, delay: 3 })
 * result  -------------a--b|
 * ```
 * @example
 * ```ts
 * import { retryOpen, userMessage, type LlmExecutor } from 'rx-llm';
 *
 * declare const executor: LlmExecutor;
 * const request = { model: 'gpt-4o', messages: [userMessage('Hello')] };
 * executor.executeStream(request).pipe(retryOpen({ count: 3 }));
 * ```
 * @param config - The number of retries, or a {@link RetryOpenConfig}.
 * @throws RangeError on a negative number.
 */
export function retryOpen<T>(config: number | RetryOpenConfig = {}): MonoTypeOperatorFunction<T> {
  const settings = typeof config === 'number' ? { count: config } : config;
  const { count = 2, delay } = settings;
  if (!(count >= 0)) throw new RangeError('retryOpen: count must be 0 or more');
  if (typeof delay === 'number' && !(delay >= 0)) throw new RangeError('retryOpen: delay must be 0 or more');
  const { when = () => true } = settings;

  return (source) =>
    defer(() => {
      let opened = false;
      return source.pipe(
        tap(() => (opened = true)),
        retry({
          count,
          delay: (thrown: unknown, number) => {
            const error = toInferenceError(thrown);
            const passes = opened || !isTransient(thrown) || isRefusal(error) || !when(error, number - 1);
            return passes ? throwError(() => error) : pause(error, number - 1, settings);
          },
        }),
        catchError((thrown: unknown) => throwError(() => toInferenceError(thrown))),
      );
    });
}

function pause(error: InferenceExecutionError, retries: number, config: RetryOpenConfig): ObservableInput<unknown> {
  const { delay = jittered(config), retryAfterCap = RETRY_AFTER_CAP, scheduler = asyncScheduler } = config;
  const asked = typeof delay === 'number' ? delay : delay(error, retries);
  const wait = Math.max(typeof asked === 'number' ? asked : 0, retryAfterOf(error, retryAfterCap));
  const slept = wait > 0 ? timer(wait, scheduler) : of(0);
  if (typeof asked === 'number') return slept;
  // A notifier that completes without a value says that nobody will come.
  const notified = from(asked).pipe(
    take(1),
    throwIfEmpty(() => error),
  );
  return forkJoin([slept, notified]);
}

function jittered({ random = Math.random }: RetryOpenConfig) {
  // The Retry-After is no matter of chance and is added afterwards.
  return (error: InferenceExecutionError, retries: number): number =>
    Math.round(random() * openBackoff(error, retries, { retryAfterCap: 0 }));
}
