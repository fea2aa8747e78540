import {
  asyncScheduler,
  defer,
  identity,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs';
import type {
  InferenceExecutionError,
  InferenceRequest,
  InterruptCause,
  InterruptSnapshot,
  LlmStreamEvent,
  RecoveryPlan,
} from '../contract/index.js';
import { idleLimitOf } from '../recovery/idleLimits.js';
import { idleTimeout, type IdleTimeoutConfig } from './idleTimeout.js';
import { RecoveryRun, type RecoverSettings } from './recoveryRun.js';

/** What {@link recover} tells of an interruption to the functions of its configuration. */
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

/** Configuration for {@link recover}. Times are in milliseconds. */
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
   * Wait before a recovery: milliseconds, or a function of the cause and the number of the recovery (from 0) that gives
   * milliseconds or a notifier. Never shorter than a `Retry-After`, which counts up to 60 s. Defaults to full jitter over
   * 500 · 2^n up to 8,000; 200 after an idle stall.
   */
  delay?: number | ((cause: InterruptCause, recovery: number) => number | ObservableInput<unknown>);
  /** Longest time from subscription to the start of a recovery. Defaults to no limit. */
  maxElapsed?: number;
  /**
   * Longest wait for progress in each attempt; see {@link idleTimeout}. Defaults to 60,000, for models that reason
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

/**
 * Mirrors a model's stream, and goes on when it breaks: the catchError of this library.
 *
 * An interruption (a broken connection, a stall, a 5xx in mid-stream, a stream that ends without a `stop`) is announced by
 * `interrupted`, with what is taken back after it: `tool-call-cancel` for each open call, `stream-reset` for the whole
 * turn. Then the plan is carried out: the text is continued by a request whose `continuation` holds all the text so far;
 * calls that are whole are completed by `tool-call-ready` and a `stop` without asking again; a provider's own run is
 * attached to again; where nothing can be kept the answer starts again. `resumed` says where the answer goes on.
 *
 * Ends at the first `stop`, whatever the source does after it. Errors that must not be recovered pass through; when the
 * budget is spent, the error that broke the answer comes, the same object, with the snapshot of everything that had
 * arrived. A `resubscribe` or `delay` that throws errors the result. Unsubscribing stops the attempt or the wait at once.
 * ```text
 * source       --a--#
 * resubscribe         --b--s|
 *              recover({ delay: 2, … })
 * result       --a--i----(rb)--(s|)      i: interrupted, r: resumed
 * ```
 * @example Survive up to three interruptions
 * ```ts
 * import { recover, textDeltas, userMessage } from 'rx-llm';
 * import { anthropicMessages } from 'rx-llm/anthropic';
 *
 * const claude = anthropicMessages({ apiKey: 'key' });
 * const request = { model: 'claude-sonnet-4-5', messages: [userMessage('Explain marble diagrams.')] };
 *
 * const answer$ = claude.executeStream(request).pipe(
 *   recover({ request, resubscribe: (continuation) => claude.executeStream(continuation), count: 3 }),
 *   textDeltas(),
 * );
 * ```
 * @param config - See {@link RecoverConfig}.
 * @throws TypeError without `request` or `resubscribe`, RangeError on a negative number.
 */
export function recover(config: RecoverConfig): MonoTypeOperatorFunction<LlmStreamEvent> {
  if (typeof config?.request !== 'object' || typeof config.resubscribe !== 'function') {
    throw new TypeError('recover: give the request and a resubscribe function');
  }
  const { idleTimeout: idle = idleLimitOf(config.request), scheduler = asyncScheduler } = config;
  const settings: RecoverSettings = {
    ...config,
    count: config.count ?? 2,
    maxElapsed: config.maxElapsed ?? Infinity,
    watch: watcher(idle, scheduler),
    resets: config.resets ?? 'announce',
    when: config.when ?? (() => true),
    scheduler,
    random: config.random ?? Math.random,
  };
  if (!(settings.count >= 0)) throw new RangeError('recover: count must be 0 or more');
  if (!(settings.maxElapsed >= 0)) throw new RangeError('recover: maxElapsed must be 0 or more');
  if (typeof settings.delay === 'number' && !(settings.delay >= 0)) {
    throw new RangeError('recover: delay must be 0 or more');
  }
  return (source) => defer(() => new RecoveryRun(settings).follow(source));
}

function watcher(
  limit: NonNullable<RecoverConfig['idleTimeout']>,
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<LlmStreamEvent> {
  if (limit === false || limit === Infinity) return identity;
  return idleTimeout({ ...(typeof limit === 'number' ? { each: limit } : limit), scheduler });
}
