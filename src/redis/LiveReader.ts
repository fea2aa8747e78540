import { RunLogError } from '../runs/RunLogError.js';
import type { Duplicate } from './types.js';
import { isMoving, messageOf, type Engine } from './Engine.js';
import { entriesOf, streamsOf, type StoredEntry } from './entries.js';

/** Somebody who has read the history of a run. */
export interface Listener {
  next: (entries: readonly StoredEntry[]) => void;
  error: (error: unknown) => void;
}

/** A run with those who read it here. */
interface Feed {
  /** The id of the last entry that was read. */
  last: string;
  listeners: Set<Listener>;
  /** True when something came since the last check-up. */
  busy: boolean;
}

/** Longest wait of one command, in milliseconds; then runs that were silent are looked at. */
const BLOCK = 1_000;
const COUNT = '200';
/** Milliseconds between two looks while no command can wait for all runs. */
const LOOK = 100;

/**
 * Reads the live entries of all runs of a shard that are read in this process, over one connection, which exists while somebody
 * reads. A private stream is read with them, so that the waiting command can be told of another run.
 */
export class LiveReader {
  readonly #feeds = new Map<string, Feed>();
  readonly #wakeKey: string;
  #wakeId = '0';
  #waiting = false;
  #running = false;
  #connection: Duplicate | undefined;
  #checked = 0;
  /** Ends a pause. */
  #resume = (): void => {};

  constructor(
    private readonly engine: Engine,
    shard: number,
  ) {
    this.#wakeKey = engine.keys.wake(shard) + crypto.randomUUID();
  }

  /**
   * Sends what comes after a number, and perhaps some of what came before. Returns what ends that, or null when more than that
   * has been sent to others already: then there is more history to read.
   */
  listen(runId: string, after: number, listener: Listener): (() => void) | null {
    const feed = this.#feeds.get(runId);
    if (feed) {
      if (Number.parseInt(feed.last, 10) > after) return null;
      feed.listeners.add(listener);
    } else {
      this.#feeds.set(runId, { last: `${after}-0`, listeners: new Set([listener]), busy: true });
      this.#wake();
    }
    void this.#run();
    return () => this.#leave(runId, listener);
  }

  #leave(runId: string, listener: Listener): void {
    const feed = this.#feeds.get(runId);
    if (!feed?.listeners.delete(listener) || feed.listeners.size > 0) return;
    this.#feeds.delete(runId);
    if (this.#feeds.size > 0) return;
    // In the next turn: who has just left may be about to come back.
    queueMicrotask(() => {
      if (this.#feeds.size === 0) this.#close();
    });
  }

  #wake(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.engine.tell('XADD', this.#wakeKey, 'MAXLEN', '1', '*', 'w', '1');
    this.engine.tell('PEXPIRE', this.#wakeKey, '60000');
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { scheduler, patience } = this.engine;
    let failing: number | undefined;
    while (this.#feeds.size > 0) {
      try {
        await this.#turn();
        failing = undefined;
      } catch (error) {
        this.#close();
        if (this.#feeds.size === 0) break;
        failing ??= scheduler.now();
        const away = scheduler.now() - failing;
        if (away > patience) this.#fail(`Redis has been away for ${away} ms: ${messageOf(error)}`, error);
        if (this.#feeds.size === 0) break;
        await this.#pause(Math.min(25 + away / 4, 1_000));
      }
    }
    this.#running = false;
  }

  /** Waits once for entries. */
  async #turn(): Promise<void> {
    const connection = (this.#connection ??= this.engine.connection.duplicate());
    await this.#soon(connection, connection.opened);
    const runs = [...this.#feeds].map(([runId, { last }]) => ({ key: this.engine.keys.of(runId)[1], last }));
    if (runs.length === 0) return;
    this.#waiting = true;
    const asked = connection.send(
      [
        ...['XREAD', 'COUNT', COUNT, 'BLOCK', String(BLOCK), 'STREAMS'],
        ...[...runs.map(({ key }) => key), this.#wakeKey, ...runs.map(({ last }) => last), this.#wakeId],
      ],
      this.#wakeKey,
    );
    try {
      const reply = await this.#soon(connection, asked);
      for (const [key, entries] of streamsOf(reply)) this.#deliver(key, entries);
    } catch (error) {
      if (!isMoving(error)) throw error;
      this.#waiting = false;
      await this.#readApart(connection, runs);
    }
    this.#waiting = false;
    this.#checkUp();
  }

  /** Looks at each run by itself: while a slot is on its way to another node, no command can name keys of which some are there. */
  async #readApart(connection: Duplicate, runs: readonly { key: string; last: string }[]): Promise<void> {
    const asked = runs.map(({ key, last }) => connection.send(['XREAD', 'COUNT', COUNT, 'STREAMS', key, last], key));
    for (const reply of await this.#soon(connection, Promise.all(asked))) {
      for (const [key, entries] of streamsOf(reply)) this.#deliver(key, entries);
    }
    await this.#pause(LOOK);
  }

  async #pause(time: number): Promise<void> {
    const resumed = new Promise<void>((resolve) => (this.#resume = resolve));
    const watch = this.engine.scheduler.schedule(() => this.#resume(), time);
    await resumed;
    watch.unsubscribe();
  }

  /** A connection that is silent for too long is as good as broken. */
  async #soon<T>(connection: Duplicate, coming: Promise<T>): Promise<T> {
    coming.catch(() => {});
    const { scheduler, patience } = this.engine;
    let fail: (error: Error) => void = () => {};
    const late = new Promise<never>((_, reject) => (fail = reject));
    const watch = scheduler.schedule(() => fail(new Error('no answer')), BLOCK + Math.min(patience, 10_000));
    try {
      return await Promise.race([coming, connection.broken, late]);
    } finally {
      watch.unsubscribe();
    }
  }

  #deliver(key: string, reply: unknown): void {
    if (key.endsWith(this.#wakeKey)) {
      this.#wakeId = String((reply as [string][]).at(-1)?.[0] ?? this.#wakeId);
      return;
    }
    // By the run's name and not by the whole key: ioredis can put a prefix of its own before it.
    const feed = this.#feeds.get(this.engine.keys.runOf(key));
    if (feed === undefined) return;
    const last = (reply as [id: string][]).at(-1)?.[0];
    if (last !== undefined) feed.last = String(last);
    feed.busy = true;
    const entries = entriesOf(reply);
    for (const listener of [...feed.listeners]) listener.next(entries);
  }

  /** Looks now and then whether the runs that are silent exist still: a key that expires wakes nobody. */
  #checkUp(): void {
    const { scheduler } = this.engine;
    const now = scheduler.now();
    if (now - this.#checked < BLOCK) return;
    this.#checked = now;
    for (const [runId, feed] of this.#feeds) {
      if (!feed.busy && Number.parseInt(feed.last, 10) > 0) this.#checkRun(runId, feed);
      feed.busy = false;
    }
  }

  #checkRun(runId: string, feed: Feed): void {
    const [state] = this.engine.keys.of(runId);
    this.engine.connection.send(['EXISTS', state], state).then(
      (exists) => {
        if (Number(exists) === 0 && !feed.busy) for (const listener of [...feed.listeners]) listener.next(['deleted']);
      },
      // The next check-up asks again.
      () => {},
    );
  }

  #fail(detail: string, cause: unknown): void {
    for (const [runId, { listeners }] of [...this.#feeds]) {
      for (const listener of [...listeners]) listener.error(new RunLogError('unavailable', runId, detail, { cause }));
    }
  }

  #close(): void {
    this.#waiting = false;
    this.#resume();
    const connection = this.#connection;
    this.#connection = undefined;
    try {
      connection?.close();
    } catch {
      // It was never open, or is closed already.
    }
  }
}
