import type { InferenceRequest, StopReason } from '../../../src/index.js';
import { bedrockInvoke } from '../../../src/providers/bedrock/index.js';
import { encodeAwsEventStream } from '../../../src/wire/awsEventStream.js';
import { casesReadBy, describeCorpus, type CorpusCase } from '../../helpers/corpus.js';
import { request as plain } from '../../helpers/events.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';
import { answer, observe, proseOf, randomSplit } from './observe.js';

/** One message to a model whose format is known; answers are told apart by their own form. */
const request: InferenceRequest = { ...plain, model: 'meta.llama3-8b-instruct-v1:0' };

const STOP: Record<string, StopReason> = {
  end_turn: 'end-turn',
  stop: 'end-turn',
  COMPLETE: 'end-turn',
  FINISH: 'end-turn',
  max_tokens: 'max-tokens',
  LENGTH: 'max-tokens',
  stop_sequence: 'stop-sequence',
  tool_use: 'tool-use',
};

/**
 * The reader gives Bedrock's metrics (7 and 7), which leave out Cohere's template; the same chunk says
 * `"tokens":{"input_tokens":73,"output_tokens":8}`, all that the model read and wrote.
 */
const BILLED: Record<string, [prompt: number, answer: number]> = {
  'bedrock-invoke/dd-trace-js.bedrock-runtime_model_cohere.command-r-v1_0_invoke-with-response-stream_post_e8a880e7.bin':
    [73, 8],
};

describeCorpus('bedrockInvoke on the recordings', () => {
  const cases = casesReadBy('bedrock/invoke').map((entry) => [entry.file, entry] as const);

  it('should find all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(14);
  });

  it.each(cases)('should read %s', async (file, entry) => {
    const { expected } = entry;
    const result = await answer(stream(entry));
    const [promptTokens, completionTokens] = BILLED[file] ?? tokensIn(expected.usage ?? {});

    expect(proseOf(result, 'text')).toBe(expected.text);
    expect(proseOf(result, 'reasoning')).toBe(expected.reasoning);
    expect(result.toolCalls).toEqual(
      expected.toolCalls.map(({ id, name, arguments: json }) => ({ id, name, arguments: JSON.parse(json || '{}') })),
    );
    expect(result.hasIncompleteToolCalls).toBe(false);
    expect(result.stopReason).toBe(STOP[String(expected.stopReason)]);
    expect(result.usage).toMatchObject({
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens,
    });
    const signatures = result.content.flatMap((block) => (block.type === 'reasoning' ? [block.signature] : []));
    expect(signatures.map((signature) => `${signature?.length} chars`)).toEqual(expected['signatures'] ?? []);
  });

  it.each(cases)(
    'should not mind how %s is split',
    async (_, entry) => {
      const whole = await observe(stream(entry));
      const { length } = entry.bytes();

      expect(await observe(stream(entry, 'bytes'))).toEqual(whole);
      for (const seed of [1, 2, 3]) expect(await observe(stream(entry, randomSplit(length, seed)))).toEqual(whole);
      expect(whole.events.at(-1)?.type).toBe('stop');
      expect(whole.events.filter(({ type }) => type === 'stop')).toHaveLength(1);
    },
    60_000,
  );
});

function tokensIn(usage: Record<string, unknown>): [prompt: number, answer: number] {
  const count = (...names: string[]): number =>
    names.map((name) => usage[name]).reduce<number>((sum, n) => sum + (typeof n === 'number' ? n : 0), 0);
  return [
    count(
      'inputTokenCount',
      'inputTokens',
      'cacheReadInputTokenCount',
      'cacheWriteInputTokenCount',
      'input_tokens',
      'cache_creation_input_tokens',
      'cache_read_input_tokens',
    ),
    count('outputTokenCount', 'outputTokens', 'output_tokens'),
  ];
}

const METRICS = { 'amazon-bedrock-invocationMetrics': { inputTokenCount: 5, outputTokenCount: 3 } };
const HEADERS = { ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' };

describe('bedrockInvoke', () => {
  it('should send Claude what the Messages API takes', async () => {
    const { body, url, headers } = await sent({
      ...request,
      model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      system: 'Be brief.',
      overrides: { maxTokens: 9, providerOptions: { anthropic_beta: ['x'] } },
    });

    expect(url).toBe(
      'https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream',
    );
    expect(headers).toMatchObject({ authorization: 'Bearer k' });
    expect(body).toEqual({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 9,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
      system: [{ type: 'text', text: 'Be brief.' }],
      anthropic_beta: ['x'],
    });
  });

  it('should send Nova what Converse takes', async () => {
    const { body } = await sent({
      ...request,
      model: 'us.amazon.nova-2-lite-v1:0',
      overrides: { maxTokens: 9, reasoningEffort: 'low' },
    });

    expect(body).toEqual({
      schemaVersion: 'messages-v1',
      messages: [{ role: 'user', content: [{ text: 'hello' }] }],
      inferenceConfig: { maxTokens: 9, reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' } },
    });
  });

  it.each<[string, object]>([
    [
      'amazon.titan-text-express-v1',
      {
        inputText: 'Hi.\n\nhello',
        textGenerationConfig: { maxTokenCount: 9, temperature: 0.5, topP: 0.9, stopSequences: ['|'] },
      },
    ],
    [
      'mistral.mistral-7b-instruct-v0:2',
      { prompt: 'Hi.\n\nhello', max_tokens: 9, temperature: 0.5, top_p: 0.9, stop: ['|'] },
    ],
    [
      'cohere.command-text-v14',
      { prompt: 'Hi.\n\nhello', max_tokens: 9, temperature: 0.5, p: 0.9, stop_sequences: ['|'], stream: true },
    ],
    [
      'cohere.command-r-v1:0',
      { message: 'hello', preamble: 'Hi.', max_tokens: 9, temperature: 0.5, p: 0.9, stop_sequences: ['|'] },
    ],
  ])('should send %s what it takes', async (model, expected) => {
    const overrides = { maxTokens: 9, temperature: 0.5, topP: 0.9, stopSequences: ['|'] };
    const { body } = await sent({ ...request, model, system: 'Hi.', overrides });

    expect(body).toEqual(expected);
  });

  it('should send Llama a prompt, which has no stop sequences', async () => {
    const { body } = await sent({ ...request, overrides: { maxTokens: 9 } });
    const { error } = await observe(bedrockInvoke().executeStream({ ...request, overrides: { stopSequences: ['|'] } }));

    expect(body).toEqual({ prompt: 'hello', max_gen_len: 9 });
    expect(error).toMatchObject({
      kind: 'invalid-request',
      detail: expect.stringContaining('no stopSequences') as string,
    });
  });

  it('should go on with a text by what the model can do', async () => {
    const continuation = { prefix: 'Marbles roll', cancelledTools: [] };
    const ask = async (model: string) =>
      (await sent({ ...request, model, continuation })).body as Record<string, unknown>;

    expect((await ask('anthropic.claude-3-haiku-20240307-v1:0'))['messages']).toHaveLength(2);
    expect((await ask('anthropic.claude-opus-4-6-v1'))['messages']).toHaveLength(3);
    expect((await ask('amazon.nova-lite-v1:0'))['messages']).toHaveLength(3);
    expect((await ask('meta.llama3-8b-instruct-v1:0'))['prompt']).toBe('helloMarbles roll');
    expect((await ask('cohere.command-r-v1:0'))['chat_history']).toHaveLength(2);
  });

  it.each<[string, Partial<InferenceRequest>]>([
    ['a model that is not known', { model: 'ai21.jamba-1-5-mini-v1:0' }],
    [
      'an address of an image',
      {
        model: 'anthropic.claude-sonnet-4-5',
        messages: [
          { role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }] },
        ],
      },
    ],
    ['metadata for Nova', { model: 'amazon.nova-lite-v1:0', overrides: { metadata: { a: 1 } } }],
    [
      'tools for Llama',
      { model: 'meta.llama3-8b-instruct-v1:0', tools: [{ id: 't', name: 't', description: '', parameters: {} }] },
    ],
  ])('should refuse %s before any call', async (_, extra) => {
    const fetch = fakeFetch({ body: '' });
    const { error } = await observe(bedrockInvoke({ fetch }).executeStream({ ...request, ...extra }));

    expect(error).toMatchObject({ kind: 'invalid-request' });
    expect(error?.detail).toMatch(/^bedrockInvoke: .*use bedrockConverse$/);
    expect(fetch.requests).toEqual([]);
  });

  it('should read the answers of OpenAI and DeepSeek', async () => {
    const chat = await run(
      { choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }] },
      { choices: [{ index: 0, delta: {}, finish_reason: 'length' }], ...METRICS },
    );
    const text = await run(
      { choices: [{ index: 0, text: 'a', stop_reason: null }] },
      { choices: [{ index: 0, text: '', stop_reason: 'length' }], ...METRICS },
    );

    expect(chat.events.map(({ type }) => type)).toEqual(['text-delta', 'stop']);
    expect(text.events).toEqual([
      { type: 'text-delta', text: 'a' },
      { type: 'usage', usage: { promptTokens: 5, completionTokens: 3, totalTokens: 8 } },
      { type: 'stop', reason: 'max-tokens' },
    ]);
  });

  it('should say that a guardrail has stepped in', async () => {
    const { events } = await run(
      { generation: 'a', stop_reason: null },
      { generation: '', stop_reason: 'stop', 'amazon-bedrock-guardrailAction': 'INTERVENED', ...METRICS },
    );

    expect(events.at(-1)).toEqual({ type: 'stop', reason: 'content-filter' });
  });

  it('should tell an exception, an error in a chunk, and an end too early', async () => {
    const said = chunk({ generation: 'a', stop_reason: null });
    const exception = encodeAwsEventStream(
      { ':exception-type': 'throttlingException', ':message-type': 'exception' },
      '{"message":"slow down"}',
    );
    const thrown = await runBytes(said, exception);
    const told = await run({ generation: 'a', stop_reason: null }, { message: 'the model is overloaded' });
    const early = await runBytes(said);

    expect(thrown.error).toMatchObject({ kind: 'rate-limited', detail: 'slow down', snapshot: { text: 'a' } });
    expect(told.error).toMatchObject({ kind: 'overloaded' });
    expect(early.error).toMatchObject({ kind: 'stream-interrupted', interruption: { kind: 'truncated' } });
  });
});

function chunk(payload: object): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(payload)).toString('base64');
  return encodeAwsEventStream(HEADERS, JSON.stringify({ bytes, p: 'abc' }));
}

function run(...payloads: object[]) {
  return runBytes(...payloads.map(chunk));
}

function runBytes(...frames: Uint8Array[]) {
  return observe(bedrockInvoke({ fetch: fetchOf(Buffer.concat(frames)) }).executeStream(request));
}

function fetchOf(body: Uint8Array, split: Split = 'whole') {
  return fakeFetch({ body, split, headers: { 'content-type': 'application/vnd.amazon.eventstream' } });
}

async function sent(asked: InferenceRequest) {
  const fetch = fetchOf(chunk({ generation: 'a', stop_reason: 'stop', ...METRICS }));
  await answer(bedrockInvoke({ fetch, apiKey: 'k' }).executeStream(asked));
  const [{ body, url, init }] = fetch.requests as [(typeof fetch.requests)[0]];
  return { body, url, headers: init.headers };
}

function stream(entry: Pick<CorpusCase, 'bytes'>, split: Split = 'whole') {
  return bedrockInvoke({ fetch: fetchOf(entry.bytes(), split) }).executeStream(request);
}
