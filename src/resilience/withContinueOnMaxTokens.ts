import type { LlmExecutor } from '../contract/index.js';
import { continueOnMaxTokens } from '../operators/continueOnMaxTokens.js';
import { createExecutor } from '../operators/createExecutor.js';

/** Configuration for {@link withContinueOnMaxTokens}. */
export interface WithContinueOnMaxTokensConfig {
  /** Most continuations of one stream. Defaults to 2. */
  count?: number;
}

/**
 * Makes an executor that asks for the rest when the model was stopped by the limit of its output, as
 * {@link continueOnMaxTokens} says.
 *
 * @example Continued, and each part recovered
 * ```ts
 * import { withContinueOnMaxTokens, withRecovery, type LlmExecutor } from 'rx-llm';
 *
 * declare const executor: LlmExecutor;
 * const model = withRecovery(withContinueOnMaxTokens(executor, { count: 5 }));
 * ```
 * @param executor - The executor to ask, and to ask again.
 * @param config - The number of continuations, or a {@link WithContinueOnMaxTokensConfig}.
 */
export function withContinueOnMaxTokens(
  executor: LlmExecutor,
  config: number | WithContinueOnMaxTokensConfig = {},
): LlmExecutor {
  const { count = 2 } = typeof config === 'number' ? { count: config } : config;
  if (!(count >= 0)) throw new RangeError('withContinueOnMaxTokens: count must be 0 or more');
  return createExecutor({
    name: executor.name,
    executeStream: (request) =>
      executor
        .executeStream(request)
        .pipe(continueOnMaxTokens({ request, count, resubscribe: (rest) => executor.executeStream(rest) })),
  });
}
