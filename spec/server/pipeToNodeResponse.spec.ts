import { EventEmitter } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { concat, interval, map, NEVER, Observable, of, Subject, tap, throwError } from 'rxjs';
import { pipeToNodeResponse, sseResponse, streamResponse, toNodeHandler, type NodeResponse } from 'rx-llm/server';
import { serve, until, type Serving } from '../helpers/serving.js';

/** A response of Node's that takes as much as it is told to. */
class FakeResponse extends EventEmitter implements NodeResponse {
  statusCode = 0;
  destroyed = false;
  ended = false;
  /** False says that the buffer is full. */
  ready = true;
  readonly written: string[] = [];
  readonly headers: Record<string, string | string[]> = {};

  setHeader(name: string, value: string | string[]): void {
    this.headers[name] = value;
  }
  write(chunk: Uint8Array): boolean {
    if (this.destroyed) throw new Error('write after destroy');
    this.written.push(new TextDecoder().decode(chunk));
    return this.ready;
  }
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('pipeToNodeResponse', () => {
  it('should write the head, the frames and the end', async () => {
    const target = new FakeResponse();
    const headers = new Headers({ 'x-a': 'b' });
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2');

    await pipeToNodeResponse(new Response('Marbles', { status: 201, headers }), target);

    expect(target).toMatchObject({ statusCode: 201, ended: true, written: ['Marbles'] });
    expect(target.headers).toMatchObject({ 'x-a': 'b', 'set-cookie': ['a=1', 'b=2'] });
  });

  it('should write a response without a body', async () => {
    const target = new FakeResponse();

    await pipeToNodeResponse(new Response(null, { status: 204 }), target);

    expect(target).toMatchObject({ statusCode: 204, ended: true, written: [] });
  });

  it('should wait for the client to take more', async () => {
    const target = new FakeResponse();
    const frames = new Subject<string>();
    const done = pipeToNodeResponse(streamResponse(frames), target);
    await tick();
    target.ready = false;
    for (const frame of ['a', 'b', 'c']) frames.next(frame);
    await tick();
    const before = [...target.written];
    target.emit('drain');
    await tick();
    const after = [...target.written];
    target.ready = true;
    target.emit('drain');
    frames.complete();
    await done;

    expect([before, after, target.written]).toEqual([['a'], ['a', 'b'], ['a', 'b', 'c']]);
    expect(target.ended).toBe(true);
  });

  it('should cut off a client that is too slow, and unsubscribe', async () => {
    const target = new FakeResponse();
    const frames = new Subject<string>();
    const done = pipeToNodeResponse(streamResponse(frames, { limit: 100 }), target);
    await tick();
    target.ready = false;
    for (let i = 0; i < 20; i++) frames.next('x'.repeat(10));
    const observed = frames.observed;
    // It never drains.
    await done;

    expect(observed).toBe(false);
    expect(target).toMatchObject({ destroyed: true, ended: false });
  });

  it.each(['while it waits for an event', 'while it waits for the client'])(
    'should unsubscribe when the client goes away %s',
    async (when) => {
      const target = new FakeResponse();
      const frames = new Subject<string>();
      const done = pipeToNodeResponse(streamResponse(frames), target);
      await tick();
      if (when.endsWith('client')) {
        target.ready = false;
        frames.next('a');
        await tick();
      }
      target.destroy();
      await done;

      expect(frames.observed).toBe(false);
      expect(target.ended).toBe(false);
      expect(target.listenerCount('drain') + target.listenerCount('close')).toBe(0);
    },
  );

  it('should not subscribe for a client that has gone already', async () => {
    let subscribed = 0;
    const target = new FakeResponse();
    target.destroyed = true;

    await pipeToNodeResponse(streamResponse(NEVER.pipe(tap({ subscribe: () => subscribed++ }))), target);

    expect(subscribed).toBe(0);
  });

  it('should cut the connection when the body fails', async () => {
    const target = new FakeResponse();

    await pipeToNodeResponse(
      streamResponse(
        concat(
          of('a'),
          throwError(() => new Error('no')),
        ),
      ),
      target,
    );

    expect(target).toMatchObject({ destroyed: true, ended: false });
  });

  it('should cut the connection when it cannot be written to', async () => {
    const target = new FakeResponse();
    target.write = () => {
      throw new Error('no');
    };

    await pipeToNodeResponse(streamResponse(of('a')), target);

    expect(target).toMatchObject({ destroyed: true, ended: false });
  });

  it('should not answer a second time where somebody has answered already', async () => {
    const target = Object.assign(new FakeResponse(), { writableEnded: true, statusCode: 204 });

    await pipeToNodeResponse(await usedUp(), target);

    expect(target).toMatchObject({ statusCode: 204, destroyed: false, ended: false });
  });

  it('should cut the connection when it can neither be written nor refused, as a head has been sent', async () => {
    const target = new FakeResponse();
    target.setHeader = () => {
      throw new Error('Cannot set headers after they are sent to the client');
    };

    await pipeToNodeResponse(await usedUp(), target);

    expect(target).toMatchObject({ destroyed: true, ended: false });
    expect(target.listenerCount('drain') + target.listenerCount('close')).toBe(0);
  });

  it('should answer with 500 when Node does not take the head, and let the body go', async () => {
    let open = 0;
    const frames = new Observable<string>(() => {
      open++;
      return () => open--;
    });
    const refusing = Object.assign(new FakeResponse(), {
      flushHeaders: () => {
        throw new RangeError('Invalid status code');
      },
    });
    const response = streamResponse(frames, { eager: true });
    const before = open;

    await pipeToNodeResponse(response, refusing);

    expect([before, open]).toEqual([1, 0]);
    expect(refusing).toMatchObject({ statusCode: 500, ended: true, destroyed: false });
    expect(refusing.headers['content-length']).toBe('0');
  });

  it('should go on to be ready for an error after the end', async () => {
    const target = new FakeResponse();
    await pipeToNodeResponse(streamResponse(of('a')), target);

    expect(() => target.emit('error', new Error('EPIPE'))).not.toThrow();
  });
});

describe('a server of Node', () => {
  let serving: Serving | undefined;
  afterEach(() => serving?.close());

  it('should send the head before the model has said anything, and stop it when the client goes', async () => {
    let open = 0;
    const silent = new Observable<never>(() => {
      open++;
      return () => open--;
    });
    serving = await serve((_, response) => pipeToNodeResponse(sseResponse(silent), response));
    const abort = new AbortController();

    const response = await fetch(serving.url, { signal: abort.signal });
    await until(() => open === 1, 'the subscription');
    abort.abort();
    await until(() => open === 0, 'the unsubscription');

    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(open).toBe(0);
  });

  it('should hold no more than the limit for a client that never reads', async () => {
    let sent = 0;
    let open = 0;
    const frames = interval(0).pipe(
      map(() => 'x'.repeat(64 * 1024)),
      tap({ subscribe: () => open++, next: (frame) => (sent += frame.length), finalize: () => open-- }),
    );
    serving = await serve((_, response) =>
      pipeToNodeResponse(streamResponse(frames, { limit: 1024 * 1024 }), response),
    );
    const socket = connectTcp(Number(new URL(serving.url).port), '127.0.0.1');
    socket.pause();
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');

    await until(() => sent > 0 && open === 0, 'the client to be cut off', 20_000);
    socket.destroy();

    // What the kernel has taken for both ends comes on top.
    expect(sent).toBeGreaterThan(1024 * 1024);
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  }, 30_000);

  it('should not take a cut for an end', async () => {
    const frames = concat(
      of('a'),
      throwError(() => new Error('no')),
    );
    serving = await serve((_, response) => pipeToNodeResponse(streamResponse(frames), response));

    await expect(fetch(serving.url).then((response) => response.text())).rejects.toThrow();
  });

  it('should make a web request of a request of Node', async () => {
    const seen: unknown[] = [];
    serving = await serve(
      toNodeHandler(async (request) => {
        seen.push(request.method, new URL(request.url).pathname, request.headers.get('x-a'), await request.text());
        return new Response('ok');
      }),
    );

    const big = 'ä'.repeat(200_000);
    await fetch(`${serving.url}/a/b`, { method: 'POST', headers: { 'x-a': '1' }, body: big });
    await fetch(`${serving.url}/c`);

    expect(seen).toEqual(['POST', '/a/b', '1', big, 'GET', '/c', null, '']);
  });

  it('should answer what a handler throws with 500, and say nothing of it', async () => {
    serving = await serve(
      toNodeHandler(() => {
        throw new Error('sk-1234');
      }),
    );

    const response = await fetch(serving.url);

    expect(response.status).toBe(500);
    expect(await response.text()).toBe('');
  });
});

describe('toNodeHandler', () => {
  let serving: Serving | undefined;
  afterEach(() => serving?.close());

  /** What a handler may give in plain JavaScript, or by mistake. */
  const odd: [string, () => unknown][] = [
    ['nothing', () => undefined],
    ['a text', () => 'Marbles'],
    ['an object', () => ({})],
    ['a response that has been read', () => usedUp()],
    ['a response that somebody else reads', () => lockedUp()],
    ['a response without a status', () => Response.error()],
  ];

  it.each(odd)('should answer with an empty 500 when the handler gives %s', async (_, answer) => {
    serving = await serve(toNodeHandler(async () => (await answer()) as Response));

    const response = await fetch(serving.url, { signal: AbortSignal.timeout(2_000) });

    expect(response.status).toBe(500);
    expect(await response.text()).toBe('');
  });

  it.each(odd)('should never reject, also when the handler gives %s', async (_, answer) => {
    const target = new FakeResponse();
    const request = { method: 'GET', url: '/', headers: {}, [Symbol.asyncIterator]: () => ({ next: () => NOTHING }) };

    await expect(toNodeHandler(async () => (await answer()) as Response)(request, target)).resolves.toBeUndefined();
    expect(target.listenerCount('drain') + target.listenerCount('close')).toBe(0);
  });

  it.each([
    ['GET', '//', 200, '//'],
    ['GET', '//elsewhere/path?a=1', 200, '//elsewhere/path'],
    ['TRACE', '/', 400, undefined],
    ['GET', 'http://[', 400, undefined],
    ['OPTIONS', '*', 400, undefined],
  ])('should answer %s %s, whatever it is', async (method, url, status, pathname) => {
    const seen: string[] = [];
    const handle = toNodeHandler((request) => {
      seen.push(new URL(request.url).pathname);
      return new Response('ok');
    });
    const target = new FakeResponse();

    await handle({ method, url, headers: {}, [Symbol.asyncIterator]: () => ({ next: () => NOTHING }) }, target);

    expect(target).toMatchObject({ statusCode: status, ended: true });
    expect(seen).toEqual(pathname === undefined ? [] : [pathname]);
  });
});

async function usedUp(): Promise<Response> {
  const response = new Response('Marbles');
  await response.text();
  return response;
}

function lockedUp(): Response {
  const response = new Response('Marbles');
  response.body?.getReader();
  return response;
}

const NOTHING = Promise.resolve({ done: true as const, value: undefined });
