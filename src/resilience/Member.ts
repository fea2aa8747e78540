import { identity, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { InferenceExecutionError, InferenceRequest, LlmExecutor, LlmStreamEvent } from '../contract/index.js';
import { createExecutor } from '../operators/createExecutor.js';
import { watchProgress } from '../operators/idleTimeout.js';
import { idleLimitOf } from '../recovery/idleLimits.js';
import type { CircuitBreaker } from './circuitBreaker.js';
import type { PoolMember, PoolMemberStatus, PoolPolicy } from './PoolPolicy.js';
import { makePatient, retriesOf } from './withRetryOpen.js';

/** What all members of a pool have in common. */
export interface MemberSettings {
  breakers: CircuitBreaker;
  idleTimeout: PoolPolicy['idleTimeout'];
  scheduler: SchedulerLike;
  /** Says for which errors the pool leaves the member. */
  leaves: (error: InferenceExecutionError) => boolean;
}

/** A member of a pool, watched: each try goes through its breaker and its idle timeout. */
export class Member {
  readonly id: string;
  readonly weight: number;
  readonly isFailoverOnly: boolean;
  readonly provider: string;
  readonly executor: LlmExecutor;
  readonly breaker: CircuitBreaker;
  private quarantinedUntil = -Infinity;

  constructor(
    { id, executor, model, provider = executor.name, weight = 1, role, breaker, retry }: PoolMember,
    private readonly settings: MemberSettings,
  ) {
    this.id = id;
    this.weight = weight;
    this.isFailoverOnly = role === 'failover-only';
    this.provider = provider;
    this.breaker = breaker ?? settings.breakers.named(id);
    const made = retriesOf(executor);
    const asked = made?.executor ?? executor;
    const watched = createExecutor({
      name: id,
      executeStream: (request) => {
        const own = forModel(request, model);
        return asked.executeStream(own).pipe(this.watch(own), this.breaker);
      },
    });
    const config = typeof retry === 'number' ? { count: retry } : (retry ?? made?.config);
    this.executor = config ? makePatient(watched, config, settings.leaves) : watched;
  }

  /** Whether it would be asked now. */
  get available(): boolean {
    return !this.isQuarantined && this.breaker.available;
  }

  get status(): PoolMemberStatus {
    const { id, available, isQuarantined: quarantined } = this;
    return { id, available, circuit: this.breaker.state, quarantined };
  }

  quarantine(ms: number): void {
    this.quarantinedUntil = this.settings.scheduler.now() + ms;
  }

  private get isQuarantined(): boolean {
    return this.settings.scheduler.now() < this.quarantinedUntil;
  }

  private watch(request: InferenceRequest): MonoTypeOperatorFunction<LlmStreamEvent> {
    const { idleTimeout = idleLimitOf(request), scheduler } = this.settings;
    if (idleTimeout === false || idleTimeout === Infinity) return identity;
    const limits = typeof idleTimeout === 'number' ? { each: idleTimeout } : idleTimeout;
    return watchProgress({ ...limits, scheduler }, false);
  }
}

function forModel(request: InferenceRequest, model: string | undefined): InferenceRequest {
  return model === undefined ? request : { ...request, overrides: { ...request.overrides, model } };
}
