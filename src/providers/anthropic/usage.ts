import type { TokenUsage } from '../../contract/index.js';
import type { WireUsage } from './wire.js';

/**
 * Takes in a later report: `message_delta` repeats running totals and may correct what `message_start` said, member by
 * member; null says nothing (Anthropic "Streaming messages": "token counts … are cumulative").
 */
export function mergeUsage(earlier: WireUsage, later: WireUsage): WireUsage {
  const told = Object.entries(later).filter(([, value]) => value !== null && value !== undefined);
  return { ...earlier, ...Object.fromEntries(told) };
}

/**
 * Counts as the contract does. "Total input tokens in a request is the summation of `input_tokens`,
 * `cache_creation_input_tokens`, and `cache_read_input_tokens`"; output includes thinking. What the API spends beside the
 * answer (compaction, an advisor model) is not in its totals, and not in these: it stands in `iterations` of the usage in
 * the metadata of the `stop`.
 */
export function usageOf(report: WireUsage): TokenUsage {
  const fresh = countOf(report.input_tokens);
  const read = countOf(report.cache_read_input_tokens);
  const created = countOf(report.cache_creation_input_tokens);
  const output = countOf(report.output_tokens);
  const thinking = countOf(report.output_tokens_details?.thinking_tokens);
  const usage: TokenUsage = {};
  if (fresh !== undefined || read !== undefined || created !== undefined) {
    usage.promptTokens = (fresh ?? 0) + (read ?? 0) + (created ?? 0);
  }
  if (output !== undefined) usage.completionTokens = output;
  if (usage.promptTokens !== undefined && output !== undefined) usage.totalTokens = usage.promptTokens + output;
  if (read !== undefined) usage.cacheReadTokens = read;
  if (created !== undefined) usage.cacheCreationTokens = created;
  if (thinking !== undefined) usage.thinkingTokens = thinking;
  return usage;
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
