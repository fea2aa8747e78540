import type { TokenUsage } from '../../contract/index.js';
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

  const read: TokenUsage = {};
  if (prompt !== undefined) read.promptTokens = prompt;
  if (completion !== undefined) {
    const apart = thinking !== undefined && thinking > 0 && total === (prompt ?? 0) + completion + thinking;
    read.completionTokens = apart ? completion + thinking : completion;
  }
  if (total !== undefined) read.totalTokens = total;
  if (cacheRead !== undefined) read.cacheReadTokens = cacheRead;
  if (cacheCreation !== undefined) read.cacheCreationTokens = cacheCreation;
  if (thinking !== undefined) read.thinkingTokens = thinking;
  return prompt === undefined && completion === undefined && total === undefined ? undefined : read;
}

/** True when a report says nothing new: some vendors repeat it with every chunk. */
export function sameUsage(a: TokenUsage | undefined, b: TokenUsage): boolean {
  return (
    a !== undefined &&
    a.promptTokens === b.promptTokens &&
    a.completionTokens === b.completionTokens &&
    a.totalTokens === b.totalTokens &&
    a.cacheReadTokens === b.cacheReadTokens &&
    a.cacheCreationTokens === b.cacheCreationTokens &&
    a.thinkingTokens === b.thinkingTokens
  );
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
