import type { TokenUsage } from '../../contract/index.js';
import { count, tokenUsage } from '../shared/tokenUsage.js';
import type { ResponsesUsage } from './responsesWire.js';

/**
 * Reads token counts; undefined when there is none among them. `input_tokens` holds what a cache gave, and
 * `output_tokens` the reasoning. Source: OpenAI API reference, "The response object".
 */
export function responsesUsage(told: ResponsesUsage): TokenUsage | undefined {
  return tokenUsage({
    prompt: count(told.input_tokens),
    completion: count(told.output_tokens),
    total: count(told.total_tokens),
    cacheRead: count(told.input_tokens_details?.cached_tokens),
    cacheCreation: count(told.input_tokens_details?.cache_write_tokens),
    thinking: count(told.output_tokens_details?.reasoning_tokens),
  });
}
