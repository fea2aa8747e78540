import { InferenceExecutionError } from '../contract/index.js';

/** The error of a stream that completed without a `stop`: it was cut, whatever its source says. */
export function truncation(): InferenceExecutionError {
  return new InferenceExecutionError('stream-interrupted', 'the stream ended without a stop event', {
    interruption: { kind: 'truncated' },
  });
}
