import { EMPTY, lastValueFrom, merge, NEVER, of, Subject, take, toArray, type Observable } from 'rxjs';
import {
  collect,
  createExecutor,
  InferenceExecutionError,
  recover,
  resultText,
  withRecovery,
  type InferenceErrorKind,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
  type StreamResult,
} from '../../src/index.js';
import { scriptedExecutor, type ScriptedAttempt } from '../../src/testing/index.js';
import { circuitBreaker } from '../../src/resilience/circuitBreaker.js';
import { executorPool, type PoolMember, type PoolPolicy } from '../../src/resilience/executorPool.js';
import { rendezvousScore } from '../../src/resilience/rendezvous.js';
import { withRetryOpen } from '../../src/resilience/withRetryOpen.js';
import { args, broken, close, reasoning, request, start, stop, text } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const failure = (kind: InferenceErrorKind, retryAfter?: number) =>
  new InferenceExecutionError(kind, 'no', { retryAfter });
const QUOTA = failure('rate-limited');
const cursor = { provider: 'a', runId: 'run' };
const attached = (event: LlmStreamEvent): LlmStreamEvent => ({ ...event, providerMetadata: { cursor } });

/** Members a, b, … that play scripts, in the order of preference. */
function poolOf(scripts: ScriptedAttempt[][], policy: PoolPolicy = {}, more: Partial<PoolMember>[] = []) {
  const members = scripts.map((attempts, index) => scriptedExecutor(attempts, { name: 'abcdef'[index]! }));
  const pool = executorPool(
    members.map((executor, index) => ({ id: executor.name, executor, ...more[index] })),
    { home: 'first-healthy', ...policy },
  );
  const calls = (): number[] => members.map(({ subscriptions }) => subscriptions.length);
  return { pool, members, calls };
}

/** Runs an executor to its end on virtual time. */
function answerOf(executor: LlmExecutor, asking: InferenceRequest = request) {
  const answer: { result?: StreamResult; error?: InferenceExecutionError; elapsed: number } = { elapsed: 0 };
  const scheduler = createTestScheduler();
  scheduler.run(({ flush }) => {
    executor
      .executeStream(asking)
      .pipe(collect())
      .subscribe({
        next: (result) => Object.assign(answer, { result, elapsed: scheduler.now() }),
        error: (error: unknown) => Object.assign(answer, { error, elapsed: scheduler.now() }),
      });
    flush();
  });
  return answer;
}

const textOf = ({ result, error }: ReturnType<typeof answerOf>): string =>
  result ? resultText(result) : `${error!.kind}`;
const OK: ScriptedAttempt = [text('ok'), stop()];

describe('executorPool', () => {
  it('should ask the next member at once when the first one has no room', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { b: text('b'), s: stop() };
      const first = cold<LlmStreamEvent>('--#     ', {}, failure('rate-limited', 30_000));
      const second = cold('                 --b--s|', values);
      const expected = '                  ----b--(s|)';
      const asking = (name: string, source: Observable<LlmStreamEvent>): LlmExecutor =>
        createExecutor({ name, executeStream: () => source });

      const pool = executorPool([asking('a', first), asking('b', second)], { home: 'first-healthy' });

      expectObservable(pool.executeStream(request)).toBe(expected, values);
      expectSubscriptions(first.subscriptions).toBe('^-!');
      expectSubscriptions(second.subscriptions).toBe('--^----!');
    });
  });

  it('should stop the member when it is unsubscribed, and ask no other one', () => {
    const { pool, members, calls } = poolOf([[['silence']], [OK]]);
    const subscription = pool.executeStream(request).subscribe();
    expect(members[0]!.open).toBe(1);
    subscription.unsubscribe();

    expect([members[0]!.open, ...calls()]).toEqual([0, 1, 0]);
  });

  it('should go on with another member in mid-stream, with all the text so far', () => {
    const { pool, members } = poolOf([[[text('one '), QUOTA]], [[text('two '), QUOTA]], [[text('three'), stop()]]]);

    expect(textOf(answerOf(withRecovery(pool, { delay: 0 })))).toBe('one two three');
    expect(members[2]!.requests[0]!.continuation).toEqual({ prefix: 'one two ', cancelledTools: [] });
  });

  it('should not let recovery wait for the quota of a member that has been left (W15)', () => {
    const { pool } = poolOf([[[text('x'), failure('rate-limited', 30_000)]], [OK]]);

    expect(answerOf(withRecovery(pool, { delay: 1 }))).toMatchObject({ elapsed: 1 });
  });

  it('should not let the retries of a member delay a switch (W15)', () => {
    const members = [scriptedExecutor([[failure('rate-limited', 30_000)]]), scriptedExecutor([OK])] as const;
    const pool = executorPool(
      [
        { id: 'a', executor: withRetryOpen(members[0], { count: 2, fallbackModels: ['another'] }) },
        { id: 'b', executor: members[1] },
      ],
      { home: 'first-healthy' },
    );

    expect(answerOf(pool)).toMatchObject({ elapsed: 0 });
    expect(members[0].requests).toHaveLength(1);
  });

  it('should let a member retry what the pool stays for', () => {
    const own = poolOf([[[broken()], OK]], {}, [{ retry: { count: 1, delay: 7 } }]);
    expect(answerOf(own.pool)).toMatchObject({ elapsed: 7 });

    const inner = scriptedExecutor([[broken()], OK]);
    const wrapped = executorPool([{ id: 'a', executor: withRetryOpen(inner, { delay: 9 }) }]);
    expect(answerOf(wrapped)).toMatchObject({ elapsed: 9 });
  });

  it('should wait for the last member rather than give up what has been begun', () => {
    const { pool, calls } = poolOf([
      [
        [text('one '), failure('rate-limited', 3_000)],
        [text('two'), stop()],
      ],
    ]);
    const answer = answerOf(withRecovery(pool, { delay: 0 }));

    expect([textOf(answer), answer.elapsed]).toEqual(['one two', 3_000]);
    expect(calls()).toEqual([2]);
  });

  it('should go on in mid-stream even when the member has lost its right', () => {
    const { pool, calls } = poolOf([[[text('x '), failure('unauthorized')]], [OK]]);

    pool
      .executeStream(request)
      .pipe(recover({ request, resubscribe: (rest) => pool.executeStream(rest), delay: 0 }), collect())
      .subscribe((result) => expect(resultText(result)).toBe('x ok'));

    expect(calls()).toEqual([1, 1]);
    expect(pool.status()[0]).toEqual({ id: 'a', available: false, circuit: 'closed', quarantined: true });
  });

  it.each<InferenceErrorKind>(['provider', 'timeout', 'context-overflow', 'invalid-request', 'content-filtered'])(
    'should stay with the member on %s, and pass the same error on',
    (kind) => {
      const error = failure(kind);
      const { pool, calls } = poolOf([[[error]], [OK]]);

      expect(answerOf(pool).error).toBe(error);
      expect(calls()).toEqual([1, 0]);
    },
  );

  it.each([
    [4_999, [1, 0], 'rate-limited'],
    [5_000, [1, 1], 'ok'],
    [undefined, [1, 1], 'ok'],
  ])('should leave a member for a Retry-After from the threshold on: %s ms', (retryAfter, expected, outcome) => {
    const { pool, calls } = poolOf([[[failure('rate-limited', retryAfter)]], [OK]], { quotaThreshold: 5_000 });

    expect(textOf(answerOf(pool))).toBe(outcome);
    expect(calls()).toEqual(expected);
  });

  it('should error as all-models-unavailable when all have been tried, with the last error as the cause', () => {
    const last = failure('overloaded', 7_000);
    const { pool, calls } = poolOf([[[QUOTA]], [[last]]]);
    const { error } = answerOf(pool);

    expect(error).toMatchObject({ kind: 'all-models-unavailable', retryAfter: 7_000, isRetryable: false });
    expect(error!.cause).toBe(last);
    expect(calls()).toEqual([1, 1]);
    expect(answerOf(pool).error!.kind).toBe('all-models-unavailable');
    expect(calls()).toEqual([2, 2]);
  });

  it('should tell the shortest wait that a member has asked for when all have been tried', () => {
    const { pool } = poolOf([[[failure('overloaded', 1_000)]], [[failure('rate-limited', 9_000)]], [[QUOTA]]]);

    expect(answerOf(pool).error).toMatchObject({ kind: 'all-models-unavailable', retryAfter: 1_000 });
  });

  it('should ask nobody when every breaker is open', () => {
    const { pool, calls } = poolOf([[OK], [OK]], { breaker: sick('a', 'b') });

    expect(answerOf(pool).error).toEqual(new InferenceExecutionError('all-models-unavailable'));
    expect(calls()).toEqual([0, 0]);
  });

  it('should let an answer that has begun wait for a quota that says when it comes back', () => {
    const { pool, calls } = poolOf([
      [
        [text('x'), failure('rate-limited', 4_000)],
        [text('y'), stop()],
      ],
      [[failure('rate-limited', 5_000)]],
    ]);
    const answer = answerOf(withRecovery(pool, { delay: 0, count: 2 }));

    expect(textOf(answer)).toBe('xy');
    expect(answer.elapsed).toBe(5_000);
    expect(calls()).toEqual([2, 2]);
  });

  it('should give an answer up that has begun when the budget is spent before a quota is back', () => {
    const { pool } = poolOf([[[text('x'), QUOTA]], [[failure('rate-limited', 5_000)]]]);
    const { error } = answerOf(withRecovery(pool, { delay: 0, count: 1 }));

    expect(error).toMatchObject({ kind: 'rate-limited', snapshot: { text: 'x' } });
  });

  it('should not ask a member for an answer again that it has left, as long as there is another (no bounce)', () => {
    const { pool, calls } = poolOf([
      [[QUOTA], OK],
      [[text('x'), broken()], [text('y'), broken()], OK],
    ]);
    const answer = answerOf(withRecovery(pool, { delay: 0, count: 5 }));

    expect(textOf(answer)).toBe('xyok');
    expect(calls()).toEqual([1, 3]);
  });

  it.each([
    ['the rest of an answer', [text('x'), broken()], 'xok'],
    ['an answer of which nothing can be kept', [reasoning('x'), broken()], 'ok'],
  ])('should wait, not give up, when nobody has room for %s', (_, begun, whole) => {
    const { pool, calls } = poolOf([
      [[QUOTA], [QUOTA], OK],
      [begun, [QUOTA], [QUOTA]],
    ]);
    const answer = answerOf(withRecovery(pool, { delay: 0, count: 5 }));

    expect(textOf(answer)).toBe(whole);
    expect(calls()).toEqual([3, 3]);
  });

  it('should tell who has no room when the budget is spent', () => {
    const { pool } = poolOf([[[QUOTA]], [[text('x'), broken()], [QUOTA]]]);
    const answer = answerOf(withRecovery(pool, { delay: 0, count: 1 }));

    expect(answer.error).toMatchObject({ kind: 'stream-interrupted', snapshot: { text: 'x' } });
  });

  it('should switch no more often than it was told to, until an answer succeeds', () => {
    const { pool, calls } = poolOf([[[QUOTA]], [[QUOTA], OK, [QUOTA]], [OK]], { maxSwitches: 1 });

    expect([1, 2, 3].map(() => textOf(answerOf(pool)))).toEqual(['rate-limited', 'ok', 'rate-limited']);
    expect(calls()).toEqual([2, 3, 0]);
  });

  it('should bring a key home again after a while', () => {
    const { pool, calls } = poolOf([[[QUOTA], OK], [OK]], { returnAfter: 1_000 });
    const scheduler = createTestScheduler();
    scheduler.run(({ flush }) => {
      for (const at of [0, 999, 1_000]) scheduler.schedule(() => pool.executeStream(request).subscribe(), at);
      flush();
    });

    expect(calls()).toEqual([2, 2]);
  });

  it('should not bring it home before the Retry-After is over', () => {
    const { pool, calls } = poolOf([[[failure('rate-limited', 5_000)], OK], [OK]], { returnAfter: 1_000 });
    const scheduler = createTestScheduler();
    scheduler.run(({ flush }) => {
      for (const at of [0, 4_999, 5_000]) scheduler.schedule(() => pool.executeStream(request).subscribe(), at);
      flush();
    });

    expect(calls()).toEqual([2, 2]);
  });

  it('should end the quarantine of a member', () => {
    const { pool, calls } = poolOf([[[failure('model-not-found')], OK], [OK]], { quarantine: 2_000, returnAfter: 0 });
    const scheduler = createTestScheduler();
    scheduler.run(({ flush }) => {
      for (const at of [0, 1_999, 2_000]) scheduler.schedule(() => pool.executeStream(request).subscribe(), at);
      flush();
    });

    expect(calls()).toEqual([2, 2]);
  });

  it('should give each key a home of its own, and keep it while others come and go', () => {
    const homes = (ids: string[]): string[] => {
      const asked: string[] = [];
      const members = ids.map((id) => {
        const executor = createExecutor({ name: id, executeStream: () => (asked.push(id), of(stop())) });
        return { id, executor };
      });
      const pool = executorPool(members, { key: ({ model }) => model });
      for (let i = 0; i < 300; i++) pool.executeStream({ ...request, model: `thread-${i}` }).subscribe();
      return asked;
    };
    const [three, two] = [homes(['a', 'b', 'c']), homes(['a', 'b'])];

    expect(two.filter((id, i) => three[i] !== 'c' && three[i] !== id)).toEqual([]);
    for (const id of ['a', 'b', 'c']) expect(three.filter((other) => other === id).length).toBeGreaterThan(70);
  });

  it('should score the same key and member the same everywhere', () => {
    expect(rendezvousScore('agent-0', 'm2', 1)).toBeCloseTo(rendezvousScore('agent-0', 'm2', 2) / 2, 12);
    expect(rendezvousScore('schlüssel 🗝', 'm', 1)).toBeCloseTo(1.0870691919772, 12);
  });

  it('should take turns for answers without a key, and keep the member for a key and for an answer', () => {
    const scripts = (): ScriptedAttempt[][] => [
      [[text('x'), broken()], OK],
      [[text('x'), broken()], OK],
    ];
    const keyless = poolOf(scripts(), { home: 'round-robin' });
    answerOf(withRecovery(keyless.pool, { delay: 0 }));
    expect(keyless.calls()).toEqual([2, 0]);
    answerOf(withRecovery(keyless.pool, { delay: 0 }));
    expect(keyless.calls()).toEqual([2, 2]);

    const keyed = poolOf([[OK], [OK]], { home: 'round-robin', key: () => 'k' });
    for (let i = 0; i < 4; i++) answerOf(keyed.pool);
    expect(keyed.calls()).toEqual([4, 0]);
  });

  it('should ask for failover only where nobody else can be asked', () => {
    const more: Partial<PoolMember>[] = [{ role: 'failover-only' }];
    const { pool, calls } = poolOf([[OK], [[QUOTA]], [[QUOTA]]], {}, more);

    expect(textOf(answerOf(pool))).toBe('ok');
    expect(calls()).toEqual([1, 1, 1]);
  });

  it('should ask each member for its own model', () => {
    const { pool, members } = poolOf([[[QUOTA]], [OK]], {}, [{}, { model: 'other' }]);
    answerOf(pool, { ...request, overrides: { temperature: 0 } });

    expect(members[0]!.requests[0]!.overrides).toEqual({ temperature: 0 });
    expect(members[1]!.requests[0]!.overrides).toEqual({ temperature: 0, model: 'other' });
  });

  it('should wait for a member as long as its own model thinks, not the one that stands in for it (W22)', () => {
    const silent: ScriptedAttempt[] = [['silence']];
    const elapsed = (model: string): number => answerOf(poolOf([silent], {}, [{ model }]).pool).elapsed;

    expect([elapsed('openai/O3-mini'), elapsed('gpt-4o')]).toEqual([120_000, 60_000]);
    expect(answerOf(poolOf([silent], { idleTimeout: 5 }).pool)).toMatchObject({
      elapsed: 5,
      error: { interruption: { kind: 'idle-stall' } },
    });
    expect(answerOf(poolOf([silent], { idleTimeout: false }).pool).error).toBeUndefined();
  });

  it('should share the breaker of a member with others', () => {
    const breaker = circuitBreaker(1);
    const { pool, calls } = poolOf([[OK], [OK]], {}, [{ breaker }]);
    breaker.record('failure');
    answerOf(pool);

    expect(calls()).toEqual([0, 1]);
  });

  describe('and streams that are left', () => {
    it('should take a stall that only recovery saw for a failure of the member (W25)', () => {
      const { pool, calls } = poolOf([[[text('x '), 'silence']], [OK]], {
        breaker: { threshold: 1 },
        idleTimeout: false,
      });

      expect(textOf(answerOf(withRecovery(pool, { delay: 0, idleTimeout: 3 })))).toBe('x ok');
      expect(calls()).toEqual([1, 1]);
    });

    it('should take one for a failure that never began, when it was silent for long', () => {
      const { pool, calls } = poolOf([[['silence']], [OK]], { breaker: { threshold: 1 }, idleTimeout: false });

      expect(textOf(answerOf(withRecovery(pool, { delay: 0, idleTimeout: 5_000 })))).toBe('ok');
      expect(calls()).toEqual([1, 1]);
    });

    it.each<[string, ScriptedAttempt, number]>([
      ['at once', ['silence'], 0],
      ['in the text', [text('x'), 'silence'], 0],
      ['before it has begun, though not for long', ['silence'], 4_999],
      ['after a pause in the text', [text('x'), 'silence'], 60_000],
    ])('should not blame the member when a user stops an answer %s and asks again', (_, attempt, after) => {
      const { pool, calls } = poolOf([[attempt], [OK]], { breaker: { threshold: 1 }, idleTimeout: false });
      const scheduler = createTestScheduler();
      scheduler.run(({ flush }) => {
        const first = pool.executeStream(request).subscribe();
        scheduler.schedule(() => {
          first.unsubscribe();
          pool.executeStream(request).subscribe().unsubscribe();
        }, after);
        flush();
      });

      expect(calls()).toEqual([2, 0]);
      expect(pool.status()[0]).toMatchObject({ circuit: 'closed' });
    });

    it('should not blame a member that is asked the same twice at a time, as hedging does', () => {
      const { pool, calls } = poolOf([[['silence']], [OK]], { breaker: { threshold: 1 } });
      const asking = { ...request, continuation: { prefix: 'x', cancelledTools: [] } };
      const open = [1, 2].map(() => pool.executeStream(asking).subscribe());

      expect(calls()).toEqual([2, 0]);
      for (const subscription of open) subscription.unsubscribe();
    });

    /** Members a and b; the streams of a are played by hand. */
    function byHand(policy: PoolPolicy = {}) {
      const streams: Subject<LlmStreamEvent>[] = [];
      const executeStream = () => {
        const stream = new Subject<LlmStreamEvent>();
        streams.push(stream);
        return stream;
      };
      const b = scriptedExecutor([OK]);
      const pool = executorPool([createExecutor({ name: 'a', executeStream }), { id: 'b', executor: b }], {
        home: 'first-healthy',
        idleTimeout: false,
        ...policy,
      });
      const errors: unknown[] = [];
      const ask = (prefix?: string): void => {
        const continuation = prefix === undefined ? undefined : { prefix, cancelledTools: [] };
        const asking = continuation ? { ...request, continuation } : request;
        pool.executeStream(asking).subscribe({ error: (error: unknown) => errors.push(error) });
      };
      return { pool, streams, b, errors, ask };
    }

    it('should not let a stream that has been replaced change anything', () => {
      const { streams, b, errors, ask } = byHand();
      ask();
      streams[0]!.next(text('x'));
      ask('x');
      streams[0]!.error(QUOTA);
      streams[1]!.next(text('y'));
      streams[1]!.error(broken());
      ask('xy');

      expect(errors).toHaveLength(2);
      expect([streams.length, b.requests.length]).toEqual([3, 0]);
    });

    it('should tell two answers to the same messages apart', () => {
      const { pool, streams, b, errors, ask } = byHand({ breaker: { threshold: 4 } });
      ask();
      ask();
      streams[0]!.next(text('x'));
      streams[0]!.error(broken());
      ask('x');
      streams[1]!.next(text('y'));
      streams[1]!.error(failure('provider'));
      streams[2]!.next(text('z'));
      streams[2]!.error(QUOTA);
      ask('xz');

      expect(errors).toHaveLength(3);
      expect([streams.length, b.requests.length]).toEqual([3, 1]);
      expect(pool.status()[0]).toMatchObject({ circuit: 'closed' });
      ask('y');
      expect([streams.length, b.requests.length]).toEqual([4, 1]);
    });

    it('should begin anew when nobody has come for a broken answer for long', () => {
      const { pool, calls } = poolOf([[[QUOTA], OK], [[broken()]]], { returnAfter: 0 });
      const scheduler = createTestScheduler();
      scheduler.run(({ flush }) => {
        for (const at of [0, 119_000, 239_001]) {
          scheduler.schedule(() => pool.executeStream(request).subscribe({ error: () => undefined }), at);
        }
        flush();
      });

      expect(calls()).toEqual([2, 2]);
    });

    it('should begin anew after an error that nothing mends', () => {
      const { pool, calls } = poolOf([[[QUOTA], OK], [[failure('invalid-request')]]], { returnAfter: 0 });
      for (let i = 0; i < 2; i++) pool.executeStream(request).subscribe({ error: () => undefined });

      expect(calls()).toEqual([2, 1]);
    });
  });

  describe('and runs that can be attached to', () => {
    const reattach = (prefix: string): InferenceRequest => ({
      ...request,
      continuation: { prefix, cancelledTools: [], mechanism: 'reattach', cursor },
    });

    it('should attach at the member that runs it', () => {
      const { pool, members } = poolOf([[[QUOTA]], [[attached(text('x ')), broken()], OK]]);

      expect(textOf(answerOf(withRecovery(pool, { delay: 0 })))).toBe('x ok');
      expect(members[1]!.requests[1]!.continuation).toMatchObject({ mechanism: 'reattach', cursor });
    });

    it('should find it by the name of the provider in another process', () => {
      const { pool, calls } = poolOf([[OK], [OK]], {}, [{ provider: 'other' }, { provider: 'a' }]);
      answerOf(pool, reattach('x'));

      expect(calls()).toEqual([0, 1]);
    });

    it('should go on elsewhere without the cursor when that member cannot be asked, with text alone', () => {
      const { pool, members } = poolOf([[[attached(text('x ')), broken()]], [OK]], { breaker: { threshold: 1 } });

      expect(textOf(answerOf(withRecovery(pool, { delay: 0, count: 1 })))).toBe('x ok');
      expect(members[1]!.requests[0]!.continuation).toEqual({ prefix: 'x ', cancelledTools: [] });
    });

    it('should leave it to recovery what becomes of calls', () => {
      const call = [start('c', 'f'), args('c', '{}'), close('c')];
      const { pool, calls } = poolOf([[[attached(text('x ')), ...call, broken()]], [OK]], {
        breaker: { threshold: 1 },
      });
      const { result } = answerOf(withRecovery(pool, { delay: 0 }));

      expect(result).toMatchObject({ stopReason: 'tool-use', toolCalls: [{ id: 'c' }] });
      expect(calls()).toEqual([1, 0]);
    });

    it('should not take a run that is gone for a model that is gone', () => {
      const { pool } = poolOf([[[failure('model-not-found')]], [OK]]);

      expect(answerOf(pool, reattach('x')).error).toMatchObject({ kind: 'model-not-found' });
      expect(pool.status()[0]).toMatchObject({ available: true, quarantined: false });
    });
  });

  it('should keep calls that were whole when it switches in mid-stream', () => {
    const { pool, calls } = poolOf([[[text('x'), start('c', 'f'), args('c', '{"n":1}'), QUOTA]], [OK]]);
    const { result } = answerOf(withRecovery(pool, { delay: 0 }));

    expect(result).toMatchObject({ stopReason: 'tool-use', toolCalls: [{ id: 'c', arguments: { n: 1 } }] });
    expect(calls()).toEqual([1, 0]);
  });

  it('should take the end at the stop, whatever the member does after it (W8)', () => {
    const { pool, members } = poolOf([[[text('x'), stop(), 'silence']]], { breaker: { threshold: 1 } });

    expect(textOf(answerOf(pool))).toBe('x');
    expect([members[0]!.open, pool.status()[0]!.circuit]).toEqual([0, 'closed']);
  });

  it('should collect the answer, too, and be cold', async () => {
    const { pool, calls } = poolOf([[[QUOTA], OK], [OK]], { returnAfter: 0 });
    const collected = pool.execute(request);
    expect(calls()).toEqual([0, 0]);

    const results = await lastValueFrom(merge(collected, collected).pipe(toArray()));

    expect(results.map(resultText)).toEqual(['ok', 'ok']);
    expect(calls()).toEqual([2, 1]);
  });

  it('should pass an empty stream and silence on, and stop a synchronous member', () => {
    const outcomes: string[] = [];
    const executor = (stream: Observable<LlmStreamEvent>) =>
      executorPool([createExecutor({ name: 'a', executeStream: () => stream })]).executeStream(request);
    executor(EMPTY).subscribe({ complete: () => outcomes.push('completed') });
    executor(NEVER)
      .subscribe({ complete: () => outcomes.push('completed') })
      .unsubscribe();
    const { pool, members } = poolOf([[[text('a'), text('b'), stop()]]]);
    pool.executeStream(request).pipe(take(1)).subscribe();

    expect(outcomes).toEqual(['completed']);
    expect(members[0]!.subscriptions[0]!.state).toBe('unsubscribed');
  });

  it('should error when the key function throws', () => {
    const thrown = new RangeError('mine');
    const { pool } = poolOf([[OK]], {
      key: () => {
        throw thrown;
      },
    });
    const errors: unknown[] = [];
    pool.executeStream(request).subscribe({ error: (error: unknown) => errors.push(error) });

    expect(errors).toEqual([expect.any(InferenceExecutionError)]);
    expect(errors).toMatchObject([{ kind: 'provider', cause: thrown }]);
  });

  it('should throw at the call on misuse, in words that help', () => {
    const executor = scriptedExecutor([OK], { name: 'same' });

    expect(() => executorPool([])).toThrow(new TypeError('executorPool: give at least one member'));
    expect(() => executorPool([executor, executor])).toThrow(/two members are called same; give each an id/);
    expect(() => executorPool([{ id: 'a' } as never])).toThrow(/give each member an executor/);
    expect(() => executorPool([{ id: 'a', executor: undefined as never }])).toThrow(
      /give each member an executor; a has none/,
    );
    expect(() => executorPool([{ id: 'a', executor, role: 'failover' as 'failover-only' }])).toThrow(
      /role of a can only be 'failover-only', not "failover"/,
    );
    expect(() => executorPool([{ id: 'a', executor, weight: 0 }])).toThrow(/weight of a must be positive/);
    expect(() => executorPool([{ id: 'a', executor, weight: 1.5 }], { home: 'round-robin' })).toThrow(/whole number/);
    expect(() => executorPool([executor], { home: 'x' as 'rendezvous' })).toThrow(/home must be rendezvous, .*not x/);
    expect(() => executorPool([executor], { returnAfter: -1 })).toThrow(/returnAfter must be 0 or more/);
  });
});

/** Breakers that are open for these members. */
function sick(...ids: string[]) {
  const breaker = circuitBreaker(1);
  for (const id of ids) breaker.named(id).record('failure');
  return breaker;
}
