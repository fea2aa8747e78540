import { InferenceExecutionError, interruptCauseOf } from '../contract/index.js';
import { isRefusal } from './CircuitOpenError.js';

/** True when the same request may succeed later: by the error's kind, or because the connection broke. */
export function isTransient(error: unknown): boolean {
  return error instanceof InferenceExecutionError ? error.isRetryable : interruptCauseOf(error) !== null;
}

/** True when a failure says something about the health of the model. That a breaker refused to ask it says nothing new. */
export function isSick(error: unknown): boolean {
  if (isRefusal(error)) return false;
  return error instanceof InferenceExecutionError ? error.countsTowardCircuitBreaker : interruptCauseOf(error) !== null;
}

/** True for the value with which an answer is whole: the `stop` of a stream, or a collected result. */
export function isWhole(value: unknown): boolean {
  return typeof value !== 'object' || value === null || !('type' in value) || value.type === 'stop';
}

/** True when the account or the provider has no room for the request: another one may have. */
export function isQuota({ kind }: InferenceExecutionError): boolean {
  return kind === 'rate-limited' || kind === 'overloaded';
}
