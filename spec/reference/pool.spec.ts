import { tap } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { accumulate, recover, resultText, type InferenceExecutionError, type StreamResult } from '../../src/index.js';
import { circuitBreaker } from '../../src/resilience/circuitBreaker.js';
import { executorPool, type PoolMember, type PoolPolicy } from '../../src/resilience/executorPool.js';
import { leavingOf } from '../../src/resilience/Pool.js';
import { request, stop } from '../helpers/events.js';
import { referenceCases, titleOf, type ReferenceCase } from '../helpers/reference.js';
import { errorOf, kindOf, playing, type RawAttempt, type RawError } from './attempts.js';

interface RawMember {
  id: string;
  attempts: RawAttempt[];
  weight?: number;
  role?: 'failover_only';
}
type PoolInput = {
  thread: string;
  members: RawMember[];
  runs?: number;
  switch?: { quota_retry_after_threshold_secs?: number; max_switches_per_session?: number };
  breaker?: { failure_threshold: number; cooldown_ms: number; half_open_max: number };
};
interface PoolAnswer {
  available: Record<string, boolean>;
  calls: Record<string, number>;
  elapsed: number;
  runs: string[];
}

/** Where our answer is another one, and why. */
const OURS: Record<string, [why: string, answer: Partial<PoolAnswer>]> = {
  Q02: ['a member in quarantine is not available; its breaker is another matter', { available: { a: false, b: true } }],
  Q03: [
    'the pool stays; recover around it tries again what could not be opened',
    { calls: { a: 3, b: 0 }, elapsed: 1_500 },
  ],
  Q06: ['the pool stays; recover around it waits as it was asked to', { calls: { a: 3, b: 0 }, elapsed: 60_000 }],
  Q07: ['the original error comes, with everything that had arrived, not a new one', { runs: ['provider: xxx'] }],
  Q08: ['the answer has its first half (W1)', { runs: ['ok: x ok'] }],
  Q09: ['the error has everything that had arrived', { runs: ['all-models-unavailable: x y '] }],
  Q11: ['the answer has its first half (W1)', { runs: ['ok: xok'] }],
  Q12: ['the answer has its first half (W1)', { runs: ['ok: xok'] }],
  Q14: [
    'a finished answer is finished (W8)',
    { runs: ['ok: done'], calls: { a: 1, b: 0 }, elapsed: 0, available: { a: true, b: true } },
  ],
};

/** Runs a case through `recover` around a pool, on virtual time and with the whole of each backoff. */
function run(test: ReferenceCase): PoolAnswer {
  const { thread, members, runs = 1, switch: switching = {}, breaker } = test.input as PoolInput;
  const playingMembers = members.map(({ id, attempts }) => ({ id, ...playing(id, attempts) }));
  const policy: PoolPolicy = {
    key: () => thread,
    ...(switching.quota_retry_after_threshold_secs && {
      quotaThreshold: switching.quota_retry_after_threshold_secs * 1_000,
    }),
    ...(breaker && {
      breaker: {
        threshold: breaker.failure_threshold,
        cooldown: breaker.cooldown_ms,
        halfOpen: breaker.half_open_max,
      },
    }),
  };
  const answer: PoolAnswer = { available: {}, calls: {}, elapsed: 0, runs: [] };
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run(({ flush }) => {
    const pool = executorPool(playingMembers, policy);
    const ask = (left: number): void => {
      if (left === 0) return;
      let result: StreamResult | undefined;
      const done = (outcome: string): void => {
        answer.runs.push(outcome);
        answer.elapsed = scheduler.now();
        for (const { id, available } of pool.status()) answer.available[id] = available;
        ask(left - 1);
      };
      pool
        .executeStream(request)
        .pipe(
          recover({ request, resubscribe: (continuation) => pool.executeStream(continuation), random: () => 1 }),
          accumulate(),
          tap((next) => (result = next)),
        )
        .subscribe({
          error: (error: unknown) => {
            const { kind, snapshot } = error as InferenceExecutionError;
            done(`${kind}: ${snapshot?.text ?? ''}`);
          },
          complete: () => done(`ok: ${result ? resultText(result) : ''}`),
        });
    };
    ask(runs);
    flush();
  });
  for (const { id, asked } of playingMembers) answer.calls[id] = asked.length;
  return answer;
}

function reference({ expected }: ReferenceCase): PoolAnswer {
  const { breaker_available, calls, elapsed_ms, runs } = expected as {
    breaker_available: Record<string, boolean>;
    calls: Record<string, number>;
    elapsed_ms: number;
    runs: ({ ok: string } | { error: RawError & { snapshot?: { text: string } } })[];
  };
  return {
    available: breaker_available,
    calls,
    elapsed: elapsed_ms,
    runs: runs.map((one) =>
      'ok' in one ? `ok: ${one.ok}` : `${kindOf(one.error.kind)}: ${one.error.snapshot?.text ?? ''}`,
    ),
  };
}

describe('executorPool inside recover, by the cases of the reference', () => {
  it.each(referenceCases('pool').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const [, better] = OURS[test.id] ?? ['', undefined];
      if (test.defect !== undefined && better === undefined) throw new Error(`${test.id}: say what is better`);

      expect(run(test)).toEqual({ ...reference(test), ...better });
    },
  );
});

describe('executorPool leaving a member, by the cases of the reference', () => {
  it.each(referenceCases('pool_switch').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference, %s',
    (_, { input, expected }) => {
      expect(leavingOf(errorOf(input['error'] as RawError), 0) !== null).toBe(expected);
    },
  );
});

describe('executorPool choosing the home of a key, by the cases of the reference', () => {
  it.each(referenceCases('pool_home').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference, %s',
    (_, { input, expected }) => {
      const { members, healthy, keys, routing } = input as {
        members: RawMember[];
        healthy: boolean[];
        keys: string[];
        routing?: { home: 'round_robin' | 'first_healthy' };
      };
      const chosen: number[] = [];
      const sick = circuitBreaker(1);
      sick.record('failure');
      const pool = executorPool(
        members.map(({ id, weight, role }, index): PoolMember => {
          const { executor } = playing(id, [{ events: [{ type: 'stop', reason: 'EndTurn' }] }]);
          return {
            id,
            executor: {
              ...executor,
              executeStream: (asking) => (chosen.push(index), executor.executeStream(asking)),
            },
            ...(weight && { weight }),
            ...(role && { role: 'failover-only' }),
            ...(!healthy[index] && { breaker: sick }),
          };
        }),
        {
          home: routing ? (routing.home.replace('_', '-') as 'round-robin' | 'first-healthy') : 'rendezvous',
          // Each request of a case chooses a home anew.
          ...(routing?.home !== 'round_robin' && { key: ({ model }) => model }),
        },
      );
      const ended: unknown[] = [];

      for (const key of keys) {
        pool.executeStream({ ...request, model: key }).subscribe((event) => ended.push(event));
      }

      expect(chosen).toEqual(expected);
      expect(ended).toEqual(keys.map(() => stop()));
    },
  );
});
