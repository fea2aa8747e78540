import { inspect } from 'node:util';
import { firstValueFrom, lastValueFrom, takeWhile, toArray } from 'rxjs';
import { InferenceExecutionError, recover, withRecovery, type LlmExecutor } from '../../src/index.js';
import { runChat } from '../../src/cli/chat.js';
import { connect } from '../../src/client/index.js';
import { withTelemetry } from '../../src/otel/index.js';
import { bedrockConverse } from '../../src/providers/bedrock/index.js';
import { openaiChat } from '../../src/providers/openai/index.js';
import { durable, memoryRunLog } from '../../src/runs/index.js';
import { sseResponse } from '../../src/server/index.js';
import { startLlmServer } from '../../src/testing/index.js';
import { encodeAwsEventStream } from '../../src/wire/awsEventStream.js';
import type { FetchLike } from '../../src/wire/Transport.js';
import { request } from '../helpers/events.js';
import { recordings } from '../otel/recordings.js';
import { WIRES, type AnyOptions } from './readers.js';

/** Each is planted in its own place, and may be found nowhere else. */
const PLANTED = {
  apiKey: 'sk-planted-key-7f3a91c2',
  header: 'planted-header-5d2e8b',
  bearer: 'planted-bearer-0a9b8c',
  query: 'planted-query-3c4d5e',
  password: 'planted-password-1f2e',
  secretAccessKey: 'planted/secret+access/key-9z8y7x',
  sessionToken: 'planted-session-token-AAAA/BBBB+CCCC==',
};

/** Everything that a logger could show of a value, hidden members and the members of platform objects included. */
function everything(value: unknown): string {
  const causes: unknown[] = [];
  for (let at = value; at instanceof Error && causes.length < 20; at = at.cause) causes.push(at.message, at.stack);
  return [
    inspect(value, { depth: 30, showHidden: true, maxStringLength: null }),
    JSON.stringify(value),
    ...causes,
  ].join('\n');
}

/** The planted secrets that can be read off a value, in any of the ways in which they may be written. */
function foundIn(value: unknown): string[] {
  const text = typeof value === 'string' ? value : everything(value);
  return Object.entries(PLANTED).flatMap(([name, secret]) =>
    [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)].some((form) => text.includes(form))
      ? [name]
      : [],
  );
}

const failureOf = async (executor: LlmExecutor, asked = request): Promise<InferenceExecutionError> => {
  const error: unknown = await lastValueFrom(executor.executeStream(asked).pipe(toArray())).then(
    () => new Error('no error came'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InferenceExecutionError)) throw error;
  return error;
};

interface Heard {
  url: string;
  headers: Record<string, string>;
}

/** What a careless server, proxy or library says of a request. */
const quote = ({ url, headers }: Heard): string =>
  `refused ${url} ${decodeURIComponent(url)} with ${JSON.stringify(headers)} and ${Object.values(headers).join(' ')}`;

type Failure = (heard: Heard, mediaType: string) => Response | Promise<Response>;

const streamed = (mediaType: string, ...chunks: (string | Uint8Array | Error)[]): Response =>
  new Response(
    new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const chunk = chunks.shift();
        if (chunk === undefined) return controller.close();
        if (chunk instanceof Error) return controller.error(chunk);
        controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk);
      },
    }),
    { headers: { 'content-type': mediaType } },
  );

/** An error as HTTP libraries make them: with the request in it, in objects of several kinds, and around in a circle. */
function careless(heard: Heard): Error {
  const { url, headers } = heard;
  const config = { headers: new Headers(headers), url: new URL(url), params: new Map(Object.entries(headers)) };
  const deepest = Object.assign(new Error(quote(heard)), { config });
  const aggregate = new AggregateError([deepest], 'all of them');
  let error: Error = aggregate;
  for (let depth = 0; depth < 12; depth++) error = new Error('wrapped', { cause: error });
  return Object.assign(new Error('failed', { cause: error }), { code: 'ECONNRESET', self: config, circle: aggregate });
}

const FAILURES: Record<string, Failure> = {
  'a 401 that quotes the request': (heard) => Response.json({ error: { message: quote(heard) } }, { status: 401 }),
  'a 500 with a page that quotes it': (heard) => new Response(`<pre>${quote(heard)}</pre>`, { status: 500 }),
  'a page with the status 200': (heard) => new Response(quote(heard), { headers: { 'content-type': 'text/html' } }),
  'a fetch that fails with the request in its error': (heard) => Promise.reject(careless(heard)),
  'a body that breaks with the request in its error': (heard, mediaType) => streamed(mediaType, '', careless(heard)),
  'an error inside the stream': (heard, mediaType) => {
    const message = quote(heard);
    if (mediaType.includes('eventstream')) {
      const headers = { ':message-type': 'exception', ':exception-type': 'validationException' };
      return streamed(mediaType, encodeAwsEventStream(headers, JSON.stringify({ message })));
    }
    const error = { type: 'error', error: { type: 'authentication_error', code: 401, message } };
    const text = mediaType.includes('event-stream')
      ? `event: error\ndata: ${JSON.stringify(error)}\n\n`
      : `${JSON.stringify({ error: message })}\n`;
    return streamed(mediaType, text);
  },
  'an event that is no JSON': (heard, mediaType) =>
    mediaType.includes('eventstream')
      ? streamed(mediaType, encodeAwsEventStream({ ':event-type': 'x', ':message-type': 'event' }, `{${quote(heard)}`))
      : streamed(mediaType, `data: {${quote(heard)}\n\n{${quote(heard)}\n`),
};

function failing(failure: Failure, mediaType: string): FetchLike & { heard: Heard[] } {
  const heard: Heard[] = [];
  const fetch: FetchLike = async (url, init) => {
    heard.push({ url, headers: init.headers as Record<string, string> });
    return failure(heard.at(-1)!, mediaType);
  };
  return Object.assign(fetch, { heard });
}

const options: AnyOptions = {
  apiKey: PLANTED.apiKey,
  baseUrl: `https://user:${PLANTED.password}@llm.example/v1?key=${PLANTED.query}`,
  headers: { 'x-proxy-auth': PLANTED.header, 'proxy-authorization': `Bearer ${PLANTED.bearer}` },
};

describe('secrets', () => {
  describe.each(WIRES)('of %s', (_, create, mediaType, model) => {
    it.each(Object.entries(FAILURES))('should stand in no error after %s', async (_, failure) => {
      const fetch = failing(failure, mediaType);
      const error = await failureOf(create({ ...options, fetch }), { ...request, model });

      // The request has them, so that whatever quotes it would.
      expect(foundIn(fetch.heard)).toEqual(['apiKey', 'header', 'bearer', 'query', 'password']);
      expect(foundIn(error)).toEqual([]);
    });
  });

  it('should stay out of what recovery, spans and metrics tell of a failure, also where content is captured', async () => {
    const recorded = recordings();
    const fetch = failing(FAILURES['an error inside the stream']!, 'text/event-stream');
    const provider = openaiChat({ ...options, fetch });
    const recovering = withRecovery(provider, { delay: 0, count: 1 });
    const error = await failureOf(withTelemetry(recovering, { ...recorded.config, captureContent: true }));
    const spans = recorded
      .spans()
      .map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));

    expect(spans).toHaveLength(1);
    expect(foundIn([error, spans, await recorded.metrics()])).toEqual([]);
    await recorded.close();
  });

  it('should stay out of the snapshot and the events of a recovered answer', async () => {
    const answers = [
      FAILURES['a body that breaks with the request in its error']!,
      FAILURES['an error inside the stream']!,
    ];
    const fetch = failing((heard, mediaType) => answers.shift()!(heard, mediaType), 'text/event-stream');
    const provider = openaiChat({ ...options, fetch });
    const told: unknown[] = [];
    await new Promise<void>((done) => {
      provider
        .executeStream(request)
        .pipe(
          recover({ request, resubscribe: (next, why) => (told.push(why), provider.executeStream(next)), delay: 0 }),
        )
        .subscribe({ next: (event) => told.push(event), error: (error: unknown) => done(void told.push(error)) });
    });

    expect(fetch.heard).toHaveLength(2);
    expect(foundIn(told)).toEqual([]);
  });

  it.each(Object.entries(FAILURES))(
    'should stand in no entry of a run’s log, and in nothing that one’s own server sends, after %s',
    async (_, failure) => {
      const fetch = failing(failure, 'text/event-stream');
      const provider = withRecovery(openaiChat({ ...options, fetch }), { delay: 0, count: 1 });
      const log = memoryRunLog();
      const run$ = provider.executeStream(request).pipe(durable({ runId: 'r', log, request }));
      const sent = await sseResponse(run$).text();
      const entries = await firstValueFrom(
        log.read('r', 0).pipe(
          takeWhile(({ event }) => event.type !== 'run-end', true),
          toArray(),
        ),
      );

      expect(entries.map(({ event }) => event.type)).toEqual(expect.arrayContaining(['run-start', 'run-end']));
      expect(sent).toContain('event: error');
      expect(foundIn([entries, sent])).toEqual([]);
      expect(foundIn(fetch.heard)).toContain('apiKey');
    },
  );

  it.each(Object.entries(FAILURES))('should stand in no error of Bedrock, signed, after %s', async (_, failure) => {
    const { secretAccessKey, sessionToken } = PLANTED;
    const fetch = failing(failure, 'application/vnd.amazon.eventstream');
    const credentials = { accessKeyId: 'AKIAPLANTEDPLANTED00', secretAccessKey, sessionToken };
    const error = await failureOf(bedrockConverse({ credentials, region: 'us-east-1', fetch }));
    const signature = /Signature=(\w{64})/.exec(fetch.heard[0]!.headers['authorization']!)![1]!;

    expect(foundIn(fetch.heard)).toEqual(['sessionToken']);
    expect(foundIn(error)).toEqual([]);
    expect(everything(error)).not.toContain(signature);
  });

  it('should stand in no error of a signature that could not be made', async () => {
    const sign = (): never => {
      throw new Error(`cannot sign with ${PLANTED.header}`);
    };
    expect(foundIn(await failureOf(bedrockConverse({ sign, ...options, apiKey: '' })))).toEqual([]);
  });

  it.each([
    ['a key with a line end in it', { apiKey: `${PLANTED.apiKey}\n`, baseUrl: 'http://127.0.0.1:1' }],
    [
      'a header with a line end in it',
      { headers: { 'x-auth': `${PLANTED.header}\r\nx: y` }, baseUrl: 'http://127.0.0.1:1' },
    ],
    ['an address with a password', { baseUrl: `http://user:${PLANTED.password}@127.0.0.1:1` }],
    ['an address that is none', { baseUrl: `nowhere?key=${PLANTED.query}` }],
    ['an address where nobody is', { baseUrl: `http://127.0.0.1:1/?token=${PLANTED.query}`, apiKey: PLANTED.apiKey }],
  ])("should stand in no error of the platform's own fetch about %s", async (_, wrong) => {
    const error = await failureOf(openaiChat(wrong));

    expect(foundIn(error)).toEqual([]);
    expect(error.detail).not.toBe('');
  });

  it.each(Object.entries(FAILURES))(
    'should stand in no error of a client of one’s own server after %s',
    async (_, failure) => {
      const fetch = failing(failure, 'text/event-stream');
      const url = `https://user:${PLANTED.password}@app.example/chat?token=${PLANTED.query}`;
      const headers = { authorization: `Bearer ${PLANTED.bearer}` };
      const told: unknown[] = [];
      const onReconnect = (reconnection: unknown): void => void told.push(reconnection);
      await new Promise<void>((done) => {
        connect({ url, headers, fetch, retries: 1, lastEventId: '1', delay: () => 0, onReconnect }).subscribe({
          error: (error: unknown) => done(void told.push(error)),
          complete: () => done(void told.push('completed')),
        });
      });

      expect(foundIn(fetch.heard)).toEqual(['bearer', 'query', 'password']);
      expect(foundIn(told)).toEqual([]);
    },
  );

  it('should keep what an error says beside the secret, and the errors that hold none as they are', async () => {
    const cause = new Error('other');
    const plain = await failureOf(openaiChat({ ...options, fetch: () => Promise.reject(cause) }));
    const body = { error: { message: `Incorrect API key provided: ${PLANTED.apiKey}. See the console.` } };
    const quoting = await failureOf(
      openaiChat({ ...options, fetch: async () => Response.json(body, { status: 401 }) }),
    );

    expect(plain.cause).toBe(cause);
    expect(quoting.message).toBe('unauthorized: Incorrect API key provided: [redacted]. See the console.');
    expect([quoting.kind, quoting.status]).toEqual(['unauthorized', 401]);
  });

  it('should stand in nothing that the command line shows of a failure', async () => {
    const errorEvent = { type: 'invalid_request_error', message: `bad key ${PLANTED.apiKey}` };
    const server = await startLlmServer({ answer: 'Hello.', faults: () => ({ errorEvent, afterEvents: 1 }) });
    let shown = '';
    const code = await runChat(
      { prompt: 'Hi', provider: 'openai', baseUrl: server.baseUrl.openaiChat, model: undefined, folder: undefined },
      { write: (text) => (shown += text), paint: (_, text) => text, env: { OPENAI_API_KEY: PLANTED.apiKey } },
    );
    await server.close();

    expect([code, foundIn(shown)]).toEqual([1, []]);
    expect(shown).toContain('bad key [redacted]');
  });
});
