import type { LlmExecutor } from '../../contract/index.js';
import { GOOGLE_RULES } from '../shared/continuationTable.js';
import { createProvider } from '../shared/createProvider.js';
import { GenerateContentDecoder } from './decode.js';
import { encodeGenerateContent } from './encode.js';
import { GENERATE_CONTENT_MEDIA_TYPE, generateContentFraming } from './framing.js';
import type { GeminiOptions } from './options.js';

/** Silence after a finish reason that ends the answer, in milliseconds: content may follow a finish. */
const TRAILER_TIMEOUT = 10_000;

/**
 * Makes an executor of Google's `streamGenerateContent`: the Gemini API, and Vertex AI with its `baseUrl` and a bearer token
 * in the headers.
 *
 * Thought signatures go back on the part that they came with; for calls that another vendor's model made, Gemini 3 gets the
 * signature that Google documents for it. Function calls without an id get one. A prompt or an answer that Google's filters
 * stop ends in `content-filter`, with Google's own word for it in the metadata of the `stop` event; a call that the model
 * could not form is a `provider` error. Code that ran at Google, its results, images, grounding and citations come as
 * `provider-block` events. Usage counts what server tools gave back to the model as input.
 *
 * Of a request: `system` and system messages are the system instruction, wherever they stand; `providerOptions` are merged
 * into the body, `generationConfig` and `toolConfig` member by member, `tools` behind the request's own. The title of a
 * document is not sent, and `enablePromptCache` needs nothing: Gemini caches by itself, and a cache of one's own goes into
 * `providerOptions.cachedContent`. `parallelToolCalls: false` and `metadata` (but on Vertex AI, where it is sent as labels)
 * are refused, since Google has nothing for them.
 *
 * @example
 * ```ts
 * import { textDeltas, userMessage } from 'rx-llm';
 * import { geminiGenerateContent } from 'rx-llm/google';
 *
 * const gemini = geminiGenerateContent({ apiKey: 'key' });
 * const answer$ = gemini
 *   .executeStream({ model: 'gemini-2.5-flash', messages: [userMessage('Explain marble diagrams.')] })
 *   .pipe(textDeltas());
 * ```
 * @param options - See {@link GeminiOptions}.
 */
export function geminiGenerateContent(options: GeminiOptions = {}): LlmExecutor {
  return createProvider(
    {
      name: 'google',
      provider: 'google',
      rules: GOOGLE_RULES,
      encode: (request, _continuation, apiKey) => encodeGenerateContent(request, options, apiKey),
      decoder: (request) => new GenerateContentDecoder(request),
      framing: generateContentFraming,
      accepts: GENERATE_CONTENT_MEDIA_TYPE,
      trailerTimeout: TRAILER_TIMEOUT,
    },
    options,
  );
}
