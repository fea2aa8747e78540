import type { InferenceErrorKind, InterruptCause } from '../contract/index.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import { isRunLogError } from '../runs/RunLogError.js';

/** What a client is told of a failure. Plain JSON. */
export interface PublicError {
  type: 'error';
  kind: InferenceErrorKind;
  /** A stable sentence for the kind; never what the provider or an exception said. */
  message: string;
  /** True when the same request may succeed later. */
  retryable: boolean;
  /** Shortest wait before another try, in milliseconds, where the provider named one. */
  retryAfter?: number;
  /** With `stream-interrupted`: why. */
  interruption?: InterruptCause;
}

const MESSAGES: Record<InferenceErrorKind, string> = {
  provider: 'The model provider failed.',
  'rate-limited': 'Too many requests; try again later.',
  overloaded: 'The model is overloaded; try again later.',
  timeout: 'The model did not answer in time.',
  'stream-interrupted': 'The answer was interrupted and could not be continued.',
  'context-overflow': 'The conversation is too long for the model.',
  'invalid-request': 'The model does not accept this request.',
  unauthorized: 'The server may not use the model.',
  'model-not-found': 'The model does not exist.',
  'content-filtered': 'The answer was stopped by a content filter.',
  'all-models-unavailable': 'No model is available at the moment; try again later.',
  cancelled: 'The answer was cancelled.',
};

/**
 * Gives what may be told of a failure to somebody outside: its kind and a stable sentence. What the provider said, causes
 * and snapshots stay here: they can quote keys, prompts and addresses.
 *
 * @param error - Whatever came in the error notification; what is no `InferenceExecutionError` counts as `provider`.
 */
export function publicError(error: unknown): PublicError {
  const { kind, isRetryable, retryAfter, interruption, cause } = toInferenceError(error);
  return {
    type: 'error',
    kind,
    message: isRunLogError(cause, 'trimmed') ? 'The run is gone.' : MESSAGES[kind],
    retryable: isRetryable,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(interruption && { interruption }),
  };
}
