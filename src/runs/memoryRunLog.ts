import { asyncScheduler, defer, EMPTY, Observable, of, type SchedulerLike, type Subscription } from 'rxjs';
import { checkClaim, checkRunId } from './checkRunId.js';
import { encodeEvents } from './encodeEvents.js';
import { repeatingLease } from './repeatingLease.js';
import type { Fence, RunEntry, RunEvent, RunHead, RunLog } from './RunLog.js';
import { RunLogError } from './RunLogError.js';

/** Configuration of {@link memoryRunLog}. */
export interface MemoryRunLogConfig {
  /** Most events of one run beside its end; the next append errors with `full`. Defaults to 100,000. */
  maxEvents?: number;
  /** Most runs at a time; the next claim of a new one errors with `full`. Defaults to 10,000. */
  maxRuns?: number;
  /** Milliseconds that a run is kept after its end. Defaults to one hour. */
  retention?: number;
  /** Milliseconds that a run without an end is kept after its lease was last held; `Infinity` for ever. Defaults to one day. */
  idle?: number;
  /** Gives the time of leases and of expiry. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

interface Run {
  events: RunEvent[];
  ended: boolean;
  token: number;
  /** When the lease runs out. */
  leasedUntil: number;
  /** When somebody held it last, or will have. */
  heldUntil: number;
  /** Wakes those who read. */
  readers: Set<() => void>;
  /** When it is deleted. */
  expires: number;
  expiry: Subscription | undefined;
  gone: boolean;
}

/**
 * A log in the memory of this process: for tests, for one machine, and as the reference of what a log does. It survives
 * nothing. A run that was given back before its first event is as if nobody had claimed it.
 *
 * @throws RangeError when `idle` is not more than 0.
 */
export function memoryRunLog(config: MemoryRunLogConfig = {}): RunLog {
  return new MemoryRunLog(config);
}

class MemoryRunLog implements RunLog {
  readonly #runs = new Map<string, Run>();
  readonly #config: Required<MemoryRunLogConfig>;
  /** For all runs together: one that is claimed anew after it was deleted must not know who held it before. */
  #tokens = 0;
  /** No run is due before. */
  #nextExpiry = Infinity;

  constructor({
    maxEvents = 100_000,
    maxRuns = 10_000,
    retention = 3_600_000,
    idle = 86_400_000,
    scheduler = asyncScheduler,
  }: MemoryRunLogConfig) {
    if (!(idle > 0)) throw new RangeError(`memoryRunLog: idle is a positive number, not ${idle}`);
    this.#config = { maxEvents, maxRuns, retention, idle, scheduler };
  }

  claim(
    runId: string,
    { ttl, scheduler = this.#config.scheduler }: { ttl: number; scheduler?: SchedulerLike },
  ): Observable<Fence> {
    checkClaim(runId, ttl);
    return defer(() => {
      const run = this.#open(runId);
      const left = run.leasedUntil - this.#now();
      if (run.ended) throw new RunLogError('ended', runId, 'has its end already; read it instead');
      if (left > 0) {
        throw new RunLogError('held', runId, `another producer holds it for ${left} ms yet`, { retryAfter: left });
      }
      const fence: Fence = { runId, token: (run.token = ++this.#tokens) };
      const renew = (): Observable<void> => {
        this.#check(fence);
        this.#lease(run, ttl);
        return of(undefined);
      };
      this.#lease(run, ttl);
      const release = (): void => {
        if (run.token === fence.token) this.#release(runId, run);
      };
      return repeatingLease(fence, { ttl, scheduler, renew: () => defer(renew), release });
    });
  }

  append(fence: Fence, events: readonly RunEvent[]): Observable<number[]> {
    checkRunId(fence.runId);
    return defer(() => {
      const run = this.#check(fence);
      const { maxEvents, retention } = this.#config;
      const texts = encodeEvents(fence.runId, events);
      if (run.ended) throw new RunLogError('ended', fence.runId, 'has its end already; nothing can follow it');
      // A run that is full can be ended: its readers wait for that.
      const closes = events.length === 1 && events[0]?.type === 'run-end';
      if (!closes && run.events.length + events.length > maxEvents) {
        throw new RunLogError('full', fence.runId, `holds ${maxEvents} events at most; raise maxEvents`);
      }
      const first = run.events.length + 1;
      // A copy: what has been stored cannot be changed from outside.
      run.events.push(...texts.map((text) => JSON.parse(text) as RunEvent));
      run.ended = events.at(-1)?.type === 'run-end';
      // No timer: nobody reads a run on that has ended, and a process would have to live as long as that.
      if (run.ended) this.#expireAt(run, this.#now() + retention);
      for (const wake of [...run.readers]) wake();
      return of(events.map((_, index) => first + index));
    });
  }

  read(runId: string, after = 0): Observable<RunEntry> {
    checkRunId(runId);
    return new Observable((subscriber) => {
      const run = this.#open(runId);
      if (after > 0 && isBlank(run)) {
        if (run.readers.size === 0) this.#runs.delete(runId);
        throw new RunLogError('trimmed', runId, `there is no such run any more, of which ${after} events were read`);
      }
      let seq = after;
      let sending = false;
      const send = (): void => {
        // Who reads may append: the outer turn goes on with what has come.
        if (sending) return;
        sending = true;
        while (!subscriber.closed && seq < run.events.length) {
          const event = run.events[seq++];
          if (event) subscriber.next({ seq, event });
        }
        sending = false;
        if (run.gone) subscriber.error(new RunLogError('trimmed', runId, 'has expired'));
        else if (run.ended && seq >= run.events.length) subscriber.complete();
      };
      run.readers.add(send);
      subscriber.add(() => {
        run.readers.delete(send);
        this.#dropBlank(runId, run);
      });
      send();
    });
  }

  head(runId: string): Observable<RunHead | null> {
    checkRunId(runId);
    return defer(() => {
      const run = this.#known(runId);
      if (run === undefined || isBlank(run)) return of(null);
      return of({ seq: run.events.length, ended: run.ended, held: !run.ended && run.leasedUntil > this.#now() });
    });
  }

  orphans(limit = 100): Observable<string> {
    return new Observable((subscriber) => {
      this.#sweep();
      const now = this.#now();
      let found = 0;
      for (const [runId, run] of this.#runs) {
        if (found >= limit || subscriber.closed) break;
        if (isBlank(run) || run.ended || run.leasedUntil > now) continue;
        found++;
        subscriber.next(runId);
      }
      subscriber.complete();
    });
  }

  expire(runId: string, after: number): Observable<never> {
    checkRunId(runId);
    return defer(() => {
      const run = this.#known(runId);
      if (run === undefined) return EMPTY;
      this.#expireAt(run, this.#now() + Math.max(0, after));
      run.expiry?.unsubscribe();
      if (after > 0) run.expiry = this.#config.scheduler.schedule(() => this.#forget(runId, run), after);
      else this.#forget(runId, run);
      return EMPTY;
    });
  }

  #now(): number {
    return this.#config.scheduler.now();
  }

  #open(runId: string): Run {
    this.#sweep();
    const known = this.#runs.get(runId);
    if (known) return known;
    const { maxRuns } = this.#config;
    if (this.#runs.size >= maxRuns) {
      throw new RunLogError('full', runId, `${maxRuns} runs are kept already; raise maxRuns or shorten retention`);
    }
    const run: Run = {
      ...{ events: [], ended: false, token: 0, leasedUntil: -Infinity, heldUntil: Infinity },
      ...{ readers: new Set<() => void>(), expires: Infinity, expiry: undefined, gone: false },
    };
    this.#runs.set(runId, run);
    return run;
  }

  /** The run of a fence that is still worth something. */
  #check({ runId, token }: Fence): Run {
    const run = this.#known(runId);
    if (run === undefined || run.token !== token || (run.leasedUntil <= this.#now() && !run.ended)) {
      throw new RunLogError('lost', runId, 'the lease has run out or was taken over; claim the run again');
    }
    return run;
  }

  #known(runId: string): Run | undefined {
    const run = this.#runs.get(runId);
    if (run === undefined || this.#dueAt(run) > this.#now()) return run;
    this.#forget(runId, run);
    return undefined;
  }

  #expireAt(run: Run, expires: number): void {
    run.expires = Math.min(run.expires, expires);
    this.#nextExpiry = Math.min(this.#nextExpiry, expires);
  }

  #lease(run: Run, ttl: number): void {
    run.leasedUntil = run.heldUntil = this.#now() + ttl;
    this.#nextExpiry = Math.min(this.#nextExpiry, this.#dueAt(run));
  }

  #release(runId: string, run: Run): void {
    const now = this.#now();
    const held = run.leasedUntil > now;
    run.heldUntil = Math.min(run.heldUntil, now);
    run.leasedUntil = -Infinity;
    this.#nextExpiry = Math.min(this.#nextExpiry, this.#dueAt(run));
    // One whose lease ran out stays: its producer has vanished, and another may take it on.
    if (!held || run.gone || run.events.length > 0) return;
    run.token = 0;
    this.#dropBlank(runId, run);
  }

  /** Forgets a run that nobody has claimed and nobody waits for. */
  #dropBlank(runId: string, run: Run): void {
    if (!isBlank(run) || run.readers.size > 0) return;
    run.expiry?.unsubscribe();
    if (this.#runs.get(runId) === run) this.#runs.delete(runId);
  }

  /** When a run is deleted; no timer does it, but whoever comes next. */
  #dueAt(run: Run): number {
    return run.ended || isBlank(run) ? run.expires : Math.min(run.expires, run.heldUntil + this.#config.idle);
  }

  #forget(runId: string, run: Run): void {
    run.gone = true;
    run.expiry?.unsubscribe();
    if (this.#runs.get(runId) === run) this.#runs.delete(runId);
    for (const wake of [...run.readers]) wake();
  }

  /** Deletes what is due. */
  #sweep(): void {
    const now = this.#now();
    if (this.#nextExpiry > now) return;
    this.#nextExpiry = Infinity;
    for (const [runId, run] of this.#runs) {
      const due = this.#dueAt(run);
      if (due <= now) this.#forget(runId, run);
      else this.#nextExpiry = Math.min(this.#nextExpiry, due);
    }
  }
}

/** Nobody has claimed it: somebody waits for it to begin. */
function isBlank(run: Run): boolean {
  return run.token === 0;
}
