import type { LlmExecutor } from '../../contract/index.js';
import { NDJSON_MEDIA_TYPE, ndjsonFraming } from '../../wire/ndjson.js';
import { createProvider } from '../shared/createProvider.js';
import { OllamaDecoder } from './decode.js';
import { encodeGenerate } from './encode.js';
import { LIVENESS_TIMEOUT, type OllamaOptions } from './ollamaChat.js';

/**
 * Makes an executor for Ollama's older `/api/generate`, which takes one prompt.
 *
 * The one message of the user is the prompt, with its images; the system prompt, reasoning and structured output are as with
 * `ollamaChat`. A conversation, tools and other media are an `invalid-request`. What goes on with an answer that was cut off
 * is written out as a dialogue in the prompt. `suffix`, `raw`, `template`, `context` and the rest of the API go through
 * `overrides.providerOptions`.
 *
 * @example Ask a model on one's own machine
 * ```ts
 * import { textDeltas, userMessage } from 'rx-llm';
 * import { ollamaGenerate } from 'rx-llm/ollama';
 *
 * ollamaGenerate()
 *   .executeStream({ model: 'gemma3:1b', messages: [userMessage('Name three marbles.')] })
 *   .pipe(textDeltas())
 *   .subscribe((text) => console.log(text));
 * ```
 * @param options - As with `ollamaChat`.
 */
export function ollamaGenerate(options: OllamaOptions = {}): LlmExecutor {
  return createProvider(
    {
      name: 'ollama-generate',
      provider: 'ollama',
      encode: (request, continuation, apiKey) =>
        encodeGenerate(request, continuation !== undefined, apiKey, options.baseUrl),
      decoder: () => new OllamaDecoder(0),
      framing: ndjsonFraming,
      accepts: NDJSON_MEDIA_TYPE,
    },
    { ...options, livenessTimeout: options.livenessTimeout ?? LIVENESS_TIMEOUT },
  );
}
