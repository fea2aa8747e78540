import type { LlmExecutor } from '../contract/index.js';
import { createExecutor } from '../operators/createExecutor.js';
import { rateLimit, type RateLimit, type RateLimitConfig } from './rateLimit.js';

/**
 * Makes an executor whose requests start as the limits allow, as {@link rateLimit} says.
 *
 * @example Two executors under one account
 * ```ts
 * import { rateLimit, withRateLimit, type LlmExecutor } from 'rx-llm';
 *
 * declare const chat: LlmExecutor;
 * declare const batch: LlmExecutor;
 * const account = rateLimit({ tokensPerMinute: 200_000 });
 * const executors = [withRateLimit(chat, account), withRateLimit(batch, account)];
 * ```
 * @param executor - The executor to ask.
 * @param config - Limits to share, or a {@link RateLimitConfig} for limits of its own.
 * @throws RangeError on a limit that lets nothing through.
 */
export function withRateLimit(executor: LlmExecutor, config: RateLimit | RateLimitConfig): LlmExecutor {
  const limit = typeof config === 'function' ? config : rateLimit(config);
  return createExecutor({
    name: executor.name,
    execute: (request) => executor.execute(request).pipe(limit.forRequest(request)),
    executeStream: (request) => executor.executeStream(request).pipe(limit.forRequest(request)),
  });
}
