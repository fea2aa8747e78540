import { modelOf, type InferenceRequest, type LlmExecutor } from '../contract/index.js';
import { createExecutor } from '../operators/createExecutor.js';
import { circuitBreaker, type CircuitBreaker, type CircuitBreakerConfig } from './circuitBreaker.js';
import { wrapThrown } from './wrapThrown.js';

/** Configuration for {@link withCircuitBreaker}. */
export interface WithCircuitBreakerConfig extends Omit<CircuitBreakerConfig, 'name'> {
  /** A breaker to share with other executors, in place of one of its own; the limits are those of it. Defaults to one of its own. */
  breaker?: CircuitBreaker;
  /** Names the breaker of a request. Defaults to the model. */
  key?: (request: InferenceRequest) => string;
}

/**
 * Makes an executor that fails fast while a model is not well: one breaker for each model, as {@link circuitBreaker} says.
 *
 * Around `withRetryOpen` a request counts once, however often it was tried; inside it each try counts, and the retries end
 * as soon as the breaker opens.
 *
 * @example Two executors that share what they know about a model
 * ```ts
 * import { circuitBreaker, withCircuitBreaker, type LlmExecutor } from 'rx-llm';
 *
 * declare const chat: LlmExecutor;
 * declare const batch: LlmExecutor;
 * const breaker = circuitBreaker({ threshold: 3 });
 * const executors = [withCircuitBreaker(chat, { breaker }), withCircuitBreaker(batch, { breaker })];
 * ```
 * @param executor - The executor to ask.
 * @param config - A breaker to share, or a {@link WithCircuitBreakerConfig}.
 * @throws RangeError on a limit that makes no sense.
 */
export function withCircuitBreaker(
  executor: LlmExecutor,
  config: CircuitBreaker | WithCircuitBreakerConfig = {},
): LlmExecutor {
  const settings: WithCircuitBreakerConfig = typeof config === 'function' ? { breaker: config } : config;
  const { breaker = circuitBreaker(settings), key = modelOf } = settings;
  const breakerFor = (request: InferenceRequest): CircuitBreaker => breaker.named(wrapThrown(() => key(request)));
  return createExecutor({
    name: executor.name,
    execute: (request) => executor.execute(request).pipe(breakerFor(request)),
    executeStream: (request) => executor.executeStream(request).pipe(breakerFor(request)),
  });
}
