import {
  asyncScheduler,
  concat,
  firstValueFrom,
  lastValueFrom,
  NEVER,
  of,
  take,
  tap,
  throwError,
  toArray,
  type SchedulerLike,
} from 'rxjs';
import { InferenceExecutionError, type ConverseEvent, type InferenceErrorKind, type LlmStreamEvent } from 'rx-llm';
import { connect, type ConnectOptions, type FetchLike, type Reconnection } from 'rx-llm/client';
import { lastEventId, pipeToNodeResponse, sseResponse } from 'rx-llm/server';
import { stop, text } from 'rx-llm/testing';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fakeFetch, type FakeAnswer } from '../helpers/fakeFetch.js';
import { serve as start, type Serving } from '../helpers/serving.js';

const answer: LlmStreamEvent[] = [text('Marbles '), text('roll '), text('along.'), stop()];

type Handle = (request: IncomingMessage, response: ServerResponse, index: number) => void;

/** A body of the wire: events by their ids, what is said before them and after them. */
function body(
  events: [id: string | number | null, event: object][],
  end = 'event: end\ndata: {}\n\n',
  replay = true,
): string {
  const frames = events.map(([id, event]) => `${id === null ? '' : `id: ${id}\n`}data: ${JSON.stringify(event)}\n\n`);
  return `event: stream\ndata: {"replay":${replay}}\n\n${frames.join('')}${end}`;
}

const headers = { 'content-type': 'text/event-stream' };
const sse = (written: string, end: FakeAnswer['end'] = 'close'): FakeAnswer => ({ headers, body: written, end });

/** Waits for nothing, and keeps what was asked for. */
function impatient(): { scheduler: SchedulerLike; waits: number[] } {
  const waits: number[] = [];
  const scheduler: SchedulerLike = {
    now: () => asyncScheduler.now(),
    schedule: (work: never, delay = 0, state?: never) => {
      waits.push(delay);
      return asyncScheduler.schedule(work, 0, state);
    },
  };
  return { scheduler, waits };
}

async function failureOf(options: Partial<ConnectOptions>): Promise<InferenceExecutionError> {
  const { scheduler } = impatient();
  const all = { url: 'http://server.test', body: {}, livenessTimeout: Infinity, scheduler, ...options };
  const caught: unknown = await lastValueFrom(connect(all)).catch((error: unknown) => error);
  if (caught instanceof InferenceExecutionError) return caught;
  throw new Error(`expected an error, got ${JSON.stringify(caught)}`);
}

function eventsOf(fetch: FetchLike, options: Partial<ConnectOptions> = {}): Promise<LlmStreamEvent[]> {
  const { scheduler } = impatient();
  const all = { url: 'http://server.test', body: {}, livenessTimeout: Infinity, scheduler, fetch, ...options };
  return lastValueFrom(connect(all).pipe(toArray()));
}

const sentIds = (fetch: ReturnType<typeof fakeFetch>): (string | null)[] =>
  fetch.requests.map(({ init }) => new Headers(init.headers).get('last-event-id'));

describe('connect to a server of this library', () => {
  let serving: Serving | undefined;
  let requests: { headers: IncomingMessage['headers']; method: string | undefined }[];

  async function serve(handle: Handle): Promise<string> {
    requests = [];
    serving = await start((request, response) => {
      requests.push({ headers: request.headers, method: request.method });
      handle(request, response, requests.length - 1);
    });
    return serving.url;
  }

  afterEach(() => serving?.close());

  it('should emit the events of the server and complete', async () => {
    const url = await serve((_, response) => void pipeToNodeResponse(sseResponse(of(...answer)), response));

    const events = await lastValueFrom(connect({ url, body: { question: 'What?' } }).pipe(toArray()));

    expect(events).toEqual(answer);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.method).toBe('POST');
  });

  it('should reconnect with the last id and drop what it has seen', async () => {
    const entries = answer.map((event, index) => ({ seq: index + 1, event }));
    const url = await serve((request, response, index) => {
      // Replays one entry too many: an event that was under way when the connection broke.
      const after = Number(lastEventId(request.headers) ?? 1) - 1;
      const rest = of(...entries.slice(after));
      const events$ = index === 0 ? concat(rest.pipe(take(2)), NEVER) : rest;
      const config = {
        id: (entry: (typeof entries)[0]) => entry.seq,
        event: (entry: (typeof entries)[0]) => entry.event,
      };
      void pipeToNodeResponse(sseResponse(events$, config), response);
    });
    const reconnections: Reconnection[] = [];

    const events = await lastValueFrom(
      connect({ url, body: {}, delay: () => 0, onReconnect: (told) => reconnections.push(told) }).pipe(
        tap({ next: (event) => event.type === 'text-delta' && event.text === 'roll ' && serving?.cut() }),
        toArray(),
      ),
    );

    expect(events).toEqual(answer);
    expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2']);
    expect(reconnections).toMatchObject([{ attempt: 1, delay: 0, lastEventId: '2' }]);
  });

  it('should error as the server has told, without its secrets', async () => {
    const failure = new InferenceExecutionError('overloaded', 'key sk-secret is overloaded', { retryAfter: 3_000 });
    const url = await serve((_, response) => {
      const events$ = concat(
        of(text('Marb')),
        throwError(() => failure),
      );
      void pipeToNodeResponse(sseResponse(events$), response);
    });

    const error: unknown = await firstValueFrom(connect({ url, body: {} }).pipe(toArray())).catch((caught) => caught);

    expect(error).toBeInstanceOf(InferenceExecutionError);
    expect(error).toMatchObject({ kind: 'overloaded', retryAfter: 3_000, snapshot: { text: 'Marb' } });
    expect(JSON.stringify(error)).not.toContain('sk-secret');
  });
});

describe('connect', () => {
  const [a, b, c, end] = answer as [LlmStreamEvent, LlmStreamEvent, LlmStreamEvent, LlmStreamEvent];

  it('should send the same request again, with the last id', async () => {
    let token = 0;
    const fetch = fakeFetch(
      sse(body([[1, a]], ''), 'reset'),
      sse(body([[2, b]], '')),
      sse(
        body([
          [3, c],
          [4, end],
        ]),
      ),
    );

    const events = await eventsOf(fetch, {
      body: { question: 'What?' },
      headers: async () => ({ authorization: `Bearer ${++token}` }),
    });

    expect(events).toEqual(answer);
    expect(sentIds(fetch)).toEqual([null, '1', '2']);
    expect(fetch.requests.map(({ init, body: sent }) => [init.method, sent])).toEqual(
      Array.from({ length: 3 }, () => ['POST', { question: 'What?' }]),
    );
    expect(fetch.requests.map(({ init }) => new Headers(init.headers).get('authorization'))).toEqual([
      'Bearer 1',
      'Bearer 2',
      'Bearer 3',
    ]);
    expect(fetch.open()).toBe(0);
  });

  it('should ask by GET where there is no body, with the cookies that are wanted', async () => {
    const fetch = fakeFetch(sse(body([[1, a]])));

    await eventsOf(fetch, { body: undefined, credentials: 'include' });

    const { method, credentials, body: sent } = fetch.requests[0]?.init ?? {};
    expect({ method, credentials, sent }).toEqual({ method: 'GET', credentials: 'include', sent: undefined });
  });

  it.each([
    ['numbers', [7, 8, 9, 10]],
    ['names', ['1-0', '1-1', '2-0', '2-1']],
  ])('should drop what has come already, by ids that are %s', async (_, ids) => {
    const all = answer.map((event, index): [string | number, object] => [ids[index] ?? '', event]);
    // A server that replays from its beginning, whatever it is asked for.
    const fetch = fakeFetch(sse(body(all.slice(0, 2), '')), sse(body(all.slice(0, 3), ''), 'reset'), sse(body(all)));

    expect(await eventsOf(fetch)).toEqual(answer);
  });

  it('should not take events of one connection for the same because they share an id', async () => {
    const fetch = fakeFetch(
      sse(
        body([
          ['x', a],
          ['x', b],
          [5, c],
          [5, end],
        ]),
      ),
    );

    expect(await eventsOf(fetch)).toEqual(answer);
  });

  it('should go on after an id of an earlier page', async () => {
    const fetch = fakeFetch(
      sse(
        body(
          [
            [2, b],
            [3, c],
          ],
          '',
        ),
      ),
      sse(body([[4, end]])),
    );

    expect(await eventsOf(fetch, { lastEventId: '2' })).toEqual([c, end]);
    expect(sentIds(fetch)).toEqual(['2', '3']);
  });

  it('should not reconnect where the server cannot go on', async () => {
    const fetch = fakeFetch(sse(body([[1, a]], '', false)));

    const error = await failureOf({ fetch });

    expect(error).toMatchObject({
      kind: 'stream-interrupted',
      interruption: { kind: 'truncated' },
      snapshot: { text: 'Marbles ' },
    });
    expect(fetch.requests).toHaveLength(1);
  });

  it('should reconnect to a server of another kind that sends ids, and end with its last event', async () => {
    const plain = (id: number, event: object): string => `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`;
    const fetch = fakeFetch(sse(plain(1, a)), sse(plain(2, b) + plain(3, end)));

    expect(await eventsOf(fetch)).toEqual([a, b, end]);
    expect(sentIds(fetch)).toEqual([null, '1']);
  });

  it('should not reconnect to a server of another kind that sends none', async () => {
    const fetch = fakeFetch(sse(`data: ${JSON.stringify(a)}\n\n`));

    expect(await failureOf({ fetch })).toMatchObject({ kind: 'stream-interrupted' });
    expect(fetch.requests).toHaveLength(1);
  });

  it('should not reconnect when an event came without an id', async () => {
    const fetch = fakeFetch(
      sse(
        body(
          [
            [1, a],
            [null, b],
          ],
          '',
        ),
      ),
    );

    expect(await failureOf({ fetch })).toMatchObject({ snapshot: { text: 'Marbles roll ' } });
    expect(fetch.requests).toHaveLength(1);
  });

  it('should wait longer each time, and give up when nothing new comes', async () => {
    const { scheduler, waits } = impatient();
    const reconnections: Reconnection[] = [];
    const fetch = fakeFetch(sse(body([[1, a]], ''), 'reset'), sse(body([[1, a]], ''), 'reset'));

    const error = await failureOf({
      fetch,
      scheduler,
      random: () => 1,
      onReconnect: (told) => reconnections.push(told),
    });

    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
    expect(reconnections.map(({ attempt, delay }) => [attempt, delay])).toEqual(waits.map((wait, i) => [i + 1, wait]));
    expect(error).toMatchObject({ kind: 'stream-interrupted', snapshot: { text: 'Marbles ' } });
    expect(fetch.requests).toHaveLength(6);
  });

  it('should count only reconnections that bring nothing new', async () => {
    const { scheduler, waits } = impatient();
    const pieces = Array.from({ length: 12 }, (_, i) => sse(body([[i + 1, text(`${i} `)]], '')));
    const fetch = fakeFetch(...pieces, sse(body([[13, end]])));

    const events = await eventsOf(fetch, { scheduler, random: () => 0.5, retries: 1 });

    expect(events).toHaveLength(13);
    expect(waits).toEqual(Array.from({ length: 12 }, () => 250));
  });

  it('should wait as long as the server asks for', async () => {
    const { scheduler, waits } = impatient();
    const busy: FakeAnswer = { status: 503, headers: { 'retry-after': '7' }, body: '' };
    const fetch = fakeFetch(sse(body([[1, a]], 'retry: 3000\n\n')), busy, sse(body([[2, end]])));

    await eventsOf(fetch, { scheduler, random: () => 0 });

    expect(waits).toEqual([3_000, 7_000]);
  });

  it('should take a delay of the caller', async () => {
    const { scheduler, waits } = impatient();
    const fetch = fakeFetch(sse(body([[1, a]], '')), sse(body([[2, end]])));

    await eventsOf(fetch, { scheduler, delay: (reconnection) => reconnection * 10 });

    expect(waits).toEqual([10]);
  });

  it.each<[number, InferenceErrorKind]>([
    [400, 'invalid-request'],
    [401, 'unauthorized'],
    [404, 'model-not-found'],
  ])('should not reconnect after a %i', async (status, kind) => {
    const fetch = fakeFetch(sse(body([[1, a]], '')), { status, headers: {}, body: '{}' });

    expect(await failureOf({ fetch })).toMatchObject({ kind, snapshot: { text: 'Marbles ' } });
    expect(fetch.requests).toHaveLength(2);
  });

  it.each([[[a, end], 'complete'] as const, [[a], 'error'] as const])(
    'should take 204 for the end: after %j it should %s',
    async (events, outcome) => {
      const first = fakeFetch(
        sse(
          body(
            events.map((event, i) => [i + 1, event]),
            '',
          ),
        ),
      );
      let asked = 0;
      const fetch: FetchLike = (url, init) =>
        asked++ === 0 ? first(url, init) : Promise.resolve(new Response(null, { status: 204 }));

      const seen = await eventsOf(fetch).catch((error: InferenceExecutionError) => error.interruption);

      expect(seen).toEqual(outcome === 'complete' ? events : { kind: 'truncated' });
      expect(asked).toBe(2);
    },
  );

  it('should not wait for ever on a connection that is dead', async () => {
    const fetch = fakeFetch(sse(body([[1, a]], ''), 'hang'), sse(body([[2, end]])));

    const events = await eventsOf(fetch, { livenessTimeout: 20, scheduler: asyncScheduler, delay: () => 0 });

    expect(events).toEqual([a, end]);
    expect(fetch.open()).toBe(0);
  });

  it('should stop at once when nobody listens any more', async () => {
    const fetch = fakeFetch(
      sse(
        body(
          [
            [1, a],
            [2, b],
          ],
          '',
        ),
        'hang',
      ),
    );

    const seen = await lastValueFrom(connect({ url: 'http://server.test', body: {}, fetch }).pipe(take(1), toArray()));

    expect(seen).toEqual([a]);
    expect(fetch.open()).toBe(0);
    expect(fetch.requests[0]?.init.signal?.aborted).toBe(true);
  });

  it('should not reconnect when it was left while it waited', async () => {
    const fetch = fakeFetch(sse(body([[1, a]], '')));
    await new Promise<void>((resolve) => {
      const subscription = connect({
        ...{ url: 'http://server.test', body: {}, fetch, delay: () => 5 },
        onReconnect: () => queueMicrotask(() => (subscription.unsubscribe(), resolve())),
      }).subscribe();
    });
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(fetch.requests).toHaveLength(1);
  });

  it('should make a request of its own for each subscription', async () => {
    const fetch = fakeFetch(
      sse(
        body([
          [1, a],
          [2, end],
        ]),
      ),
    );
    const stream$ = connect({ url: 'http://server.test', body: {}, fetch });

    expect(await lastValueFrom(stream$.pipe(toArray()))).toEqual([a, end]);
    expect(await lastValueFrom(stream$.pipe(toArray()))).toEqual([a, end]);
    expect(sentIds(fetch)).toEqual([null, null]);
  });

  it.each([['{"no":"type"}'], ['{"type":'], ['[1]'], ['null']])('should fail on what is no event: %s', async (data) => {
    const fetch = fakeFetch(sse(body([[1, a]], `data: ${data}\n\n`)));

    expect(await failureOf({ fetch })).toMatchObject({
      kind: 'provider',
      detail: `malformed stream: no event in ${data}`,
    });
    expect(fetch.requests).toHaveLength(1);
  });

  it('should fail on an event that is too long, without asking for it again', async () => {
    const fetch = fakeFetch({
      ...sse(
        body([
          [1, a],
          [2, text('x'.repeat(2_000))],
        ]),
      ),
      split: 'bytes',
    });

    const error = await failureOf({ fetch, maxFrameLength: 1_000 });

    expect(error.detail).toBe(
      'an event is longer than 1000 characters; raise maxFrameLength if the server sends such events',
    );
    expect(fetch.requests).toHaveLength(1);
  });

  it('should fail when the headers cannot be had, and not try again', async () => {
    const failure = new Error('no session');
    const fetch = fakeFetch(sse(''));

    let asked = 0;
    const headersOf = (): Promise<never> => {
      asked++;
      return Promise.reject(failure);
    };

    const error = await failureOf({ fetch, lastEventId: '3', headers: headersOf });

    expect(asked).toBe(1);
    expect(error).toMatchObject({ detail: 'no session', cause: failure });
    expect(fetch.requests).toHaveLength(0);
  });

  it('should fail when `onReconnect` or `delay` does', async () => {
    const thrown = (): never => {
      throw new Error('no');
    };

    expect(await failureOf({ fetch: fakeFetch(sse(body([[1, a]], ''))), delay: thrown })).toMatchObject({
      detail: 'no',
    });
    expect(await failureOf({ fetch: fakeFetch(sse(body([[1, a]], ''))), onReconnect: thrown })).toMatchObject({
      detail: 'no',
    });
  });

  it('should not take an error of another server for its own', async () => {
    const error = await failureOf({ fetch: fakeFetch(sse('event: error\ndata: Internal server error\n\n')) });

    expect(error).toMatchObject({ kind: 'provider', detail: 'Internal server error' });
  });

  it('should keep apart the turns of a conversation in what it says of a failure', async () => {
    const events: ConverseEvent[] = [
      { type: 'step-start', step: 1, steered: [] },
      text('first'),
      stop('tool-use'),
      { type: 'step-start', step: 2, steered: [] },
      text('second'),
    ];

    const error = await failureOf({
      fetch: fakeFetch(
        sse(
          body(
            events.map((event, i) => [i, event]),
            '',
            false,
          ),
        ),
      ),
    });

    expect(error.snapshot?.text).toBe('second');
  });

  it('should pass over what it does not know', async () => {
    const noise = ': hello\n\nevent: heartbeat\ndata: \n\nevent: news\ndata: {"type":"text-delta","text":"no"}\n\n';

    expect(
      await eventsOf(
        fakeFetch(
          sse(
            noise +
              body([
                [1, a],
                [2, end],
              ]),
          ),
        ),
      ),
    ).toEqual([a, end]);
  });

  it('should read a stream however it is split', async () => {
    const written = body([
      [1, text('Mär😀ble ')],
      [2, end],
    ]).replaceAll('\n', '\r\n');

    expect(await eventsOf(fakeFetch({ ...sse(written), split: 'bytes' }))).toEqual([text('Mär😀ble '), end]);
  });

  describe('after the last event', () => {
    const step = (number: number): ConverseEvent => ({ type: 'step-start', step: number, steered: [] });
    const called: ConverseEvent[] = [step(1), text('Let me see.'), stop('tool-use')];
    const ended: ConverseEvent = {
      ...{ type: 'conversation-end', reason: 'done', messages: [], steps: 1 },
      result: { content: [], toolCalls: [], hasIncompleteToolCalls: false },
    };
    const numbered = (events: object[]): [number, object][] => events.map((event, index) => [index + 1, event]);
    /** As a server writes that says nothing of itself. */
    const plain = (events: object[], hasIds: boolean): string =>
      events.map((event, i) => `${hasIds ? `id: ${i + 1}\n` : ''}data: ${JSON.stringify(event)}\n\n`).join('');
    const gone: FakeAnswer = { status: 404, headers: {}, body: '{}' };

    it.each(['close', 'reset'] as const)('should complete where nothing more can be had: %s', async (how) => {
      const fetch = fakeFetch(sse(body(numbered(answer), '', false), how));

      expect(await eventsOf(fetch)).toEqual(answer);
      expect(fetch.requests).toHaveLength(1);
    });

    it('should complete when a server of another kind breaks off', async () => {
      for (const hasIds of [true, false]) {
        const fetch = fakeFetch(sse(plain(answer, hasIds), 'reset'));

        expect(await eventsOf(fetch)).toEqual(answer);
        expect(fetch.requests).toHaveLength(1);
      }
    });

    it('should ask a server that replays for what may follow, and complete when that is not to be had', async () => {
      const more = { type: 'title', title: 'Marbles' };
      const found = fakeFetch(sse(body(numbered(answer), '')), sse(body([[5, more]])));
      const expired = fakeFetch(sse(body(numbered(answer), '')), gone);
      const away = fakeFetch(sse(body(numbered(answer), '')), { status: 503, headers: {}, body: '' });

      expect(await eventsOf(found)).toEqual([...answer, more]);
      expect(await eventsOf(expired)).toEqual(answer);
      expect(await eventsOf(away)).toEqual(answer);
      expect(away.requests).toHaveLength(6);
    });

    it('should complete when an event of another kind stands after the stop', async () => {
      const events = [...answer, { type: 'usage', usage: {} }, { type: 'title' }];

      expect(await eventsOf(fakeFetch(sse(body(numbered(events), '', false))))).toEqual(events);
    });

    it('should complete whatever the server says of a failure, or says that is no event', async () => {
      const error = 'event: error\ndata: {"type":"error","kind":"timeout","message":"no"}\n\n';

      expect(await eventsOf(fakeFetch(sse(body(numbered(answer), error))))).toEqual(answer);
      expect(await eventsOf(fakeFetch(sse(body(numbered(answer), 'data: [1]\n\n'))))).toEqual(answer);
    });

    it('should not take the end of a turn for the end of the conversation', async () => {
      for (const broken of [
        sse(plain(called, false)),
        sse(body(numbered(called), '', false)),
        sse(plain([{ type: 'tool-execution-start', id: 'a', name: 'b', arguments: {} }, stop()], false)),
      ]) {
        expect(await failureOf({ fetch: fakeFetch(broken) })).toMatchObject({
          kind: 'stream-interrupted',
          interruption: { kind: 'truncated' },
        });
      }
    });

    it('should go on with a conversation of which a turn had ended', async () => {
      const rest: ConverseEvent[] = [step(2), text('It is noon.'), stop(), ended];
      const whole = [...called, ...rest];

      for (const [first, second] of [
        [plain(called, true), plain(whole, true)],
        [body(numbered(called), ''), body(numbered(whole))],
      ] as const) {
        const fetch = fakeFetch(sse(first), sse(second));

        expect(await eventsOf(fetch)).toEqual(whole);
        expect(sentIds(fetch)).toEqual([null, '3']);
      }
    });

    it('should complete after the last event of a conversation, and fail in the turn that follows one', async () => {
      const whole = [...called, step(2), stop(), ended];

      expect(await eventsOf(fakeFetch(sse(body(numbered(whole), '', false), 'reset')))).toEqual(whole);
      expect(
        await failureOf({ fetch: fakeFetch(sse(body(numbered([...called, step(2), text('It')]), '', false))) }),
      ).toMatchObject({ kind: 'stream-interrupted', snapshot: { text: 'It' } });
    });

    it('should not take the rest of a turn for an answer, where it goes on after an id', async () => {
      const rest = fakeFetch(sse(body([[3, stop('tool-use')]], '')), gone);
      const last = fakeFetch(sse(body([[3, stop()]], '')), gone);

      expect(await failureOf({ fetch: rest, lastEventId: '2' })).toMatchObject({ kind: 'model-not-found' });
      expect(await eventsOf(last, { lastEventId: '2' })).toEqual([stop()]);
    });

    it('should fail where a second answer was cut', async () => {
      const events = [...answer, text('And')];

      expect(await failureOf({ fetch: fakeFetch(sse(body(numbered(events), '', false))) })).toMatchObject({
        kind: 'stream-interrupted',
      });
    });
  });

  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;

  it.each([
    ['a cycle', cyclic, /^connect: the body is no JSON: .*circular/],
    ['a BigInt', { id: 1n }, /^connect: the body is no JSON: .*BigInt.*; give a plain object, or a string/],
    ['a function', () => 1, /^connect: the body is no JSON: it is a function/],
  ])('should refuse a body with %s', async (_, sent, detail) => {
    const fetch = fakeFetch(sse(body([[1, a]])));

    const error = await failureOf({ fetch, body: sent, lastEventId: '3' });

    expect(error).toMatchObject({ kind: 'invalid-request', detail: expect.stringMatching(detail) });
    expect(error.cause).toMatchObject({ name: 'TypeError' });
    expect(fetch.requests).toHaveLength(0);
  });

  it('should send the same body at each reconnection, whatever has become of the object', async () => {
    const asked = { question: 'What?' };
    const fetch = fakeFetch(sse(body([[1, a]], '')), sse(body([[2, end]])));

    await eventsOf(fetch, { body: asked, onReconnect: () => (asked.question = 'Who?') });

    expect(fetch.requests.map(({ body: sent }) => sent)).toEqual([{ question: 'What?' }, { question: 'What?' }]);
  });

  it.each([-5, NaN, Infinity])('should fail when `delay` gives %d', async (wait) => {
    const fetch = fakeFetch(sse(body([[1, a]], '')), sse(body([[2, end]])));

    expect(await failureOf({ fetch, delay: () => wait })).toMatchObject({
      kind: 'invalid-request',
      detail: `connect: delay must give 0 or more milliseconds, and gave ${wait}`,
      snapshot: { text: 'Marbles ' },
    });
    expect(fetch.requests).toHaveLength(1);
  });

  it.each(['bytes', undefined] as const)('should read lines that end in a carriage return alone: %s', async (split) => {
    const written = body([
      [1, a],
      [2, end],
    ]).replaceAll('\n', '\r');
    const fetch = fakeFetch({ ...sse(written), ...(split && { split }) });

    expect(await eventsOf(fetch)).toEqual([a, end]);
    expect(fetch.requests).toHaveLength(1);
  });

  it('should not take half an event for one because it ends in a carriage return', async () => {
    const half = `data: ${JSON.stringify(b)}\r`;

    expect(await failureOf({ fetch: fakeFetch(sse(body([[1, a]], half, false))) })).toMatchObject({
      kind: 'stream-interrupted',
      snapshot: { text: 'Marbles ' },
    });
  });

  it.each([0, -1, NaN])('should refuse a length of %d', (maxFrameLength) => {
    expect(() => connect({ url: 'x', maxFrameLength })).toThrow(
      new RangeError('connect: maxFrameLength must be a positive number of characters'),
    );
  });

  it('should say what makes no sense', () => {
    const delay: unknown = 5;

    expect(() => connect({ url: 'x', delay: delay as () => number })).toThrow(
      new TypeError('connect: delay must be a function that gives milliseconds'),
    );
    expect(() => connect({ url: 'x', retries: NaN })).toThrow('connect: retries must be 0 or more');
    expect(() => connect({ url: 'x', livenessTimeout: NaN })).toThrow('connect: livenessTimeout must be a positive');
    expect(() => connect({ url: '' })).toThrow('connect: give the url of the stream');
    expect(() => connect({ url: 'x', retries: -1 })).toThrow('connect: retries must be 0 or more');
    expect(() => connect({ url: 'x', livenessTimeout: 0 })).toThrow(
      'connect: livenessTimeout must be a positive number',
    );
  });
});
