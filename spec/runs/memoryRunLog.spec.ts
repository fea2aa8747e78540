import { VirtualTimeScheduler, type Subscription } from 'rxjs';
import { memoryRunLog } from '../../src/runs/memoryRunLog.js';
import { RunLogError } from '../../src/runs/RunLogError.js';
import type { Fence, RunEvent, RunHead, RunLog } from '../../src/runs/RunLog.js';
import { runLogConformance } from '../../src/testing/index.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const fences = { f: { runId: 'r', token: 1 }, g: { runId: 'r', token: 2 } };

/** What a source has emitted by now, and its error. */
function now<T>(source: { subscribe(o: { next(v: T): void; error(e: unknown): void }): Subscription }): unknown[] {
  const seen: unknown[] = [];
  source.subscribe({ next: (value) => seen.push(value), error: (error) => seen.push(error) }).unsubscribe();
  return seen;
}

function append(log: RunLog, fence: Fence, ...events: RunEvent[]): unknown[] {
  return now(log.append(fence, events));
}

describe('memoryRunLog', () => {
  const cases = runLogConformance(() => memoryRunLog());

  it.each(cases)('should be a log that $name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it('should hold a claim until it is unsubscribed, and say to others how long to wait', () => {
    createTestScheduler().run(({ expectObservable }) => {
      const log = memoryRunLog();
      const subs = '  ^-------------------------!         ';
      const claim = ' f-------------------------          ';
      const other = ' -----------#                        ';
      const next = '  --------------------------g---------';

      expectObservable(log.claim('r', { ttl: 9 }), subs).toBe(claim, fences);
      // It was renewed at 9, and lasts for 9 from there: 7 ms are left after 11.
      const held = new RunLogError('held', 'r', 'another producer holds it for 7 ms yet', { retryAfter: 7 });
      expectObservable(log.claim('r', { ttl: 9 }), '-----------^').toBe(other, undefined, held);
      expectObservable(log.claim('r', { ttl: 9 }), '--------------------------^--------!').toBe(next, fences);
    });
  });

  it('should lose a lease that is not renewed in time', () => {
    createTestScheduler().run(({ expectObservable }) => {
      const log = memoryRunLog();
      const asleep = new VirtualTimeScheduler();

      expectObservable(log.claim('r', { ttl: 9, scheduler: asleep }), '^---------------!').toBe('f---', fences);
      expectObservable(log.append(fences.f, [{ type: 'a' }]), '--------^').toBe('--------(n|)', { n: [1] });
      const lost = new RunLogError('lost', 'r', 'the lease has run out or was taken over; claim the run again');
      expectObservable(log.append(fences.f, [{ type: 'b' }]), '---------^').toBe('---------#', undefined, lost);
      expectObservable(log.claim('r', { ttl: 9 }), '----------^--------!').toBe('----------g', fences);
    });
  });

  it('should tell the holder at its next renewal that the run is gone', () => {
    createTestScheduler().run(({ expectObservable }) => {
      const log = memoryRunLog();

      expectObservable(log.claim('r', { ttl: 9 }), '^------------').toBe(
        'f-----#',
        fences,
        new RunLogError('lost', 'r', 'the lease has run out or was taken over; claim the run again'),
      );
      expectObservable(log.expire('r', 0), '----^').toBe('----|');
    });
  });

  it('should give history and live entries to a reader, and complete after the end', () => {
    createTestScheduler().run(({ expectObservable }) => {
      const log = memoryRunLog();
      const [a, b, e] = ['a', 'b', 'run-end'].map((type, index) => ({ seq: index + 1, event: { type } }));

      expectObservable(log.claim('r', { ttl: 99 }), '^-------!').toBe('f', fences);
      expectObservable(log.append(fences.f, [{ type: 'a' }]), '-^').toBe('-(n|)', { n: [1] });
      expectObservable(log.append(fences.f, [{ type: 'b' }]), '----^').toBe('----(n|)', { n: [2] });
      expectObservable(log.append(fences.f, [{ type: 'run-end' }]), '------^').toBe('------(n|)', { n: [3] });
      expectObservable(log.read('r'), '--^').toBe('--a-b-(e|)', { a, b, e });
      expectObservable(log.read('r', 1), '-------^').toBe('-------(be|)', { b, e });
      expectObservable(log.head('r'), '---^').toBe('---(h|)', { h: { seq: 1, ended: false, held: true } });
    });
  });

  it('should forget a run after its retention, without a timer', () => {
    const scheduler = new VirtualTimeScheduler();
    const log = memoryRunLog({ retention: 50, scheduler });
    log.claim('r', { ttl: 10, scheduler: new VirtualTimeScheduler() }).subscribe();
    expect(append(log, fences.f, { type: 'run-end' })).toEqual([[1]]);
    expect(scheduler.actions).toEqual([]);
    scheduler.frame = 49;
    expect(now<RunHead | null>(log.head('r'))).toEqual([{ seq: 1, ended: true, held: false }]);
    scheduler.frame = 50;
    expect(now<RunHead | null>(log.head('r'))).toEqual([null]);
  });

  it('should hold only so many events of a run, and so many runs until the old ones are due', () => {
    const scheduler = new VirtualTimeScheduler();
    const log = memoryRunLog({ maxEvents: 2, maxRuns: 1, retention: 50, scheduler });
    log.claim('r', { ttl: 10, scheduler: new VirtualTimeScheduler() }).subscribe();
    const three = [{ type: 'a' }, { type: 'b' }, { type: 'c' }];
    expect(append(log, fences.f, ...three)).toMatchObject([{ code: 'full', runId: 'r' }]);
    expect(append(log, fences.f, { type: 'a' }, { type: 'b' })).toEqual([[1, 2]]);
    expect(append(log, fences.f, { type: 'c' }, { type: 'run-end' })).toMatchObject([{ code: 'full', runId: 'r' }]);
    expect(append(log, fences.f, { type: 'run-end' })).toEqual([[3]]);
    expect(now(log.claim('s', { ttl: 10 }))).toMatchObject([{ code: 'full', runId: 's' }]);
    scheduler.frame = 50;
    expect(now(log.claim('s', { ttl: 10 }))).toEqual([{ runId: 's', token: 2 }]);
  });

  it('should forget a run without an end some time after its lease was last held', () => {
    const scheduler = new VirtualTimeScheduler();
    const log = memoryRunLog({ maxRuns: 1, idle: 50, scheduler });
    log.claim('r', { ttl: 10, scheduler: new VirtualTimeScheduler() }).subscribe();
    expect(append(log, fences.f, { type: 'a' })).toEqual([[1]]);
    expect(scheduler.actions).toEqual([]);
    scheduler.frame = 59;
    expect(now(log.orphans())).toEqual(['r']);
    expect(now(log.claim('s', { ttl: 10 }))).toMatchObject([{ code: 'full', runId: 's' }]);
    const errors: unknown[] = [];
    log.read('r').subscribe({ error: (error: unknown) => errors.push(error) });
    scheduler.frame = 60;
    expect(now(log.orphans())).toEqual([]);
    expect(errors).toMatchObject([{ code: 'trimmed', runId: 'r' }]);
    expect(now(log.claim('s', { ttl: 10 }))).toEqual([{ runId: 's', token: 2 }]);
  });

  it('should count the time of an idle run from its release, and not while it is held', () => {
    const scheduler = new VirtualTimeScheduler();
    const log = memoryRunLog({ idle: 50, scheduler });
    const claim = log.claim('r', { ttl: 30 }).subscribe();
    append(log, fences.f, { type: 'a' });
    scheduler.maxFrames = 200;
    scheduler.flush();
    expect(now(log.head('r'))).toEqual([{ seq: 1, ended: false, held: true }]);
    claim.unsubscribe();
    const released = scheduler.frame;
    scheduler.frame = released + 49;
    expect(now(log.head('r'))).toEqual([{ seq: 1, ended: false, held: false }]);
    scheduler.frame = released + 50;
    expect(now(log.head('r'))).toEqual([null]);
  });

  it('should know nothing of a run that was given back before its first event, but let readers wait on', () => {
    const log = memoryRunLog({ maxRuns: 2 });
    for (const id of ['a', 'b', 'c', 'd']) expect(now(log.claim(id, { ttl: 10_000 }))).toMatchObject([{ runId: id }]);
    expect(now(log.head('a'))).toEqual([null]);
    expect(now(log.orphans())).toEqual([]);
    const seen: unknown[] = [];
    log.read('r').subscribe((entry) => seen.push(entry));
    expect(now(log.claim('r', { ttl: 10_000 }))).toEqual([{ runId: 'r', token: 5 }]);
    const claim = log.claim('r', { ttl: 10_000 }).subscribe();
    append(log, { runId: 'r', token: 6 }, { type: 'a' });
    expect(seen).toEqual([{ seq: 1, event: { type: 'a' } }]);
    claim.unsubscribe();
  });

  it.each([0, -1, NaN])('should refuse %s ms as the time of an idle run', (idle) => {
    expect(() => memoryRunLog({ idle })).toThrow(/idle is a positive number/);
  });

  it('should refuse events that are none, and events after the end', () => {
    const log = memoryRunLog();
    const claim = log.claim('r', { ttl: 10_000 }).subscribe();
    const bad: [RunEvent, RegExp][] = [
      [{} as RunEvent, /event 1 of the append has no type/],
      [{ type: 'run-end' }, /event 1 of the append is the run-end, but events follow it/],
      [{ type: 'a', n: 1n } as RunEvent, /event 1 of the append is no JSON/],
    ];
    for (const [event, message] of bad) {
      const [error] = append(log, fences.f, event, { type: 'b' });
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toMatch(message);
    }
    expect(now<RunHead | null>(log.head('r'))).toEqual([{ seq: 0, ended: false, held: true }]);
    claim.unsubscribe();
  });
});
