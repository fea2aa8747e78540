import type { LlmExecutor } from '../../contract/index.js';
import { BEDROCK_RULES } from '../shared/continuationTable.js';
import { createBedrock, type BedrockOptions } from './bedrockFactory.js';
import { BedrockDecoder } from './decode.js';
import { canPrefill, encodeBedrock } from './encode.js';

/**
 * Makes an executor for the models behind Amazon Bedrock's `ConverseStream`.
 *
 * A model is named by its id, the id of an inference profile, or an ARN. What differs between the families of models is read from
 * that name: `reasoningEffort` (Claude, Nova 2, OpenAI), `enablePromptCache` (Claude, Nova), `parallelToolCalls: false`
 * (Claude); where it cannot be, the effort and the switch are an `invalid-request`, and the cache is left to Bedrock. Guardrails
 * and everything else of Converse go through `overrides.providerOptions`; what a guardrail says comes in the `providerMetadata`
 * of the `stop` event.
 * @example Ask Claude on Bedrock
 * ```ts
 * import { textDeltas, userMessage } from 'rx-llm';
 * import { bedrockConverse } from 'rx-llm/bedrock';
 *
 * const bedrock = bedrockConverse({ apiKey: 'bedrock-api-key', region: 'eu-central-1' });
 * bedrock
 *   .executeStream({ model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0', messages: [userMessage('Hello!')] })
 *   .pipe(textDeltas())
 *   .subscribe((text) => console.log(text));
 * ```
 * @param options - See {@link BedrockOptions}.
 * @throws TypeError when `region` is no name of a region.
 */
export function bedrockConverse(options: BedrockOptions = {}): LlmExecutor {
  return createBedrock(
    {
      factory: 'bedrockConverse',
      name: 'bedrock',
      rules: BEDROCK_RULES,
      encode: (request, _, baseUrl, headers) => encodeBedrock(request, baseUrl, headers),
      decoder: (model) => new BedrockDecoder(model),
      canPrefill,
    },
    options,
  );
}
