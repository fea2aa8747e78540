import { userMessage, type ContentBlock, type InferenceOverrides, type InferenceRequest } from '../../../src/index.js';
import {
  compatiblePresets,
  openaiCompatible,
  type CompatiblePreset,
  type CompatiblePresetName,
  type EffortLevel,
} from '../../../src/providers/openai/index.js';
import { refusalOf, sentBy, type Factory } from './chatHelpers.js';

const hello: InferenceRequest = { model: 'some/model', messages: [userMessage('hello')] };

const preset =
  (name: CompatiblePresetName | CompatiblePreset): Factory =>
  (options) =>
    openaiCompatible(name, options);

async function settingsOf(name: CompatiblePresetName, overrides: InferenceOverrides): Promise<Record<string, unknown>> {
  const { body } = await sentBy(preset(name), { ...hello, overrides }, { baseUrl: 'https://llm.test' });
  const { model: _model, messages: _messages, stream: _stream, stream_options: _options, ...rest } = body;
  return rest;
}

describe('the presets of openaiCompatible', () => {
  it.each<[CompatiblePresetName, string]>([
    ['mistral', 'https://api.mistral.ai/v1/chat/completions'],
    ['deepseek', 'https://api.deepseek.com/chat/completions'],
    ['moonshot', 'https://api.moonshot.ai/v1/chat/completions'],
    ['groq', 'https://api.groq.com/openai/v1/chat/completions'],
    ['xai', 'https://api.x.ai/v1/chat/completions'],
    ['openrouter', 'https://openrouter.ai/api/v1/chat/completions'],
    ['together', 'https://api.together.xyz/v1/chat/completions'],
    ['fireworks', 'https://api.fireworks.ai/inference/v1/chat/completions'],
    ['perplexity', 'https://api.perplexity.ai/chat/completions'],
    ['cerebras', 'https://api.cerebras.ai/v1/chat/completions'],
    ['vllm', 'http://localhost:8000/v1/chat/completions'],
    ['sglang', 'http://localhost:30000/v1/chat/completions'],
    ['llamacpp', 'http://localhost:8080/v1/chat/completions'],
    ['lmstudio', 'http://localhost:1234/v1/chat/completions'],
    ['ollama', 'http://localhost:11434/v1/chat/completions'],
  ])('should send %s to its own address with a bearer key', async (name, address) => {
    const { url, headers, body } = await sentBy(preset(name), hello);

    expect(url).toBe(address);
    expect(headers['authorization']).toBe('Bearer key');
    expect(body).toMatchObject({ model: 'some/model', stream: true, messages: [{ role: 'user', content: 'hello' }] });
  });

  it('should let OpenRouter try the fallback models by itself, each of them once', async () => {
    const overrides = { fallbackModels: ['a/b', 'some/model'] };

    expect(await settingsOf('openrouter', overrides)).toEqual({ models: ['some/model', 'a/b'] });
    expect(await settingsOf('openrouter', { fallbackModels: [] })).toEqual({});
    expect(await settingsOf('groq', overrides)).toEqual({});
  });

  it('should be all that are promised, each under its own name', () => {
    const names = Object.keys(compatiblePresets);

    expect(names).toEqual(
      'azure mistral deepseek moonshot groq xai openrouter together fireworks perplexity cerebras vllm sglang llamacpp lmstudio ollama'.split(
        ' ',
      ),
    );
    expect(Object.values(compatiblePresets).map(({ name }) => name)).toEqual(names);
    expect(openaiCompatible('groq').name).toBe('groq');
  });

  it('should send azure to a deployment of the resource, with its own key header and version', async () => {
    const baseUrl = 'https://mine.openai.azure.com';
    const { url, headers } = await sentBy(preset('azure'), { ...hello, model: 'gpt 4o' }, { baseUrl });
    const later: Factory = (options) => openaiCompatible('azure', { ...options, apiVersion: '2025-01-01-preview' });

    expect(url).toBe(`${baseUrl}/openai/deployments/gpt%204o/chat/completions?api-version=2025-04-01-preview`);
    expect(headers).toMatchObject({ 'api-key': 'key' });
    expect(headers).not.toHaveProperty('authorization');
    expect((await sentBy(later, hello, { baseUrl })).url).toMatch(/\?api-version=2025-01-01-preview$/);
  });

  it('should send azure to the API without versions where the address says so', async () => {
    const { url, body } = await sentBy(preset('azure'), hello, { baseUrl: 'https://mine.openai.azure.com/openai/v1/' });

    expect(url).toBe('https://mine.openai.azure.com/openai/v1/chat/completions');
    expect(body['model']).toBe('some/model');
  });

  it('should ask for usage but where the vendor refuses to be asked', async () => {
    const asked = async (name: CompatiblePresetName) =>
      (await sentBy(preset(name), hello, { baseUrl: 'https://llm.test' })).body['stream_options'] !== undefined;
    const names = Object.keys(compatiblePresets) as CompatiblePresetName[];
    const silent = await Promise.all(names.map(async (name) => ((await asked(name)) ? [] : [name])));

    expect(silent.flat()).toEqual(['mistral', 'perplexity']);
  });

  it.each<[CompatiblePresetName, string]>([
    ['azure', 'max_completion_tokens'],
    ['groq', 'max_completion_tokens'],
    ['xai', 'max_completion_tokens'],
    ['cerebras', 'max_completion_tokens'],
    ['mistral', 'max_tokens'],
    ['deepseek', 'max_tokens'],
    ['openrouter', 'max_tokens'],
    ['vllm', 'max_tokens'],
    ['ollama', 'max_tokens'],
  ])('should limit the answer of %s by %s', async (name, member) => {
    expect(await settingsOf(name, { maxTokens: 9 })).toEqual({ [member]: 9 });
  });

  it('should call the seed of Mistral by its own name', async () => {
    expect(await settingsOf('mistral', { seed: 5 })).toEqual({ random_seed: 5 });
    expect(await settingsOf('groq', { seed: 5 })).toEqual({ seed: 5 });
  });

  it.each<[CompatiblePresetName, InferenceOverrides['reasoningEffort'], Record<string, unknown>]>([
    ['groq', 'low', { reasoning_effort: 'low' }],
    ['groq', 'max', { reasoning_effort: 'high' }],
    ['azure', 'max', { reasoning_effort: 'high' }],
    ['groq', 'minimal', { reasoning_effort: 'low' }],
    ['ollama', 'max', { reasoning_effort: 'max' }],
    ['ollama', 'minimal', { reasoning_effort: 'low' }],
    ['openrouter', 'minimal', { reasoning: { effort: 'minimal' } }],
    ['openrouter', 'max', { reasoning: { effort: 'xhigh' } }],
    ['moonshot', 'none', { thinking: { type: 'disabled' } }],
    ['moonshot', 'high', { thinking: { type: 'enabled' } }],
    ['openrouter', 'high', { reasoning: { effort: 'high' } }],
    ['openrouter', { budget: 2000 }, { reasoning: { max_tokens: 2000 } }],
    ['deepseek', 'none', { thinking: { type: 'disabled' } }],
    ['deepseek', 'max', { thinking: { type: 'enabled' }, reasoning_effort: 'max' }],
    ['llamacpp', 'none', { chat_template_kwargs: { enable_thinking: false } }],
    ['llamacpp', 'low', { chat_template_kwargs: { enable_thinking: true, reasoning_effort: 'low' } }],
  ])('should ask %s for the effort %j in its own way', async (name, reasoningEffort, expected) => {
    expect(await settingsOf(name, { reasoningEffort })).toEqual(expected);
  });

  it.each<[CompatiblePresetName, string, Partial<Record<EffortLevel, string>>]>([
    ['mistral', 'mistral-small-latest', { none: 'none', minimal: 'none', low: 'high', medium: 'high', max: 'high' }],
    ['mistral', 'mistral-large-4', { none: 'none', minimal: 'low', low: 'low', medium: 'medium', max: 'high' }],
    ['groq', 'qwen/qwen3-32b', { none: 'none', minimal: 'default', medium: 'default', max: 'default' }],
    ['groq', 'openai/gpt-oss-120b', { minimal: 'low', medium: 'medium', max: 'high' }],
    ['moonshot', 'kimi-k3', { none: 'low', minimal: 'low', low: 'low', medium: 'high', high: 'high', max: 'max' }],
  ])('should ask %s for the efforts that %s knows', async (name, model, words) => {
    for (const [effort, word] of Object.entries(words)) {
      const overrides = { model, reasoningEffort: effort as EffortLevel };
      expect([effort, await settingsOf(name, overrides)]).toEqual([effort, { reasoning_effort: word }]);
    }
  });

  it('should refuse JSON without a schema where a vendor has it only with one', async () => {
    for (const name of ['perplexity', 'lmstudio'] as const) {
      await expect(settingsOf(name, { responseFormat: { type: 'json' } })).rejects.toMatchObject({
        kind: 'invalid-request',
        detail: expect.stringContaining('JSON without a schema'),
      });
      const { response_format: format } = await settingsOf(name, {
        responseFormat: { type: 'json-schema', schema: {} },
      });
      expect(format).toMatchObject({ type: 'json_schema' });
    }
  });

  it('should send documents, sound and films in the form of the vendor', async () => {
    const url = { type: 'url', url: 'https://files.test/x' } as const;
    const bytes = { type: 'base64', mediaType: 'audio/wav', data: 'AA' } as const;
    const partOf = async (name: CompatiblePresetName, block: ContentBlock) => {
      const { body } = await sentBy(preset(name), { ...hello, messages: [userMessage([block])] });
      return (body.messages as { content: unknown[] }[])[0]?.content[0];
    };

    expect(await partOf('mistral', { type: 'document', source: url, title: 'x.pdf' })).toEqual({
      type: 'document_url',
      document_url: 'https://files.test/x',
      document_name: 'x.pdf',
    });
    expect(await partOf('mistral', { type: 'audio', source: bytes })).toEqual({
      type: 'input_audio',
      input_audio: 'AA',
    });
    expect(await partOf('openrouter', { type: 'document', source: url })).toEqual({
      type: 'file',
      file: { filename: 'document.pdf', file_data: 'https://files.test/x' },
    });
    expect(await partOf('openrouter', { type: 'video', source: url })).toEqual({
      type: 'video_url',
      video_url: { url: 'https://files.test/x' },
    });
  });

  it.each<[CompatiblePresetName, Partial<InferenceRequest>, string]>([
    [
      'deepseek',
      { overrides: { responseFormat: { type: 'json-schema', schema: {} } } },
      'a JSON schema for the answer',
    ],
    ['groq', { overrides: { reasoningEffort: { budget: 5 } } }, 'a reasoning budget in tokens'],
    [
      'groq',
      { messages: [userMessage([{ type: 'document', source: { type: 'url', url: 'x' } }])] },
      'a document block',
    ],
    ['xai', { messages: [userMessage([{ type: 'audio', source: { type: 'url', url: 'x' } }])] }, 'an audio block'],
    ['deepseek', { messages: [userMessage([{ type: 'image', source: { type: 'url', url: 'x' } }])] }, 'an image block'],
  ])('should refuse for %s what the vendor lacks, before any call', async (name, more, what) => {
    const error = await refusalOf(preset(name), { ...hello, ...more });

    expect(error.kind).toBe('invalid-request');
    expect(error.message).toContain(`invalid request: ${name} chat cannot send ${what}; `);
  });

  it('should send several texts to DeepSeek as one, since it reads strings only', async () => {
    const texts: ContentBlock[] = [
      { type: 'text', text: 'one' },
      { type: 'text', text: 'two' },
    ];
    const contentOf = async (name: CompatiblePresetName) =>
      (await sentBy(preset(name), { ...hello, messages: [userMessage(texts)] })).body.messages[0]?.content;

    expect(await contentOf('deepseek')).toBe('one\n\ntwo');
    expect(await contentOf('groq')).toEqual(texts);
  });

  it('should give way to a preset of one’s own', async () => {
    const mine: CompatiblePreset = {
      name: 'mine',
      baseUrl: 'https://llm.mine.test/v2',
      path: '/chat/{model}',
      keyHeader: 'x-key',
      streamOptions: false,
      systemRole: 'developer',
    };
    const { url, headers, body } = await sentBy(preset(mine), { ...hello, system: 'be brief' });

    expect(url).toBe('https://llm.mine.test/v2/chat/some%2Fmodel');
    expect(headers['x-key']).toBe('key');
    expect(body).toEqual({
      model: 'some/model',
      stream: true,
      messages: [
        { role: 'developer', content: 'be brief' },
        { role: 'user', content: 'hello' },
      ],
    });
    expect((await sentBy(preset({ ...compatiblePresets.groq, baseUrl: 'https://eu.test' }), hello)).url).toMatch(
      /^https:\/\/eu/,
    );
  });

  it('should say at the call what is missing or wrong', () => {
    // @ts-expect-error the name of no preset
    expect(() => openaiCompatible('nobody')).toThrow(/no preset is called "nobody"; there are azure, mistral, /);
    // @ts-expect-error the name of no preset
    expect(() => openaiCompatible('toString')).toThrow(/no preset is called "toString"/);
    expect(() => openaiCompatible('azure', {})).toThrow(/azure has no address of its own; give options.baseUrl/);
    expect(() => openaiCompatible({ name: 'mine' })).toThrow(TypeError);
  });
});
