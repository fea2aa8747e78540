import { firstValueFrom, lastValueFrom, toArray, VirtualTimeScheduler, type SchedulerLike } from 'rxjs';
import { asyncScheduler } from 'rxjs';
import { errorFromResponse, InferenceExecutionError, parseRetryAfter, type LlmStreamEvent } from '../../src/index.js';
import type { Decoder } from '../../src/wire/Decoder.js';
import { decodeStream } from '../../src/wire/decodeStream.js';
import { SSE_MEDIA_TYPE, sseFraming, type SseFrame } from '../../src/wire/sse.js';
import { streamBytes } from '../../src/wire/streamBytes.js';
import type { FetchLike, TransportOptions } from '../../src/wire/Transport.js';
import { text, usage } from '../helpers/events.js';
import { fakeFetch, type FakeAnswer, type Split } from '../helpers/fakeFetch.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const KEY = 'sk-secret-key-1234';

function options(fetch: FetchLike, over: Partial<TransportOptions> = {}): TransportOptions {
  return { fetch, livenessTimeout: 1_000, scheduler: asyncScheduler, accepts: SSE_MEDIA_TYPE, secrets: [KEY], ...over };
}

const sent = { url: 'http://localhost/v1', headers: { authorization: `Bearer ${KEY}` }, body: '{}' };

/** A toy protocol: each frame is a text, `END` is the terminal event, `USAGE` follows it, `ERROR` is told in the stream. */
function toyDecoder(): Decoder<SseFrame> {
  let finished = false;
  return {
    get finished() {
      return finished;
    },
    decode({ data }, emit) {
      if (data === 'END') finished = true;
      else if (data === 'BYE') emit({ type: 'stop', reason: 'end-turn' });
      else if (data === 'USAGE') emit(usage(1, 1));
      else if (data === 'DUP') emit({ type: 'tool-call-delta', id: 'nobody', argsDelta: '{' });
      else if (data === 'ERROR') throw new InferenceExecutionError('overloaded', 'busy');
      else emit(text(JSON.parse(data) as string));
    },
    end(emit) {
      if (finished) emit({ type: 'stop', reason: 'end-turn' });
    },
  };
}

function decoded(answer: FakeAnswer, over: { maxFrameLength?: number; scheduler?: SchedulerLike } = {}) {
  const fetch = fakeFetch(answer);
  const { maxFrameLength = 1_000, scheduler = asyncScheduler } = over;
  const events$ = streamBytes(sent, options(fetch, { scheduler })).pipe(
    decodeStream({ framing: sseFraming, decoder: toyDecoder, maxFrameLength, trailerTimeout: 5, scheduler }),
  );
  return { fetch, events$ };
}

async function outcome(
  answer: FakeAnswer,
  over = {},
): Promise<{ events: LlmStreamEvent[]; error: InferenceExecutionError | undefined }> {
  const events: LlmStreamEvent[] = [];
  const { events$ } = decoded(answer, over);
  const error = await new Promise<InferenceExecutionError | undefined>((resolve) =>
    events$.subscribe({ next: (event) => events.push(event), error: resolve, complete: () => resolve(undefined) }),
  );
  return { events, error };
}

const frames = (...data: string[]): string => data.map((line) => `data: ${line}\n\n`).join('');

describe('sseFraming', () => {
  function framesOf(body: string | Uint8Array, split: Split = 'whole', limit = 1_000): SseFrame[] {
    const found: SseFrame[] = [];
    const framer = sseFraming((frame) => found.push(frame), limit);
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    if (split === 'bytes') for (const byte of bytes) framer.push(new Uint8Array([byte]));
    else framer.push(bytes);
    framer.end();
    return found;
  }

  const body =
    '\ufeff: a comment\r\nevent: x\r\nid: 7\r\ndata: one\r\ndata: two\r\n\r\n\ndata: Grüße 👋🏽\n\n: ping\n\ndata: last\n\n';

  it.each(['whole', 'bytes'] as const)('should read events whatever their line ends, split %s', (split) => {
    expect(framesOf(body, split)).toEqual([
      { event: 'x', id: '7', data: 'one\ntwo' },
      { event: undefined, id: undefined, data: 'Grüße 👋🏽' },
      { event: undefined, id: undefined, data: 'last' },
    ]);
  });

  it('should send a last event that lacks only its blank line', () => {
    expect(framesOf('data: a\n\ndata: b').map(({ data }) => data)).toEqual(['a', 'b']);
  });

  it('should hand over an error object that is no event', () => {
    expect(framesOf('data: a\n\n{\n  "error": {\n    "code": 499\n  }\n}\n').map(({ data }) => data)).toEqual([
      'a',
      expect.stringContaining('"code": 499') as string,
    ]);
  });

  it('should refuse an event that does not end', () => {
    expect(() => framesOf(`data: ${'x'.repeat(2_000)}`)).toThrow(/longer than 1000 characters; raise maxFrameLength/);
  });
});

describe('streamBytes', () => {
  it('should abort the request and cancel the reader when it is unsubscribed while a read is pending', async () => {
    const fetch = fakeFetch({ body: 'data: x', end: 'hang' });
    const bytes$ = streamBytes(sent, options(fetch));

    await firstValueFrom(bytes$);

    const signal = fetch.requests[0]!.init.signal as AbortSignal;
    expect({ aborted: signal.aborted, open: fetch.open() }).toEqual({ aborted: true, open: 0 });
  });

  it('should send nothing before it is subscribed, and a request of its own for each subscriber', async () => {
    const fetch = fakeFetch({ body: 'x' });
    const bytes$ = streamBytes(sent, options(fetch));
    expect(fetch.requests).toHaveLength(0);

    await Promise.all([lastValueFrom(bytes$), lastValueFrom(bytes$)]);

    expect(fetch.requests).toHaveLength(2);
  });

  it('should say what the status says when the words of a refusal do not come', async () => {
    const scheduler = new VirtualTimeScheduler();
    const fetch = fakeFetch({ status: 401, body: 'no such key', end: 'hang' });
    const refused = lastValueFrom(streamBytes(sent, options(fetch, { scheduler })));
    const error = refused.catch((reason: unknown) => reason);

    await new Promise(setImmediate);
    scheduler.flush();

    expect(await error).toMatchObject({ kind: 'unauthorized', status: 401, detail: 'no such key' });
    expect(fetch.open()).toBe(0);
  });

  it('should cancel the body of a refusal when it is unsubscribed while it reads it', async () => {
    const fetch = fakeFetch({ status: 500, body: 'oh', end: 'hang' });
    const subscription = streamBytes(sent, options(fetch)).subscribe();
    await new Promise(setImmediate);
    expect(fetch.open()).toBe(1);

    subscription.unsubscribe();
    await new Promise(setImmediate);

    expect(fetch.open()).toBe(0);
  });

  it('should abort a request that has not been answered', () => {
    let signal: AbortSignal | undefined;
    const fetch: FetchLike = (_, init) => {
      signal = init.signal ?? undefined;
      return new Promise(() => undefined);
    };

    streamBytes(sent, options(fetch)).subscribe().unsubscribe();

    expect(signal?.aborted).toBe(true);
  });

  it('should error as a stall when no byte comes, and stop watching when it has ended', () => {
    createTestScheduler().run(({ expectObservable }) => {
      const fetch: FetchLike = () => new Promise(() => undefined);
      const error: unknown = expect.objectContaining({
        kind: 'stream-interrupted',
        interruption: { kind: 'idle-stall' },
      });

      expectObservable(streamBytes(sent, options(fetch, { livenessTimeout: 30 }))).toBe('30ms #', undefined, error);
      expectObservable(streamBytes(sent, options(fetch, { livenessTimeout: Infinity }))).toBe('-');
    });
  });

  it('should give a `fetch` that throws its kind', async () => {
    const refused = Object.assign(new TypeError('fetch failed'), {
      cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
    });
    const fetch: FetchLike = () => {
      throw refused;
    };

    await expect(lastValueFrom(streamBytes(sent, options(fetch)))).rejects.toMatchObject({
      kind: 'stream-interrupted',
      interruption: { kind: 'connection-reset' },
      cause: refused,
    });
  });

  it.each<[string, FakeAnswer, object]>([
    [
      'a 429',
      {
        status: 429,
        headers: { 'retry-after': '7', 'content-type': 'application/json' },
        body: '{"error":{"message":"slow down","type":"rate_limit_error"}}',
      },
      { kind: 'rate-limited', detail: 'slow down', retryAfter: 7_000, status: 429 },
    ],
    [
      'a 529',
      { status: 529, body: '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}' },
      { kind: 'overloaded', detail: 'Overloaded', status: 529 },
    ],
    [
      'an HTML error page',
      { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>\n<h1>Bad gateway</h1></html>' },
      { kind: 'provider', detail: '<html> <h1>Bad gateway</h1></html>' },
    ],
    [
      'an HTML page with 200',
      { headers: { 'content-type': 'text/html' }, body: '<html>Login</html>' },
      { kind: 'provider', detail: 'expected a stream, got text/html: <html>Login</html>' },
    ],
    [
      'a JSON body where a stream was asked for',
      {
        headers: { 'content-type': 'application/json' },
        body: '{"error":{"message":"no such model","code":"model_not_found"}}',
      },
      { kind: 'model-not-found', detail: 'expected a stream, got application/json: no such model' },
    ],
    ['an empty error body', { status: 500, body: '' }, { kind: 'provider', detail: 'HTTP 500 with an empty body' }],
    [
      'a very long error body',
      { status: 400, body: 'x'.repeat(100_000) },
      { kind: 'invalid-request', detail: `${'x'.repeat(300)}…` },
    ],
  ])('should give %s its kind and words', async (_, answer, expected) => {
    await expect(lastValueFrom(streamBytes(sent, options(fakeFetch(answer))))).rejects.toMatchObject(expected);
  });

  it('should never tell the key', async () => {
    const body = JSON.stringify({ error: { message: `Incorrect API key provided: ${KEY}` } });
    const error = (await lastValueFrom(streamBytes(sent, options(fakeFetch({ status: 401, body })))).catch(
      (e: unknown) => e,
    )) as InferenceExecutionError;

    expect(error.message).toBe('unauthorized: Incorrect API key provided: [redacted]');
    expect(`${String(error.stack)}${JSON.stringify(error)}`).not.toContain(KEY);
  });
});

describe('decodeStream', () => {
  it.each<Split>(['whole', 'bytes', [3, 11, 12]])(
    'should give the same events whatever the split %s',
    async (split) => {
      const { events, error } = await outcome({ body: frames('"Grüße "', '"👋"', 'END', 'BYE'), split });

      expect(error).toBeUndefined();
      expect(events).toEqual([text('Grüße '), text('👋'), { type: 'stop', reason: 'end-turn' }]);
    },
  );

  it.each(['close', 'reset', 'hang'] as const)(
    'should not lose an answer that has ended when the body ends by %s (W8)',
    async (end) => {
      const { events, error } = await outcome({ body: frames('"whole"', 'END'), end });

      expect(error).toBeUndefined();
      expect(events).toEqual([text('whole'), { type: 'stop', reason: 'end-turn' }]);
    },
  );

  it('should not lose an answer that has ended to a malformed frame after it', async () => {
    expect((await outcome({ body: frames('"whole"', 'END', '{oops') })).error).toBeUndefined();
  });

  it.each(['"half', '"half"'])('should take an end before the terminal event for an interruption', async (last) => {
    const { error } = await outcome({ body: `${frames('"one "')}data: ${last}` });

    expect(error).toMatchObject({ kind: 'stream-interrupted', interruption: { kind: 'truncated' } });
    expect(error?.snapshot?.text).toMatch(/^one /);
  });

  it('should take an empty body for an interruption, without a snapshot', async () => {
    const { error } = await outcome({ body: '' });

    expect(error).toMatchObject({ interruption: { kind: 'truncated' }, snapshot: undefined });
  });

  it('should give a broken socket its cause and what had arrived', async () => {
    const { error } = await outcome({ body: frames('"half"'), end: 'reset' });

    expect(error).toMatchObject({ interruption: { kind: 'connection-reset' }, snapshot: { text: 'half' } });
  });

  it('should say what is wrong with a malformed frame, with what had arrived', async () => {
    const { error } = await outcome({ body: frames('"half"', '{oops', '"more"') });

    expect(error?.message).toMatch(/^provider error: malformed stream: .* in \{.*"data":"\{oops"/);
    expect(error).toMatchObject({
      kind: 'provider',
      snapshot: { text: 'half' },
      cause: expect.any(SyntaxError) as Error,
    });
  });

  it('should refuse the arguments of a call that was never opened', async () => {
    const { error } = await outcome({ body: frames('"half"', 'DUP') });

    expect(error).toMatchObject({ kind: 'provider', detail: 'malformed stream: unknown tool call "nobody"' });
  });

  it('should pass on an error that is told in the stream, with what had arrived', async () => {
    const { error } = await outcome({ body: frames('"half"', 'ERROR') });

    expect(error).toMatchObject({ kind: 'overloaded', detail: 'busy', snapshot: { text: 'half' } });
  });

  it('should hold back the half of a surrogate pair until the other half comes', async () => {
    const { events } = await outcome({ body: frames('"a\\ud83d"', '"\\udc4b b"', 'BYE') });

    expect(events).toEqual([text('a'), text('👋 b'), { type: 'stop', reason: 'end-turn' }]);
  });

  it('should put a pair together over a report of usage, as endpoints send it with every piece', async () => {
    const { events } = await outcome({ body: frames('"a\\ud83d"', 'USAGE', '"\\udc4b b"', 'BYE') });

    expect(events).toEqual([text('a'), usage(1, 1), text('👋 b'), { type: 'stop', reason: 'end-turn' }]);
  });

  it('should not leave half a pair in what had arrived', async () => {
    const { error } = await outcome({ body: frames('"a\\ud83d"'), end: 'reset' });

    expect(error?.snapshot?.text).toBe('a');
  });

  it('should refuse a body without end', async () => {
    const { error } = await outcome({ body: `${frames('"half"')}data: ${'x'.repeat(5_000)}`, end: 'hang' });

    expect(error).toMatchObject({ kind: 'provider', snapshot: { text: 'half' } });
    expect(error?.detail).toContain('raise maxFrameLength');
  });

  it('should close the connection when the subscriber has had enough', async () => {
    const { fetch, events$ } = decoded({ body: frames('"a"', '"b"'), end: 'hang' });

    await firstValueFrom(events$);

    expect(fetch.open()).toBe(0);
  });

  it('should close the connection at the stop', async () => {
    const { fetch, events$ } = decoded({ body: frames('"a"', 'BYE', '"noise"'), end: 'hang' });

    await expect(lastValueFrom(events$.pipe(toArray()))).resolves.toHaveLength(2);
    expect(fetch.open()).toBe(0);
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  it.each<[Record<string, string>, number | undefined]>([
    [{ 'retry-after': '42' }, 42_000],
    [{ 'Retry-After': '1.5' }, 1_500],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:10 GMT' }, 10_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 23:00:00 GMT' }, 0],
    [{ 'retry-after': '3600' }, 60_000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 09:00:00 GMT' }, 60_000],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-1' }, undefined],
    [{}, undefined],
  ])('should read %j as %s ms', (headers, expected) => {
    expect(parseRetryAfter(headers, { now })).toBe(expected);
    expect(parseRetryAfter(new Headers(headers), { now })).toBe(expected);
  });

  it('should believe a longer wait only up to the cap that it is given', () => {
    expect(parseRetryAfter({ 'retry-after': '3600' }, { cap: 90_000 })).toBe(90_000);
    expect(
      errorFromResponse({ status: 429, headers: { 'retry-after': '100' }, retryAfterCap: 80_000 }).retryAfter,
    ).toBe(80_000);
  });

  it('should measure a date by the clock of the server', () => {
    const headers = { date: 'Thu, 01 Jan 2026 00:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 00:00:03 GMT' };

    expect(parseRetryAfter(headers)).toBe(3_000);
  });
});
