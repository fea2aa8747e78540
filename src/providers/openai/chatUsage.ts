import type { TokenUsage } from '../../contract/index.js';
import { count, tokenUsage } from '../shared/tokenUsage.js';
import type { ChatUsage } from './chatChunk.js';

/**
 * Reads token counts; undefined when there is none among them (null members on every chunk: Databricks).
 *
 * `prompt_tokens` holds what a cache gave. `completion_tokens` holds the reasoning, except with xAI, whose total tells: it
 * is the sum of all three.
 */
export function usageOf(usage: ChatUsage): TokenUsage | undefined {
  const prompt = count(usage.prompt_tokens);
  const completion = count(usage.completion_tokens);
  const total = count(usage.total_tokens);
  const thinking = count(usage.completion_tokens_details?.reasoning_tokens) ?? count(usage.reasoning_tokens);
  const cacheRead =
    count(usage.prompt_tokens_details?.cached_tokens) ??
    count(usage.prompt_cache_hit_tokens) ??
    count(usage.cached_tokens) ??
    count(usage.cache_read_input_tokens);
  const cacheCreation =
    count(usage.prompt_tokens_details?.cache_write_tokens) ?? count(usage.cache_creation_input_tokens);

  const apart =
    completion !== undefined &&
    thinking !== undefined &&
    thinking > 0 &&
    total === (prompt ?? 0) + completion + thinking;
  const answer = apart ? completion + thinking : completion;
  return tokenUsage({ prompt, completion: answer, total, cacheRead, cacheCreation, thinking });
}
