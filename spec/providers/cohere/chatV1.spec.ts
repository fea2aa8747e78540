import type { InferenceRequest } from '../../../src/index.js';
import { cohereChatV1 } from '../../../src/providers/cohere/index.js';
import { casesReadBy, describeCorpus, type CorpusCase } from '../../helpers/corpus.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';
import { answer, observe, proseOf, randomSplit } from '../bedrock/observe.js';

/**
 * The reader gives `billed_units` (7 and 115), which leaves the template around the prompt out: the last line also has
 * `"tokens":{"input_tokens":69,"output_tokens":116}`, all that the model read and wrote, which is what the contract counts, and
 * what the readers give for v2.
 */
const BILLED: Record<string, [prompt: number, answer: number]> = {
  'cohere-v1/openllmetry.test_cohere_chat_legacy_with_streaming.ndjson': [69, 116],
};

describeCorpus('cohereChatV1 on the recordings', () => {
  const cases = casesReadBy('cohere/chatV1').map((entry) => [entry.file, entry] as const);

  it('should find all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(3);
  });

  it.each(cases)('should read %s', async (file, entry) => {
    const { text, stopReason, usage } = entry.expected;
    const result = await answer(stream(entry));
    const { inputTokens = 0, outputTokens = 0 } = usage as Record<string, number>;
    const [promptTokens, completionTokens] = BILLED[file] ?? [inputTokens, outputTokens];

    expect(proseOf(result, 'text')).toBe(text);
    expect(result.content.map(({ type }) => type)).toEqual(['text']);
    expect(stopReason).toBe('COMPLETE');
    expect(result.stopReason).toBe('end-turn');
    expect(result.usage).toEqual({ promptTokens, completionTokens, totalTokens: promptTokens + completionTokens });
  });

  it.each(cases)('should not mind how %s is split', async (_, entry) => {
    const whole = await observe(stream(entry));
    const { length } = entry.bytes();

    expect(await observe(stream(entry, 'bytes'))).toEqual(whole);
    for (const seed of [1, 2, 3]) expect(await observe(stream(entry, randomSplit(length, seed)))).toEqual(whole);
    expect(whole.events.at(-1)?.type).toBe('stop');
  });
});

const lines = (...events: object[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join('');
const START = { event_type: 'stream-start', generation_id: 'gen-1' };
const END = { event_type: 'stream-end', finish_reason: 'COMPLETE', response: { finish_reason: 'COMPLETE' } };

describe('cohereChatV1', () => {
  it('should send the question, what came before it, and all settings', async () => {
    const { body, url, headers } = await sent({
      model: 'command-r-08-2024',
      system: 'Be brief.',
      messages: [
        ...request.messages,
        { role: 'assistant', content: [{ type: 'text', text: 'hi' }] },
        { role: 'user', content: [{ type: 'text', text: 'What now?' }] },
      ],
      overrides: {
        maxTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        stopSequences: ['\n'],
        seed: 7,
        responseFormat: { type: 'json-schema', schema: { type: 'object' } },
        providerOptions: { connectors: [{ id: 'web-search' }] },
      },
    });

    expect(url).toBe('https://api.cohere.com/v1/chat');
    expect(headers).toMatchObject({ authorization: 'Bearer k' });
    expect(body).toEqual({
      model: 'command-r-08-2024',
      stream: true,
      message: 'What now?',
      chat_history: [
        { role: 'USER', message: 'hello' },
        { role: 'CHATBOT', message: 'hi' },
      ],
      preamble: 'Be brief.',
      response_format: { type: 'json_object', schema: { type: 'object' } },
      max_tokens: 9,
      temperature: 0.5,
      p: 0.9,
      stop_sequences: ['\n'],
      seed: 7,
      connectors: [{ id: 'web-search' }],
    });
  });

  it('should ask for the rest of a text that was cut off in a turn of its own', async () => {
    const { body } = await sent({ ...request, continuation: { prefix: 'Marbles roll', cancelledTools: [] } });

    expect(body).toMatchObject({
      chat_history: [
        { role: 'USER', message: 'hello' },
        { role: 'CHATBOT', message: 'Marbles roll' },
      ],
      message: expect.stringMatching(/^My connection dropped/) as string,
    });
  });

  it('should read plans, calls, citations and searches', async () => {
    const { events } = await run(
      lines(
        START,
        { event_type: 'search-queries-generation', search_queries: [{ text: 'marbles' }] },
        { event_type: 'search-results', search_results: [], documents: [{ id: 'd' }] },
        { event_type: 'tool-calls-chunk', text: 'I will look.' },
        { event_type: 'tool-calls-chunk', tool_call_delta: { index: 0, parameters: '{"ci' } },
        {
          event_type: 'tool-calls-generation',
          text: 'I will look.',
          tool_calls: [
            { name: 'weather', parameters: { city: 'Bern' } },
            { name: 'now', parameters: {} },
          ],
        },
        { event_type: 'citation-generation', citations: [{ start: 0, end: 3, text: 'It ', document_ids: ['d'] }] },
        { event_type: 'something-new' },
        {
          ...END,
          response: { finish_reason: 'COMPLETE', meta: { tokens: { input_tokens: 5, output_tokens: 3 } } },
        },
      ),
    );

    expect(events).toEqual([
      { type: 'provider-block', provider: 'cohere', block: { search_queries: [{ text: 'marbles' }] } },
      { type: 'provider-block', provider: 'cohere', block: { search_results: [], documents: [{ id: 'd' }] } },
      { type: 'reasoning-delta', text: 'I will look.' },
      { type: 'tool-call-start', id: 'call_gen1_0', name: 'weather' },
      { type: 'tool-call-delta', id: 'call_gen1_0', argsDelta: '{"city":"Bern"}' },
      { type: 'content-block-stop', id: 'call_gen1_0' },
      { type: 'tool-call-start', id: 'call_gen1_1', name: 'now' },
      { type: 'tool-call-delta', id: 'call_gen1_1', argsDelta: '{}' },
      { type: 'content-block-stop', id: 'call_gen1_1' },
      {
        type: 'provider-block',
        provider: 'cohere',
        block: { citations: [{ start: 0, end: 3, text: 'It ', document_ids: ['d'] }] },
      },
      { type: 'usage', usage: { promptTokens: 5, completionTokens: 3, totalTokens: 8 } },
      { type: 'stop', reason: 'tool-use' },
    ]);
  });

  it.each([
    ['MAX_TOKENS', 'max-tokens'],
    ['STOP_SEQUENCE', 'stop-sequence'],
    ['ERROR_LIMIT', 'max-tokens'],
    ['ERROR_TOXIC', 'content-filter'],
    ['SOMETHING_NEW', 'end-turn'],
  ])('should know the end %s', async (reason, expected) => {
    const { events } = await run(lines(START, { ...END, response: { finish_reason: reason } }));

    expect(events).toEqual([{ type: 'stop', reason: expected }]);
  });

  it('should tell what went wrong', async () => {
    const said = { event_type: 'text-generation', text: 'a' };
    const failed = await run(lines(START, said, { ...END, response: { finish_reason: 'ERROR' } }));
    const told = await run(lines(said, { message: 'trial key is limited: too many requests' }));
    const early = await run(lines(START, said));

    expect(failed.error).toMatchObject({ kind: 'provider', snapshot: { text: 'a' } });
    expect(told.error).toMatchObject({ kind: 'rate-limited', snapshot: { text: 'a' } });
    expect(early.error).toMatchObject({ kind: 'stream-interrupted', interruption: { kind: 'truncated' } });
  });

  it('should refuse tools, their history, media and a question that is none, before any call', async () => {
    const call = { type: 'tool-call', id: 'a', name: 'b', arguments: {} } as const;
    const image = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } } as const;
    const asked: Partial<InferenceRequest>[] = [
      { tools: [{ id: 't', name: 't', description: '', parameters: {} }] },
      { overrides: { reasoningEffort: 'low' } },
      { messages: [{ role: 'assistant', content: [call] }, ...request.messages] },
      { messages: [{ role: 'user', content: [image] }] },
      { messages: [{ role: 'assistant', content: [{ type: 'text', text: 'hi' }] }] },
    ];
    for (const extra of asked) {
      const fetch = fakeFetch({ body: '' });
      const { error } = await observe(cohereChatV1({ fetch }).executeStream({ ...request, ...extra }));

      expect(error).toMatchObject({ kind: 'invalid-request' });
      expect(error?.detail).toMatch(/^cohereChatV1: .*use cohereChat$/);
      expect(fetch.requests).toEqual([]);
    }
  });
});

const HEADERS = { 'content-type': 'application/stream+json' };

function run(body: string) {
  return observe(cohereChatV1({ fetch: fakeFetch({ body, headers: HEADERS }) }).executeStream(request));
}

async function sent(asked: InferenceRequest) {
  const fetch = fakeFetch({ body: lines(START, END), headers: HEADERS });
  await answer(cohereChatV1({ fetch, apiKey: 'k' }).executeStream(asked));
  const [{ body, url, init }] = fetch.requests as [(typeof fetch.requests)[0]];
  return { body, url, headers: init.headers };
}

function stream(entry: CorpusCase, split: Split = 'whole') {
  return cohereChatV1({ fetch: fakeFetch({ body: entry.bytes(), split, headers: HEADERS }) }).executeStream(request);
}
