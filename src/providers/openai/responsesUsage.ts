import type { TokenUsage } from '../../contract/index.js';
import type { ResponsesUsage } from './responsesWire.js';

/**
 * Reads token counts; undefined when there is none among them. `input_tokens` holds what a cache gave, and
 * `output_tokens` the reasoning. Source: OpenAI API reference, "The response object".
 */
export function responsesUsage(told: ResponsesUsage): TokenUsage | undefined {
  const prompt = count(told.input_tokens);
  const completion = count(told.output_tokens);
  const total = count(told.total_tokens);
  if (prompt === undefined && completion === undefined && total === undefined) return undefined;
  const cacheRead = count(told.input_tokens_details?.cached_tokens);
  const cacheCreation = count(told.input_tokens_details?.cache_write_tokens);
  const thinking = count(told.output_tokens_details?.reasoning_tokens);
  return {
    ...(prompt !== undefined && { promptTokens: prompt }),
    ...(completion !== undefined && { completionTokens: completion }),
    ...(total !== undefined && { totalTokens: total }),
    ...(cacheRead !== undefined && { cacheReadTokens: cacheRead }),
    ...(cacheCreation !== undefined && { cacheCreationTokens: cacheCreation }),
    ...(thinking !== undefined && { thinkingTokens: thinking }),
  };
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
