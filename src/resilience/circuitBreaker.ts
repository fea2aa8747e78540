import {
  asyncScheduler,
  defer,
  throwError,
  type MonoTypeOperatorFunction,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { operate } from '../internal/operate.js';
import { BreakerState, type CircuitState, type Permit } from './BreakerState.js';
import { refusal } from './CircuitOpenError.js';
import { isSick, isWhole } from './health.js';

export type { CircuitState } from './BreakerState.js';

/** Most names whose state one breaker remembers. */
const MOST_NAMES = 1_000;

/** Configuration for {@link circuitBreaker}. Times are in milliseconds. */
export interface CircuitBreakerConfig {
  /** Failures in a row after which it opens. Defaults to 5. */
  threshold?: number;
  /** How long it stays open before it tries the model again. Defaults to 30,000. */
  cooldown?: number;
  /** How many requests may try the model at a time after that. Defaults to 1. */
  halfOpen?: number;
  /** Names the model in the errors. Defaults to `default`. */
  name?: string;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/** A circuit breaker: an operator whose state all the sources share that it is applied to. */
export interface CircuitBreaker {
  <T>(source: Observable<T>): Observable<T>;
  /** The name in the errors. */
  readonly breakerName: string;
  /** `closed` lets requests through, `open` refuses them, `half-open` lets a few through to try the model. */
  readonly state: CircuitState;
  /** Whether a request would be let through now. Looking takes no probe. */
  readonly available: boolean;
  /**
   * The breaker of a name, with the same limits and a state of its own: the same one for everybody who asks this breaker
   * for the name. The states of 1,000 names are remembered.
   */
  named(name: string): CircuitBreaker;
  /** Counts an outcome that came about elsewhere. While the breaker is open nothing counts. */
  record(outcome: 'success' | 'failure'): void;
}

/**
 * Makes an operator that mirrors the source while its model is well, and refuses to subscribe while it is not.
 *
 * The value itself is the breaker: apply the same one wherever the state is to be shared; there is no state behind it. After
 * `threshold` failures in a row it opens, and every subscription errors at once with the kind `provider`, whose `cause` is a
 * `CircuitOpenError`. After `cooldown` it is half open: `halfOpen` subscriptions at a time are let through; one that succeeds
 * closes it, one that fails opens it again.
 *
 * A stream has succeeded when its `stop` came, and failed when it errors in a way that speaks of the model's health
 * (`countsTowardCircuitBreaker`, or a broken connection) or completes without a stop, also in mid-stream. Any other error,
 * and an unsubscription, says nothing: it counts neither way, and frees the place of a probe, so that half open is never
 * stuck. A probe that has sent nothing for longer than `cooldown` is given up too. What was let through before the state
 * changed does not change it any more. Works on collected results too, which succeed by coming.
 * ```text
 * first   --a--#
 * second        --b--#
 * third               not subscribed
 *         circuitBreaker({ threshold: 2 })
 * result  --a--#  --b--#  #
 * ```
 * @example One breaker for each model, shared by all requests
 * ```ts
 * import { circuitBreaker, type InferenceRequest, type LlmExecutor } from 'rx-llm';
 *
 * declare const executor: LlmExecutor;
 * const breaker = circuitBreaker({ threshold: 3, cooldown: 10_000 });
 * const ask = (request: InferenceRequest) => executor.executeStream(request).pipe(breaker.named(request.model));
 * ```
 * @param config - The threshold, or a {@link CircuitBreakerConfig}.
 * @throws RangeError on a limit that makes no sense.
 */
export function circuitBreaker(config: number | CircuitBreakerConfig = {}): CircuitBreaker {
  const settings = typeof config === 'number' ? { threshold: config } : config;
  const { threshold = 5, cooldown = 30_000, halfOpen = 1, name = 'default', scheduler = asyncScheduler } = settings;
  if (!(threshold >= 1)) throw new RangeError('circuitBreaker: threshold must be 1 or more');
  if (!(cooldown >= 0)) throw new RangeError('circuitBreaker: cooldown must be 0 or more');
  if (!(halfOpen >= 1)) throw new RangeError('circuitBreaker: halfOpen must be 1 or more');
  const limits = { threshold, cooldown, halfOpen, scheduler };
  const states = new Map<string, BreakerState>();
  const named = (key: string): CircuitBreaker => {
    const state = states.get(key) ?? new BreakerState(limits);
    // Taken out and put in again, so that the names stand in the order of their last use.
    states.delete(key);
    if (states.size >= MOST_NAMES) forgetOne(states);
    states.set(key, state);
    return breakerOf(key, state, named);
  };
  return breakerOf(name, new BreakerState(limits), named);
}

/** A name whose state is that of a new one is forgotten first. */
function forgetOne(states: Map<string, BreakerState>): void {
  for (const [name, state] of states) if (state.isFresh) return void states.delete(name);
  for (const name of states.keys()) return void states.delete(name);
}

function breakerOf(breakerName: string, state: BreakerState, named: CircuitBreaker['named']): CircuitBreaker {
  const guard = <T>(source: Observable<T>): Observable<T> =>
    defer(() => {
      const permit = state.enter();
      return permit ? source.pipe(watch(permit)) : throwError(() => refusal(breakerName, state.remaining));
    });
  const record: CircuitBreaker['record'] = (outcome) => state.record(outcome);
  return Object.defineProperties(Object.assign(guard, { breakerName, named, record }), {
    state: { get: () => state.state },
    available: { get: () => state.available },
  }) as CircuitBreaker;
}

/** Mirrors the source and tells the breaker how it went. */
function watch<T>(permit: Permit): MonoTypeOperatorFunction<T> {
  return operate((subscriber) => ({
    next: (value) => {
      permit.touch();
      if (isWhole(value)) permit.succeed();
      subscriber.next(value);
    },
    error: (error) => {
      if (isSick(error)) permit.fail();
      subscriber.error(error);
    },
    complete: () => {
      permit.fail();
      subscriber.complete();
    },
    finalize: () => permit.release(),
  }));
}
