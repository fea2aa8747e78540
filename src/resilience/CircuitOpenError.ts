import { InferenceExecutionError } from '../contract/index.js';

/**
 * Why a request was refused without a call: the circuit breaker of its model is open. It is the `cause` of the
 * {@link InferenceExecutionError} that the subscriber gets, whose kind is `provider`.
 */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  /**
   * @param breaker - Name of the breaker.
   * @param remaining - Milliseconds until it lets a request through again.
   */
  constructor(
    readonly breaker: string,
    readonly remaining: number,
  ) {
    super(`circuit breaker ${breaker} is open for another ${remaining} ms`);
  }
}

/** Makes the error of a request that a breaker refused. */
export function refusal(breaker: string, remaining: number): InferenceExecutionError {
  const cause = new CircuitOpenError(breaker, remaining);
  return new InferenceExecutionError('provider', `circuit breaker open for model ${breaker}`, { cause });
}

/** True when a request failed because a breaker refused it. */
export function isRefusal(error: unknown): boolean {
  return error instanceof InferenceExecutionError && error.cause instanceof CircuitOpenError;
}
