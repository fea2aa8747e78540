import type { ObservableInput, SchedulerLike } from 'rxjs';
import type {
  InferenceExecutionError,
  InferenceRequest,
  InterruptCause,
  InterruptSnapshot,
  LlmStreamEvent,
  RecoveryPlan,
} from '../contract/index.js';
import type { IdleTimeoutConfig } from './idleTimeout.js';

/** What `recover` tells of an interruption to the functions of its configuration. */
export interface Interruption {
  cause: InterruptCause;
  /** The error that came. */
  error: InferenceExecutionError;
  /** Everything that has arrived, over all attempts. */
  snapshot: InterruptSnapshot;
  plan: RecoveryPlan;
  /** Number of the attempt that broke; the first is 1. */
  attempt: number;
}

/** Configuration for `recover`. Times are in milliseconds. */
export interface RecoverConfig {
  /** What was asked for; continuation requests are made from it and never from each other. */
  request: InferenceRequest;
  /**
   * Sends a continuation request: usually `(continuation) => executor.executeStream(continuation)`. May ask another
   * provider.
   */
  resubscribe: (continuation: InferenceRequest, interruption: Interruption) => ObservableInput<LlmStreamEvent>;
  /**
   * Most recoveries for the whole answer. Defaults to 2. Completing from calls that are whole costs none, and neither does
   * reattaching unless it fails.
   */
  count?: number;
  /**
   * Wait before a recovery: milliseconds, or a function of the cause and the number of the recovery (the first is 1) that
   * gives milliseconds or a notifier. Never shorter than a `Retry-After`, which counts up to 60 s. Defaults to full jitter over
   * 500 · 2^n up to 8,000; 200 after an idle stall.
   */
  delay?: number | ((cause: InterruptCause, recovery: number) => number | ObservableInput<unknown>);
  /** Longest time from subscription to the start of a recovery. Defaults to no limit. */
  maxElapsed?: number;
  /**
   * Longest wait for progress in each attempt; see `idleTimeout`. Defaults to 60,000, for models that reason
   * to 120,000. `false` switches it off.
   */
  idleTimeout?: number | Omit<IdleTimeoutConfig, 'scheduler'> | false;
  /**
   * What happens when text that was shown would have to be taken back: `'announce'` sends `stream-reset` and starts again,
   * `'fail'` errors with the original error, for consumers who cannot take anything back (speech, a pipe). Defaults to
   * `'announce'`.
   */
  resets?: 'announce' | 'fail';
  /** Says no to a recovery that the budget would allow. Defaults to yes. */
  when?: (interruption: Interruption) => boolean;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
  /** Gives a number from 0 to 1 for the jitter. Defaults to `Math.random`. */
  random?: () => number;
}
