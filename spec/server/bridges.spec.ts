import {
  concat,
  from,
  interval,
  lastValueFrom,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  take,
  throwError,
  toArray,
} from 'rxjs';
import { unhandledWhile } from './unhandledWhile.js';
import {
  fromAsyncIterable,
  fromReadableStream,
  SlowConsumerError,
  streamResponse,
  toAsyncIterable,
  toReadableStream,
} from 'rx-llm/server';

/** A source that tells how many are subscribed, and never ends by itself. */
function watched<T>(...values: T[]): { source: Observable<T>; readonly open: number; readonly count: number } {
  const state = { open: 0, count: 0 };
  const source = new Observable<T>((subscriber) => {
    state.open++;
    state.count++;
    for (const value of values) subscriber.next(value);
    return () => state.open--;
  });
  return {
    source,
    get open() {
      return state.open;
    },
    get count() {
      return state.count;
    },
  };
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const value of values) seen.push(value);
  return seen;
}

type SizeOf = (value: unknown) => number;

const configOf = (limit?: number, sizeOf?: SizeOf) => ({ ...(limit && { limit }), ...(sizeOf && { sizeOf }) });

const bridges = [
  [
    'toReadableStream',
    <T>(source: Observable<T>, limit?: number, sizeOf?: SizeOf) => toReadableStream(source, configOf(limit, sizeOf)),
  ],
  [
    'toAsyncIterable',
    <T>(source: Observable<T>, limit?: number, sizeOf?: SizeOf) => toAsyncIterable(source, configOf(limit, sizeOf)),
  ],
] as const;

describe.each(bridges)('%s', (name, bridge) => {
  it('should give the values and the end', async () => {
    expect(await all(bridge(of(1, 2, 3)))).toEqual([1, 2, 3]);
    expect(await all(bridge(interval(1).pipe(take(3))))).toEqual([0, 1, 2]);
    expect(await all(bridge(from([])))).toEqual([]);
  });

  it('should give the values before the error, and the error', async () => {
    const failure = new Error('no');
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      for await (const value of bridge(
        concat(
          interval(1).pipe(take(2)),
          throwError(() => failure),
        ),
      ))
        seen.push(value);
    };

    await expect(read()).rejects.toBe(failure);
    expect(seen).toEqual([0, 1]);
  });

  it('should subscribe at the first read', async () => {
    const state = watched(1);

    const bridged = bridge(state.source);
    await new Promise((resolve) => setImmediate(resolve));
    const before = state.count;
    for await (const _ of bridged) break;

    expect([before, state.count]).toEqual([0, 1]);
  });

  it('should unsubscribe when the reader leaves', async () => {
    const state = watched(1, 2);

    for await (const value of bridge(state.source)) if (value === 2) break;

    expect(state.open).toBe(0);
    expect(state.count).toBe(1);
  });

  it('should unsubscribe while a value is waited for', async () => {
    const state = watched<number>();
    const bridged = bridge(state.source);
    let pending: Promise<unknown>;
    if (bridged instanceof ReadableStream) {
      const reader = bridged.getReader();
      pending = reader.read();
      await reader.cancel();
    } else {
      const iterator = bridged[Symbol.asyncIterator]();
      pending = iterator.next();
      await iterator.return?.();
    }

    expect(state.open).toBe(0);
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  it('should unsubscribe, and fail, when more waits than may', async () => {
    const state = watched(1, 2, 3, 4, 5);
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      for await (const value of bridge(state.source, 3)) seen.push(value);
    };

    await expect(read()).rejects.toEqual(new SlowConsumerError(3));
    expect(state.open).toBe(0);
    // A web stream that has failed gives nothing more; an iterator gives what was waiting.
    expect(seen).toEqual(name === 'toReadableStream' ? [1] : [1, 2, 3, 4, 5]);
  });

  it('should stop a source that never ends and never waits', async () => {
    let sent = 0;
    const endless = new Observable<number>((subscriber) => {
      while (!subscriber.closed) subscriber.next(sent++);
    });

    await expect(all(bridge(endless, 10))).rejects.toBeInstanceOf(SlowConsumerError);
    expect(sent).toBeLessThan(15);
  });

  it('should lose nothing for a reader that comes and goes', async () => {
    const source = new Subject<number>();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const value of bridge(source)) {
        seen.push(value);
        if (value % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    // A web stream takes its time until it asks for the first value.
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 200; i++) {
      source.next(i);
      if (i % 13 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    source.complete();
    await reading;

    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it.each([
    ['throws', new Error('no size')],
    ['gives no number', expect.objectContaining({ name: 'RangeError' })],
  ])('should fail, and unsubscribe, when `sizeOf` %s', async (what, failure) => {
    const state = watched<number>();
    const sizeOf = (value: unknown): number => {
      if (value !== 2) return 1;
      if (what === 'throws') throw failure;
      return NaN;
    };
    const source = concat(of(1, 2, 3), state.source);
    let open = 0;
    const counted = new Observable<number>((subscriber) => {
      open++;
      subscriber.add(() => open--);
      subscriber.add(source.subscribe(subscriber));
    });
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      for await (const value of bridge(counted, undefined, sizeOf)) seen.push(value);
    };

    await expect(read()).rejects.toEqual(failure);
    expect(open).toBe(0);
    expect(state.count).toBe(0);
  });

  it('should refuse a limit that is none', () => {
    expect(() => bridge(NEVER, -1)).toThrow(`${name}: the limit must be positive`);
  });
});

describe('toAsyncIterable', () => {
  it('should subscribe anew for each iterator', async () => {
    const iterable = toAsyncIterable(range(1, 2));

    expect(await all(iterable)).toEqual([1, 2]);
    expect(await all(iterable)).toEqual([1, 2]);
  });

  it('should answer those who ask before there is anything, in their order', async () => {
    const source = new Subject<number>();
    const iterator = toAsyncIterable(source)[Symbol.asyncIterator]();
    const asked = [iterator.next(), iterator.next(), iterator.next()];
    source.next(1);
    source.next(2);
    source.complete();

    expect(await Promise.all(asked)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
    ]);
  });

  it('should have no error for one who has left', async () => {
    const iterator = toAsyncIterable(
      concat(
        of(1),
        throwError(() => new Error('no')),
      ),
    )[Symbol.asyncIterator]();

    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    await iterator.return?.();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('should ask once for the size of a value', async () => {
    const asked: unknown[] = [];
    const sizeOf = (value: unknown): number => asked.push(value);

    expect(await all(toAsyncIterable(of('a', 'b', 'c'), { sizeOf }))).toEqual(['a', 'b', 'c']);
    expect(asked).toEqual(['a', 'b', 'c']);
  });

  it('should unsubscribe on throw()', async () => {
    const state = watched(1);
    const iterator = toAsyncIterable(state.source)[Symbol.asyncIterator]();
    await iterator.next();

    await expect(iterator.throw?.(new Error('enough'))).rejects.toThrow('enough');
    expect(state.open).toBe(0);
  });
});

describe('fromAsyncIterable', () => {
  async function* numbers(log: string[], end?: Error): AsyncGenerator<number> {
    try {
      for (let i = 0; i < 3; i++) yield i;
      if (end) throw end;
    } finally {
      log.push('left');
    }
  }

  it('should emit the values, ask for each once, and be cold', async () => {
    const log: string[] = [];
    const source = fromAsyncIterable({ [Symbol.asyncIterator]: () => numbers(log) });

    expect(await lastValueFrom(source.pipe(toArray()))).toEqual([0, 1, 2]);
    expect(await lastValueFrom(source.pipe(toArray()))).toEqual([0, 1, 2]);
    expect(log).toEqual(['left', 'left']);
  });

  it('should pass the error', async () => {
    const failure = new Error('no');

    await expect(lastValueFrom(fromAsyncIterable(numbers([], failure)))).rejects.toBe(failure);
  });

  it('should return the iterator when nobody wants more', async () => {
    const log: string[] = [];

    expect(await lastValueFrom(fromAsyncIterable(numbers(log)).pipe(take(2), toArray()))).toEqual([0, 1]);
    await Promise.resolve();
    expect(log).toEqual(['left']);
  });

  it('should return the iterator at once while a value is waited for', () => {
    let returned = 0;
    const waiting: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: () => Promise.resolve({ done: true, value: undefined, returned: returned++ }),
      }),
    };

    fromAsyncIterable(waiting).subscribe().unsubscribe();

    expect(returned).toBe(1);
  });

  it.each(['throws', 'rejects'])('should be left quietly when the iterator %s in its return()', async (what) => {
    let returned = 0;
    const failure = new Error('no');
    const broken: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: () => {
          returned++;
          if (what === 'throws') throw failure;
          return Promise.reject(failure);
        },
      }),
    };

    const subscription = fromAsyncIterable(broken).subscribe();
    const unhandled = await unhandledWhile(() => expect(() => subscription.unsubscribe()).not.toThrow());

    expect(returned).toBe(1);
    expect(unhandled).toEqual([]);
  });

  it('should pass what an iterator throws by itself', async () => {
    const failure = new Error('no');
    const broken: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          throw failure;
        },
      }),
    };

    await expect(lastValueFrom(fromAsyncIterable(broken))).rejects.toBe(failure);
  });
});

describe('fromReadableStream', () => {
  it('should emit the chunks and complete', async () => {
    const stream = toReadableStream(of('a', 'b'));

    expect(await lastValueFrom(fromReadableStream(stream).pipe(toArray()))).toEqual(['a', 'b']);
  });

  it('should pass the error', async () => {
    const failure = new Error('no');
    const stream = new ReadableStream<string>({ start: (controller) => controller.error(failure) });

    await expect(lastValueFrom(fromReadableStream(stream))).rejects.toBe(failure);
  });

  it('should cancel the stream at once while a chunk is waited for, and let it go', () => {
    let cancelled = 0;
    const stream = new ReadableStream<string>({ cancel: () => void cancelled++ });

    fromReadableStream(stream).subscribe().unsubscribe();

    expect(cancelled).toBe(1);
    expect(stream.locked).toBe(false);
  });

  it('should be left quietly when the stream cannot be cancelled', async () => {
    let cancelled = 0;
    const cancel = (): never => {
      cancelled++;
      throw new Error('no');
    };
    const subscription = fromReadableStream(new ReadableStream<string>({ cancel })).subscribe();

    const unhandled = await unhandledWhile(() => expect(() => subscription.unsubscribe()).not.toThrow());

    expect(cancelled).toBe(1);
    expect(unhandled).toEqual([]);
  });

  it('should be cold with a function, and single with a stream', async () => {
    const cold = fromReadableStream(() => toReadableStream(of(1)));
    const single = fromReadableStream(toReadableStream(NEVER));
    single.subscribe();

    expect(await lastValueFrom(cold)).toBe(1);
    expect(await lastValueFrom(cold)).toBe(1);
    await expect(lastValueFrom(single)).rejects.toThrow(/locked/);
  });

  it('should carry a whole way there and back, with its cancellation', async () => {
    const state = watched(1, 2, 3);
    const there = fromReadableStream(() => toReadableStream(fromAsyncIterable(toAsyncIterable(state.source))));

    expect(await lastValueFrom(there.pipe(take(2), toArray()))).toEqual([1, 2]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(state.open).toBe(0);
  });
});

describe('streamResponse', () => {
  it('should write texts and bytes', async () => {
    const response = streamResponse(of('Mär', new Uint8Array([98, 108, 101])), {
      headers: { 'x-a': 'b' },
      status: 201,
    });

    expect(response.status).toBe(201);
    expect(response.headers.get('x-a')).toBe('b');
    expect(await response.text()).toBe('Märble');
  });

  it('should count what waits in bytes', async () => {
    const frames = new Subject<string>();
    const reader = (streamResponse(frames, { limit: 5_500 }).body as ReadableStream<Uint8Array>).getReader();
    const first = reader.read();
    await new Promise((resolve) => setImmediate(resolve));
    frames.next('x');
    await first;
    for (let n = 0; n < 5; n++) frames.next('x'.repeat(1_000));
    expect(frames.observed).toBe(true);
    frames.next('x'.repeat(1_000));

    expect(frames.observed).toBe(false);
    await expect(reader.read()).rejects.toEqual(new SlowConsumerError(5_500));
  });

  it.each(['before', 'after'] as const)('should unsubscribe when the signal aborts, %s it is read', async (when) => {
    const abort = new AbortController();
    const state = watched('a');
    const reader = (streamResponse(state.source, { signal: abort.signal }).body as ReadableStream).getReader();
    if (when === 'before') abort.abort();
    const first = await reader.read();
    if (when === 'after') abort.abort();

    expect(first.done).toBe(when === 'before');
    expect((await reader.read()).done).toBe(true);
    expect(state.open).toBe(0);
  });
});
