import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { lastValueFrom, of, toArray } from 'rxjs';
import {
  collect,
  converse,
  createPartialJson,
  InferenceExecutionError,
  mergeOverrides,
  objects,
  partialToolArguments,
  type ConverseEvent,
  type InferenceRequest,
  type JsonObject,
  type JsonValue,
  type LlmExecutor,
  type LlmStreamEvent,
} from '../../src/index.js';
import { connect } from '../../src/client/index.js';
import { geminiInteractions } from '../../src/providers/google/index.js';
import { openaiChat, openaiResponses } from '../../src/providers/openai/index.js';
import { toServerSentEvents } from '../../src/server/index.js';
import { scriptedExecutor } from '../../src/testing/index.js';
import type { FetchLike } from '../../src/wire/Transport.js';
import { args, close, request, start, stop, text } from '../helpers/events.js';
import { fakeFetch } from '../helpers/fakeFetch.js';
import { counted, heard } from '../tools/talk.js';
import { WIRES } from './readers.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

const outcomeOf = (executor: LlmExecutor, asked: InferenceRequest = request): Promise<unknown> =>
  lastValueFrom(executor.executeStream(asked).pipe(collect())).catch((error: unknown) => error);

async function failureOf(executor: LlmExecutor, asked: InferenceRequest = request): Promise<InferenceExecutionError> {
  const error = await outcomeOf(executor, asked);
  if (!(error instanceof InferenceExecutionError)) throw new Error(`no typed error: ${JSON.stringify(error)}`);
  return error;
}

describe('prototypes', () => {
  const POISON =
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"a":{"__proto__":{"polluted":1}}}';
  const poison = JSON.parse(POISON) as JsonObject;

  afterEach(() => {
    expect('polluted' in {}).toBe(false);
    expect('polluted' in (() => undefined)).toBe(false);
  });

  it('should survive the arguments of a tool, whole and as they come', async () => {
    const look = counted('look');
    const calling = [
      start('c1', 'look'),
      ...[...POISON].map((piece) => args('c1', piece)),
      close('c1'),
      stop('tool-use'),
    ];
    const executor = scriptedExecutor([calling, [text('ok'), stop()]]);
    const events = await heard(converse(executor, request, { tools: [look] }));
    const partial = await lastValueFrom(of(...calling).pipe(partialToolArguments(), toArray()));

    expect(events.at(-1)).toMatchObject({ type: 'conversation-end', reason: 'done' });
    expect(look.runs.map((input) => JSON.stringify(input))).toEqual([POISON]);
    expect(JSON.stringify(partial.at(-1)?.value)).toBe(POISON);
    expect(Object.getPrototypeOf(look.runs[0])).toBe(Object.prototype);
  });

  it('should survive structured output', async () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'spec',
        validate: (value: unknown) => ({ value: value as JsonValue }),
      },
    };
    const last = await lastValueFrom(of(...[...POISON].map(text), stop()).pipe(objects(schema)));

    expect(JSON.stringify(last.value)).toBe(POISON);
  });

  it.each(WIRES)('should survive overrides, metadata and schemas sent by %s', async (_, create, mediaType, model) => {
    const fetch = fakeFetch({ body: '', headers: { 'content-type': mediaType } });
    const overrides = mergeOverrides(
      { metadata: poison, providerOptions: poison },
      JSON.parse('{"__proto__":{"polluted":1}}') as object,
    );
    const tools = [
      { id: 't', name: 'look', description: 'Looks.', parameters: { type: 'object', properties: poison } },
    ];
    const history = [
      {
        role: 'assistant' as const,
        content: [{ type: 'tool-call' as const, id: 'c1', name: 'look', arguments: poison }],
        metadata: poison,
      },
      { role: 'tool' as const, content: [{ type: 'tool-result' as const, toolCallId: 'c1', content: [] }] },
    ];
    const error = await failureOf(create({ fetch }), {
      ...request,
      model,
      overrides,
      tools,
      messages: [...request.messages, ...history],
    });

    // Wires without tools or metadata refuse; the others have sent it, and got an empty body.
    expect(['invalid-request', 'stream-interrupted', 'provider']).toContain(error.kind);
  });
});

describe('a tool with the name of a member of every object', () => {
  const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];
  const calling = (name: string): LlmStreamEvent[] => [
    start('c1', name),
    args('c1', '{}'),
    close('c1'),
    stop('tool-use'),
  ];

  it.each(NAMES)('should be unknown when nobody has declared %s', async (name) => {
    const executor = scriptedExecutor([calling(name), [text('ok'), stop()]]);
    const events = await heard(converse(executor, request, { tools: [counted('look')] }));
    const result = events.find(({ type }) => type === 'tool-execution-result');

    expect(result).toMatchObject({ name, status: 'failed' });
    expect(JSON.stringify(result)).toMatch(/tool|declared|exist/);
  });

  it.each(NAMES)('should run like any other when it is declared as %s', async (name) => {
    const tool = counted(name);
    const events: ConverseEvent[] = await heard(
      converse(scriptedExecutor([calling(name), [text('ok'), stop()]]), request, { tools: [tool] }),
    );

    expect(tool.runs).toEqual([{}]);
    expect(events.find(({ type }) => type === 'tool-execution-result')).toMatchObject({ name, status: 'succeeded' });
  });

  it.each(WIRES)('should be sent by %s like any other', async (_, create, mediaType, model) => {
    const sent = await Promise.all(
      NAMES.map(async (name) => {
        const fetch = fakeFetch({ body: '', headers: { 'content-type': mediaType } });
        const tools = [{ id: name, name, description: 'Odd.', parameters: { type: 'object' } }];
        const overrides = { toolChoice: { name } };
        const messages = [
          ...request.messages,
          { role: 'assistant' as const, content: [{ type: 'tool-call' as const, id: 'c1', name, arguments: {} }] },
          {
            role: 'tool' as const,
            content: [
              { type: 'tool-result' as const, toolCallId: 'c1', content: [{ type: 'text' as const, text: 'x' }], name },
            ],
          },
        ];
        const { kind, detail } = await failureOf(create({ fetch }), { ...request, model, tools, overrides, messages });
        if (kind === 'invalid-request') return { refused: /tool/i.test(detail) };
        return { name: JSON.stringify(fetch.requests[0]?.body).includes(`"${name}"`) };
      }),
    );

    expect(sent.every(({ name, refused }) => name === true || refused === true)).toBe(true);
  });
});

/** A body that is made as it is read: what is asked for of it, and whether its reader has let go. */
function lazyBody(size: number, chunk: Uint8Array<ArrayBuffer>, first: Uint8Array<ArrayBuffer> = new Uint8Array(0)) {
  const state = { pulled: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const bytes = state.pulled === 0 && first.length > 0 ? first : chunk;
        state.pulled += bytes.length;
        controller.enqueue(bytes);
        if (state.pulled >= size) controller.close();
      },
      cancel: () => void (state.cancelled = true),
    },
    { highWaterMark: 0 },
  );
  return { state, stream };
}

const answering =
  (stream: ReadableStream<Uint8Array>, mediaType: string, status = 200): FetchLike =>
  async () =>
    new Response(stream, { status, headers: { 'content-type': mediaType } });

const bytesOf = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);

describe('a body of 1 GB', () => {
  it.each(WIRES)('should be read only at its start by %s when it is an error', async (_, create, mediaType, model) => {
    for (const [type, status] of [
      ['text/html', 502],
      ['text/html', 200],
      [mediaType, 500],
    ] as const) {
      const { state, stream } = lazyBody(GIB, new Uint8Array(32 * 1024).fill(120));
      const error = await failureOf(create({ fetch: answering(stream, type, status) }), { ...request, model });

      expect(error.message.length).toBeLessThan(1_000);
      expect(state).toEqual({ pulled: 64 * 1024, cancelled: true });
    }
  });

  it.each(WIRES)(
    'should be given up by %s when it is one event without an end',
    async (_, create, mediaType, model) => {
      const isBinary = mediaType.includes('eventstream');
      // A message of AWS says its length first, so that it is refused at once; a checksum that fits is not even needed.
      const { state, stream } = lazyBody(
        GIB,
        new Uint8Array(MIB).fill(97),
        isBinary ? undefined : bytesOf('data: {"a":"'),
      );
      const error = await failureOf(create({ fetch: answering(stream, mediaType) }), { ...request, model });

      expect(error.kind).toBe('provider');
      expect(error.detail).toMatch(isBinary ? /checksum/ : /maxFrameLength/);
      expect(state.pulled).toBeLessThan(18 * MIB);
      expect(state.cancelled).toBe(true);
    },
  );

  it('should be given up when it is an answer without an end, with what had arrived', async () => {
    const delta = JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(1_000) } }] });
    const chunk = bytesOf(`data: ${delta}\n\n`.repeat(100));
    const { state, stream } = lazyBody(GIB, chunk);
    const fetch = answering(stream, 'text/event-stream');
    const error = await failureOf(openaiChat({ fetch, maxAnswerLength: MIB }));

    expect([error.kind, error.detail]).toEqual([
      'provider',
      expect.stringMatching(/longer than 1048576 .*maxAnswerLength/),
    ]);
    expect(error.snapshot?.text?.length).toBeGreaterThan(MIB - 2_000);
    expect(state.pulled).toBeLessThan(2 * MIB);
    expect(state.cancelled).toBe(true);
  });

  it('should be given up when it is calls without an end', async () => {
    let id = 0;
    const calls = (): string =>
      Array.from({ length: 100 }, () => {
        const call = { index: id, id: `call_${id++}`, function: { name: 'look', arguments: '{}' } };
        return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [call] } }] })}\n\n`;
      }).join('');
    const stream = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(bytesOf(calls())) });
    const error = await failureOf(
      openaiChat({ fetch: answering(stream, 'text/event-stream'), maxAnswerLength: 64 * 1024 }),
    );

    expect(error.detail).toMatch(/maxAnswerLength/);
    expect(id).toBeLessThan(2_000);
  });

  it('should be given up by default at 64 Mi characters', async () => {
    const delta = JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(MIB) } }] });
    const { state, stream } = lazyBody(GIB, bytesOf(`data: ${delta}\n\n`));
    const error = await failureOf(openaiChat({ fetch: answering(stream, 'text/event-stream') }));

    expect(error.detail).toMatch(/longer than 67108864 characters/);
    expect(state.pulled).toBeLessThan(66 * MIB);
  });
});

describe('a gzip bomb from a proxy', () => {
  let server: Server;
  let status: number;
  let closed: Promise<void>;
  const bomb = gzipSync(Buffer.alloc(16 * MIB, 'a'), { level: 9 });

  beforeEach(async () => {
    let onClose: () => void;
    closed = new Promise((done) => (onClose = done));
    server = createServer((_, response) => {
      response.writeHead(status, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      response.on('close', onClose);
      // 64 members of 16 MiB each: 1 GiB from 1 MB.
      for (let member = 0; member < 64; member++) response.write(bomb);
      response.end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });

  afterEach(() => new Promise((done) => (server.closeAllConnections(), server.close(done))));

  it.each([
    [200, /maxFrameLength/],
    [502, /^a+…$/],
  ])('should not be unpacked further than the limits, with the status %i', async (answered, words) => {
    status = answered;
    const before = process.memoryUsage();
    const { port } = server.address() as AddressInfo;
    const error = await failureOf(openaiChat({ baseUrl: `http://127.0.0.1:${port}` }));
    await closed;
    const { arrayBuffers, heapUsed } = process.memoryUsage();

    expect(error.detail).toMatch(words);
    expect(arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(256 * MIB);
  });
});

describe('names that hold more than a name', () => {
  const NAMES = [
    'm\r\nx-evil: 1',
    '../../../evil',
    'm?x-evil=1',
    'm#x',
    'https://evil.example/',
    '..',
    'm/../../x',
    '%0d%0ax-evil:1',
  ];

  it.each(WIRES)(
    'should reach no header and no other address as the model of %s',
    async (_, create, mediaType, model) => {
      for (const name of NAMES) {
        const fetch = fakeFetch({ body: '', headers: { 'content-type': mediaType } });
        const executor = create({ fetch, apiKey: 'k', baseUrl: 'https://llm.example/base' });
        const error = await failureOf(executor, { ...request, model: name });
        const [good, bad] = [fakeFetch({ body: '' }), fetch];
        await failureOf(create({ fetch: good, apiKey: 'k', baseUrl: 'https://llm.example/base' }), {
          ...request,
          model,
        });

        if (bad.requests.length === 0) {
          expect([name, error.kind]).toEqual([name, 'invalid-request']);
          continue;
        }
        const [sent, usual] = [new URL(bad.requests[0]!.url), new URL(good.requests[0]!.url)];
        expect([name, sent.origin, sent.search, sent.hash]).toEqual([name, 'https://llm.example', usual.search, '']);
        expect([name, sent.pathname.split('/').length]).toEqual([name, usual.pathname.split('/').length]);
        const headers = new Headers(bad.requests[0]!.init.headers);
        expect(headers.has('x-evil')).toBe(false);
      }
    },
  );

  it.each([
    ['openaiResponses', openaiResponses, 'openai'],
    ['geminiInteractions', geminiInteractions, 'google-interactions'],
  ])('should reach no other address as the run of %s', async (_, create, provider) => {
    for (const runId of NAMES) {
      const fetch = fakeFetch({ body: '' });
      const cursor = { provider, runId, sequence: 1, position: '1' };
      const continuation = { prefix: '', cancelledTools: [], mechanism: 'reattach' as const, cursor };
      await failureOf(create({ fetch, apiKey: 'k', baseUrl: 'https://llm.example/base' }), {
        ...request,
        continuation,
      });

      for (const { url } of fetch.requests) {
        expect([runId, new URL(url).origin, new URL(url).hash]).toEqual([runId, 'https://llm.example', '']);
        expect(new URL(url).searchParams.has('x-evil')).toBe(false);
        expect(new URL(url).pathname.startsWith('/base/')).toBe(true);
      }
    }
  });

  it('should end a stream of server-sent events before an id that would begin another field, and split no data', async () => {
    const events = of(text('a\n\nevent: end\ndata: {}'), text('b'), stop());
    const failures: unknown[] = [];
    const onError = (error: unknown): void => void failures.push(error);
    const id = (_: unknown, index: number): string => (index === 0 ? '1' : '2\nevent: end');
    const frames = await lastValueFrom(events.pipe(toServerSentEvents({ id, onError }), toArray()));

    expect(failures).toEqual([
      expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(/line end/) }),
    ]);
    expect(frames.map((frame) => /^event: (\w+)$/m.exec(frame)?.[1])).toEqual(['stream', undefined, 'error']);
  });

  it('should be told by a client whose id is none', async () => {
    const fetch: FetchLike = (url, init) => globalThis.fetch(url, init);
    const answer$ = connect({ url: 'http://127.0.0.1:1', fetch, lastEventId: '1\r\nx-evil: 1', retries: 0 });
    const error: unknown = await lastValueFrom(answer$).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(InferenceExecutionError);
    expect((error as InferenceExecutionError).detail).toMatch(/header/i);
  });
});

describe('deep nesting', () => {
  const DEPTH = 200_000;
  const deep = `${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`;

  it('should be a failed call in the arguments of a tool, and the conversation goes on', async () => {
    const look = counted('look');
    const calling = [start('c1', 'look'), args('c1', `{"a":${deep}}`), close('c1'), stop('tool-use')];
    const executor = scriptedExecutor([calling, [text('ok'), stop()]]);
    const events = await heard(converse(executor, request, { tools: [look] }));

    expect(events.at(-1)).toMatchObject({ type: 'conversation-end', reason: 'done' });
  });

  it('should be the end of a partial value, not of the program', () => {
    const json = createPartialJson();
    json.push(deep);

    expect([json.status, json.error?.message]).toEqual(['invalid', expect.stringMatching(/128/)]);
  });

  it.each(WIRES)('should be a typed error when it comes in an event of %s', async (_, create, mediaType, model) => {
    const data = `{"choices":${deep},"candidates":${deep},"message":${deep},"delta":${deep},"error":${deep},"type":"error"}`;
    const body = mediaType.includes('event-stream') ? `event: error\ndata: ${data}\n\n` : `${data}\n`;
    const fetch = fakeFetch({ body, headers: { 'content-type': mediaType } });

    expect(await outcomeOf(create({ fetch }), { ...request, model })).toBeInstanceOf(InferenceExecutionError);
  });

  it.each(WIRES)('should be a typed error when it shall be sent by %s', async (_, create, mediaType, model) => {
    let nested: JsonValue = 1;
    for (let depth = 0; depth < DEPTH; depth++) nested = [nested];
    const fetch = fakeFetch({ body: '', headers: { 'content-type': mediaType } });
    const content = [{ type: 'tool-call' as const, id: 'c1', name: 'look', arguments: { nested } }];
    const messages = [...request.messages, { role: 'assistant' as const, content }];
    const error = await failureOf(create({ fetch }), { ...request, model, messages });

    expect([error.kind, fetch.requests.length]).toEqual(['invalid-request', 0]);
  });
});
