import type { InferenceExecutionError } from '../contract/index.js';
import { interrupted } from './interrupted.js';

/** The error of a stream that completed without a `stop`: it was cut, whatever its source says. */
export function truncation(): InferenceExecutionError {
  return interrupted('truncated', 'the stream ended without a stop event');
}
