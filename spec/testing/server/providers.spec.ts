import { lastValueFrom, take, toArray } from 'rxjs';
import {
  assistantMessage,
  InferenceExecutionError,
  resultText,
  toolMessage,
  userMessage,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
} from '../../../src/contract/index.js';
import { collect } from '../../../src/operators/collect.js';
import { recover } from '../../../src/operators/recover.js';
import { anthropicMessages } from '../../../src/providers/anthropic/index.js';
import { bedrockConverse } from '../../../src/providers/bedrock/index.js';
import { cohereChat } from '../../../src/providers/cohere/index.js';
import { geminiGenerateContent, geminiInteractions } from '../../../src/providers/google/index.js';
import { ollamaChat } from '../../../src/providers/ollama/index.js';
import { openaiChat, openaiResponses } from '../../../src/providers/openai/index.js';
import { startLlmServer, type AnswerPart, type LlmServer } from '../../../src/testing/index.js';

const TEXT = 'Marbles roll along a line, größer 😀 than before. They stop at its very end, as they should.';
const SCRIPT: AnswerPart[] = [
  { reasoning: 'Let me think of marbles.', signature: 'c2lnbmF0dXJl' },
  { text: TEXT },
  { toolCall: { name: 'weather', arguments: { city: 'Zürich', days: 2 } } },
  { toolCall: { name: 'now' } },
  { usage: { promptTokens: 100, completionTokens: 50, cacheReadTokens: 40, thinkingTokens: 7 } },
];
const factories = {
  openaiChat,
  openaiResponses,
  anthropicMessages,
  geminiGenerateContent,
  geminiInteractions,
  bedrockConverse,
  ollamaChat,
  cohereChat,
};
const names = Object.keys(factories) as (keyof typeof factories)[];
const request: InferenceRequest = {
  model: 'scripted',
  messages: [userMessage('Marbles?')],
  tools: [{ id: 'weather', name: 'weather', description: 'Weather', parameters: { type: 'object' } }],
};

let server: LlmServer;

beforeAll(async () => {
  server = await startLlmServer({ answer: SCRIPT });
});
beforeEach(() => server.use({ answer: SCRIPT }));
afterAll(() => server.close());

function executorOf(name: keyof typeof factories, options: object = {}): LlmExecutor {
  return factories[name]({ baseUrl: server.baseUrl[name], apiKey: 'sk-secret', ...options });
}

async function failure(executor: LlmExecutor): Promise<InferenceExecutionError> {
  const error: unknown = await lastValueFrom(executor.executeStream(request).pipe(toArray())).then(
    () => new Error('no error came'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InferenceExecutionError)) throw error;
  return error;
}

describe.each(names)('startLlmServer, asked by %s', (name) => {
  it('should be understood', async () => {
    const result = await lastValueFrom(executorOf(name).execute(request));

    expect(resultText(result)).toBe(TEXT);
    expect(result.content[0]).toMatchObject({ type: 'reasoning', text: 'Let me think of marbles.' });
    expect(result.toolCalls.map((call) => [call.name, call.arguments])).toEqual([
      ['weather', { city: 'Zürich', days: 2 }],
      ['now', {}],
    ]);
    expect(result.stopReason).toBe('tool-use');
    expect(result.usage).toMatchObject({ promptTokens: 100, completionTokens: 50, totalTokens: 150 });
    expect(server.requests[0]).toMatchObject({ messages: [{ role: 'user', text: 'Marbles?' }], outcome: 'ended' });
    expect(JSON.stringify(server.requests)).not.toContain('sk-secret');
  });

  it('should understand a conversation with a result of a tool', async () => {
    server.use({
      answer: ({ messages }) => (messages.at(-1)?.role === 'tool' ? `It is ${messages.at(-1)?.text}` : SCRIPT),
    });
    const executor = executorOf(name);
    const first = await lastValueFrom(executor.execute(request));
    const results = first.toolCalls.map((call) => toolMessage(call.id, 'sunny', { name: call.name }));
    const messages = [...request.messages, assistantMessage(first.content), ...results];
    const second = await lastValueFrom(executor.execute({ ...request, messages }));

    expect(resultText(second)).toContain('sunny');
    expect(second.stopReason).toBe('end-turn');
  });

  it.each([
    [
      { status: 429, retryAfter: 2 },
      { kind: 'rate-limited', status: 429, retryAfter: 2_000 },
    ],
    [{ status: 503 }, { kind: 'overloaded', status: 503 }],
    [{ status: 401 }, { kind: 'unauthorized', status: 401 }],
    [{ status: 400 }, { kind: 'invalid-request', status: 400 }],
  ] as const)('should refuse with %j in the vendor’s words', async (fault, expected) => {
    server.use({ faults: [fault] });

    expect(await failure(executorOf(name))).toMatchObject(expected);
  });

  it('should tell a failure in mid-stream that can be recovered', async () => {
    server.use({ faults: [{ errorEvent: {}, afterEvents: -4 }] });
    const error = await failure(executorOf(name));

    expect(error.isRetryable).toBe(true);
    expect(error.kind).not.toBe('stream-interrupted');
    expect(error.snapshot?.text).toMatch(/^Marbles roll/);
    expect(TEXT.startsWith(error.snapshot?.text ?? '?')).toBe(true);
  });

  it.each([
    ['endAfterEvents', 'truncated'],
    ['cutAfterEvents', 'connection-reset'],
  ] as const)('should break by %s', async (fault, kind) => {
    server.use({ faults: [{ [fault]: 10 }] });
    const error = await failure(executorOf(name));

    expect([error.kind, error.interruption]).toEqual(['stream-interrupted', { kind }]);
    expect(TEXT.startsWith(error.snapshot?.text ?? '')).toBe(true);
  });

  it.each(['prefill', 'prompt'] as const)('should go on by %s wherever it was cut', async (continuation) => {
    const executor = executorOf(name, { continuation });
    let continued = 0;
    for (let cutAfterEvents = 0; cutAfterEvents < 20; cutAfterEvents++) {
      server.use({ faults: [{ cutAfterEvents }] });
      const source = executor.executeStream(request);
      const resubscribe = (continuation: InferenceRequest) => executor.executeStream(continuation);
      const result = await lastValueFrom(source.pipe(recover({ request, resubscribe, delay: 0 }), collect()));

      expect(resultText(result)).toBe(TEXT);
      if (server.requests[1]?.continuation?.mechanism === continuation) continued++;
    }
    expect(continued).toBeGreaterThan(5);
  });

  it('should refuse prefill in words that are understood', async () => {
    server.use({ answer: TEXT, faults: [{ cutAfterEvents: 6 }, { refusePrefill: true }] });
    const executor = executorOf(name, { continuation: 'prefill' });
    const source = executor.executeStream(request);
    const resubscribe = (continuation: InferenceRequest) => executor.executeStream(continuation);
    const events: LlmStreamEvent[] = await lastValueFrom(
      source.pipe(recover({ request, resubscribe, delay: 0 }), toArray()),
    );
    const asked = server.requests.map(({ continuation }) => continuation?.mechanism);

    expect(events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])).join('')).toBe(TEXT);
    expect(asked).toEqual([undefined, 'prefill', 'prompt']);
  });
});

const backgrounds = ['openaiResponses', 'geminiInteractions'] as const;

describe.each(backgrounds)('startLlmServer, asked by %s for a run in the background', (name) => {
  it('should be followed after each cut', async () => {
    server.use({ answer: TEXT, faults: [{ cutAfterEvents: 6 }, { cutAfterEvents: 3 }] });
    const executor = executorOf(name, { background: true });
    const source = executor.executeStream(request);
    const resubscribe = (continuation: InferenceRequest) => executor.executeStream(continuation);
    const result = await lastValueFrom(source.pipe(recover({ request, resubscribe, delay: 0 }), collect()));
    const { runs, requests } = server;

    expect(resultText(result)).toBe(TEXT);
    expect(requests.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['generate', 'cut'],
      ['attach', 'cut'],
      ['attach', 'ended'],
    ]);
    expect(runs.map(({ status }) => status)).toEqual(['completed']);
  });

  it('should be cancelled when nobody listens any more', async () => {
    const cancelled = new Promise<string | undefined>((resolve) => {
      server.use({
        answer: TEXT,
        faults: ({ kind, runId }) => {
          if (kind === 'cancel') resolve(runId);
          return { stallAfterEvents: 6 };
        },
      });
    });
    const executor = executorOf(name, { background: true });
    await lastValueFrom(executor.executeStream(request).pipe(take(1)));
    const runId = await cancelled;
    await server.idle();

    expect(server.runs).toEqual([{ id: runId, format: name, status: 'cancelled' }]);
  });
});
