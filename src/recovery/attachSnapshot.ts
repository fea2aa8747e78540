import { InferenceExecutionError, interruptCauseOf, type InterruptSnapshot } from '../contract/index.js';
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
  return seen.hasShown || seen.text !== '' ? withSnapshot(failure, seen.snapshot()) : failure;
}

/** Wraps what is not an {@link InferenceExecutionError} yet; a broken connection as `stream-interrupted`. */
export function toInferenceError(error: unknown): InferenceExecutionError {
  if (error instanceof InferenceExecutionError) return error;
  const interruption = interruptCauseOf(error);
  const detail = messageOf(error);
  if (interruption) return new InferenceExecutionError('stream-interrupted', detail, { interruption, cause: error });
  const kind = isError(error) && error.name === 'AbortError' ? 'cancelled' : 'provider';
  return new InferenceExecutionError(kind, detail, { cause: error });
}

function withSnapshot(error: InferenceExecutionError, snapshot: InterruptSnapshot): InferenceExecutionError {
  // Assigned here and nowhere else: the field is read-only to everybody who gets the error.
  (error as { snapshot: InterruptSnapshot | undefined }).snapshot = snapshot;
  return error;
}
