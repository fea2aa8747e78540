import { InferenceExecutionError, RETRY_AFTER_CAP, type InterruptCause } from '../contract/index.js';

/** Longest wait of a backoff, in milliseconds. */
const CAP = 8_000;

/**
 * The wait before a recovery: 200 ms after an idle stall, which has cost its time already; else 500 ms · 2^attempt, up to
 * 8 s. Without jitter.
 *
 * @param cause - Why the stream broke.
 * @param attempt - How many recoveries there have been before, of whatever cause.
 * @returns Milliseconds.
 */
export function streamBackoff(cause: InterruptCause, attempt: number): number {
  return cause.kind === 'idle-stall' ? 200 : exponential(500, attempt);
}

/** Configuration of {@link openBackoff}; times are in milliseconds. */
export interface OpenBackoffConfig {
  /** First wait. Defaults to 500; 0 waits only where the provider asks for it. */
  base?: number;
  /** First wait after `overloaded`. Defaults to 2,000. */
  overloadedBase?: number;
  /** Longest `Retry-After` that is honoured. Defaults to 60,000. */
  retryAfterCap?: number;
}

/**
 * The wait before a request is sent again that failed before its first event: base · 2^attempt, up to 8 s, but never
 * shorter than what the provider asked for. Without jitter.
 *
 * @param error - The failure.
 * @param attempt - How many retries there have been before.
 */
export function openBackoff(error: InferenceExecutionError, attempt: number, config: OpenBackoffConfig = {}): number {
  const { base = 500, overloadedBase = 2_000, retryAfterCap = RETRY_AFTER_CAP } = config;
  const start = error.kind === 'overloaded' && base > 0 ? overloadedBase : base;
  return Math.max(exponential(start, attempt), retryAfterOf(error, retryAfterCap));
}

/** What the provider asked to wait, within the cap; 0 when it asked for nothing. */
export function retryAfterOf(error: unknown, cap = RETRY_AFTER_CAP): number {
  return error instanceof InferenceExecutionError ? Math.min(error.retryAfter ?? 0, cap) : 0;
}

function exponential(base: number, attempt: number): number {
  // 2^30 is beyond every cap; a higher power would leave the exact integers.
  return Math.min(base * 2 ** Math.min(attempt, 30), CAP);
}
