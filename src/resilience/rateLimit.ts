import {
  asyncScheduler,
  defer,
  switchMap,
  type MonoTypeOperatorFunction,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import {
  addUsage,
  InferenceExecutionError,
  updateUsage,
  type InferenceRequest,
  type LlmStreamEvent,
  type StreamResult,
  type TokenUsage,
} from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { retryAfterOf } from '../recovery/backoff.js';
import { estimateTokens } from './estimateTokens.js';
import { isQuota } from './health.js';
import { RateLimiter, type Ticket } from './RateLimiter.js';
import { wrapThrown } from './wrapThrown.js';

/** Configuration for {@link rateLimit}. A limit that is left out does not limit. */
export interface RateLimitConfig {
  /** Most requests that start in any 60 s. */
  requestsPerMinute?: number;
  /** Most tokens of the requests that start in any 60 s, of prompts and answers together. */
  tokensPerMinute?: number;
  /** Most requests that run at a time. */
  concurrency?: number;
  /** Most requests that wait; one more errors as `rate-limited`. Defaults to 1,000. */
  maxQueue?: number;
  /**
   * Estimates the tokens of a request before it is made. Defaults to a token for every 4 characters of text, 1,000 for an
   * image or another medium, and `overrides.maxTokens` for the answer.
   */
  estimate?: (request: InferenceRequest) => number;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/** A rate limit: an operator whose limits all the sources share that it is applied to. */
export interface RateLimit {
  <T>(source: Observable<T>): Observable<T>;
  /** The same limits for one request, whose tokens can be estimated. */
  forRequest(request: InferenceRequest): <T>(source: Observable<T>) => Observable<T>;
  /** How many requests wait. */
  readonly waiting: number;
  /** How many requests run. */
  readonly running: number;
}

/**
 * Makes an operator that subscribes to the source when the limits allow it, and mirrors it then.
 *
 * The value itself holds the limits: apply the same one wherever they are to be shared. Subscriptions start in the order in
 * which they came; one that has to wait holds up those behind it. In no span of 60 s do more start than the limits say. Tokens
 * are estimated before (by `forRequest`; without it they are none) and set right by the reported usage when the source has
 * ended: what was too much is given back, what was too little is taken then. A request that is larger than the limit waits
 * until it is alone. When a source errors as `rate-limited` or `overloaded` with a `Retry-After`, nobody starts before it is
 * over.
 *
 * Errors and completion pass through. Unsubscribing leaves the queue at once, or ends the source; nothing stays set. Who waits
 * starts after that, in a turn of the scheduler, so that nobody starts who is unsubscribed in the same breath. A queue that is
 * full errors as `rate-limited`, so that a pool goes elsewhere. Put it inside `withRetryOpen` and inside a pool; in
 * `recover` a wait that is longer than its `idleTimeout` counts as a stall.
 * ```text
 * first   --a--s|
 * second      --b--s|                subscribed when the first has ended
 *         rateLimit({ concurrency: 1 })
 * result  --a--s--b--s|
 * ```
 * @example
 * ```ts
 * import { rateLimit, type InferenceRequest, type LlmExecutor } from 'rx-llm';
 *
 * declare const executor: LlmExecutor;
 * const limit = rateLimit({ requestsPerMinute: 500, tokensPerMinute: 200_000, concurrency: 20 });
 * const ask = (request: InferenceRequest) => executor.executeStream(request).pipe(limit.forRequest(request));
 * ```
 * @param config - See {@link RateLimitConfig}.
 * @throws RangeError on a limit that lets nothing through.
 */
export function rateLimit(config: RateLimitConfig): RateLimit {
  const { requestsPerMinute = Infinity, tokensPerMinute = Infinity, concurrency = Infinity, maxQueue = 1_000 } = config;
  const { estimate = estimateTokens, scheduler = asyncScheduler } = config;
  if (!(requestsPerMinute >= 1)) throw new RangeError('rateLimit: requestsPerMinute must be 1 or more');
  if (!(tokensPerMinute >= 1)) throw new RangeError('rateLimit: tokensPerMinute must be 1 or more');
  if (!(concurrency >= 1)) throw new RangeError('rateLimit: concurrency must be 1 or more');
  if (!(maxQueue >= 0)) throw new RangeError('rateLimit: maxQueue must be 0 or more');
  const limiter = new RateLimiter({ requestsPerMinute, tokensPerMinute, concurrency, maxQueue, scheduler });
  const limited =
    (tokens: () => number) =>
    <T>(source: Observable<T>): Observable<T> =>
      defer(() => limiter.admit(tokens())).pipe(switchMap((ticket) => source.pipe(account(ticket))));
  const forRequest: RateLimit['forRequest'] = (request) => limited(() => checked(wrapThrown(() => estimate(request))));
  return Object.defineProperties(
    Object.assign(
      limited(() => 0),
      { forRequest },
    ),
    {
      waiting: { get: () => limiter.waiting },
      running: { get: () => limiter.running },
    },
  ) as RateLimit;
}

/** A sum with such a number in it would never be a limit again. */
function checked(tokens: number): number {
  if (Number.isFinite(tokens)) return Math.max(0, tokens);
  throw new InferenceExecutionError('invalid-request', `rateLimit: estimate has to give a number, not ${tokens}`);
}

/** Mirrors the source and tells the limiter what it has cost. */
function account<T>(ticket: Ticket): MonoTypeOperatorFunction<T> {
  return operate((subscriber) => {
    let before: TokenUsage | undefined;
    let usage: TokenUsage | undefined;
    return {
      next: (value) => {
        if (isMessage(value)) {
          if (!('type' in value)) usage = value.usage;
          else if (value.type === 'usage') usage = updateUsage(usage, value.usage);
          else if (value.type === 'interrupted' && value.plan.kind !== 'reattach') {
            before = sum(before, usage);
            usage = undefined;
          }
        }
        subscriber.next(value);
      },
      error: (error) => {
        if (error instanceof InferenceExecutionError && isQuota(error)) ticket.hold(retryAfterOf(error));
        subscriber.error(error);
      },
      finalize: () => ticket.finish(totalOf(sum(before, usage))),
    };
  });
}

function isMessage(value: unknown): value is LlmStreamEvent | StreamResult {
  return typeof value === 'object' && value !== null;
}

function sum(a: TokenUsage | undefined, b: TokenUsage | undefined): TokenUsage | undefined {
  return a && b ? addUsage(a, b) : (a ?? b);
}

function totalOf(usage: TokenUsage | undefined): number | undefined {
  if (usage === undefined) return undefined;
  const { promptTokens = 0, completionTokens = 0, totalTokens = promptTokens + completionTokens } = usage;
  return Number.isFinite(totalTokens) ? totalTokens : undefined;
}
