/**
 * Why a log refused:
 * - `held`: another producer holds the run; `retryAfter` says for how long at least.
 * - `lost`: the lease has run out or has been taken over; nothing more can be appended with it.
 * - `ended`: the run has its end.
 * - `trimmed`: what was asked for is no longer in the log.
 * - `full`: a limit of the log has been reached.
 * - `unavailable`: the engine does not answer; `cause` is its own error.
 */
export type RunLogErrorCode = 'held' | 'lost' | 'ended' | 'trimmed' | 'full' | 'unavailable';

/**
 * The error of a {@link RunLog}. Streams of this library carry it as the `cause` of an `InferenceExecutionError` of the kind
 * `provider`.
 */
export class RunLogError extends Error {
  override readonly name = 'RunLogError';

  /**
   * @param code - What was refused.
   * @param runId - The run.
   * @param detail - What is wrong, and what to do.
   * @param options - `retryAfter`: milliseconds after which another try makes sense. `cause`: the engine's own error.
   */
  constructor(
    readonly code: RunLogErrorCode,
    readonly runId: string,
    detail: string,
    options: { retryAfter?: number; cause?: unknown } = {},
  ) {
    super(`run ${JSON.stringify(runId)}: ${detail}`, 'cause' in options ? { cause: options.cause } : undefined);
    this.retryAfter = options.retryAfter;
  }

  /** Milliseconds after which another try makes sense; undefined when it makes none. */
  readonly retryAfter: number | undefined;
}

/** True for a {@link RunLogError} with that code, also of another copy of this library. */
export function isRunLogError(error: unknown, code?: RunLogErrorCode): error is RunLogError {
  if (typeof error !== 'object' || error === null) return false;
  const { name, code: given } = error as Partial<RunLogError>;
  return name === 'RunLogError' && (code === undefined || given === code);
}
