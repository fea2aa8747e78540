import { concat, defer, EMPTY, forkJoin, from, map, switchMap, type Observable } from 'rxjs';
import type { Engine } from './Engine.js';
import { headScript } from './scripts.js';

/** Runs that are looked at in one go. */
const PAGE = 100;
/** Most goes of one search. */
const PAGES = 1_000;

/**
 * The runs that have no end, by when their lease runs out: a sorted set for the whole log.
 *
 * It is only a hint, written beside the scripts and not in them, because it is on another node of a cluster than most runs:
 * whatever is found in it is checked with the run itself, and mended.
 */
export class OrphanIndex {
  readonly #key: string;

  constructor(
    private readonly engine: Engine,
    prefix: string,
  ) {
    this.#key = `${prefix}leases`;
  }

  /** Before a claim, so that no run is forgotten whose producer dies right after it. */
  begun(runId: string, ttl: number): void {
    this.engine.tell('ZADD', this.#key, 'NX', String(Math.ceil(this.engine.scheduler.now() + ttl)), runId);
  }

  /** @param until - In milliseconds of the engine's clock. */
  leased(runId: string, until: number): void {
    this.engine.tell('ZADD', this.#key, String(until), runId);
  }

  ended(runId: string): void {
    this.engine.tell('ZREM', this.#key, runId);
  }

  find(limit: number): Observable<string> {
    if (limit <= 0) return EMPTY;
    return defer(() => this.engine.ask('*', ['TIME'])).pipe(
      switchMap((time) => {
        const [seconds = 0, micros = 0] = (time as string[]).map(Number);
        return this.#page(seconds * 1_000 + Math.floor(micros / 1_000), 0, limit, PAGES);
      }),
    );
  }

  #page(now: number, skip: number, limit: number, pages: number): Observable<string> {
    const size = Math.min(PAGE, Math.max(limit, 10));
    const page = ['ZRANGEBYSCORE', this.#key, '-inf', String(now), 'LIMIT', String(skip), String(size)];
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
            const rest = defer(() => this.#page(now, skip + orphans.length, left, pages - 1));
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
