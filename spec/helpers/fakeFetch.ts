import type { FetchLike } from '../../src/wire/Transport.js';

/** How a body is cut into chunks: at each of these offsets. */
export type Split = readonly number[] | 'whole' | 'bytes';

/** A request that a fake fetch was given. */
export interface SentRequest {
  url: string;
  init: RequestInit;
  /** The parsed JSON body; undefined when there is none. */
  body: unknown;
}

/** What a fake fetch answers. */
export interface FakeAnswer {
  status?: number;
  headers?: Record<string, string>;
  body: Uint8Array | string;
  split?: Split;
  /** How the body ends: properly, with a broken socket, or never. Defaults to `'close'`. */
  end?: 'close' | 'reset' | 'hang';
}

export type FakeFetch = FetchLike & { requests: SentRequest[]; /** Bodies that are still open. */ open: () => number };

/** Answers each request with the next of `answers`, the last one again and again; without a socket. */
export function fakeFetch(...answers: (FakeAnswer | ((request: SentRequest) => FakeAnswer))[]): FakeFetch {
  const requests: SentRequest[] = [];
  let open = 0;
  const fetch: FetchLike = async (url, init) => {
    const request: SentRequest = {
      url,
      init,
      body: init.body ? (JSON.parse(init.body as string) as unknown) : undefined,
    };
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    if (!answer) throw new Error('fakeFetch: no answer');
    const {
      status = 200,
      headers = {},
      body,
      split = 'whole',
      end = 'close',
    } = typeof answer === 'function' ? answer(request) : answer;
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const chunks = cut(bytes, split);
    let next = 0;
    open++;
    let closed = false;
    const close = (): void => {
      if (!closed) open--;
      closed = true;
    };
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = chunks[next++];
        if (chunk) return controller.enqueue(chunk);
        if (end === 'hang') return new Promise<void>(() => undefined);
        close();
        if (end === 'close') return controller.close();
        controller.error(Object.assign(new TypeError('terminated'), { cause: socketError() }));
      },
      cancel: close,
    });
    return new Response(stream, { status, headers: { 'content-type': 'text/event-stream', ...headers } });
  };
  return Object.assign(fetch, { requests, open: () => open });
}

function socketError(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}

function cut(bytes: Uint8Array, split: Split): Uint8Array[] {
  if (split === 'whole') return bytes.length > 0 ? [bytes] : [];
  const offsets =
    split === 'bytes' ? Array.from({ length: bytes.length }, (_, i) => i) : [...split].sort((a, b) => a - b);
  const points = [0, ...offsets.filter((offset) => offset > 0 && offset < bytes.length), bytes.length];
  return points
    .slice(1)
    .map((end, i) => bytes.slice(points[i], end))
    .filter((chunk) => chunk.length > 0);
}
