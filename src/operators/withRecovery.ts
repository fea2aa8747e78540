import type { InferenceRequest, LlmExecutor } from '../contract/index.js';
import { createExecutor } from './createExecutor.js';
import { recover, type RecoverConfig } from './recover.js';

/** Configuration for {@link withRecovery}: that of {@link recover}, which knows the request from each call. */
export type WithRecoveryConfig = Omit<RecoverConfig, 'request' | 'resubscribe'> &
  Partial<Pick<RecoverConfig, 'resubscribe'>>;

/**
 * Makes an executor whose streams recover, for injection where an {@link LlmExecutor} is expected.
 *
 * @param executor - The executor to ask, and to ask again.
 * @param config - See {@link RecoverConfig}; `resubscribe` defaults to the executor itself.
 * @throws as {@link recover} does.
 */
export function withRecovery(executor: LlmExecutor, config: WithRecoveryConfig = {}): LlmExecutor {
  const resubscribe: RecoverConfig['resubscribe'] = (continuation) => executor.executeStream(continuation);
  const recovered = (request: InferenceRequest) => recover({ resubscribe, ...config, request });
  // What makes no sense is told to who has written it, not to who asks.
  recovered({ model: '', messages: [] });
  return createExecutor({
    name: executor.name,
    executeStream: (request) => executor.executeStream(request).pipe(recovered(request)),
  });
}
