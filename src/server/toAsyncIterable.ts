import { Subject, takeUntil, type Observable } from 'rxjs';
import { SlowConsumerError } from './SlowConsumerError.js';
import { QUEUE_LIMIT, type QueueConfig } from './toReadableStream.js';

/**
 * Turns an Observable into an async iterable, for `for await`.
 *
 * Each iterator subscribes at its first `next()`. Values that come while nobody asks wait; beyond the limit the source is
 * unsubscribed, and after what was waiting comes a {@link SlowConsumerError}. The source's error and completion end the
 * iteration; what `sizeOf` throws is an error of the source. Leaving the loop (`break`, `return`, a throw) unsubscribes from
 * the source, also while a value is waited for.
 *
 * @param source - What is iterated.
 * @param config - See {@link QueueConfig}.
 * @throws RangeError when the limit is not positive.
 */
export function toAsyncIterable<T>(source: Observable<T>, config: QueueConfig<T> = {}): AsyncIterable<T> {
  const { limit = QUEUE_LIMIT, sizeOf = () => 1 } = config;
  if (!(limit > 0)) throw new RangeError('toAsyncIterable: the limit must be positive');
  return { [Symbol.asyncIterator]: () => new ObservableIterator(source, limit, sizeOf) };
}

interface Waiter<T> {
  resolve: (result: IteratorResult<T, undefined>) => void;
  reject: (error: unknown) => void;
}

class ObservableIterator<T> implements AsyncIterator<T, undefined> {
  private readonly left = new Subject<void>();
  private readonly values: T[] = [];
  private readonly sizes: number[] = [];
  /** How many of {@link values} have been given out; they go when half of the list has. */
  private taken = 0;
  private size = 0;
  private readonly waiters: Waiter<T>[] = [];
  private started = false;
  /** How the source has ended. */
  private end: { error?: unknown } | undefined;

  constructor(
    private readonly source: Observable<T>,
    private readonly limit: number,
    private readonly sizeOf: (value: T) => number,
  ) {}

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject });
      if (this.started) return this.serve();
      this.started = true;
      this.source.pipe(takeUntil(this.left)).subscribe({
        next: (value) => this.take(value),
        error: (error: unknown) => this.finish({ error }),
        complete: () => this.finish({}),
      });
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.started = true;
    this.values.length = this.sizes.length = this.taken = this.size = 0;
    // Who has left gets no error any more.
    this.end = {};
    this.serve();
    this.left.next();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error?: unknown): Promise<IteratorResult<T, undefined>> {
    void this.return();
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }

  private take(value: T): void {
    try {
      const size = this.sizeOf(value);
      if (!(size >= 0)) throw new RangeError(`toAsyncIterable: sizeOf must give 0 or more, and gave ${size}`);
      this.values.push(value);
      this.sizes.push(size);
      this.size += size;
      this.serve();
      if (this.size <= this.limit) return;
      throw new SlowConsumerError(this.limit);
    } catch (error) {
      this.finish({ error });
      this.left.next();
    }
  }

  private finish(end: { error?: unknown }): void {
    this.end ??= end;
    this.serve();
  }

  /** Gives those who wait what there is, and then the end. */
  private serve(): void {
    while (this.waiters.length > 0 && this.taken < this.values.length) {
      const value = this.values[this.taken] as T;
      this.size -= this.sizes[this.taken++] ?? 0;
      if (this.taken * 2 >= this.values.length) {
        this.values.splice(0, this.taken);
        this.sizes.splice(0, this.taken - (this.taken = 0));
      }
      this.waiters.shift()?.resolve({ done: false, value });
    }
    if (this.end === undefined || this.taken < this.values.length) return;
    for (const { resolve, reject } of this.waiters.splice(0)) {
      if ('error' in this.end) reject(this.end.error);
      else resolve({ done: true, value: undefined });
      this.end = {};
    }
  }
}
