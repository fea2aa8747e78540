import { Observable } from 'rxjs';
import type { RunEntry } from '../runs/RunLog.js';
import { RunLogError } from '../runs/RunLogError.js';
import type { Engine } from './Engine.js';
import { decodeEvents, decodeMessage, type RunMessage } from './messages.js';

/** Milliseconds after which a replica is asked again that has not got yet what was stored. */
const REPLICA = 10;

/**
 * Reads a run message by message, and waits at its end for the producer to say that there is more: no consumer is kept at the
 * server for it, and a lost word costs no event, because the stream is asked every `poll` milliseconds anyhow.
 */
export function readRun(engine: Engine, runId: string, after: number, poll: number): Observable<RunEntry> {
  return new Observable((subscriber) => {
    const { connection } = engine;
    if (connection.isClosed()) throw new RunLogError('unavailable', runId, 'the connection to NATS is closed');
    const subject = engine.subject('run', runId);
    const reading = new Reading(runId, after);
    /** Last message of the stream that a producer has told of. */
    let told = 0;
    let wake: () => void = () => {};
    const word = connection.subscribe(engine.subject('wake', runId), {
      callback: (_error, message) => {
        told = Math.max(told, Number(message.string()) || 0);
        wake();
      },
    });
    subscriber.add(() => {
      wake();
      if (!word.isClosed()) word.unsubscribe();
    });

    const sleep = (time: number, early = true): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, time);
        // Also on unsubscription: no timer may outlive it.
        wake = () => {
          if (!early && !subscriber.closed) return;
          clearTimeout(timer);
          resolve();
        };
      });

    const follow = async (): Promise<void> => {
      let unsure = after > 0;
      for (let from = 1; !subscriber.closed;) {
        const before = told;
        const stored = await engine.retrying(runId, async () =>
          subscriber.closed ? null : engine.next(engine.runs, subject, from),
        );
        if (subscriber.closed) return;
        if (stored === null) {
          if (unsure && !(await engine.retrying(runId, () => engine.has(engine.runs, subject)))) {
            const detail = `there is no such run any more, of which ${after} events were read`;
            throw new RunLogError('trimmed', runId, detail);
          }
          unsure = false;
          if (told >= from) await sleep(REPLICA, false);
          else if (told === before) await sleep(poll);
          continue;
        }
        unsure = false;
        from = stored.seq + 1;
        const message = decodeMessage(stored);
        for (const entry of reading.take(message)) subscriber.next(entry);
        if (message.kind === 'end') subscriber.complete();
      }
    };
    follow().catch((error: unknown) => subscriber.error(error));
  });
}

/** What a reader has got, and what of a message is new to it. */
class Reading {
  #pieces: Uint8Array[] = [];
  /** The append that the pieces belong to. */
  #id: string | undefined;

  constructor(
    private readonly runId: string,
    /** Last sequence number of the run that the reader has. */
    private seq: number,
  ) {}

  /** @throws RunLogError `trimmed`. */
  take(message: RunMessage): RunEntry[] {
    const { kind, first, count, parts } = message;
    if (kind === 'gone') {
      // Who has seen nothing of it waits for another run of this name.
      if (this.seq > 0) throw new RunLogError('trimmed', this.runId, 'has been deleted');
      return [];
    }
    if (kind === 'claim') return [];
    // Pieces that another append had begun to store will not be whole any more.
    if (message.id !== this.#id) this.#pieces = [];
    this.#id = message.id;
    this.#pieces.push(message.body);
    if (kind === 'part') return [];
    const pieces = this.#pieces;
    this.#pieces = [];
    if (first > this.seq + 1) {
      throw new RunLogError('trimmed', this.runId, `the events ${this.seq + 1} to ${first - 1} are gone; begin anew`);
    }
    if (first + count - 1 <= this.seq) return [];
    if (parts !== undefined && pieces.length !== parts + 1) {
      throw new RunLogError('trimmed', this.runId, `a part of the events from ${first} on is gone; begin anew`);
    }
    const fresh: RunEntry[] = [];
    decodeEvents(pieces).forEach((event, index) => {
      if (first + index > this.seq) fresh.push({ seq: first + index, event });
    });
    this.seq = fresh.at(-1)?.seq ?? this.seq;
    return fresh;
  }
}
