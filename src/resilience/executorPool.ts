import { asyncScheduler } from 'rxjs';
import type { LlmExecutor } from '../contract/index.js';
import { createExecutor } from '../operators/createExecutor.js';
import { circuitBreaker } from './circuitBreaker.js';
import { Member } from './Member.js';
import { leavingOf, Pool } from './Pool.js';
import { PoolInferences } from './PoolInference.js';
import type { ExecutorPool, PoolMember, PoolPolicy } from './PoolPolicy.js';
import { PoolRouter } from './PoolRouter.js';

export type { ExecutorPool, PoolMember, PoolMemberStatus, PoolPolicy } from './PoolPolicy.js';

const HOMES: readonly string[] = ['rendezvous', 'round-robin', 'first-healthy'];

/**
 * Makes an executor that asks one of several, and another one when that has no room, no right or no health.
 *
 * Each request has a home among the members (see `policy.home`). A member is left at once when it is out of quota
 * (`rate-limited`, `overloaded`), when its answer is permanent for it alone (`unauthorized`, `model-not-found`, for which it
 * is put into quarantine), or when its circuit breaker is open. Before the first event the next member gets the same request.
 * In mid-stream the error passes, without its `Retry-After`, and `recover` around the pool brings the continuation, which goes
 * to the next member. Any other error passes through and leaves the answer with its member: another one would do no better
 * with a request that is wrong, and one broken connection says little.
 *
 * For one answer a member that was left is not asked again; that is known by the `messages` of the request, the same list in
 * all of its attempts. When nobody is left the error is `all-models-unavailable`, with the last member's error as its `cause`
 * and the shortest `Retry-After` of all;
 * but once an answer has begun it is the last quota error as it came: recovery waits for its `Retry-After`, or by its own
 * backoff, and all may be asked again.
 * A stream that has been replaced does not change anything any more. A run is attached to by the member that runs it alone.
 * Signatures and encrypted reasoning of one vendor are dropped by the encoders of the others. Every member is watched by an
 * idle timeout as long as its own model needs, and by a breaker, for which mid-stream failures and stalls count too.
 *
 * Give the members bare or made by `withRetryOpen`: the pool then never waits for their retries when it could switch.
 *
 * @example Two vendors, and a third for emergencies
 * ```ts
 * import { executorPool, withRecovery, type LlmExecutor } from 'rx-llm';
 *
 * declare const anthropic: LlmExecutor;
 * declare const bedrock: LlmExecutor;
 * declare const openai: LlmExecutor;
 *
 * const pool = executorPool([
 *   { id: 'anthropic', executor: anthropic, weight: 3 },
 *   { id: 'bedrock', executor: bedrock, model: 'anthropic.claude-sonnet-4-5-20250929-v1:0' },
 *   { id: 'openai', executor: openai, model: 'gpt-5', role: 'failover-only' },
 * ]);
 * const model = withRecovery(pool, { count: 4, idleTimeout: false });
 * ```
 * @param members - The members, in the order of preference; an executor alone has its name as its id.
 * @param policy - See {@link PoolPolicy}.
 * @throws TypeError without members, on a member without an executor, when two have the same id, on another `role` or `home`;
 * RangeError on a weight or a time that makes no sense.
 */
export function executorPool(members: readonly (PoolMember | LlmExecutor)[], policy: PoolPolicy = {}): ExecutorPool {
  const named = members.map((member) => ('executor' in member ? member : { id: member.name, executor: member }));
  const { home = 'rendezvous', returnAfter = 60_000, scheduler = asyncScheduler, breaker = {}, idleTimeout } = policy;
  const { quotaThreshold = 0, maxSwitches = Infinity, quarantine = 600_000, key, name = 'pool' } = policy;
  checkMembers(named, home);
  if (!HOMES.includes(home)) throw new TypeError(`executorPool: home must be ${HOMES.join(', ')}, not ${home}`);
  for (const [what, value] of Object.entries({ returnAfter, quotaThreshold, maxSwitches, quarantine })) {
    if (!(value >= 0)) throw new RangeError(`executorPool: ${what} must be 0 or more`);
  }
  const breakers = typeof breaker === 'function' ? breaker : circuitBreaker({ scheduler, ...breaker });
  const leaves = (error: Parameters<typeof leavingOf>[0]): boolean => leavingOf(error, quotaThreshold) !== null;
  const own = named.map((member) => new Member(member, { breakers, idleTimeout, scheduler, leaves }));
  const router = new PoolRouter(own, home, returnAfter, scheduler);
  const settings = { key, quotaThreshold, maxSwitches, quarantine, scheduler };
  const pool = new Pool(own, router, new PoolInferences(scheduler), settings);
  const executor = createExecutor({ name, executeStream: (request) => pool.stream(request) });
  return { ...executor, status: () => own.map(({ status }) => status) };
}

function checkMembers(members: readonly PoolMember[], home: PoolPolicy['home']): void {
  if (members.length === 0) throw new TypeError('executorPool: give at least one member');
  const ids = new Set<string>();
  for (const { id, executor, role, weight = 1 } of members) {
    const asked: Partial<LlmExecutor> = executor ?? {};
    if (!asked.executeStream) throw new TypeError(`executorPool: give each member an executor; ${id} has none`);
    if ((role ?? 'failover-only') !== 'failover-only') {
      throw new TypeError(`executorPool: the role of ${id} can only be 'failover-only', not ${JSON.stringify(role)}`);
    }
    if (ids.has(id)) throw new TypeError(`executorPool: two members are called ${id}; give each an id of its own`);
    ids.add(id);
    if (!(weight > 0 && weight < Infinity)) throw new RangeError(`executorPool: the weight of ${id} must be positive`);
    if (home === 'round-robin' && !Number.isInteger(weight)) {
      throw new RangeError(`executorPool: with round-robin the weight of ${id} must be a whole number`);
    }
  }
}
