import {
  catchError,
  concat,
  defer,
  EMPTY,
  forkJoin,
  from,
  map,
  merge,
  ReplaySubject,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import type { Engine } from './Engine.js';
import { headScript } from './scripts.js';

/** Runs that are looked at in one go. */
const PAGE = 100;
/** Most goes of one search. */
const PAGES = 1_000;

/** How much longer than the first shard the others may take, in milliseconds. */
const GRACE = 1_000;

/**
 * The runs that have no end, by when their lease runs out: a sorted set for each shard.
 *
 * It is only a hint, written beside the scripts and not in them, because it need not be on the node of a run: whatever is found
 * in it is checked with the run itself, and mended.
 */
export class OrphanIndex {
  constructor(private readonly engine: Engine) {}

  /** Before a claim, so that no run is forgotten whose producer dies right after it. */
  begun(runId: string, ttl: number): void {
    const until = String(Math.ceil(this.engine.scheduler.now() + ttl));
    this.engine.tell('ZADD', this.#keyOf(runId), 'NX', until, runId);
  }

  /** @param until - In milliseconds of the engine's clock. */
  leased(runId: string, until: number): void {
    this.engine.tell('ZADD', this.#keyOf(runId), String(until), runId);
  }

  ended(runId: string): void {
    this.engine.tell('ZREM', this.#keyOf(runId), runId);
  }

  find(limit: number): Observable<string> {
    if (limit <= 0) return EMPTY;
    const { keys } = this.engine;
    if (keys.shards === 1) return this.#findIn(keys.leases(0), limit);
    return this.#findInAll(
      Array.from({ length: keys.shards }, (_, shard) => keys.leases(shard)),
      limit,
    ).pipe(take(limit));
  }

  /** Asks all shards at once. One whose node is away does not hold up what the others have found, and errors only with all. */
  #findInAll(keys: readonly string[], limit: number): Observable<string> {
    return defer(() => {
      const { scheduler } = this.engine;
      const answered = new ReplaySubject<void>(1);
      const late = answered.pipe(switchMap(() => timer(GRACE, scheduler)));
      let failure: unknown;
      let answers = 0;
      const found = keys.map((key) =>
        this.#findIn(key, limit).pipe(
          tap({
            complete: () => {
              if (answers++ === 0) answered.next();
            },
          }),
          catchError((error: unknown) => {
            failure = error;
            return EMPTY;
          }),
          takeUntil(late),
        ),
      );
      const outcome = defer(() => (answers > 0 ? EMPTY : throwError(() => failure)));
      return concat(merge(...found), outcome);
    });
  }

  #findIn(key: string, limit: number): Observable<string> {
    return defer(() => this.#now(key)).pipe(
      switchMap((time) => {
        const [seconds = 0, micros = 0] = (time as string[]).map(Number);
        return this.#page(key, seconds * 1_000 + Math.floor(micros / 1_000), 0, limit, PAGES);
      }),
    );
  }

  /** The nodes of a cluster have a clock each. */
  #now(key: string): Observable<unknown> {
    const { clustered } = this.engine.keys;
    return clustered ? this.engine.evaluate("return redis.call('TIME')", key) : this.engine.ask('*', ['TIME']);
  }

  #keyOf(runId: string): string {
    const { keys } = this.engine;
    return keys.leases(keys.shardOf(runId));
  }

  #page(key: string, now: number, skip: number, limit: number, pages: number): Observable<string> {
    const size = Math.min(PAGE, Math.max(limit, 10));
    const page = ['ZRANGEBYSCORE', key, '-inf', String(now), 'LIMIT', String(skip), String(size)];
    return this.engine.ask('*', page).pipe(
      switchMap((reply) => {
        const runIds = reply as string[];
        if (runIds.length === 0) return EMPTY;
        return forkJoin(runIds.map((runId) => this.#check(runId))).pipe(
          switchMap((checked) => {
            const orphans = runIds.filter((_, index) => checked[index]).slice(0, limit);
            const left = limit - orphans.length;
            const last = left === 0 || runIds.length < size || pages <= 1;
            // What was no orphan is not found again; what was has to be passed over.
            const rest = defer(() => this.#page(key, now, skip + orphans.length, left, pages - 1));
            return last ? from(orphans) : concat(from(orphans), rest);
          }),
        );
      }),
    );
  }

  #check(runId: string): Observable<boolean> {
    return this.engine.run(headScript, runId).pipe(
      map((reply) => {
        const [token = 0, , end = 0, held = 0] = reply.map(Number);
        if (token === 0 || end > 0) this.ended(runId);
        else if (held > 0) this.leased(runId, held);
        return token > 0 && end === 0 && held === 0;
      }),
    );
  }
}
