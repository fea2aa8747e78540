/**
 * Tokens of one attempt or, on a result, of all attempts together. A field that the provider did not report is absent.
 */
export interface TokenUsage {
  /** All input tokens, those read from and written to a cache included. */
  promptTokens?: number;
  /** All output tokens, reasoning included. */
  completionTokens?: number;
  /** `promptTokens + completionTokens`, or what the provider says. */
  totalTokens?: number;
  /** Part of `promptTokens` that was read from a cache. */
  cacheReadTokens?: number;
  /** Part of `promptTokens` that was written to a cache. */
  cacheCreationTokens?: number;
  /** Part of `completionTokens` that was spent on reasoning. */
  thinkingTokens?: number;
  /** True when part of the figures is an estimate, because an attempt was cut off before it reported its own. */
  estimated?: boolean;
}

const COUNTS = [
  'promptTokens',
  'completionTokens',
  'totalTokens',
  'cacheReadTokens',
  'cacheCreationTokens',
  'thinkingTokens',
] as const;

/** Adds two usages field by field; a field is absent only where it is absent in both. */
export function addUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  const sum: TokenUsage = {};
  for (const field of COUNTS) {
    const x = a[field];
    const y = b[field];
    if (x !== undefined || y !== undefined) sum[field] = Math.max(0, x ?? 0) + Math.max(0, y ?? 0);
  }
  // One that tells no total has one all the same.
  if (sum.totalTokens !== undefined) sum.totalTokens = totalOf(a) + totalOf(b);
  if (a.estimated || b.estimated) sum.estimated = true;
  return sum;
}

function totalOf({ totalTokens, promptTokens = 0, completionTokens = 0 }: TokenUsage): number {
  return Math.max(0, totalTokens ?? promptTokens + completionTokens);
}

/**
 * Takes in a later report of the *same* attempt: providers repeat running totals, so the later figure replaces the
 * earlier one, field by field (Anthropic's `message_delta`, Gemini's `usageMetadata` on each chunk).
 */
export function updateUsage(earlier: TokenUsage | undefined, later: TokenUsage): TokenUsage {
  if (earlier === undefined) return later;
  const next: TokenUsage = { ...earlier };
  for (const field of COUNTS) if (later[field] !== undefined) next[field] = later[field];
  if (later.estimated) next.estimated = true;
  return next;
}
