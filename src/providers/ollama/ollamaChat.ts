import type { InferenceRequest, LlmExecutor } from '../../contract/index.js';
import { NDJSON_MEDIA_TYPE, ndjsonFraming } from '../../wire/ndjson.js';
import { createProvider } from '../shared/createProvider.js';
import type { ProviderOptions } from '../shared/options.js';
import { OllamaDecoder } from './decode.js';
import { encodeOllama } from './encode.js';

/** Ollama sends no byte while it loads a model, which takes minutes for a large one. */
export const LIVENESS_TIMEOUT = 300_000;

/**
 * Options of {@link ollamaChat}. `apiKey` is for Ollama's cloud; a server of one's own has none. `livenessTimeout` defaults to
 * 300,000: loading a model is silent. `continuation: 'prefill'` is right for models whose template continues a trailing
 * assistant turn.
 */
export type OllamaOptions = ProviderOptions;

/**
 * Makes an executor for Ollama's `/api/chat`.
 *
 * `reasoningEffort` switches thinking on and off, and is a level for gpt-oss. Images are sent as bytes. What Ollama lacks is an
 * `invalid-request`: a forced tool, a switch for parallel calls, a budget for reasoning, metadata, documents, audio, video;
 * `toolChoice: 'none'` leaves the tools out. Its own parameters go through `overrides.providerOptions`, such as
 * `{ options: { num_ctx: 32768 }, keep_alive: '1h' }`; their `options` are added to ours.
 * @example Ask a model on one's own machine
 * ```ts
 * import { textDeltas, userMessage } from 'rx-llm';
 * import { ollamaChat } from 'rx-llm/ollama';
 *
 * ollamaChat()
 *   .executeStream({ model: 'qwen3:4b', messages: [userMessage('Hello!')] })
 *   .pipe(textDeltas())
 *   .subscribe((text) => console.log(text));
 * ```
 * @param options - See {@link OllamaOptions}. `baseUrl` defaults to `http://127.0.0.1:11434`.
 */
export function ollamaChat(options: OllamaOptions = {}): LlmExecutor {
  return createProvider(
    {
      name: 'ollama',
      provider: 'ollama',
      encode: (request, _, apiKey) => encodeOllama(request, apiKey, options.baseUrl),
      decoder: (request) => new OllamaDecoder(countCalls(request)),
      framing: ndjsonFraming,
      accepts: NDJSON_MEDIA_TYPE,
    },
    { ...options, livenessTimeout: options.livenessTimeout ?? LIVENESS_TIMEOUT },
  );
}

function countCalls({ messages }: InferenceRequest): number {
  return messages.reduce((sum, { content }) => sum + content.filter(({ type }) => type === 'tool-call').length, 0);
}
