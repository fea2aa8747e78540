import { InferenceExecutionError } from '../contract/index.js';

/**
 * Makes the error of a stream that broke.
 *
 * @param kind - Why.
 * @param detail - What was seen of it.
 * @param cause - The error that it came from, where there is one.
 */
export function interrupted(
  kind: 'truncated' | 'idle-stall',
  detail: string,
  cause?: unknown,
): InferenceExecutionError {
  return new InferenceExecutionError('stream-interrupted', detail, { interruption: { kind }, cause });
}
