import type { TokenUsage } from '../../contract/index.js';
import type { WireUsage } from './wire.js';

/**
 * Counts as the contract does. "Total input tokens in a request is the summation of `input_tokens`,
 * `cache_creation_input_tokens`, and `cache_read_input_tokens`"; output includes thinking. What the API spends beside the
 * answer (compaction, an advisor model) is not in its totals, and not in these: it stands in `iterations` of the usage in
 * the metadata of the `stop`.
 */
export function usageOf(report: WireUsage): TokenUsage {
  const {
    input_tokens: fresh,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: created,
    output_tokens: output,
    output_tokens_details: details,
  } = report;
  const input = [fresh, read, created].filter(isCount);
  const prompt = input.length > 0 ? input.reduce((sum, count) => sum + count) : undefined;
  const counts = {
    promptTokens: prompt,
    completionTokens: output,
    totalTokens: isCount(prompt) && isCount(output) ? prompt + output : undefined,
    cacheReadTokens: read,
    cacheCreationTokens: created,
    thinkingTokens: details?.thinking_tokens,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => isCount(count)));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number';
}
