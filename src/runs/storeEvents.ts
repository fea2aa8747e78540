import {
  asyncScheduler,
  catchError,
  concat,
  ignoreElements,
  throwError,
  type Observable,
  type OperatorFunction,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import { InferenceExecutionError } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import type { Fence, RunEndEvent, RunEntry, RunEvent, RunLog } from './RunLog.js';
import { fromLog } from './fromLog.js';
import { isRunLogError } from './RunLogError.js';

/** How events are put together before they are appended. */
export interface GroupConfig {
  /** Longest wait of an event for others, in milliseconds. Defaults to 20. */
  time?: number;
  /** Most events in a group. Defaults to 64. */
  size?: number;
  /** Most events that wait while the log is slow or away; the next one errors the run. Defaults to 10,000. */
  limit?: number;
}

/** Configuration of {@link storeEvents}. */
export interface StoreConfig {
  log: RunLog;
  fence: Fence;
  group?: GroupConfig | undefined;
  scheduler?: SchedulerLike | undefined;
}

/**
 * Appends the events of the source in groups, one group at a time, and emits each entry once it is stored. The end of the
 * source is stored as `run-end`; then the result ends as the source did.
 */
export function storeEvents<Event extends RunEvent>(config: StoreConfig): OperatorFunction<Event, RunEntry<Event>> {
  const { log, fence, scheduler = asyncScheduler } = config;
  const { time, size, limit } = checkedGroup(config.group);
  return operate((subscriber) => {
    let waiting: (Event | RunEndEvent)[] = [];
    let timer: Subscription | undefined;
    let appending = false;
    /** How the source has ended. */
    let finish: (() => void) | undefined;
    const next = (): void => {
      if (subscriber.closed || appending) return;
      if (waiting.length === 0) return finish?.();
      if (finish || waiting.length >= size) return append();
      timer ??= scheduler.schedule(append, time);
    };
    const append = (): void => {
      timer?.unsubscribe();
      timer = undefined;
      const group = waiting.slice(0, size);
      waiting = waiting.slice(size);
      appending = true;
      subscriber.add(
        stored(log, fence, group).subscribe({
          next: (places) => {
            places.forEach((seq, index) => {
              const event = group[index];
              if (event && !subscriber.closed) subscriber.next({ seq, event });
            });
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            appending = false;
            next();
          },
        }),
      );
    };
    const end = (event: RunEndEvent, how: () => void): void => {
      waiting.push(event);
      finish = how;
      timer?.unsubscribe();
      timer = undefined;
      next();
    };
    return {
      next: (event) => {
        if (waiting.length >= limit) throw tooSlow(limit);
        waiting.push(event);
        // One that waits already has set the timer; a whole group goes at once.
        next();
        if (waiting.length >= size && !appending) append();
      },
      error: (error) => {
        end(endWith(toInferenceError(error)), () => subscriber.error(error));
      },
      complete: () => end({ type: 'run-end' }, () => subscriber.complete()),
      finalize: () => timer?.unsubscribe(),
    };
  });
}

/** The end of a run that has failed, with what of the error makes sense to those who read it elsewhere. */
function endWith({ kind, detail, interruption, retryAfter }: InferenceExecutionError): RunEndEvent {
  const more = { ...(interruption && { interruption }), ...(retryAfter !== undefined && { retryAfter }) };
  return { type: 'run-end', error: { kind, detail, ...more } };
}

/** Appends a group; a log without room for it gets the end of the run in its place. */
function stored(log: RunLog, fence: Fence, group: readonly RunEvent[]): Observable<number[]> {
  return fromLog(log.append(fence, group)).pipe(catchError((error: unknown) => failed(log, fence, error)));
}

/** Errors as it was told, after the run has its end where the log has no more room: its readers wait for that. */
function failed(log: RunLog, fence: Fence, error: unknown): Observable<never> {
  const told = throwError(() => error);
  if (!(error instanceof InferenceExecutionError && isRunLogError(error.cause, 'full'))) return told;
  return concat(log.append(fence, [endWith(error)]).pipe(ignoreElements()), told).pipe(catchError(() => told));
}

/** Gives the sizes of groups. @throws RangeError when nothing would ever be stored. */
export function checkedGroup({ time = 20, size = 64, limit = 10_000 }: GroupConfig = {}): Required<GroupConfig> {
  if (!(time >= 0)) throw new RangeError(`group.time is a number of milliseconds, 0 or more, not ${time}`);
  if (!(size >= 1)) throw new RangeError(`group.size is 1 or more, not ${size}`);
  if (!(limit >= 1)) throw new RangeError(`group.limit is 1 or more, not ${limit}`);
  return { time, size, limit };
}

function tooSlow(limit: number): InferenceExecutionError {
  return new InferenceExecutionError(
    'provider',
    `the log has not stored the last ${limit} events; it is too slow or away (group.limit says how many may wait)`,
  );
}
