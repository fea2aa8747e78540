import { OPENAI, type CompatiblePreset } from './chatPreset.js';

/** Kimi, GLM and others make ids such as `functions.add:0`; only their length is a problem elsewhere. */
const SHORT_IDS = { pattern: /^[\s\S]{1,64}$/, length: 24 };

/**
 * The vendors of {@link openaiCompatible}, by name. A vendor that is not among them is one object of the same kind, given
 * to `openaiCompatible` in the place of the name.
 */
export const compatiblePresets = {
  /**
   * Azure OpenAI. `baseUrl` is the resource, `https://NAME.openai.azure.com`, and the model the deployment; one that ends
   * in `/openai/v1` speaks the newer API without versions. Source: "Azure OpenAI REST API reference", data plane; reasoning
   * models are "enabled only for api versions 2024-12-01-preview and later" (400).
   */
  azure: {
    ...OPENAI,
    name: 'azure',
    baseUrl: undefined,
    path: '/openai/deployments/{model}/chat/completions',
    apiVersion: '2025-04-01-preview',
    keyHeader: 'api-key',
  },
  /**
   * Source: Mistral API reference (OpenAPI): unknown members are refused with 422, so no `stream_options`; usage comes
   * unasked in the last chunk. "Tool call id … must be a-z, A-Z, 0-9, with a length of 9". Efforts: "Adjustable reasoning",
   * "reasoning_effort='medium' is not supported for this model. Must be one of (none, high)" (400).
   */
  mistral: {
    name: 'mistral',
    baseUrl: 'https://api.mistral.ai/v1',
    streamOptions: false,
    seed: 'random_seed',
    efforts: [
      { models: /large-4/i, words: {} },
      { models: /^/, words: { minimal: 'none', low: 'high', medium: 'high' } },
    ],
    media: { document: 'document_url', audio: 'plain' },
    reasoningHistory: { as: 'content' },
    toolCallIds: { pattern: /^[a-zA-Z0-9]{9}$/, length: 9 },
    echoes: ['reference'],
  },
  /**
   * Source: DeepSeek API docs, "Thinking Mode" (`reasoning_content` of turns with tool calls must be passed back),
   * "Chat Prefix Completion" (needs the beta address), "JSON Output" (`json_object` only).
   */
  deepseek: {
    name: 'deepseek',
    baseUrl: 'https://api.deepseek.com',
    prefillBaseUrl: 'https://api.deepseek.com/beta',
    jsonSchema: false,
    textParts: false,
    media: { document: false, audio: false },
    reasoning: 'thinking',
    maxEffort: 'max',
    reasoningHistory: { as: 'reasoning_content', toolTurnsOnly: true, required: true },
  },
  /**
   * Kimi. Source: Moonshot platform docs, "Partial Mode"; "thinking is enabled but reasoning_content is missing in
   * assistant tool call message" (400). K2 refuses `reasoning_effort` beside `thinking`, K3 knows the former alone: low,
   * high and max.
   */
  moonshot: {
    name: 'moonshot',
    baseUrl: 'https://api.moonshot.ai/v1',
    media: { document: false, audio: false, video: true },
    reasoning: 'switch',
    efforts: [{ models: /kimi-k[3-9]/i, byEffort: true, words: { none: 'low', medium: 'high', max: 'max' } }],
    reasoningHistory: { as: 'reasoning_content', toolTurnsOnly: true, required: true },
  },
  /**
   * Source: GroqCloud API reference. Models that write think tags do so only with `reasoning_format: 'raw'`; ask for
   * `parsed` through `providerOptions`, or set `options.thinkTags`. Qwen's effort is `none` or `default` (400 otherwise).
   */
  groq: {
    name: 'groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    maxTokens: 'max_completion_tokens',
    media: { document: false, audio: false },
    efforts: [
      {
        models: /qwen/i,
        words: { minimal: 'default', low: 'default', medium: 'default', high: 'default', max: 'default' },
      },
    ],
    reasoningHistory: { as: 'reasoning', toolTurnsOnly: true },
  },
  /** Source: xAI API reference, "Chat completions"; `reasoning_tokens` are not part of `completion_tokens` there. */
  xai: {
    name: 'xai',
    baseUrl: 'https://api.x.ai/v1',
    maxTokens: 'max_completion_tokens',
    media: { document: false, audio: false },
    reasoningHistory: { as: 'reasoning_content', toolTurnsOnly: true },
  },
  /** Source: OpenRouter docs, "Reasoning Tokens" (`reasoning_details` go back unmodified and in order), "PDF Inputs". */
  openrouter: {
    name: 'openrouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    media: { document: 'file-or-url', video: true },
    reasoning: 'reasoning',
    maxEffort: 'xhigh',
    efforts: [{ models: /^/, words: { minimal: 'minimal' } }],
    reasoningHistory: { as: 'reasoning_details' },
    toolCallIds: SHORT_IDS,
    fallbackModels: true,
  },
  /** Source: Together AI docs, "OpenAI compatibility", "DeepSeek-R1 quickstart" (reasoning in think tags). */
  together: {
    name: 'together',
    baseUrl: 'https://api.together.xyz/v1',
    media: { document: false, audio: false, video: true },
    thinkTags: true,
  },
  /** Source: Fireworks AI API reference, "Create chat completion"; "Reasoning" (`reasoning_content`, else think tags). */
  fireworks: {
    name: 'fireworks',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    media: { document: false, audio: false },
    reasoningHistory: { as: 'reasoning_content', toolTurnsOnly: true },
    thinkTags: true,
  },
  /**
   * Source: Perplexity API reference, "Structured outputs" (with a schema only); sonar-reasoning writes a think section first.
   * Usage comes with every chunk.
   */
  perplexity: {
    name: 'perplexity',
    baseUrl: 'https://api.perplexity.ai',
    streamOptions: false,
    jsonObject: false,
    media: { document: false, audio: false },
    thinkTags: true,
  },
  /** Source: Cerebras Inference docs, "Chat completions", "Reasoning" (think tags where the format is `raw`). */
  cerebras: {
    name: 'cerebras',
    baseUrl: 'https://api.cerebras.ai/v1',
    maxTokens: 'max_completion_tokens',
    media: { document: false, audio: false },
    reasoningHistory: { as: 'reasoning', toolTurnsOnly: true },
    thinkTags: true,
  },
  /**
   * Source: vLLM docs, "OpenAI-Compatible Server"; think tags where the server runs without a reasoning parser. The history's
   * `reasoning_content` is read by the newest servers and those before 0.16 alone, `reasoning` by all since November 2025.
   */
  vllm: {
    name: 'vllm',
    baseUrl: 'http://localhost:8000/v1',
    media: { document: false, video: true },
    reasoningHistory: { as: 'reasoning', toolTurnsOnly: true },
    toolCallIds: SHORT_IDS,
    thinkTags: true,
  },
  /** Source: SGLang docs, "OpenAI APIs - Completions"; think tags where the server runs without a reasoning parser. */
  sglang: {
    name: 'sglang',
    baseUrl: 'http://localhost:30000/v1',
    media: { document: false, video: true },
    reasoningHistory: { as: 'reasoning_content', toolTurnsOnly: true },
    toolCallIds: SHORT_IDS,
    thinkTags: true,
  },
  /**
   * Source: llama.cpp server README and pull request 13174: "Assistant response prefill is incompatible with
   * enable_thinking", so thinking is switched off where an answer that was cut off is continued.
   */
  llamacpp: {
    name: 'llamacpp',
    baseUrl: 'http://localhost:8080/v1',
    prefillBody: { chat_template_kwargs: { enable_thinking: false } },
    media: { document: false },
    reasoning: 'template',
    reasoningHistory: { as: 'reasoning_content', toolTurnsOnly: true },
  },
  /**
   * Source: LM Studio docs, "OpenAI compatibility"; "'response_format.type' must be 'json_schema' or 'text'" (400). Reasoning
   * stays in think tags unless a setting separates it.
   */
  lmstudio: {
    name: 'lmstudio',
    baseUrl: 'http://localhost:1234/v1',
    jsonObject: false,
    media: { document: false, audio: false },
    thinkTags: true,
  },
  /** Source: Ollama docs, "OpenAI compatibility". For everything that Ollama can do, see `ollamaChat`. */
  ollama: {
    name: 'ollama',
    baseUrl: 'http://localhost:11434/v1',
    media: { document: false, audio: false },
    maxEffort: 'max',
    reasoningHistory: { as: 'reasoning', toolTurnsOnly: true },
  },
} satisfies Record<string, CompatiblePreset>;

/** Name of a preset of {@link openaiCompatible}. */
export type CompatiblePresetName = keyof typeof compatiblePresets;
