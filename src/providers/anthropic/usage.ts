import type { TokenUsage } from '../../contract/index.js';
import { count, sum, sumOfBoth, tokenUsage } from '../shared/tokenUsage.js';
import type { WireUsage } from './wire.js';

/**
 * Counts as the contract does. "Total input tokens in a request is the summation of `input_tokens`,
 * `cache_creation_input_tokens`, and `cache_read_input_tokens`"; output includes thinking. What the API spends beside the
 * answer (compaction, an advisor model) is not in its totals, and not in these: it stands in `iterations` of the usage in
 * the metadata of the `stop`.
 */
export function usageOf(report: WireUsage): TokenUsage | undefined {
  const {
    input_tokens: fresh,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: created,
    output_tokens: output,
    output_tokens_details: details,
  } = report;
  const prompt = sum(sum(fresh, read), created);
  const completion = count(output);
  const total = sumOfBoth(prompt, completion);
  const cache = { cacheRead: count(read), cacheCreation: count(created) };
  return tokenUsage({ prompt, completion, total, ...cache, thinking: count(details?.thinking_tokens) });
}
