import type { TokenUsage } from '../../contract/index.js';

/** The counts of a report, as far as they are there; see {@link TokenUsage}. */
export interface TokenCounts {
  prompt: number | undefined;
  completion: number | undefined;
  total?: number | undefined;
  cacheRead?: number | undefined;
  cacheCreation?: number | undefined;
  thinking?: number | undefined;
}

/** A count of tokens as a vendor tells it; undefined for what is none: null, a text, a number below 0. */
export function count(told: unknown): number | undefined {
  return typeof told === 'number' && Number.isFinite(told) && told >= 0 ? told : undefined;
}

/** The sum of the counts that are there; undefined without any. */
export function sum(one: unknown, other: unknown): number | undefined {
  const known = count(one);
  const more = count(other);
  return known === undefined ? more : known + (more ?? 0);
}

/** The sum of two counts; undefined unless both are there. */
export function sumOfBoth(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one + other;
}

/** Puts a report together of the counts that are there; undefined when it would not tell how long anything was. */
export function tokenUsage(counts: TokenCounts): TokenUsage | undefined {
  const { prompt, completion, total, cacheRead, cacheCreation, thinking } = counts;
  if (prompt === undefined && completion === undefined && total === undefined) return undefined;
  // Some vendors report with every word: no copies.
  const usage: TokenUsage = {};
  if (prompt !== undefined) usage.promptTokens = prompt;
  if (completion !== undefined) usage.completionTokens = completion;
  if (total !== undefined) usage.totalTokens = total;
  if (cacheRead !== undefined) usage.cacheReadTokens = cacheRead;
  if (cacheCreation !== undefined) usage.cacheCreationTokens = cacheCreation;
  if (thinking !== undefined) usage.thinkingTokens = thinking;
  return usage;
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
