import type { TokenUsage } from '../contract/index.js';

/** Code units a token, rounded up: about what the vendors' tokenizers give for English. */
const UNITS_PER_TOKEN = 4;

/**
 * Says what an attempt that was cut off has cost. The provider bills what it has made, but reports it only at the end; so
 * its figure counts where it is plausible, and is raised to an estimate, marked as one, where it is lower than what the
 * received text must have cost.
 *
 * @param reported - The last report of the attempt.
 * @param received - Code units of text, reasoning and arguments received in the attempt.
 * @returns The usage of the attempt; undefined when it brought and reported nothing.
 */
export function estimateAttempt(reported: TokenUsage | undefined, received: number): TokenUsage | undefined {
  const least = Math.ceil(received / UNITS_PER_TOKEN);
  const completion = reported?.completionTokens ?? 0;
  if (least <= completion || least === 0) return reported;
  const usage: TokenUsage = { ...reported, completionTokens: least, estimated: true };
  if (reported?.totalTokens !== undefined) usage.totalTokens = reported.totalTokens + least - completion;
  return usage;
}
