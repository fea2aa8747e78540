import { lastValueFrom, tap } from 'rxjs';
import {
  collect,
  recover,
  resultText,
  toolMessage,
  userMessage,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
  type StreamResult,
} from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { cohereChat } from '../../src/providers/cohere/index.js';
import { geminiGenerateContent } from '../../src/providers/google/index.js';
import { ollamaChat } from '../../src/providers/ollama/index.js';
import { openaiChat, openaiResponses } from '../../src/providers/openai/index.js';
import { startLlmServer, type AnswerScript, type LlmServer } from '../../src/testing/index.js';

const SIGNATURE = 'c2lnbmVkLWJ5LXRoZS1maXJzdA==';
const WORDS =
  'Marbles roll along a line, one after the other, and each of them is a value that somebody was waiting for. Where the line is cut they stop, and roll on from there.';

const PROVIDERS: Record<string, (server: LlmServer) => LlmExecutor> = {
  anthropic: ({ baseUrl }) => anthropicMessages({ baseUrl: baseUrl.anthropicMessages, apiKey: 'k' }),
  openaiChat: ({ baseUrl }) => openaiChat({ baseUrl: baseUrl.openaiChat, apiKey: 'k' }),
  openaiResponses: ({ baseUrl }) => openaiResponses({ baseUrl: baseUrl.openaiResponses, apiKey: 'k' }),
  gemini: ({ baseUrl }) => geminiGenerateContent({ baseUrl: baseUrl.geminiGenerateContent, apiKey: 'k' }),
  ollama: ({ baseUrl }) => ollamaChat({ baseUrl: baseUrl.ollamaChat }),
  cohere: ({ baseUrl }) => cohereChat({ baseUrl: baseUrl.cohereChat, apiKey: 'k' }),
};
const MODELS: Record<string, string> = {
  anthropic: 'claude-sonnet-4-5',
  openaiChat: 'gpt-4o',
  openaiResponses: 'gpt-4o',
  gemini: 'gemini-2.5-flash',
  ollama: 'llama3',
  cohere: 'command-a',
};
/** Where the stream is cut within the arguments of the call; those who send a call in one piece are cut in the text. */
const WITHIN: Record<string, number> = { anthropic: -4, openaiChat: -5, openaiResponses: -5, cohere: -4 };
const PAIRS = Object.keys(PROVIDERS).flatMap((first) =>
  Object.keys(PROVIDERS)
    .filter((second) => second !== first)
    .map((second) => [first, second] as const),
);

describe('recover with another provider that goes on', () => {
  let server: LlmServer;
  beforeAll(async () => {
    server = await startLlmServer({ answer: WORDS });
  });
  afterAll(() => server.close());

  /** An answer that one provider begins and another one ends. */
  async function switched(first: string, second: string, answer: AnswerScript, cutAfterEvents: number) {
    server.use({ answer, faults: [{ cutAfterEvents }] });
    const [from, to] = [PROVIDERS[first]!(server), PROVIDERS[second]!(server)];
    const request: InferenceRequest = { model: MODELS[first]!, messages: [userMessage('What do marbles do?')] };
    const events: LlmStreamEvent[] = [];
    const result = await lastValueFrom(
      from.executeStream(request).pipe(
        recover({
          request,
          resubscribe: (rest) => to.executeStream({ ...rest, model: MODELS[second]! }),
          delay: 0,
        }),
        tap((event) => events.push(event)),
        collect(),
      ),
    );
    return { events, result, request, from, to };
  }

  /** What each of the two is sent when the conversation goes on. */
  async function asksOn(executor: LlmExecutor, model: string, request: InferenceRequest, result: StreamResult) {
    server.use({ answer: 'Well.', faults: [] });
    const results = result.toolCalls.map(({ id, name }) => toolMessage(id, 'seen', { name }));
    const next = results.length > 0 ? results : [userMessage('And then?')];
    const messages = [...request.messages, { role: 'assistant' as const, content: result.content }, ...next];
    await lastValueFrom(executor.execute({ ...request, model, messages }));
    return server.requests.at(-1)!;
  }

  it.each(PAIRS)('should be one text in one history: %s, then %s', async (first, second) => {
    const answer = [{ reasoning: 'They roll.', signature: SIGNATURE }, { text: WORDS }];
    const { events, result, request, from, to } = await switched(first, second, answer, 12);
    const shown = events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');

    expect(events.map(({ type }) => type)).toContain('interrupted');
    expect(events.map(({ type }) => type)).not.toContain('stream-reset');
    expect([shown, resultText(result)]).toEqual([WORDS, WORDS]);
    expect(result.content.filter(({ type }) => type === 'text')).toHaveLength(1);
    expect(result.usage?.promptTokens).toBeGreaterThan(0);

    const own = await asksOn(from, MODELS[first]!, request, result);
    const other = await asksOn(to, MODELS[second]!, request, result);

    expect(own.messages.map(({ text }) => text)).toContain(WORDS);
    expect(other.messages.map(({ text }) => text)).toContain(WORDS);
    expect(JSON.stringify(other.body)).not.toContain(SIGNATURE);
  });

  it.each(PAIRS)('should make the call that was cut once, under one id: %s, then %s', async (first, second) => {
    const call = { toolCall: { name: 'look', arguments: { path: 'a/b/c/d/e/f', depth: 3, hidden: false } } };
    const { events, result, request, from, to } = await switched(
      first,
      second,
      [{ text: WORDS }, call],
      WITHIN[first] ?? 12,
    );
    const cancelled = events.filter(({ type }) => type === 'tool-call-cancel');

    expect(events.map(({ type }) => type)).toContain('interrupted');
    expect(cancelled).toHaveLength(first in WITHIN ? 1 : 0);
    expect(resultText(result)).toBe(WORDS);
    expect(result.toolCalls).toEqual([{ id: expect.any(String), name: 'look', arguments: call.toolCall.arguments }]);
    expect(result.cancelledTools).toBeUndefined();

    for (const [executor, name] of [
      [from, first],
      [to, second],
    ] as const) {
      const { messages } = await asksOn(executor, MODELS[name]!, request, result);
      const calls = messages.flatMap(({ toolCalls }) => toolCalls);
      const answered = messages.filter(({ role }) => role === 'tool').map(({ toolCallId }) => toolCallId);

      expect(calls.map(({ name }) => name)).toEqual(['look']);
      // Where a vendor gives no ids, a result names the tool.
      expect(answered).toEqual(calls.map(({ id }) => id || 'look'));
    }
  });
});
