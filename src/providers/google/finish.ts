import { errorInStream, failureIn, InferenceExecutionError, type StopReason } from '../../contract/index.js';

/**
 * Gemini's reasons to stop ("FinishReason" of the Gemini API and of Vertex AI). What is not listed, `OTHER` for one, ends the
 * turn: the contract has no word for it, and the stop event tells the name in its metadata.
 */
const STOP_REASONS: Record<string, StopReason> = {
  STOP: 'end-turn',
  MAX_TOKENS: 'max-tokens',
  /** The limit of one request; there would be more. */
  CONTINUATION: 'max-tokens',
  SAFETY: 'content-filter',
  RECITATION: 'content-filter',
  LANGUAGE: 'content-filter',
  BLOCKLIST: 'content-filter',
  PROHIBITED_CONTENT: 'content-filter',
  SPII: 'content-filter',
  MODEL_ARMOR: 'content-filter',
  IMAGE_SAFETY: 'content-filter',
  IMAGE_PROHIBITED_CONTENT: 'content-filter',
  IMAGE_RECITATION: 'content-filter',
};

/** Names of the numbers that both APIs agree on; from 6 on they differ, and 6 to 8 are filters in both. */
const NAMES = ['FINISH_REASON_UNSPECIFIED', 'STOP', 'MAX_TOKENS', 'SAFETY', 'RECITATION', 'OTHER'];

/** The model tried to call and failed: there is nothing to run, and nothing was said. Another try may succeed. */
const BROKEN_CALL = /^(?:MALFORMED_FUNCTION_CALL|UNEXPECTED_TOOL_CALL|TOO_MANY_TOOL_CALLS|MALFORMED_RESPONSE)$/;

/** The name of a finish reason; undefined when it says that there is none yet. */
export function finishName(reason: string | number | undefined): string | undefined {
  const name =
    typeof reason === 'number' ? (NAMES[reason] ?? (reason <= 8 ? 'BLOCKLIST' : `FINISH_REASON_${reason}`)) : reason;
  return name === undefined || name === '' || name === 'FINISH_REASON_UNSPECIFIED' ? undefined : name;
}

/**
 * Maps a finish reason. `STOP` is said of calls too.
 *
 * @throws A `provider` error when the model's call could not be read, an `invalid-request` when the history lacks a
 * thought signature.
 */
export function stopReasonOf(name: string, message: string | undefined, hasCalls: boolean): StopReason {
  if (BROKEN_CALL.test(name)) {
    throw new InferenceExecutionError(
      'provider',
      `the model made a call that cannot be run: ${message ?? name} (${name})`,
    );
  }
  if (name === 'MISSING_THOUGHT_SIGNATURE') throw new InferenceExecutionError('invalid-request', message ?? name);
  const reason = STOP_REASONS[name] ?? 'end-turn';
  return reason === 'end-turn' && hasCalls ? 'tool-use' : reason;
}

/** Codes of google.rpc.Code that say that the operation was broken off, not that the request was wrong. */
const BROKEN_OFF = /\b(?:CANCELLED|ABORTED)\b/i;

/**
 * Makes the error for an error object inside the stream (google.rpc.Status). A call that Google itself cancels in mid-stream
 * (499) is an interruption.
 */
export function failureInStream(told: unknown): InferenceExecutionError {
  const failure = failureIn(told);
  if (failure.status === 499 || BROKEN_OFF.test(failure.type ?? '')) {
    return new InferenceExecutionError('stream-interrupted', failure.message, {
      interruption: { kind: 'connection-reset' },
      status: failure.status,
      cause: told,
    });
  }
  return errorInStream(failure);
}
