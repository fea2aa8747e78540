import { modelOf, type LlmExecutor } from '../../contract/index.js';
import { SSE_MEDIA_TYPE, sseFraming } from '../../wire/sse.js';
import { createProvider } from '../shared/createProvider.js';
import type { ProviderOptions } from '../shared/options.js';
import { CohereDecoder } from './decode.js';
import { encodeCohere } from './encode.js';

/** Options of {@link cohereChat}. */
export type CohereOptions = ProviderOptions;

/**
 * Makes an executor for Cohere's v2 chat.
 *
 * The tool plan is reasoning, citations are `provider` blocks. `reasoningEffort` is a budget: 1,024 tokens for `minimal`, 4,096,
 * 8,192 and 16,384 for `high`, none for `max`. A forced tool is the only one that the model is told of. What Cohere lacks is an
 * `invalid-request`: a switch for parallel calls, metadata, documents, audio and video in messages. Everything else of the API
 * (`documents`, `citation_options`, `safety_mode`, `strict_tools`) goes through `overrides.providerOptions`.
 * @example Ask Command
 * ```ts
 * import { textDeltas, userMessage } from 'rx-llm';
 * import { cohereChat } from 'rx-llm/cohere';
 *
 * cohereChat({ apiKey: 'co-…' })
 *   .executeStream({ model: 'command-a-03-2025', messages: [userMessage('Hello!')] })
 *   .pipe(textDeltas())
 *   .subscribe((text) => console.log(text));
 * ```
 * @param options - See {@link CohereOptions}. `baseUrl` defaults to `https://api.cohere.com`.
 */
export function cohereChat(options: CohereOptions = {}): LlmExecutor {
  return createProvider(
    {
      name: 'cohere',
      provider: 'cohere',
      encode: (request, _, apiKey) => encodeCohere(request, apiKey, options.baseUrl),
      decoder: (request) => new CohereDecoder(modelOf(request)),
      framing: sseFraming,
      accepts: SSE_MEDIA_TYPE,
    },
    options,
  );
}
