import { isDeepStrictEqual } from 'node:util';
import { defer, firstValueFrom, timer, toArray, type Observable, type SchedulerLike, type Subscription } from 'rxjs';
import { isRunLogError, type RunLogError, type RunLogErrorCode } from '../../runs/RunLogError.js';
import type { Fence, RunEntry, RunEvent, RunHead, RunLog } from '../../runs/RunLog.js';

/** A claim that somebody is subscribed to. */
export interface Held {
  fence: Fence;
  /** Settles with the error of the claim, when it has one. */
  failed: Promise<unknown>;
  /** Unsubscribes, which gives the lease back. */
  drop: () => void;
}

/** A reading that goes on. */
export interface Reading {
  entries: RunEntry[];
  /** Settles at the completion, or rejects with the error. */
  done: Promise<void>;
  stop: () => void;
}

/** The log under test, with what the cases ask of it. Everything that was begun is unsubscribed by `close`. */
export class Bench {
  readonly #begun: Subscription[] = [];

  constructor(
    readonly log: RunLog,
    /** Milliseconds of a short lease. */
    readonly lease: number,
    /** Milliseconds after which something that has to come counts as missing. */
    readonly limit: number,
    readonly runId: string,
  ) {}

  /** Claims and waits for the fence. */
  async hold(ttl = 60_000, scheduler?: SchedulerLike, runId = this.runId): Promise<Held> {
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<unknown>((resolve) => (fail = resolve));
    let subscription: Subscription | undefined;
    const fence = await this.within(
      'the fence of a claim',
      new Promise<Fence>((resolve, reject) => {
        subscription = this.log.claim(runId, { ttl, ...(scheduler && { scheduler }) }).subscribe({
          next: resolve,
          error: (error: unknown) => {
            fail(error);
            // Nothing happens when the fence is there already.
            reject(error instanceof Error ? error : new Error(String(error)));
          },
        });
        this.#begun.push(subscription);
      }),
    );
    return { fence, failed, drop: () => subscription?.unsubscribe() };
  }

  /** Claims as often as it takes until the run is free. */
  async holdWhenFree(ttl?: number): Promise<Held> {
    for (;;) {
      try {
        return await this.hold(ttl);
      } catch (error) {
        if (!isRunLogError(error, 'held')) throw error;
        await firstValueFrom(timer(Math.min(error.retryAfter ?? 20, 50)));
      }
    }
  }

  append(fence: Fence, ...events: RunEvent[]): Promise<number[]> {
    return this.within('the answer to an append', firstValueFrom(this.log.append(fence, events)));
  }

  head(): Promise<RunHead | null> {
    return this.within('the head', firstValueFrom(this.log.head(this.runId)));
  }

  orphans(limit?: number): Promise<string[]> {
    return this.within('the orphans', firstValueFrom(this.log.orphans(limit).pipe(toArray())));
  }

  expire(after: number): Promise<void> {
    return this.within('the completion of expire', this.#run(this.log.expire(this.runId, after), () => {}).done);
  }

  /** Starts to read. */
  read(after?: number, runId = this.runId): Reading {
    const entries: RunEntry[] = [];
    return { entries, ...this.#run(this.log.read(runId, after), (entry) => entries.push(entry)) };
  }

  /** Reads until there are so many entries. */
  async readUntil(reading: Reading, count: number): Promise<RunEntry[]> {
    await this.within(
      `${count} entries`,
      this.#eventually(() => reading.entries.length >= count, reading.done),
    );
    return reading.entries;
  }

  /** Lets time pass; gives the most milliseconds that the machine was late meanwhile. */
  async pass(time: number): Promise<number> {
    const last = Date.now() + time;
    let late = 0;
    for (let now = Date.now(); now < last; now = Date.now()) {
      await firstValueFrom(timer(10));
      late = Math.max(late, Date.now() - now - 10);
    }
    return late;
  }

  /** Waits for something that has to come; rejects with a clear error when it does not. */
  async within<T>(what: string, coming: Promise<T>): Promise<T> {
    let late: ReturnType<typeof setTimeout> | undefined;
    const missing = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error(`${what} did not come within ${this.limit} ms`)), this.limit);
    });
    try {
      return await Promise.race([coming, missing]);
    } finally {
      clearTimeout(late);
    }
  }

  /** Rejects unless that is refused with the code. */
  async refused(code: RunLogErrorCode, what: string, asked: Promise<unknown>): Promise<RunLogError> {
    const error = await asked.then(
      (value: unknown) => {
        throw new Error(`${what} should be refused with '${code}', but gave ${JSON.stringify(value)}`);
      },
      (reason: unknown) => reason,
    );
    if (!isRunLogError(error, code)) {
      throw new Error(`${what} should be refused with '${code}', but was with: ${String(error)}`, { cause: error });
    }
    return error;
  }

  /** Rejects unless that is refused as the mistake of who asks, at the call or as an error of its Observable. */
  async misused(kind: 'TypeError' | 'RangeError', what: string, asked: () => Observable<unknown>): Promise<void> {
    const answer = new Promise<unknown>((resolve) => {
      const next = (value: unknown): void => resolve(JSON.stringify(value));
      const complete = (): void => resolve('a completion');
      this.#begun.push(defer(asked).subscribe({ next, error: resolve, complete }));
    });
    const given = await this.within(`the ${kind} of ${what}`, answer);
    if (given instanceof Error && given.name === kind) return;
    throw new Error(`${what} should be refused with a ${kind}, but gave ${String(given)}`);
  }

  close(): void {
    for (const subscription of this.#begun) subscription.unsubscribe();
  }

  #run<T>(source: Observable<T>, next: (value: T) => void): { done: Promise<void>; stop: () => void } {
    let subscription: Subscription | undefined;
    const done = new Promise<void>((complete, error) => {
      subscription = source.subscribe({ next, error, complete });
      this.#begun.push(subscription);
    });
    // Who does not wait for the end is not told of it.
    done.catch(() => {});
    return { done, stop: () => subscription?.unsubscribe() };
  }

  async #eventually(holds: () => boolean, ended: Promise<void>): Promise<void> {
    let over = false;
    void ended.then(
      () => (over = true),
      () => (over = true),
    );
    const last = Date.now() + this.limit;
    while (!holds() && !over && Date.now() < last) await firstValueFrom(timer(2));
    if (holds()) return;
    if (over) await ended;
    throw new Error(over ? 'the reading completed too early' : 'nothing more came');
  }
}

/** Throws unless both are equal, own `__proto__` keys included. */
export function same(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what} should be ${shown(expected)}, but is ${shown(actual)}`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text;
}

/** Events that say their number. */
export function numbered(count: number, from = 1): (RunEvent & { n: number })[] {
  return Array.from({ length: count }, (_, index) => ({ type: 'text-delta', n: from + index }));
}

/** The sequence numbers from one to another. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
