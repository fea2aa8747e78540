import { continuationMechanism } from '../../../src/providers/shared/continuationTable.js';
import { userMessage, type InferenceOverrides, type InferenceRequest } from '../../../src/index.js';
import {
  openaiCompatible,
  type CompatibleOptions,
  type CompatiblePresetName,
} from '../../../src/providers/openai/index.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { chunk, finish, read, sentBy, sse } from './chatHelpers.js';

const cut: InferenceRequest = {
  model: 'm',
  messages: [userMessage('hello')],
  continuation: { prefix: 'The answer is ', cancelledTools: [] },
};

const prompt = [
  { role: 'user', content: 'hello' },
  { role: 'assistant', content: 'The answer is' },
  { role: 'user', content: expect.stringContaining('The answer is') as string },
];

async function continued(
  name: CompatiblePresetName,
  model: string,
  options: CompatibleOptions = {},
  overrides?: InferenceOverrides,
) {
  const request = { ...cut, model, ...(overrides && { overrides }) };
  const factory = (own: object) => openaiCompatible(name, { ...own, ...options });
  const { url, body } = await sentBy(factory, request);
  const { model: _model, stream: _stream, stream_options: _options, messages, ...rest } = body;
  return { url, messages: messages as unknown, rest };
}

describe('an answer that is continued by a compatible vendor', () => {
  it('should carry the prefix flag to Mistral, whose reply repeats the prefix', async () => {
    const { url, messages, rest } = await continued('mistral', 'mistral-large-latest');
    const body = sse(chunk({ content: 'The answer is 42' }), finish('stop'), '[DONE]');
    const { events } = await read(
      (options) => openaiCompatible('mistral', options),
      body,
      {},
      { ...cut, model: 'mistral-large-latest' },
    );

    expect(url).toBe('https://api.mistral.ai/v1/chat/completions');
    expect(messages).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'The answer is ', prefix: true },
    ]);
    expect(rest).toEqual({});
    expect(events[0]?.providerMetadata?.continuation).toMatchObject({ mechanism: 'prefill', echoesPrefix: true });
  });

  it('should carry the prefix flag to DeepSeek, at its beta address', async () => {
    const { url, messages } = await continued('deepseek', 'deepseek-chat');
    const proxied = await continued('deepseek', 'deepseek-chat', { baseUrl: 'https://proxy.test' });

    expect(url).toBe('https://api.deepseek.com/beta/chat/completions');
    expect(messages).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'The answer is ', prefix: true },
    ]);
    expect(proxied.url).toBe('https://proxy.test/chat/completions');
  });

  it('should carry the partial flag to Kimi', async () => {
    expect((await continued('moonshot', 'moonshot-v1-8k')).messages).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'The answer is ', partial: true },
    ]);
  });

  it.each(['vllm', 'sglang'] as const)('should ask %s to go on with the last message', async (name) => {
    const { messages, rest } = await continued(name, 'meta-llama/Llama-3.3-70B-Instruct');

    expect(messages).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'The answer is ' },
    ]);
    expect(rest).toEqual({ continue_final_message: true, add_generation_prompt: false });
  });

  it('should be a trailing turn for llama.cpp, without thinking', async () => {
    const { messages, rest } = await continued('llamacpp', 'qwen3-8b');

    expect(messages).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'The answer is ' },
    ]);
    expect(rest).toEqual({ chat_template_kwargs: { enable_thinking: false } });
  });

  it('should be a trailing turn for Groq, and for Claude up to 4.5 behind OpenRouter without its last white space', async () => {
    expect((await continued('groq', 'llama-3.3-70b-versatile')).messages).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'The answer is ' },
    ]);
    expect((await continued('openrouter', 'anthropic/claude-sonnet-4.5')).messages).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'The answer is' },
    ]);
  });

  it.each<[CompatiblePresetName, string]>([
    ['azure', 'gpt-4o'],
    ['mistral', 'magistral-medium-latest'],
    ['deepseek', 'deepseek-reasoner'],
    ['moonshot', 'kimi-k2-thinking'],
    ['moonshot', 'kimi-k2.5'],
    ['vllm', 'Qwen/Qwen3-32B'],
    ['vllm', 'deepseek-ai/DeepSeek-R1'],
    ['sglang', 'openai/gpt-oss-120b'],
    ['llamacpp', 'gpt-oss-20b'],
    ['groq', 'openai/gpt-oss-120b'],
    ['openrouter', 'openai/gpt-4o'],
    ['openrouter', 'anthropic/claude-3.7-sonnet:thinking'],
    ['openrouter', 'anthropic/claude-sonnet-4.6'],
    ['xai', 'grok-4'],
    ['together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo'],
    ['fireworks', 'accounts/fireworks/models/llama-v3p3-70b-instruct'],
    ['cerebras', 'llama-3.3-70b'],
    ['perplexity', 'sonar'],
    ['lmstudio', 'qwen2.5-7b-instruct'],
    ['ollama', 'llama3.2'],
  ])('should be asked for by a user turn with %s and %s', async (name, model) => {
    const { messages, rest } = await continued(name, model, { baseUrl: 'https://llm.test' });

    expect(messages).toEqual(prompt);
    expect(rest).toEqual({});
  });

  it.each<[CompatiblePresetName, string, InferenceOverrides]>([
    ['openrouter', 'anthropic/claude-sonnet-4.5', { reasoningEffort: 'high' }],
    ['deepseek', 'deepseek-chat', { providerOptions: { thinking: { type: 'enabled' } } }],
    ['openrouter', 'anthropic/claude-sonnet-4.5', { providerOptions: { reasoning: { max_tokens: 2000 } } }],
  ])('should be asked for by a user turn while %s %s thinks', async (name, model, overrides) => {
    expect((await continued(name, model, {}, overrides)).messages).toEqual(prompt);
  });

  it('should be a trailing turn again where thinking is switched off', async () => {
    const { messages } = await continued('deepseek', 'deepseek-chat', {}, { reasoningEffort: 'none' });

    expect(messages).toContainEqual({ role: 'assistant', content: 'The answer is ', prefix: true });
  });

  it('should keep the flag of the vendor where the caller asks for prefill by name', async () => {
    const { url, messages } = await continued('deepseek', 'deepseek-v9', { continuation: 'prefill' });

    expect(url).toContain('/beta/');
    expect(messages).toContainEqual({ role: 'assistant', content: 'The answer is ', prefix: true });
  });

  it('should follow a rule of the caller, and mark nothing where no turn is continued', async () => {
    const rule = { model: /grok/, mechanism: 'prefill', flag: 'partial' } as const;
    const blank = { ...cut, continuation: { prefix: '', cancelledTools: [] } };
    const { body } = await sentBy((options) => openaiCompatible('llamacpp', options), blank);

    expect((await continued('xai', 'grok-4', { continuation: [rule] })).messages).toContainEqual({
      role: 'assistant',
      content: 'The answer is ',
      partial: true,
    });
    expect(body.messages).toEqual([{ role: 'user', content: 'hello' }]);
    expect(body).not.toHaveProperty('chat_template_kwargs');
  });

  it('should follow a rule whose pattern is global each time', async () => {
    const continuation = [{ model: /grok/g, mechanism: 'prefill', flag: 'partial' } as const];
    const marked = expect.objectContaining({ partial: true }) as unknown;

    for (let request = 0; request < 3; request++) {
      expect((await continued('xai', 'grok-4', { continuation })).messages).toContainEqual(marked);
    }
  });

  it('should fall to a user turn once, and for good, where llama.cpp refuses the trailing turn', async () => {
    const refusal = {
      error: { code: 400, message: 'Assistant response prefill is incompatible with enable_thinking.' },
    };
    const fetch = fakeFetch(
      { status: 400, headers: { 'content-type': 'application/json' }, body: JSON.stringify(refusal) },
      { body: sse(chunk({ content: 'is 42' }), finish('stop'), '[DONE]') },
    );
    const factory = () => executor;
    const executor = openaiCompatible('llamacpp', { fetch });
    const first = await read(factory, '', {}, cut);
    const second = await read(factory, '', {}, cut);
    const sent = fetch.requests.map(({ body }) => (body as { messages: { role: string }[] }).messages.at(-1)?.role);

    expect([first.error, second.error]).toEqual([undefined, undefined]);
    expect(sent).toEqual(['assistant', 'user', 'user']);
    expect(fetch.requests[1]?.body).not.toHaveProperty('chat_template_kwargs');
    expect(first.events[0]?.providerMetadata?.continuation).toMatchObject({ mechanism: 'prompt' });
  });

  it('should be known beforehand', () => {
    expect(continuationMechanism('mistral', 'mistral-small')).toBe('prefill');
    expect(continuationMechanism('openai', 'gpt-5')).toBe('prompt');
    expect(continuationMechanism('nobody', 'nothing')).toBe('prompt');
  });
});
