import type { LlmExecutor } from '../contract/index.js';
import { createExecutor } from '../operators/createExecutor.js';
import { hedge, type HedgeConfig } from './hedge.js';

/** Configuration for {@link withHedge}. */
export interface WithHedgeConfig extends Omit<HedgeConfig, 'with'> {
  /** Who gets the second request. Defaults to the same executor. */
  with?: LlmExecutor;
}

/**
 * Makes an executor that asks a second time when the first progress is late, as {@link hedge} says. A request that
 * reattaches to a run is not hedged.
 *
 * @example
 * ```ts
 * import { withHedge, type LlmExecutor } from 'rx-llm';
 *
 * declare const executor: LlmExecutor;
 * const quick = withHedge(executor, { after: 2_000 });
 * ```
 * @param executor - The executor to ask.
 * @param config - The wait in milliseconds, or a {@link WithHedgeConfig}.
 * @throws RangeError when the wait is negative.
 */
export function withHedge(executor: LlmExecutor, config: number | WithHedgeConfig): LlmExecutor {
  const { with: second = executor, ...rest } = typeof config === 'number' ? { after: config } : config;
  hedge(rest);
  return createExecutor({
    name: executor.name,
    executeStream: (request) => {
      const answer = executor.executeStream(request);
      if (request.continuation?.mechanism === 'reattach') return answer;
      return answer.pipe(hedge({ ...rest, with: () => second.executeStream(request) }));
    },
  });
}
