import type { LlmExecutor } from '../../contract/index.js';
import { BEDROCK_INVOKE_RULES } from '../shared/continuationTable.js';
import { createBedrock, type BedrockOptions } from './bedrockFactory.js';
import { canPrefillInvoke, encodeInvoke } from './invokeEncode.js';
import { InvokeDecoder } from './invokeDecode.js';

/**
 * Makes an executor for Amazon Bedrock's `InvokeModelWithResponseStream`, which takes and gives each model's own JSON.
 *
 * Claude is asked as by Anthropic's Messages API, Nova as by Converse, Command R as by Cohere's v1 chat. Titan Text, Llama,
 * Mistral 7B, Mixtral and Command take one prompt as it stands, templates and all, and go on with a text that was cut off. What a
 * model's format lacks, and any other model, is an `invalid-request` that says what to take instead. Answers are told apart by
 * their own form, so that ids of inference profiles do. `overrides.providerOptions` goes into the body.
 *
 * @example Ask Claude with a feature that Converse lacks
 * ```ts
 * import { textDeltas, userMessage } from 'rx-llm';
 * import { bedrockInvoke } from 'rx-llm/bedrock';
 *
 * bedrockInvoke({ apiKey: 'bedrock-api-key', region: 'eu-central-1' })
 *   .executeStream({
 *     model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
 *     messages: [userMessage('Hello!')],
 *     overrides: { providerOptions: { anthropic_beta: ['context-1m-2025-08-07'] } },
 *   })
 *   .pipe(textDeltas())
 *   .subscribe((text) => console.log(text));
 * ```
 * @param options - As with `bedrockConverse`.
 * @throws TypeError when `region` is no name of a region.
 */
export function bedrockInvoke(options: BedrockOptions = {}): LlmExecutor {
  return createBedrock(
    {
      factory: 'bedrockInvoke',
      name: 'bedrock-invoke',
      rules: BEDROCK_INVOKE_RULES,
      encode: encodeInvoke,
      decoder: (model) => new InvokeDecoder(model),
      canPrefill: canPrefillInvoke,
    },
    options,
  );
}
