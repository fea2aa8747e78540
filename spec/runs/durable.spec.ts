import { concat, delay, Observable, of, Subject, throwError } from 'rxjs';
import { InferenceExecutionError, type LlmStreamEvent } from '../../src/index.js';
import { durable, followRun, memoryRunLog, RunLogError, type RunEvent, type RunLog } from '../../src/runs/index.js';
import { request, stop, text } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const a = text('a');
const b = text('b');
const c = text('c');
const s = stop();

/** What is in the log of a run, as far as it has been written. */
function stored(log: RunLog, runId = 'r'): RunEvent[] {
  const events: RunEvent[] = [];
  log
    .read(runId)
    .subscribe({ next: ({ event }) => events.push(event), error: () => undefined })
    .unsubscribe();
  return events;
}

/** A log that takes its time to store. */
function slow(log: RunLog, time: number): RunLog {
  return { ...bound(log), append: (fence, events) => log.append(fence, events).pipe(delay(time)) };
}

function bound(log: RunLog): RunLog {
  return {
    claim: (runId, config) => log.claim(runId, config),
    append: (fence, events) => log.append(fence, events),
    read: (runId, after) => log.read(runId, after),
    head: (runId) => log.head(runId),
    orphans: (limit) => log.orphans(limit),
    expire: (runId, after) => log.expire(runId, after),
  };
}

describe('durable', () => {
  it('should pass on a group when its time is over, and the end at once', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('   -a-b-------c-s|', { a, b, c, s });
      const result$ = source.pipe(durable({ runId: 'r', log: memoryRunLog(), group: { time: 4 } }));

      expectObservable(result$).toBe('-----(ab)-----(cs|)', { a, b, c, s });
      expectSubscriptions(source.subscriptions).toBe('^-------------!');
    });
  });

  it('should append a whole group at once', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const source = cold('-(abc)-', { a, b, c });
      const result$ = source.pipe(durable({ runId: 'r', log: memoryRunLog(), group: { time: 50, size: 2 } }));

      expectObservable(result$, '--------!').toBe('-(ab)---', { a, b });
    });
  });

  it('should pass on nothing before it is stored', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const log = slow(memoryRunLog(), 5);
      const result$ = cold('a-s|', { a, s }).pipe(durable({ runId: 'r', log, group: { time: 1 } }));

      // The second group waits until the first is in the log, and the end goes with it.
      expectObservable(result$).toBe('------a----(s|)', { a, s });
    });
  });

  it('should store what was asked for, the events, and the end', () => {
    const log = memoryRunLog();
    of(a, s)
      .pipe(durable({ runId: 'r', log, request }))
      .subscribe();

    expect(stored(log)).toEqual([{ type: 'run-start', request }, a, s, { type: 'run-end' }]);
  });

  it('should store an error as the end, and then pass it on', () => {
    const log = memoryRunLog();
    const error = new InferenceExecutionError('overloaded', 'come back later');
    const got: unknown[] = [];
    const source = concat(
      of(a),
      throwError(() => error),
    );
    source
      .pipe(durable({ runId: 'r', log }))
      .subscribe({ next: (event) => got.push(event), error: (e: unknown) => got.push(e) });

    expect(got).toEqual([a, error]);
    expect(got[1]).toBe(error);
    const end = { type: 'run-end', error: { kind: 'overloaded', detail: 'come back later' } };
    expect(stored(log)).toEqual([a, end]);
  });

  it('should end a run that its log has no more room for, so that nobody waits for the rest', () => {
    const log = memoryRunLog({ maxEvents: 2 });
    const told: unknown[] = [];
    const read: unknown[] = [];
    followRun('r', { log }).subscribe({ next: ({ event }) => read.push(event), error: (e: unknown) => read.push(e) });
    of(a, b, c, s)
      .pipe(durable({ runId: 'r', log, group: { size: 1 } }))
      .subscribe({ next: (event) => told.push(event), error: (e: unknown) => told.push(e) });

    const full = { kind: 'provider', detail: expect.stringContaining('holds 2 events at most') };
    expect(told).toEqual([
      a,
      b,
      expect.objectContaining({ ...full, snapshot: expect.objectContaining({ text: 'ab' }) }),
    ]);
    expect(stored(log)).toEqual([a, b, { type: 'run-end', error: full }]);
    expect(read).toEqual([a, b, expect.objectContaining(full)]);
  });

  it('should leave a run without an end when it is unsubscribed, and give the lease back', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const log = memoryRunLog();
      const source = cold('-a--------', { a });
      expectObservable(source.pipe(durable({ runId: 'r', log, group: { time: 4 } })), '---!').toBe('----');
      expectSubscriptions(source.subscriptions).toBe('^--!');
      flush();

      let head: unknown;
      log.head('r').subscribe((value) => (head = value));
      expect(head).toBeNull();
    });
  });

  it('should stop the source as soon as somebody else is the producer', () => {
    const log = memoryRunLog();
    const source = new Subject<LlmStreamEvent>();
    const lost = new RunLogError('lost', 'r', 'taken over');
    const refusing: RunLog = { ...bound(log), append: () => throwError(() => lost) };
    const errors: unknown[] = [];
    source
      .pipe(durable({ runId: 'r', log: refusing, group: { size: 1 } }))
      .subscribe({ error: (e: unknown) => errors.push(e) });
    source.next(a);

    expect(errors).toEqual([expect.objectContaining({ kind: 'provider', cause: lost })]);
    expect(source.observed).toBe(false);
  });

  it('should stop the source when the lease is lost between two events', () => {
    const source = new Subject<LlmStreamEvent>();
    const claimed = new Subject<{ runId: string; token: number }>();
    const log: RunLog = { ...bound(memoryRunLog()), claim: () => claimed };
    const errors: unknown[] = [];
    source.pipe(durable({ runId: 'r', log })).subscribe({ error: (e: unknown) => errors.push(e) });
    claimed.next({ runId: 'r', token: 1 });
    expect(source.observed).toBe(true);
    claimed.error(new RunLogError('lost', 'r', 'too late'));

    expect(errors).toEqual([expect.objectContaining({ kind: 'provider', snapshot: undefined })]);
    expect(source.observed).toBe(false);
  });

  it('should error with what was stored when the log fails later', () => {
    const source = new Subject<LlmStreamEvent>();
    const log = memoryRunLog();
    let works = true;
    const failing: RunLog = {
      ...bound(log),
      append: (fence, events) =>
        works ? log.append(fence, events) : throwError(() => new RunLogError('unavailable', 'r', 'gone')),
    };
    const errors: unknown[] = [];
    source
      .pipe(durable({ runId: 'r', log: failing, group: { size: 1 } }))
      .subscribe({ error: (e: unknown) => errors.push(e) });
    source.next(a);
    works = false;
    source.next(b);

    expect(errors).toEqual([
      expect.objectContaining({ kind: 'provider', snapshot: expect.objectContaining({ text: 'a' }) }),
    ]);
  });

  it('should pass on an error that is none of ours as it is', () => {
    const error = new TypeError('mine');
    const errors: unknown[] = [];
    throwError(() => error)
      .pipe(durable({ runId: 'r', log: memoryRunLog() }))
      .subscribe({ error: (e: unknown) => errors.push(e) });

    expect(errors).toEqual([error]);
  });

  it('should refuse a run that somebody else produces, and not ask for anything', () => {
    const log = memoryRunLog();
    const other = log.claim('r', { ttl: 1_000 }).subscribe();
    let asked = 0;
    const errors: unknown[] = [];
    new Observable<LlmStreamEvent>(() => void asked++)
      .pipe(durable({ runId: 'r', log }))
      .subscribe({ error: (e: unknown) => errors.push(e) });

    other.unsubscribe();
    expect(asked).toBe(0);
    expect((errors[0] as Error).cause).toMatchObject({ name: 'RunLogError', code: 'held' });
  });

  it('should error when the log is too slow for too long', () => {
    const source = new Subject<LlmStreamEvent>();
    const log: RunLog = { ...bound(memoryRunLog()), append: () => new Observable() };
    const errors: unknown[] = [];
    source
      .pipe(durable({ runId: 'r', log, group: { size: 1, limit: 3 } }))
      .subscribe({ error: (e: unknown) => errors.push(e) });
    // One is on its way; three may wait.
    for (let i = 0; i < 4; i++) source.next(a);
    expect(errors).toEqual([]);
    source.next(a);

    expect((errors[0] as Error).message).toContain('has not stored the last 3 events');
  });

  it.each([{ size: 0 }, { size: -1 }, { size: NaN }, { limit: 0 }, { time: -1 }, { time: NaN }])(
    'should throw at the call on groups of %j',
    (group) => {
      expect(() => durable({ runId: 'r', log: memoryRunLog(), group })).toThrow(RangeError);
    },
  );

  it('should keep runs apart, and be a run of its own for each subscriber', () => {
    const log = memoryRunLog();
    const run$ = of(a, s).pipe(durable({ runId: 'r', log }));
    run$.subscribe();
    const errors: unknown[] = [];
    run$.subscribe({ error: (e: unknown) => errors.push(e) });

    expect((errors[0] as Error).cause).toMatchObject({ code: 'ended' });
    expect(stored(log, 'other')).toEqual([]);
  });

  it.each(['', 'a b', 'ä', 'x'.repeat(201), 'a\r\nb', 7])('should refuse %j as the name of a run', (runId) => {
    expect(() => durable({ runId: runId as string, log: memoryRunLog() })).toThrow(TypeError);
    expect(() => followRun(runId as string, { log: memoryRunLog() })).toThrow(TypeError);
  });
});

describe('followRun', () => {
  it('should give each event once, from every place on', () => {
    const log = memoryRunLog();
    of(a, b, c, s)
      .pipe(durable({ runId: 'r', log, request }))
      .subscribe();
    for (let after = 0; after <= 6; after++) {
      const got: number[] = [];
      let complete = false;
      followRun('r', { log, after }).subscribe({ next: ({ seq }) => got.push(seq), complete: () => (complete = true) });

      expect(got).toEqual([2, 3, 4, 5].filter((seq) => seq > after));
      expect(complete).toBe(true);
    }
  });

  it('should wait for a run that has not begun, and go on live', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const log = memoryRunLog();
      const source = cold('--a---s|', { a, s });
      expectObservable(source.pipe(durable({ runId: 'r', log, group: { time: 1 } }))).toBe('---a---(s|)', { a, s });
      expectObservable(followRun('r', { log })).toBe('---a---(s|)', {
        a: { seq: 1, event: a },
        s: { seq: 2, event: s },
      });
    });
  });

  it('should tell how a run failed', () => {
    const log = memoryRunLog();
    throwError(() => new InferenceExecutionError('unauthorized', 'who are you?'))
      .pipe(durable({ runId: 'r', log }))
      .subscribe({ error: () => undefined });
    const errors: unknown[] = [];
    followRun('r', { log }).subscribe({ error: (e: unknown) => errors.push(e) });

    expect(errors).toEqual([expect.objectContaining({ kind: 'unauthorized', detail: 'who are you?' })]);
  });

  it.each([
    new InferenceExecutionError('stream-interrupted', 'gone', { interruption: { kind: 'provider-5xx', status: 503 } }),
    new InferenceExecutionError('rate-limited', 'slow down', { retryAfter: 7_000 }),
  ])('should tell how a run failed as its producer was told, with what was read: %s', (failure) => {
    const log = memoryRunLog();
    concat(
      of(a),
      throwError(() => failure),
    )
      .pipe(durable({ runId: 'r', log, group: { size: 1 } }))
      .subscribe({ error: () => undefined });
    let error: unknown;

    followRun('r', { log }).subscribe({ error: (e: unknown) => (error = e) });

    const { kind, detail, interruption, retryAfter } = failure;
    expect(error).toMatchObject({ kind, detail, interruption, retryAfter, snapshot: { text: 'a' } });
  });

  it('should tell when what is asked for has expired', () => {
    const log = memoryRunLog();
    const errors: unknown[] = [];
    of(a)
      .pipe(durable({ runId: 'r', log }))
      .subscribe();
    const running = memoryRunLog();
    const producer = running.claim('r', { ttl: 1_000 }).subscribe();
    followRun('r', { log: running }).subscribe({ error: (e: unknown) => errors.push(e) });
    running.expire('r', 0).subscribe();
    producer.unsubscribe();

    expect(errors[0]).toMatchObject({ kind: 'model-not-found', isRetryable: false, cause: { code: 'trimmed' } });
  });

  it.each([-1, 1.5, NaN])('should refuse %p as a place', (after) => {
    expect(() => followRun('r', { log: memoryRunLog(), after })).toThrow(RangeError);
  });
});
