import { asyncScheduler, defer, ignoreElements, map, type Observable, type SchedulerLike } from 'rxjs';
import { checkRunId } from '../runs/checkRunId.js';
import type { ClaimConfig, Fence, RunEntry, RunEvent, RunHead, RunLog } from '../runs/RunLog.js';
import { connectionOf, type RedisClient } from './connection.js';
import { Engine } from './Engine.js';
import { LiveReader } from './LiveReader.js';
import { OrphanIndex } from './OrphanIndex.js';
import { Producers } from './Producers.js';
import { readRun } from './readRun.js';
import { expireScript, headScript, milliseconds } from './scripts.js';

/** Options of {@link redisRunLog}. Times are in milliseconds. */
export interface RedisRunLogOptions {
  /** What all keys begin with; no braces. Defaults to `rx-llm:`. */
  prefix?: string;
  /** Most events of one run; the next append errors with `full`. Defaults to 100,000. */
  maxEvents?: number;
  /** How long a run is kept after its end; `Infinity` for ever. Defaults to one hour. */
  retention?: number;
  /** How long a run without an end is kept after its lease was last renewed; `Infinity` for ever. Defaults to one day. */
  idle?: number;
  /** How long anything waits for a Redis that is away before it errors with `unavailable`. Defaults to 30,000. */
  patience?: number;
  /** Gives the time of renewals and waits; leases themselves go by the clock of Redis. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/**
 * A log on Redis Streams (Redis 5 or later, or what speaks its protocol), for producers and readers on any number of machines.
 *
 * The fence is checked by the same script that appends, so that the engine itself refuses a producer that has been overtaken;
 * leases go by the clock of the engine. All readers of one log share one more connection, which exists while somebody reads. An
 * append that was sent again after a broken connection is stored once. While Redis is away, everything waits for `patience`, and a
 * claim no longer than its lease; then it errors with `unavailable`. What is appended survives a crash of Redis as far as its
 * append-only file does.
 * @example
 * ```ts
 * import { redisRunLog, type RedisClient } from 'rx-llm/redis';
 *
 * declare const client: RedisClient; // await createClient({ url }).connect(), or new Redis(url)
 *
 * const log = redisRunLog(client, { retention: 600_000 });
 * ```
 * @param client - A connected client of `redis` or of `ioredis`. It stays the caller's, who also listens to its errors.
 * @param options - See {@link RedisRunLogOptions}.
 * @throws TypeError when the client is none of either, RangeError when an option makes no sense.
 */
export function redisRunLog(client: RedisClient, options: RedisRunLogOptions = {}): RunLog {
  return new RedisRunLog(client, options);
}

class RedisRunLog implements RunLog {
  readonly #engine: Engine;
  readonly #live: LiveReader;
  readonly #index: OrphanIndex;
  readonly #producers: Producers;

  constructor(client: RedisClient, options: RedisRunLogOptions) {
    const { prefix = 'rx-llm:', maxEvents = 100_000, retention = 3_600_000, idle = 86_400_000 } = options;
    const { patience = 30_000, scheduler = asyncScheduler } = options;
    if (/[{}]/.test(prefix)) throw new RangeError(`redisRunLog: a prefix has no braces, but ${prefix} has`);
    for (const [name, value] of Object.entries({ maxEvents, retention, idle, patience })) {
      if (!(value > 0)) throw new RangeError(`redisRunLog: ${name} is a positive number, not ${value}`);
    }
    this.#engine = new Engine(connectionOf(client), prefix, patience, scheduler);
    this.#live = new LiveReader(this.#engine, prefix);
    this.#index = new OrphanIndex(this.#engine, prefix);
    this.#producers = new Producers(this.#engine, this.#index, { maxEvents, retention, idle });
  }

  claim(runId: string, config: ClaimConfig): Observable<Fence> {
    checkRunId(runId);
    if (!(config.ttl > 0)) throw new RangeError(`claim: ttl is a positive number of milliseconds, not ${config.ttl}`);
    return this.#producers.claim(runId, config);
  }

  append(fence: Fence, events: readonly RunEvent[]): Observable<number[]> {
    checkRunId(fence.runId);
    return this.#producers.append(fence, events);
  }

  read(runId: string, after = 0): Observable<RunEntry> {
    checkRunId(runId);
    return readRun(this.#engine, this.#live, runId, after);
  }

  head(runId: string): Observable<RunHead | null> {
    checkRunId(runId);
    return defer(() => this.#engine.run(headScript, runId)).pipe(
      map((reply) => {
        const [token = 0, seq = 0, end = 0, held = 0] = reply.map(Number);
        return token === 0 ? null : { seq, ended: end > 0, held: held > 0 };
      }),
    );
  }

  orphans(limit = 100): Observable<string> {
    return this.#index.find(limit);
  }

  expire(runId: string, after: number): Observable<never> {
    checkRunId(runId);
    return defer(() => {
      this.#index.ended(runId);
      return this.#engine.run(expireScript, runId, milliseconds(Math.max(0, after))).pipe(ignoreElements());
    });
  }
}
