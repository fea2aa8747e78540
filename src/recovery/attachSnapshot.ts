import {
  errorFromResponse,
  InferenceExecutionError,
  interruptCauseOf,
  type HeadersLike,
  type InterruptSnapshot,
} from '../contract/index.js';
import type { Accumulator } from './accumulator.js';
import { isError, messageOf } from '../internal/isError.js';

/**
 * Makes the error that leaves an operator: an {@link InferenceExecutionError} that carries what had arrived.
 *
 * An error that is one already keeps its identity: consumers compare it, and it is the original one. Any other becomes its
 * `cause`.
 */
export function failWith(error: unknown, seen: Accumulator): InferenceExecutionError {
  const failure = toInferenceError(error);
  return seen.hasArrived ? withSnapshot(failure, seen.snapshot()) : failure;
}

/**
 * Wraps what is not an {@link InferenceExecutionError} yet: a broken connection as `stream-interrupted`, what a vendor's own
 * SDK throws by its HTTP status.
 */
export function toInferenceError(error: unknown): InferenceExecutionError {
  if (error instanceof InferenceExecutionError) return error;
  const detail = messageOf(error);
  const { status = 0, headers } = (isError(error) ? error : {}) as { status?: number; headers?: HeadersLike };
  if (status >= 400 && status < 500) return errorFromResponse({ status, headers, message: detail, cause: error });
  const interruption = interruptCauseOf(error);
  if (interruption) return new InferenceExecutionError('stream-interrupted', detail, { interruption, cause: error });
  const kind = isError(error) && error.name === 'AbortError' ? 'cancelled' : 'provider';
  return new InferenceExecutionError(kind, detail, { cause: error });
}

function withSnapshot(error: InferenceExecutionError, snapshot: InterruptSnapshot): InferenceExecutionError {
  // Assigned here and nowhere else: the field is read-only to everybody who gets the error.
  (error as { snapshot: InterruptSnapshot | undefined }).snapshot = snapshot;
  return error;
}
