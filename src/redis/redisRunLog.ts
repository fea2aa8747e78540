import { asyncScheduler, defer, ignoreElements, map, type Observable, type SchedulerLike } from 'rxjs';
import { checkClaim, checkRunId } from '../runs/checkRunId.js';
import type { ClaimConfig, Fence, RunEntry, RunEvent, RunHead, RunLog } from '../runs/RunLog.js';
import { inAgreement } from './agreement.js';
import type { RedisClusterClient } from './cluster.js';
import { connectionOf, isCluster, type RedisClient } from './connection.js';
import { Engine } from './Engine.js';
import { plainKeys, shardedKeys } from './keys.js';
import { LiveReaders } from './LiveReaders.js';
import { OrphanIndex } from './OrphanIndex.js';
import { Producers } from './Producers.js';
import { readRun } from './readRun.js';
import { expireScript, headScript, milliseconds } from './scripts.js';

/** Each shard of which runs are read costs a connection; more would be a mistake. */
const MAX_SHARDS = 1_024;

/** Options of {@link redisRunLog}. Times are in milliseconds. */
export interface RedisRunLogOptions {
  /** What all keys begin with; no braces. Defaults to `rx-llm:`. */
  prefix?: string;
  /** Most events of one run beside its end; the next append errors with `full`. Defaults to 100,000. */
  maxEvents?: number;
  /** How long a run is kept after its end; `Infinity` for ever. Defaults to one hour. */
  retention?: number;
  /** How long a run without an end is kept after its lease was last renewed; `Infinity` for ever. Defaults to one day. */
  idle?: number;
  /** How long anything waits for a Redis that is away before it errors with `unavailable`. Defaults to 30,000. */
  patience?: number;
  /**
   * In how many parts the runs are kept on a cluster; every process has to say the same, and is refused if it does not. See
   * {@link redisRunLog}. Means nothing to one Redis. From 1 to 1,024; defaults to 16.
   */
  shards?: number;
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
 *
 * On a cluster, the runs are shared out to `shards` slots at equal distances: one command can wait for many runs only where all
 * of them are in one slot, and so the readers of a process need as many connections as there are shards of which they read runs,
 * at most `shards`, however many runs they follow. The client finds the nodes, and follows slots that move. A node that is away
 * holds up its own runs only, if `cluster-require-full-coverage` is `no`.
 * @example
 * ```ts
 * import { redisRunLog, type RedisClient } from 'rx-llm/redis';
 *
 * declare const client: RedisClient; // await createClient({ url }).connect(), or new Redis(url)
 *
 * const log = redisRunLog(client, { retention: 600_000 });
 * ```
 * @example On a cluster
 * ```ts
 * import { redisRunLog, type RedisClusterClient } from 'rx-llm/redis';
 *
 * declare const cluster: RedisClusterClient; // await createCluster({ rootNodes }).connect(), or new Cluster(nodes)
 *
 * const log = redisRunLog(cluster, { shards: 32 });
 * ```
 * @param client - A connected client of `redis` or of `ioredis`, to one Redis or to a cluster. It stays the caller's, who also
 * listens to its errors.
 * @param options - See {@link RedisRunLogOptions}.
 * @throws TypeError when the client is none of either, RangeError when an option makes no sense.
 */
export function redisRunLog(client: RedisClient | RedisClusterClient, options: RedisRunLogOptions = {}): RunLog {
  return new RedisRunLog(client, options);
}

class RedisRunLog implements RunLog {
  readonly #engine: Engine;
  readonly #live: LiveReaders;
  readonly #index: OrphanIndex;
  readonly #producers: Producers;

  constructor(client: RedisClient | RedisClusterClient, options: RedisRunLogOptions) {
    const { prefix = 'rx-llm:', maxEvents = 100_000, retention = 3_600_000, idle = 86_400_000 } = options;
    const { patience = 30_000, shards = 16, scheduler = asyncScheduler } = options;
    if (/[{}]/.test(prefix)) throw new RangeError(`redisRunLog: a prefix has no braces, but ${prefix} has`);
    for (const [name, value] of Object.entries({ maxEvents, retention, idle, patience })) {
      if (!(value > 0)) throw new RangeError(`redisRunLog: ${name} is a positive number, not ${value}`);
    }
    if (!(Number.isInteger(shards) && shards >= 1 && shards <= MAX_SHARDS)) {
      throw new RangeError(`redisRunLog: shards is a whole number from 1 to ${MAX_SHARDS}, not ${shards}`);
    }
    const connection = connectionOf(client);
    this.#engine = isCluster(client)
      ? new Engine(
          inAgreement(connection, `${prefix}shards`, shards, scheduler),
          shardedKeys(prefix, shards),
          patience,
          scheduler,
        )
      : new Engine(connection, plainKeys(prefix), patience, scheduler);
    this.#live = new LiveReaders(this.#engine);
    this.#index = new OrphanIndex(this.#engine);
    this.#producers = new Producers(this.#engine, this.#index, { maxEvents, retention, idle });
  }

  claim(runId: string, config: ClaimConfig): Observable<Fence> {
    checkClaim(runId, config.ttl);
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
