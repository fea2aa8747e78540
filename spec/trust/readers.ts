import type { LlmExecutor } from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { bedrockConverse, bedrockInvoke } from '../../src/providers/bedrock/index.js';
import { cohereChat, cohereChatV1 } from '../../src/providers/cohere/index.js';
import { geminiGenerateContent, geminiInteractions } from '../../src/providers/google/index.js';
import { ollamaChat, ollamaGenerate } from '../../src/providers/ollama/index.js';
import {
  openaiChat,
  openaiCompatible,
  openaiCompletions,
  openaiResponses,
  type CompatiblePresetName,
} from '../../src/providers/openai/index.js';
import type { ProviderOptions } from '../../src/providers/shared/options.js';

/** Options that all factories take; Google and others have more of their own. */
export type AnyOptions = Pick<ProviderOptions, 'apiKey' | 'baseUrl' | 'fetch' | 'headers' | 'maxAnswerLength'>;

const compatible =
  (preset: CompatiblePresetName) =>
  (options: AnyOptions): LlmExecutor =>
    openaiCompatible(preset, preset === 'azure' ? { baseUrl: 'https://a.openai.azure.com', ...options } : options);

/** Who reads a dialect of the recordings; those that are not named speak plain Chat Completions. */
const BY_DIALECT: Record<string, (options: AnyOptions) => LlmExecutor> = {
  anthropic: anthropicMessages,
  'bedrock-converse': bedrockConverse,
  'bedrock-invoke': bedrockInvoke,
  'cohere-v1': cohereChatV1,
  'cohere-v2': cohereChat,
  gemini: geminiGenerateContent,
  'gemini-json-array': (options) => geminiGenerateContent({ ...options, transport: 'json-array' }),
  'gemini-interactions': geminiInteractions,
  ollama: ollamaChat,
  'ollama-generate': ollamaGenerate,
  'openai-completions': openaiCompletions,
  'openai-responses': openaiResponses,
  'responses-compat': openaiResponses,
  'azure-chat': compatible('azure'),
  mistral: compatible('mistral'),
  deepseek: compatible('deepseek'),
  xai: compatible('xai'),
  groq: compatible('groq'),
  openrouter: compatible('openrouter'),
  perplexity: compatible('perplexity'),
  vllm: compatible('vllm'),
  llamacpp: compatible('llamacpp'),
  'ollama-openai': compatible('ollama'),
};

/** Makes the executor that reads a dialect. */
export function readerOf(dialect: string, options: AnyOptions): LlmExecutor {
  return (BY_DIALECT[dialect] ?? openaiChat)(options);
}

/** Every wire format once: a name, who reads it, the media type of its streams, and a model that it knows. */
export const WIRES: [name: string, create: (options: AnyOptions) => LlmExecutor, mediaType: string, model: string][] = [
  ['openaiChat', openaiChat, 'text/event-stream', 'some-model'],
  ['openaiCompatible', compatible('openrouter'), 'text/event-stream', 'some-model'],
  ['openaiResponses', openaiResponses, 'text/event-stream', 'some-model'],
  ['openaiCompletions', openaiCompletions, 'text/event-stream', 'some-model'],
  ['anthropicMessages', anthropicMessages, 'text/event-stream', 'some-model'],
  ['geminiGenerateContent', geminiGenerateContent, 'text/event-stream', 'some-model'],
  ['geminiInteractions', geminiInteractions, 'text/event-stream', 'some-model'],
  ['bedrockConverse', bedrockConverse, 'application/vnd.amazon.eventstream', 'some-model'],
  ['bedrockInvoke', bedrockInvoke, 'application/vnd.amazon.eventstream', 'anthropic.claude-3-haiku-20240307-v1:0'],
  ['ollamaChat', ollamaChat, 'application/x-ndjson', 'some-model'],
  ['ollamaGenerate', ollamaGenerate, 'application/x-ndjson', 'some-model'],
  ['cohereChat', cohereChat, 'text/event-stream', 'some-model'],
  ['cohereChatV1', cohereChatV1, 'application/stream+json', 'some-model'],
];
