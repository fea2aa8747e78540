import { defer, finalize, map, Observable, switchMap, tap, throwError } from 'rxjs';
import { encodeEvents } from '../runs/encodeEvents.js';
import { repeatingLease } from '../runs/repeatingLease.js';
import type { ClaimConfig, Fence, RunEvent } from '../runs/RunLog.js';
import { RunLogError, type RunLogErrorCode } from '../runs/RunLogError.js';
import type { Engine } from './Engine.js';
import type { OrphanIndex } from './OrphanIndex.js';
import { appendScript, claimScript, milliseconds, releaseScript, renewScript } from './scripts.js';

/** How much is kept, and how long, in milliseconds. */
export interface Limits {
  maxEvents: number;
  retention: number;
  idle: number;
}

/** What is known here of a run that is produced here. */
interface Producing {
  /** The last number that was stored. */
  seq: number;
  /** Settles when the appends before have their answer. */
  tail: Promise<void>;
  /** True once nobody knows whether an append was stored. */
  unsure: boolean;
  /** True once the lease was given back. */
  released: boolean;
  /** Ends appends that nobody waits for. */
  stops: Set<() => void>;
}

const REFUSALS: Partial<Record<string, { code: RunLogErrorCode; detail: string }>> = {
  lost: { code: 'lost', detail: 'the lease has run out or was taken over; claim the run again' },
  ended: { code: 'ended', detail: 'has its end already; nothing can follow it' },
  full: { code: 'full', detail: 'holds no more events; raise maxEvents' },
};

/** Claims runs and appends to them. */
export class Producers {
  readonly #runs = new Map<string, Producing>();

  constructor(
    private readonly engine: Engine,
    private readonly index: OrphanIndex,
    private readonly limits: Limits,
  ) {}

  claim(runId: string, { ttl, scheduler = this.engine.scheduler }: ClaimConfig): Observable<Fence> {
    return defer(() => {
      const owner = crypto.randomUUID();
      const times = [milliseconds(ttl), milliseconds(Math.max(this.limits.idle, ttl))];
      let refused = false;
      let asked = this.engine.scheduler.now();
      this.index.begun(runId, ttl);
      return this.engine.run(claimScript, runId, owner, ...times).pipe(
        switchMap(([code, value, last]) => {
          refused = code !== 'ok';
          if (code === 'held') {
            const left = Number(value);
            return refuse('held', runId, `another producer holds it for ${left} ms yet`, left);
          }
          if (code !== 'ok') return refuse('ended', runId, 'has its end already; read it instead');
          const fence: Fence = { runId, token: Number(value) };
          const renew = (): Observable<unknown> => {
            const now = this.engine.scheduler.now();
            // Past that, the lease has run out in the engine too. Who was asleep for so long asks nevertheless: the engine says
            // that the lease is lost, where a wait of no time would say that the engine is away.
            const left = Math.max(ttl / 3, ttl - (now - asked));
            return this.engine
              .within(left)
              .run(renewScript, runId, String(fence.token), ...times)
              .pipe(tap(([reply, until]) => this.#renewed(runId, reply, Number(until), () => (asked = now))));
          };
          const release = this.#hold(fence, Number(last));
          return repeatingLease(fence, { ttl, scheduler, renew, release });
        }),
        finalize(() => {
          // Also when the answer had not come yet: then nobody else knows that the run is held.
          if (!refused) this.#giveBack(runId, owner);
        }),
      );
    });
  }

  append(fence: Fence, events: readonly RunEvent[]): Observable<number[]> {
    return new Observable((subscriber) => {
      const texts = encodeEvents(fence.runId, events);
      const ends = events.at(-1)?.type === 'run-end';
      const producing = this.#runs.get(nameOf(fence));
      if (producing === undefined) {
        subscriber.add(this.#store(fence, texts, ends, -1).subscribe(subscriber));
        return;
      }
      const turn = (): Promise<void> =>
        new Promise((done) => {
          if (subscriber.closed) return done();
          const numbers = this.#storeNext(fence, producing, texts, ends).pipe(finalize(done));
          const stored = numbers.subscribe({
            next: (value) => subscriber.next(value),
            error: (error: unknown) => subscriber.error(error),
            complete: () => subscriber.complete(),
          });
          // What has been sent is waited for while the run is produced: the next append has to know how it went.
          const stop = (): void => {
            if (producing.released && subscriber.closed) stored.unsubscribe();
          };
          producing.stops.add(stop);
          stored.add(() => producing.stops.delete(stop));
          subscriber.add(stop);
        });
      producing.tail = producing.tail.then(turn);
    });
  }

  #storeNext(fence: Fence, producing: Producing, texts: readonly string[], ends: boolean): Observable<number[]> {
    if (producing.unsure) {
      const detail = 'nobody knows whether the append before was stored; claim the run again and read it';
      return refuse('unavailable', fence.runId, detail);
    }
    return this.#store(fence, texts, ends, producing.seq).pipe(
      tap({
        next: (numbers) => (producing.seq = numbers.at(-1) ?? producing.seq),
        error: (error: unknown) => {
          if (error instanceof RunLogError && error.code === 'unavailable') producing.unsure = true;
        },
      }),
    );
  }

  #store(fence: Fence, texts: readonly string[], ends: boolean, known: number): Observable<number[]> {
    const { runId, token } = fence;
    const { maxEvents, retention } = this.limits;
    const kept = ends ? milliseconds(retention) : '';
    return defer(() =>
      this.engine.run(appendScript, runId, String(token), String(known), String(maxEvents), kept, ...texts),
    ).pipe(
      map(([code, before]) => {
        this.#check(runId, code);
        if (ends) this.index.ended(runId);
        return texts.map((_, index) => Number(before) + index + 1);
      }),
    );
  }

  #renewed(runId: string, reply: unknown, until: number, renewed: () => void): void {
    this.#check(runId, reply);
    renewed();
    if (until > 0) this.index.leased(runId, until);
  }

  #check(runId: string, reply: unknown): void {
    if (reply === 'ok') return;
    const refusal = REFUSALS[String(reply)];
    if (refusal) throw new RunLogError(refusal.code, runId, refusal.detail);
    throw new RunLogError('unavailable', runId, `Redis gave an answer that is none: ${String(reply)}`);
  }

  #hold(fence: Fence, seq: number): () => void {
    const stops = new Set<() => void>();
    const producing: Producing = { seq, tail: Promise.resolve(), unsure: false, released: false, stops };
    this.#runs.set(nameOf(fence), producing);
    return () => {
      producing.released = true;
      this.#runs.delete(nameOf(fence));
      for (const stop of [...stops]) stop();
    };
  }

  #giveBack(runId: string, owner: string): void {
    this.engine.runOnce(releaseScript, runId, owner).then(
      (free) => {
        if (Number(free) === 1) this.index.leased(runId, 0);
      },
      // Then the lease runs out by itself.
      () => {},
    );
  }
}

function nameOf({ runId, token }: Fence): string {
  return `${runId} ${token}`;
}

function refuse(code: RunLogErrorCode, runId: string, detail: string, retryAfter?: number): Observable<never> {
  return throwError(() => new RunLogError(code, runId, detail, retryAfter === undefined ? {} : { retryAfter }));
}
