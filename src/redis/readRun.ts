import { Observable, type Subscriber, type Subscription } from 'rxjs';
import type { RunEntry } from '../runs/RunLog.js';
import { RunLogError } from '../runs/RunLogError.js';
import type { Engine } from './Engine.js';
import { entriesOf, type StoredEntry } from './entries.js';
import type { LiveReaders } from './LiveReaders.js';
import { headScript } from './scripts.js';

/** Entries of one reply. */
const PAGE = 200;

/** All entries of a run after a number: pages of history, then live ones. */
export function readRun(engine: Engine, live: LiveReaders, runId: string, after: number): Observable<RunEntry> {
  return new Observable((subscriber) => new Reading(engine, live, runId, after, subscriber).start());
}

class Reading {
  #asked: Subscription | undefined;
  #leave: (() => void) | null = null;
  /** How often the log said that there is more, without giving it. */
  #vain = 0;

  constructor(
    private readonly engine: Engine,
    private readonly live: LiveReaders,
    private readonly runId: string,
    /** The last number that was sent. */
    private seq: number,
    private readonly subscriber: Subscriber<RunEntry>,
  ) {}

  start(): () => void {
    this.#readPage();
    return () => {
      this.#asked?.unsubscribe();
      this.#leave?.();
    };
  }

  #readPage(): void {
    const { engine, runId, subscriber } = this;
    const events = engine.keys.of(runId)[1];
    this.#asked = engine.ask(runId, ['XRANGE', events, `${this.seq}-1`, '+', 'COUNT', String(PAGE)]).subscribe({
      next: (reply) => {
        const entries = entriesOf(reply);
        if (entries.length > 0) this.#vain = 0;
        if (!this.#send(entries)) this.#trimmed();
        if (subscriber.closed) return;
        if (entries.length === 0) this.#readHead();
        else if (entries.length < PAGE) this.#listen();
        else this.#readPage();
      },
      error: (error: unknown) => subscriber.error(error),
    });
  }

  /** Nothing more is stored: has it ended, or is it no more? */
  #readHead(): void {
    const { engine, runId, subscriber } = this;
    this.#asked = engine.run(headScript, runId).subscribe({
      next: (reply) => {
        const [token = 0, last = 0, end = 0] = reply.map(Number);
        if (token === 0 && this.seq > 0) this.#trimmed();
        else if (end > 0 && this.seq >= end) subscriber.complete();
        else if (last <= this.seq) this.#listen();
        else if (++this.#vain > 1) this.#trimmed();
        else this.#readPage();
      },
      error: (error: unknown) => subscriber.error(error),
    });
  }

  #listen(): void {
    const { live, runId, subscriber } = this;
    this.#leave = live.listen(runId, this.seq, {
      next: (entries) => {
        if (this.#send(entries) || subscriber.closed) return;
        this.#leave?.();
        this.#leave = null;
        this.#readPage();
      },
      error: (error) => subscriber.error(error),
    });
    if (this.#leave === null) this.#readPage();
  }

  /** Sends what was not sent yet; false when something is missing before it. */
  #send(entries: readonly StoredEntry[]): boolean {
    const { subscriber } = this;
    for (const entry of entries) {
      if (subscriber.closed) return true;
      if (entry === 'deleted') {
        this.#trimmed();
        return true;
      }
      if (entry.seq <= this.seq) continue;
      if (entry.seq > this.seq + 1) return false;
      this.seq = entry.seq;
      subscriber.next(entry);
      if (entry.event.type === 'run-end') subscriber.complete();
    }
    return true;
  }

  #trimmed(): void {
    const detail = `the events after ${this.seq} are no longer in the log`;
    this.subscriber.error(new RunLogError('trimmed', this.runId, detail));
  }
}
