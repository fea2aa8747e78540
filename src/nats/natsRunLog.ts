import { asyncScheduler, defer, ignoreElements, mergeMap, Observable, type SchedulerLike } from 'rxjs';
import { checkClaim, checkRunId } from '../runs/checkRunId.js';
import { repeatingLease } from '../runs/repeatingLease.js';
import type { ClaimConfig, Fence, RunEntry, RunEvent, RunHead, RunLog } from '../runs/RunLog.js';
import { RunLogError } from '../runs/RunLogError.js';
import { Appender, endedAlready, lost } from './Appender.js';
import { Engine, OVERTAKEN, type EngineConfig, type NatsConnection } from './Engine.js';
import { decodeMessage, encodeMessage, type LeaseMessage, type RunMessage } from './messages.js';
import { readRun } from './readRun.js';

/** Configuration of {@link natsRunLog}. Times are in milliseconds. */
export interface NatsRunLogConfig {
  /** Begins the names of the two streams (`…-runs`, `…-states`) and all subjects (`….run.*` and so on). Defaults to `rx-llm`. */
  name?: string;
  /** Where JetStream keeps the streams, if they are made here. Defaults to `'file'`. */
  storage?: 'file' | 'memory';
  /** On how many servers of a cluster, if they are made here. Defaults to 1. */
  replicas?: number;
  /** How long an event is kept, if the streams are made here. Defaults to 24 hours. */
  maxAge?: number;
  /** Most bytes of all runs, if the streams are made here; the oldest events go first. Defaults to 1 GiB; -1 for no limit. */
  maxBytes?: number;
  /** How long a reader waits for an engine that is away before it errors with `unavailable`. Defaults to 60,000. */
  patience?: number;
  /** Time after which a reader asks by itself, should the producer's word have been lost. Defaults to 2,000. */
  poll?: number;
}

/** Tries of a claim whose run moves on under it. */
const TRIES = 20;

/**
 * A log on NATS JetStream, server 2.9 or later.
 *
 * Each group of events is one message on the subject of its run, published with the sequence number that the run's last message
 * has to have (`Nats-Expected-Last-Subject-Sequence`). A claim is a message of that subject too: JetStream itself refuses what an
 * earlier producer still sends. Leases live in a second stream and are judged by the time of the server.
 *
 * Appends are tried again for as long as the lease lasts, readers for `patience`; the connection's own reconnecting is used.
 * JetStream before 2.11 cannot delete messages at a time of their own: `expire` with a time is carried out by this process, or by
 * the next one that looks for orphans; `maxAge` holds in any case.
 *
 * @example
 * ```ts
 * import { connect } from '@nats-io/transport-node';
 * import { natsRunLog } from 'rx-llm/nats';
 *
 * const connection = await connect({ servers: '127.0.0.1:4222', maxReconnectAttempts: -1 });
 * const log = natsRunLog(connection);
 * ```
 * @param connection - Stays the caller's: it is not closed here.
 * @param config - See {@link NatsRunLogConfig}.
 * @throws TypeError when `name` cannot be a stream's.
 */
export function natsRunLog(connection: NatsConnection, config: NatsRunLogConfig = {}): RunLog {
  const { name = 'rx-llm', poll = 2_000, storage = 'file', replicas = 1 } = config;
  if (!/^[\w-]{1,100}$/.test(name)) {
    throw new TypeError(`natsRunLog: name has letters, digits, "_" and "-", not ${JSON.stringify(name)}`);
  }
  if (!(poll > 0)) throw new RangeError('natsRunLog: poll must be more than 0');
  const { maxAge = 86_400_000, maxBytes = 1_073_741_824, patience = 60_000 } = config;
  const settings: EngineConfig = { name, storage, replicas, maxAge, maxBytes, patience };
  return new NatsRunLog(new Engine(connection, settings), poll);
}

class NatsRunLog implements RunLog {
  /** Fences of this process, by run; one that has been overtaken is replaced. */
  readonly #appenders = new Map<string, Appender>();

  constructor(
    private readonly engine: Engine,
    private readonly poll: number,
  ) {}

  claim(runId: string, { ttl, scheduler = asyncScheduler }: ClaimConfig): Observable<Fence> {
    checkClaim(runId, ttl);
    return new Observable<Fence>((subscriber) => {
      const claimed = this.engine.retrying(runId, () => this.#claim(runId, ttl), ttl);
      const given = claimed.then((holder) => {
        // Nobody is there any more to keep it.
        if (subscriber.closed) return this.#release(holder);
        this.#appenders.set(runId, holder.appender);
        subscriber.add(this.#keep(holder, ttl, scheduler).subscribe(subscriber));
        return undefined;
      });
      given.catch((error: unknown) => subscriber.error(error));
    });
  }

  append(fence: Fence, events: readonly RunEvent[]): Observable<number[]> {
    checkRunId(fence.runId);
    return defer(async () => {
      const appender = await this.#appenderOf(fence);
      const places = await appender.append(events);
      if (events.at(-1)?.type === 'run-end') await this.#forget(fence.runId).catch(() => undefined);
      return places;
    });
  }

  read(runId: string, after = 0): Observable<RunEntry> {
    checkRunId(runId);
    return readRun(this.engine, runId, after, this.poll);
  }

  head(runId: string): Observable<RunHead | null> {
    checkRunId(runId);
    return defer(() =>
      this.engine.retrying(runId, async () => {
        const last = await this.#last(runId);
        if (last === null || last.kind === 'gone') {
          // Between its lease and its claim a producer has the run already; it may have died there.
          const { left } = await this.#leftOf(runId);
          return left > 0 ? { seq: 0, ended: false, held: true } : null;
        }
        const { first, count, kind } = last;
        const ended = kind === 'end';
        const held = !ended && (await this.#leftOf(runId)).left > 0;
        return { seq: first - 1 + (kind === 'part' ? 0 : count), ended, held };
      }),
    );
  }

  orphans(limit = 100): Observable<string> {
    return defer(() => this.engine.retrying('', () => this.#sweep().then(() => this.engine.subjects('lease')))).pipe(
      mergeMap(
        async function* (this: NatsRunLog, subjects: string[]) {
          let found = 0;
          for (const subject of subjects) {
            if (found >= limit) return;
            const runId = this.engine.runIdOf(subject);
            if (!(await this.engine.retrying(runId, () => this.#isOrphan(runId)))) continue;
            found++;
            yield runId;
          }
        }.bind(this),
      ),
    );
  }

  expire(runId: string, after: number): Observable<never> {
    checkRunId(runId);
    return defer(() => this.engine.retrying(runId, () => this.#expire(runId, after))).pipe(ignoreElements());
  }

  /** Takes the lease first, and then the run: whoever had it can append up to that moment and not after it. */
  async #claim(runId: string, ttl: number): Promise<Holder> {
    const { engine } = this;
    const last = await this.#last(runId);
    if (last?.kind === 'end') throw new RunLogError('ended', runId, 'has its end already; read it instead');
    const { left, seq, token: known } = await this.#leftOf(runId);
    if (left > 0) throw held(runId, left);
    const token = Math.max(known, last?.token ?? 0) + 1;
    const leasedUntil = asyncScheduler.now() + ttl;
    const lease = await engine.publish(engine.subject('lease', runId), JSON.stringify({ token, ttl }), seq);
    if (lease === OVERTAKEN) throw held(runId, (await this.#leftOf(runId)).left || 1);
    const appender = new Appender(engine, { runId, token });
    appender.leasedUntil = leasedUntil;
    const holder: Holder = { appender, lease };
    try {
      appender.startAfter(await this.#take(runId, token));
    } catch (error) {
      await this.#release(holder);
      throw error;
    }
    return holder;
  }

  /** Writes the claim behind whatever an earlier producer still gets in. */
  async #take(runId: string, token: number): Promise<RunMessage> {
    for (let tries = 0; tries < TRIES; tries++) {
      const last = await this.#last(runId);
      if (last?.kind === 'end') throw new RunLogError('ended', runId, 'has its end already; read it instead');
      if (last && last.token > token) throw lost(runId);
      const first = !last || last.kind === 'gone' ? 1 : last.first + (last.kind === 'part' ? 0 : last.count);
      const head = { kind: 'claim', token, first, count: 0 } as const;
      // A claim of this token is there already when the answer to it was lost.
      if (last?.kind === 'claim' && last.token === token) return last;
      const seq = await this.engine.publish(this.engine.subject('run', runId), encodeMessage(head), last?.seq ?? 0);
      if (seq !== OVERTAKEN) return { ...head, seq, body: new Uint8Array() };
    }
    throw lost(runId);
  }

  #keep(holder: Holder, ttl: number, scheduler: SchedulerLike): Observable<Fence> {
    const { engine } = this;
    const { appender } = holder;
    const { runId, token } = appender.fence;
    const subject = engine.subject('lease', runId);
    const renew = async (): Promise<void> => {
      if (appender.ended) return;
      const begun = asyncScheduler.now();
      const stored = await engine.publish(subject, JSON.stringify({ token, ttl }), holder.lease);
      if (stored !== OVERTAKEN) {
        holder.lease = stored;
        appender.leasedUntil = begun + ttl;
        return;
      }
      const found = await engine.last(engine.states, subject);
      // A renewal whose answer was lost.
      if (found?.json<LeaseMessage>().token !== token || found.json<LeaseMessage>().ttl === 0) throw lost(runId);
      holder.lease = found.seq;
      appender.leasedUntil = begun + ttl;
    };
    return repeatingLease(appender.fence, {
      ttl,
      scheduler,
      renew: () => defer(() => engine.retrying(runId, renew, appender.leasedUntil - asyncScheduler.now())),
      release: () => void this.#release(holder),
    });
  }

  /** Gives a lease back, if it is this one still. */
  async #release({ appender, lease }: Holder): Promise<void> {
    const { runId, token } = appender.fence;
    appender.leasedUntil = -Infinity;
    if (this.#appenders.get(runId) === appender) this.#appenders.delete(runId);
    if (this.engine.connection.isClosed()) return;
    const message: LeaseMessage = { token, ttl: 0 };
    // Where it fails, the lease runs out by itself.
    await this.engine
      .publish(this.engine.subject('lease', runId), JSON.stringify(message), lease)
      .catch(() => undefined);
  }

  async #appenderOf(fence: Fence): Promise<Appender> {
    const { runId, token } = fence;
    const known = this.#appenders.get(runId);
    if (known?.fence.token === token) return known;
    if (known && known.fence.token > token) throw lost(runId);
    const appender = new Appender(this.engine, { runId, token });
    await this.engine.retrying(runId, () => appender.load().catch((error) => this.#endedOr(runId, error)));
    return appender;
  }

  /** The end takes the lease with it: who comes after that has not lost it. */
  async #endedOr(runId: string, error: unknown): Promise<never> {
    throw (await this.#last(runId))?.kind === 'end' ? endedAlready(runId) : error;
  }

  async #last(runId: string): Promise<RunMessage | null> {
    const stored = await this.engine.last(this.engine.runs, this.engine.subject('run', runId));
    return stored && decodeMessage(stored);
  }

  /** Milliseconds for which a run is held yet, by whom, and the message that says so. */
  async #leftOf(runId: string): Promise<{ left: number; token: number; seq: number }> {
    const stored = await this.engine.last(this.engine.states, this.engine.subject('lease', runId));
    if (stored === null) return { left: 0, token: 0, seq: 0 };
    const { token, ttl } = stored.json<LeaseMessage>();
    const left = ttl === 0 ? 0 : Math.ceil(stored.time.getTime() + ttl - (await this.engine.now()));
    return { left: Math.max(0, left), token, seq: stored.seq };
  }

  async #isOrphan(runId: string): Promise<boolean> {
    if ((await this.#leftOf(runId)).left > 0) return false;
    const last = await this.#last(runId);
    if (last !== null && last.kind !== 'end' && last.kind !== 'gone') return true;
    // A producer that died between the end and this; one that dies between its lease and its claim has begun nothing.
    if (last !== null) await this.#forget(runId);
    return false;
  }

  async #forget(runId: string): Promise<void> {
    await this.engine.purge(this.engine.states, this.engine.subject('lease', runId));
  }

  async #expire(runId: string, after: number): Promise<void> {
    const { engine } = this;
    if (after > 0) {
      const at = (await engine.now()) + after;
      await engine.publish(engine.subject('expiry', runId), JSON.stringify({ at }));
      const timer = setTimeout(() => void this.#expire(runId, 0).catch(() => undefined), after);
      timer.unref();
      return;
    }
    await engine.purge(engine.states, engine.subject('expiry', runId));
    const last = await this.#last(runId);
    if (last === null || last.kind === 'gone') return;
    const subject = engine.subject('run', runId);
    const seq = await engine.publish(subject, encodeMessage({ kind: 'gone', token: last.token, first: 1, count: 0 }));
    if (seq === OVERTAKEN) return;
    await engine.purge(engine.runs, subject, seq);
    await this.#forget(runId);
    engine.connection.publish(engine.subject('wake', runId), String(seq));
  }

  /** Carries out what `expire` was told by processes that are gone. */
  async #sweep(): Promise<void> {
    const { engine } = this;
    for (const subject of await engine.subjects('expiry')) {
      const stored = await engine.last(engine.states, subject);
      if (stored && stored.json<{ at: number }>().at <= (await engine.now())) {
        await this.#expire(engine.runIdOf(subject), 0);
      }
    }
  }
}

/** Who keeps a lease, and its last message. */
interface Holder {
  appender: Appender;
  lease: number;
}

function held(runId: string, left: number): RunLogError {
  return new RunLogError('held', runId, `another producer holds it for ${left} ms yet`, { retryAfter: left });
}
