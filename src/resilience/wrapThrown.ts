import { toInferenceError } from '../recovery/attachSnapshot.js';

/** Calls a function of the application; what it throws becomes the `cause` of an `InferenceExecutionError`. */
export function wrapThrown<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toInferenceError(error);
  }
}
