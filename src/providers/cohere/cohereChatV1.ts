import type { LlmExecutor } from '../../contract/index.js';
import { NDJSON_MEDIA_TYPE, ndjsonFraming } from '../../wire/ndjson.js';
import { createProvider } from '../shared/createProvider.js';
import type { CohereOptions } from './cohereChat.js';
import { CohereV1Decoder } from './decodeV1.js';
import { encodeCohereV1 } from './encodeV1.js';

/**
 * Makes an executor for Cohere's older `/v1/chat`.
 *
 * The last message is the question, those before it the `chat_history`, the system prompt the `preamble`. Tools are described
 * otherwise there and called without ids: tools, their calls and results in messages, media and reasoning are an
 * `invalid-request` that names `cohereChat`. Tools, `documents` and `connectors` in the API's own words go through
 * `overrides.providerOptions`; the calls, citations and searches that come of them are read.
 *
 * @example Ask Command R
 * ```ts
 * import { textDeltas, userMessage } from 'rx-llm';
 * import { cohereChatV1 } from 'rx-llm/cohere';
 *
 * cohereChatV1({ apiKey: 'co-…' })
 *   .executeStream({ model: 'command-r-08-2024', messages: [userMessage('Hello!')] })
 *   .pipe(textDeltas())
 *   .subscribe((text) => console.log(text));
 * ```
 * @param options - See {@link CohereOptions}. `baseUrl` defaults to `https://api.cohere.com`.
 */
export function cohereChatV1(options: CohereOptions = {}): LlmExecutor {
  return createProvider(
    {
      name: 'cohere-v1',
      provider: 'cohere',
      encode: (request, _, apiKey) => encodeCohereV1(request, apiKey, options.baseUrl),
      decoder: () => new CohereV1Decoder(),
      framing: ndjsonFraming,
      accepts: NDJSON_MEDIA_TYPE,
    },
    options,
  );
}
