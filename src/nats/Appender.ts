import { asyncScheduler } from 'rxjs';
import type { Fence, RunEvent } from '../runs/RunLog.js';
import { RunLogError } from '../runs/RunLogError.js';
import { OVERTAKEN, type Engine } from './Engine.js';
import {
  cutInto,
  decodeMessage,
  encodeEvents,
  encodeMessage,
  type LeaseMessage,
  type RunMessage,
  type RunMessageHead,
} from './messages.js';

/** Bytes of a message that are left for its first line and for headers. */
const HEAD = 512;

/**
 * What a producer knows of its run. Each append says which message it takes for the run's last one, and JetStream refuses it
 * when it is not: a claim is a message too, so that nothing of an earlier producer can follow it.
 */
export class Appender {
  /** When the lease runs out; by the clock of this machine, which all who wait for it give it more time than. */
  leasedUntil = -Infinity;
  /** True when the run's end was stored by it. */
  ended = false;
  /** Sequence number in the stream of the run's last message. */
  #last = 0;
  /** Sequence number in the run of the next event. */
  #next = 1;
  /** One append at a time: each needs to know of the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly engine: Engine,
    readonly fence: Fence,
  ) {}

  /** Starts after a message of the run. */
  startAfter({ seq, first, count, kind }: RunMessage): void {
    this.#last = seq;
    this.#next = first + (kind === 'part' ? 0 : count);
  }

  /** Goes on with a fence that this process knows nothing of, because another one has claimed. */
  async load(): Promise<void> {
    const { runId, token } = this.fence;
    const { states } = this.engine;
    const lease = await this.engine.last(states, this.engine.subject('lease', runId));
    const found = lease?.json<LeaseMessage>();
    if (!lease || found?.token !== token) throw lost(runId);
    this.leasedUntil = asyncScheduler.now() + lease.time.getTime() + found.ttl - (await this.engine.now());
    this.startAfter(await this.#lastOfMine());
  }

  append(events: readonly RunEvent[]): Promise<number[]> {
    const bytes = encodeEvents(this.fence.runId, events);
    const id = crypto.randomUUID();
    const appended = this.#turn.then(() => this.#append(events, bytes, id));
    this.#turn = appended.catch(() => undefined);
    return appended;
  }

  async #append(events: readonly RunEvent[], bytes: Uint8Array, id: string): Promise<number[]> {
    const { token } = this.fence;
    if (this.ended) throw endedAlready(this.fence.runId);
    const kind = events.at(-1)?.type === 'run-end' ? 'end' : 'events';
    const pieces = cutInto(bytes, (this.engine.connection.info?.max_payload ?? 1_048_576) - HEAD);
    for (const [index, piece] of pieces.entries()) {
      const whole = index === pieces.length - 1;
      const rest = { first: this.#next, id, token };
      const parts = index > 0 ? { parts: index } : {};
      const head: RunMessageHead = whole
        ? { kind, count: events.length, ...rest, ...parts }
        : { kind: 'part', count: index, ...rest };
      await this.#store(head, piece);
    }
    const first = this.#next;
    this.#next += events.length;
    this.ended = kind === 'end';
    const wake = this.engine.subject('wake', this.fence.runId);
    if (!this.engine.connection.isClosed()) this.engine.connection.publish(wake, String(this.#last));
    return events.map((_, index) => first + index);
  }

  async #store(head: RunMessageHead, piece: Uint8Array): Promise<void> {
    const { runId } = this.fence;
    const patience = this.leasedUntil - asyncScheduler.now();
    if (patience <= 0) throw lost(runId);
    this.#last = await this.engine.retrying(
      runId,
      async () => {
        const stored = await this.engine.publish(
          this.engine.subject('run', runId),
          encodeMessage(head, piece),
          this.#last,
        );
        if (stored !== OVERTAKEN) return stored;
        // An earlier try may have been stored although its answer was lost.
        const last = await this.#lastOfMine();
        if (last.id === head.id && last.kind === head.kind && last.count === head.count) return last.seq;
        throw last.kind === 'end' ? endedAlready(runId) : lost(runId);
      },
      patience,
    );
  }

  async #lastOfMine(): Promise<RunMessage> {
    const { runId, token } = this.fence;
    const stored = await this.engine.last(this.engine.runs, this.engine.subject('run', runId));
    const last = stored && decodeMessage(stored);
    if (!last || last.kind === 'gone' || last.token !== token) throw lost(runId);
    return last;
  }
}

export function endedAlready(runId: string): RunLogError {
  return new RunLogError('ended', runId, 'has its end already; nothing can follow it');
}

export function lost(runId: string): RunLogError {
  return new RunLogError('lost', runId, 'the lease has run out or was taken over; claim the run again');
}
