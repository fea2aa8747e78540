import {
  jetstream,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamClient,
  type JetStreamManager,
  type StoredMsg,
  type StreamConfig,
} from '@nats-io/jetstream';
import { asyncScheduler, firstValueFrom, timer } from 'rxjs';
import { RunLogError } from '../runs/RunLogError.js';

/** A connection to NATS, as `connect` of `@nats-io/transport-node` or `wsconnect` of `@nats-io/nats-core` gives it. */
export type NatsConnection = Parameters<typeof jetstream>[0];

/** What the engine has to know. Times are in milliseconds. */
export interface EngineConfig {
  name: string;
  storage: 'file' | 'memory';
  replicas: number;
  maxAge: number;
  maxBytes: number;
  patience: number;
}

/** The answer to a publication that expected another message to be the last one. */
export const OVERTAKEN = Symbol('overtaken');

/** Milliseconds that one request may take; it is sent again afterwards. */
const REQUEST = 2_000;
/** Milliseconds between two tries. */
const PAUSE = 50;
/** Milliseconds after which the clocks are compared again. */
const CLOCK = 30_000;

/** What this log needs of JetStream: two streams, and requests that outlive a cut connection. */
export class Engine {
  readonly #js: JetStreamClient;
  #manager: Promise<JetStreamManager> | undefined;
  #clock: { offset: number; at: number } | undefined;

  constructor(
    readonly connection: NatsConnection,
    readonly config: EngineConfig,
  ) {
    this.#js = jetstream(connection, { timeout: REQUEST });
  }

  /** Stream of the events. */
  get runs(): string {
    return `${this.config.name}-runs`;
  }

  /** Stream of what is known of each run at the moment: one message a subject. */
  get states(): string {
    return `${this.config.name}-states`;
  }

  subject(kind: 'run' | 'lease' | 'expiry' | 'wake', runId: string): string {
    // A dot would begin another token of the subject, and a run id has no percent sign.
    return `${this.config.name}.${kind}.${runId.replaceAll('.', '%2E')}`;
  }

  runIdOf(subject: string): string {
    return subject.slice(subject.lastIndexOf('.') + 1).replaceAll('%2E', '.');
  }

  /**
   * Publishes, and gives the sequence number in the stream. With `last` it is stored only when that is the number of the
   * subject's last message, 0 for none: JetStream itself compares.
   */
  async publish(subject: string, body: Uint8Array | string, last?: number): Promise<number | typeof OVERTAKEN> {
    await this.manager();
    const expect = last === undefined ? {} : { expect: { lastSubjectSequence: last } };
    try {
      const { seq } = await this.#js.publish(subject, body, { timeout: REQUEST, ...expect });
      return seq;
    } catch (error) {
      if (codeOf(error) === JetStreamApiCodes.StreamWrongLastSequence) return OVERTAKEN;
      throw error;
    }
  }

  /** The last message of a subject. */
  async last(stream: string, subject: string): Promise<StoredMsg | null> {
    return (await this.manager()).direct.getMessage(stream, { last_by_subj: subject });
  }

  /** Whether a subject has a message; the leader is asked, because a replica may not have got yet what was stored. */
  async has(stream: string, subject: string): Promise<boolean> {
    return (await (await this.manager()).streams.getMessage(stream, { last_by_subj: subject })) !== null;
  }

  /** The first message of a subject at or after a sequence number of the stream. */
  async next(stream: string, subject: string, from: number): Promise<StoredMsg | null> {
    return (await this.manager()).direct.getMessage(stream, { seq: from, next_by_subj: subject });
  }

  /** Forgets the messages of a subject, those before `seq` or all. */
  async purge(stream: string, subject: string, seq?: number): Promise<void> {
    await (await this.manager()).streams.purge(stream, { filter: subject, ...(seq !== undefined && { seq }) });
  }

  /** All subjects of a kind that have a message. */
  async subjects(kind: 'lease' | 'expiry'): Promise<string[]> {
    const info = await (
      await this.manager()
    ).streams.info(this.states, {
      subjects_filter: `${this.config.name}.${kind}.*`,
    });
    return Object.keys(info.state.subjects ?? {});
  }

  /** The server's time: that of its messages, which all machines compare leases with. */
  async now(): Promise<number> {
    const local = asyncScheduler.now();
    if (!this.#clock || local - this.#clock.at > CLOCK) {
      const manager = await this.manager();
      const sent = asyncScheduler.now();
      const { seq } = await this.#js.publish(`${this.config.name}.clock`, '', { timeout: REQUEST });
      const middle = (sent + asyncScheduler.now()) / 2;
      const message = await manager.direct.getMessage(this.states, { seq });
      if (message === null) return asyncScheduler.now() + (this.#clock?.offset ?? 0);
      this.#clock = { offset: message.time.getTime() - middle, at: local };
    }
    return asyncScheduler.now() + this.#clock.offset;
  }

  /**
   * Tries until it works or the time is over; what this log itself refuses is not tried again.
   *
   * @throws RunLogError `unavailable`.
   */
  async retrying<T>(runId: string, what: () => Promise<T>, patience = this.config.patience): Promise<T> {
    const last = asyncScheduler.now() + patience;
    for (;;) {
      try {
        return await what();
      } catch (cause) {
        if (cause instanceof RunLogError) throw cause;
        if (this.connection.isClosed() || asyncScheduler.now() >= last || isMisuse(cause)) {
          throw new RunLogError('unavailable', runId, `JetStream has not answered for ${patience} ms`, { cause });
        }
        await firstValueFrom(timer(PAUSE));
      }
    }
  }

  manager(): Promise<JetStreamManager> {
    this.#manager ??= this.#prepare().catch((error: unknown) => {
      this.#manager = undefined;
      throw error;
    });
    return this.#manager;
  }

  /** Makes the streams where there are none. Those that exist are used as they are. */
  async #prepare(): Promise<JetStreamManager> {
    const { name, storage, replicas, maxAge, maxBytes } = this.config;
    const manager = await jetstreamManager(this.connection, { timeout: REQUEST, checkAPI: false });
    // Nanoseconds, as everywhere in JetStream.
    const age = maxAge === Infinity ? 0 : Math.round(maxAge * 1e6);
    const common: Partial<StreamConfig> = { storage, num_replicas: replicas, allow_direct: true, max_age: age };
    await ensure(manager, { ...common, name: this.runs, subjects: [`${name}.run.*`], max_bytes: maxBytes });
    const subjects = ['lease.*', 'expiry.*', 'clock'].map((rest) => `${name}.${rest}`);
    await ensure(manager, { ...common, name: this.states, subjects, max_msgs_per_subject: 1 });
    return manager;
  }
}

type Definition = Partial<StreamConfig> & { name: string };

async function ensure(manager: JetStreamManager, definition: Definition): Promise<void> {
  try {
    await manager.streams.info(definition.name);
  } catch (error) {
    if (codeOf(error) !== JetStreamApiCodes.StreamNotFound) throw error;
    await manager.streams.add(definition);
  }
}

function codeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

/** Trying again cannot help: no stream may be made, the account has no JetStream, the payload is too large. */
function isMisuse(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.status >= 400 && error.status < 500 && error.status !== 408;
}
