import { concatMap, EMPTY, of, throwError, type Observable } from 'rxjs';
import { InferenceExecutionError, type LlmStreamEvent } from '../contract/index.js';
import { checkRunId } from './checkRunId.js';
import { fromLog } from './fromLog.js';
import { keepSeen } from './keepSeen.js';
import { isEnd, isForReaders, type RunEndEvent, type RunEvent, type RunLog } from './RunLog.js';

/** Configuration of {@link followRun}. */
export interface FollowConfig {
  /** Where the run is kept. */
  log: RunLog;
  /** The last sequence number that the reader has. Defaults to 0, the beginning. */
  after?: number;
}

/** An event of a run with its place, which is what a reader goes on after. */
export interface FollowedEvent<Event extends RunEvent = LlmStreamEvent> {
  seq: number;
  event: Event;
}

/**
 * Reads a run, on any machine and for any number of readers: first what is in the log, then what comes, each event once.
 *
 * What is in the log for producers alone is left out; sequence numbers have gaps there. Waits for a run that has not begun.
 * Completes with the run; a run that failed errors with an `InferenceExecutionError` as its producer got it, with the snapshot
 * of what was read here, a log that fails with the kind `provider` and the same. While a run has no producer nothing comes. Unsubscribing
 * leaves the run alone.
 * ```text
 * log     a--b--|
 *         followRun(runId, { after: 1 })
 * result  ---b--|
 * ```
 * @param runId - The run.
 * @param config - See {@link FollowConfig}.
 * @throws TypeError when `runId` is none, RangeError when `after` is negative or no whole number.
 */
export function followRun<Event extends RunEvent = LlmStreamEvent>(
  runId: string,
  { log, after = 0 }: FollowConfig,
): Observable<FollowedEvent<Event>> {
  checkRunId(runId);
  if (!Number.isSafeInteger(after) || after < 0) {
    throw new RangeError(`followRun: after must be a sequence number, 0 or more, not ${after}`);
  }
  return fromLog(log.read(runId, after)).pipe(
    concatMap(({ seq, event }) => {
      if (!isEnd(event)) return isForReaders(event) ? of({ seq, event: event as Event }) : EMPTY;
      const { error } = event;
      return error ? throwError(() => errorOf(error)) : EMPTY;
    }),
    keepSeen(({ event }) => event),
  );
}

function errorOf({ kind, detail, ...more }: NonNullable<RunEndEvent['error']>): InferenceExecutionError {
  return new InferenceExecutionError(kind, detail, more);
}
