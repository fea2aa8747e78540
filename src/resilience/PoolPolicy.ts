import type { SchedulerLike } from 'rxjs';
import type { InferenceRequest, LlmExecutor } from '../contract/index.js';
import type { CircuitBreaker, CircuitBreakerConfig, CircuitState } from './circuitBreaker.js';
import type { RetryOpenConfig } from './retryOpen.js';

/** One executor of a pool. */
export interface PoolMember {
  /** Names the member; each of a pool has its own. */
  id: string;
  executor: LlmExecutor;
  /** The model to ask this member for. Defaults to that of the request. */
  model?: string;
  /** Whose runs it can attach to, as in `cursor.provider`. Defaults to the executor's name. */
  provider?: string;
  /** Its share of the keys, or of the turns. Defaults to 1. */
  weight?: number;
  /** `failover-only`: it is asked only when no other member can be. */
  role?: 'failover-only';
  /** A breaker to share with others. Defaults to the pool's breaker of this id. */
  breaker?: CircuitBreaker;
  /**
   * Retries before the first event, as for `retryOpen`, of errors that the pool stays for. Defaults to none, or to those of an
   * executor that `withRetryOpen` made.
   */
  retry?: number | RetryOpenConfig;
}

/** How a pool chooses. Times are in milliseconds. */
export interface PoolPolicy {
  /** Names the executor. Defaults to `pool`. */
  name?: string;
  /**
   * Where a key is at home. `rendezvous`: by weighted hashing, the same member as long as it is well, so that prompt caches stay
   * warm. `round-robin`: by turns, by weight. `first-healthy`: the first that is well. Defaults to `rendezvous`.
   */
  home?: 'rendezvous' | 'round-robin' | 'first-healthy';
  /** The routing key of a request: a thread, a user. Defaults to one key for all; with `round-robin` to one for each answer. */
  key?: (request: InferenceRequest) => string;
  /** Shortest `Retry-After` for which a member without quota is left; shorter ones are errors. Defaults to 0. */
  quotaThreshold?: number;
  /** Most switches of a key until an answer succeeds. Defaults to no limit; each member is tried once for an answer. */
  maxSwitches?: number;
  /** How long a key stays where it was moved before it goes home. Defaults to 60,000, or the `Retry-After` if that is longer. */
  returnAfter?: number;
  /** How long a member is not asked after it was `unauthorized` or lacked the model. Defaults to 600,000. */
  quarantine?: number;
  /** The breakers of the members: one to share, or its limits. */
  breaker?: CircuitBreaker | CircuitBreakerConfig;
  /** Longest wait for progress of a member; see `idleTimeout`. Defaults to what is usual for the *member's* model. */
  idleTimeout?: number | { each: number; first?: number } | false;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/** How a member of a pool is. */
export interface PoolMemberStatus {
  id: string;
  /** Whether it would be asked now. */
  available: boolean;
  circuit: CircuitState;
  /** True while it is not asked because it was `unauthorized` or lacked the model. */
  quarantined: boolean;
}

/** An executor that asks one of several. */
export interface ExecutorPool extends LlmExecutor {
  /** How the members are. Looking changes nothing. */
  status(): PoolMemberStatus[];
}
