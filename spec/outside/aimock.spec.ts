import { EventEmitter } from 'node:events';
import { LLMock } from '@copilotkit/aimock';
import { lastValueFrom, tap, toArray } from 'rxjs';
import {
  assistantMessage,
  collect,
  contentText,
  InferenceExecutionError,
  recover,
  resultText,
  toolMessage,
  userMessage,
  type ContinuationMechanism,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
} from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { bedrockConverse } from '../../src/providers/bedrock/index.js';
import { cohereChat } from '../../src/providers/cohere/index.js';
import { geminiGenerateContent } from '../../src/providers/google/index.js';
import { ollamaChat } from '../../src/providers/ollama/index.js';
import { openaiChat, openaiResponses } from '../../src/providers/openai/index.js';

/** How a provider is pointed at the server of others, and how its model goes on with a text that was cut off. */
interface Vendor {
  model: string;
  create: (url: string) => LlmExecutor;
  mechanism: ContinuationMechanism;
  /** False where the server counts nothing. */
  usage: boolean;
  /** False where the arguments of a call come whole. */
  pieces: boolean;
}

const apiKey = 'k';
const VENDORS: Record<string, Vendor> = {
  openaiChat: {
    model: 'gpt-4o',
    create: (url) => openaiChat({ baseUrl: `${url}/v1`, apiKey }),
    mechanism: 'prompt',
    usage: true,
    pieces: true,
  },
  openaiResponses: {
    model: 'gpt-4o',
    create: (url) => openaiResponses({ baseUrl: `${url}/v1`, apiKey }),
    mechanism: 'prompt',
    usage: true,
    pieces: true,
  },
  anthropicMessages: {
    model: 'claude-sonnet-4-5',
    create: (baseUrl) => anthropicMessages({ baseUrl, apiKey }),
    mechanism: 'prefill',
    usage: true,
    pieces: true,
  },
  geminiGenerateContent: {
    model: 'gemini-2.5-flash',
    create: (baseUrl) => geminiGenerateContent({ baseUrl, apiKey }),
    mechanism: 'prefill',
    usage: true,
    pieces: false,
  },
  bedrockConverse: {
    model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    create: (baseUrl) => bedrockConverse({ baseUrl, apiKey }),
    mechanism: 'prefill',
    usage: true,
    pieces: true,
  },
  ollamaChat: {
    model: 'qwen3',
    create: (baseUrl) => ollamaChat({ baseUrl }),
    mechanism: 'prompt',
    usage: false,
    pieces: false,
  },
  cohereChat: {
    model: 'command-a-03-2025',
    create: (baseUrl) => cohereChat({ baseUrl, apiKey }),
    mechanism: 'prompt',
    usage: true,
    pieces: true,
  },
};

const TEXT = 'Marbles roll along a line, größer 😀 than before, one after the other.\n\nThen the line ends.';
const CALL = { name: 'weather', arguments: { city: 'Zürich «Süd»', days: 2 } };
const LOOK = 'Let me look.';
/** Events after which an answer with a call breaks. */
const CUTS = [2, 4, 5, 6, 7, 8, 10, 12, 14];
const USAGE = { prompt_tokens: 12, completion_tokens: 7, input_tokens: 12, output_tokens: 7 };

/** Without a latency this server destroys the socket before a byte of a cut answer is out. */
const PACE = { chunkSize: 9, latency: 4 };

/** What a request is, in the one form that this server reads every vendor's into. */
type Asked = Parameters<NonNullable<Parameters<LLMock['on']>[0]['predicate']>>[0];

function wordsOf(content: Asked['messages'][number]['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('');
}

/** What an obedient model says after it has been cut off: the words it is asked to begin with, and the rest of the text. */
function restOf(text: string, { messages }: Asked): string {
  const partial = wordsOf(messages.findLast(({ role }) => role === 'assistant')?.content ?? '');
  if (partial === '') return text;
  const last = messages.at(-1);
  const anchor = last?.role === 'user' ? /<(last_words)>([\s\S]*)<\/\1>/.exec(wordsOf(last.content))?.[2] : '';
  if (!text.startsWith(partial) || anchor === undefined) throw new Error(`no rest after ${JSON.stringify(messages)}`);
  return anchor + text.slice(partial.length);
}

/** The call as the server keeps it once a fixture has been read. */
const KEPT = { name: CALL.name, arguments: JSON.stringify(CALL.arguments) };

function restWithCall(asked: Asked) {
  const content = restOf(LOOK, asked);
  return content === '' ? { toolCalls: [KEPT] } : { content, toolCalls: [KEPT] };
}

const asksFor = (word: string) => (asked: Asked) =>
  wordsOf(asked.messages.find(({ role }) => role === 'user')?.content ?? '').includes(word);

function teach(server: LLMock): void {
  server.on({ predicate: asksFor('plain') }, { content: TEXT, usage: USAGE }, PACE);
  server.on({ predicate: asksFor('call'), hasToolResult: false }, { content: LOOK, toolCalls: [CALL] }, PACE);
  server.on({ toolResultContains: 'sunny' }, { content: 'It is sunny.' }, PACE);
  // Counts the assistant turns of a request: a first answer that breaks, and one that goes on after it.
  server.on({ predicate: asksFor('dropped'), turnIndex: 0 }, { content: TEXT }, { ...PACE, truncateAfterChunks: 7 });
  server.on(
    { predicate: asksFor('dropped'), turnIndex: 1 },
    (asked: Asked) => ({ content: restOf(TEXT, asked), usage: USAGE }),
    PACE,
  );
  for (const cut of CUTS) {
    const predicate = asksFor(`broken ${cut}.`);
    const opts = { ...PACE, truncateAfterChunks: cut };
    server.on({ predicate, sequenceIndex: 0 }, { content: LOOK, toolCalls: [CALL] }, opts);
    server.on({ predicate }, (asked: Asked) => restWithCall(asked), PACE);
  }
}

let server: LLMock;
let strict: string | undefined;

/** This server's pause leaves a listener on the signal of its answer for each chunk, and Node takes that for a leak. */
const CHUNKS = 64;
const listeners = EventEmitter.defaultMaxListeners;

beforeAll(async () => {
  EventEmitter.defaultMaxListeners = CHUNKS;
  strict = process.env['AIMOCK_STRICT_TURN_INDEX'];
  process.env['AIMOCK_STRICT_TURN_INDEX'] = '1';
  server = new LLMock({ port: 0, host: '127.0.0.1' });
  teach(server);
  await server.start();
});
beforeEach(() => {
  server.clearRequests();
  server.resetMatchCounts();
});
afterAll(async () => {
  if (strict === undefined) delete process.env['AIMOCK_STRICT_TURN_INDEX'];
  else process.env['AIMOCK_STRICT_TURN_INDEX'] = strict;
  await server.stop();
  EventEmitter.defaultMaxListeners = listeners;
});

describe.each(Object.entries(VENDORS))('aimock, asked by %s', (_, vendor) => {
  const { model, mechanism } = vendor;
  const ask = (words: string): InferenceRequest => ({
    model,
    messages: [userMessage(words)],
    tools: [{ id: 'weather', name: 'weather', description: 'Weather', parameters: { type: 'object' } }],
  });

  it('should stream a text', async () => {
    const events: LlmStreamEvent[] = [];
    const stream = vendor.create(server.url).executeStream(ask('plain'));
    const result = await lastValueFrom(
      stream.pipe(
        tap((event) => events.push(event)),
        collect(),
      ),
    );

    expect(resultText(result)).toBe(TEXT);
    expect(result.stopReason).toBe('end-turn');
    expect(events.filter(({ type }) => type === 'text-delta').length).toBeGreaterThan(5);
    expect(events.filter(({ type }) => type === 'stop')).toHaveLength(1);
    if (vendor.usage) {
      expect(result.usage).toMatchObject({ promptTokens: 12, completionTokens: 7, totalTokens: 19 });
    }
  });

  it('should stream a tool call, and take the result of it', async () => {
    const executor = vendor.create(server.url);
    const asked = ask('call');
    const first = await lastValueFrom(executor.execute(asked));

    expect(resultText(first)).toBe(LOOK);
    expect(first.toolCalls.map(({ name, arguments: args }) => ({ name, arguments: args }))).toEqual([CALL]);
    expect([first.stopReason, first.hasIncompleteToolCalls]).toEqual(['tool-use', false]);

    const [call] = first.toolCalls;
    const messages = [
      ...asked.messages,
      assistantMessage(first.content),
      toolMessage(call!.id, 'sunny', { name: call!.name }),
    ];
    const second = await lastValueFrom(executor.execute({ ...asked, messages }));

    expect(resultText(second)).toBe('It is sunny.');
    expect(second.stopReason).toBe('end-turn');
  });

  it('should tell a dropped connection', async () => {
    const error: unknown = await lastValueFrom(
      vendor.create(server.url).executeStream(ask('dropped')).pipe(toArray()),
    ).catch((reason: unknown) => reason);
    if (!(error instanceof InferenceExecutionError)) throw error;

    expect([error.kind, error.interruption]).toEqual(['stream-interrupted', { kind: 'connection-reset' }]);
    expect(error.snapshot?.text?.length).toBeGreaterThan(5);
    expect(TEXT.startsWith(error.snapshot?.text ?? '?')).toBe(true);
  });

  it(`should go on by ${mechanism} after a dropped connection`, async () => {
    const executor = vendor.create(server.url);
    const asked = ask('dropped');
    const events: LlmStreamEvent[] = [];
    const result = await lastValueFrom(
      executor.executeStream(asked).pipe(
        recover({ request: asked, resubscribe: (next) => executor.executeStream(next), delay: 0 }),
        tap((event) => events.push(event)),
        collect(),
      ),
    );
    const shown = events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])).join('');
    const resumed = events.filter((event) => event.type === 'resumed');

    expect([contentText(result.content), shown]).toEqual([TEXT, TEXT]);
    expect(resumed.map(({ attempt, seam }) => [attempt, seam?.mechanism])).toEqual([[2, mechanism]]);
    expect(events.some(({ type }) => type === 'stream-reset')).toBe(false);
    expect(server.getRequests()).toHaveLength(2);
  });

  it('should bring a call once, wherever its answer was dropped', async () => {
    const executor = vendor.create(server.url);
    const seen = new Set<string>();
    for (const cut of CUTS) {
      const asked = ask(`broken ${cut}.`);
      const events: LlmStreamEvent[] = [];
      const result = await lastValueFrom(
        executor.executeStream(asked).pipe(
          recover({ request: asked, resubscribe: (next) => executor.executeStream(next), delay: 0 }),
          tap((event) => events.push(event)),
          collect(),
        ),
      );
      for (const event of events) if (event.type === 'interrupted') seen.add(event.plan.kind);

      expect([cut, resultText(result), result.toolCalls.map((call) => call.arguments)]).toEqual([
        cut,
        LOOK,
        [CALL.arguments],
      ]);
      expect(result.stopReason).toBe('tool-use');
    }
    expect(seen).toContain('continue-text');
    if (vendor.pieces) expect(seen).toContain('truncate-before-tool');
  });

  it('should be told to come back later', async () => {
    server.nextRequestError(429, { message: 'slow down' });
    const error: unknown = await lastValueFrom(
      vendor.create(server.url).executeStream(ask('plain')).pipe(toArray()),
    ).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ kind: 'rate-limited', status: 429, retryAfter: 1_000, detail: 'slow down' });
  });
});
