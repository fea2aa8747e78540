import {
  asyncScheduler,
  catchError,
  concat,
  defaultIfEmpty,
  defer,
  EMPTY,
  exhaustMap,
  filter,
  from,
  ignoreElements,
  mergeMap,
  of,
  finalize,
  map,
  take,
  timer,
  toArray,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import type { InferenceRequest } from '../contract/index.js';
import { report } from '../internal/report.js';
import { produceRun, type ProduceConfig } from './resumeRun.js';
import type { RunLog, RunStartEvent } from './RunLog.js';

/** Most runs that are passed over for others. */
const MOST_LEFT = 10_000;

/** Configuration of {@link adoptOrphans}. Times are in milliseconds. */
export interface AdoptConfig extends Omit<ProduceConfig, 'request'> {
  /**
   * What was asked for in a run, from where the application keeps it; null leaves the run alone. Defaults to what its producer
   * has stored with it: a run without that is left alone.
   */
  request?: (runId: string) => ObservableInput<InferenceRequest | null>;
  /** Time between two looks. Defaults to 5,000. */
  interval?: number;
  /** Most runs that are produced here at a time. Defaults to 16. */
  concurrency?: number;
  /** Gets what a run failed with here; the run is looked at again the next time. What this throws goes no further. */
  onError?: (runId: string, error: unknown) => void;
}

/** What {@link adoptOrphans} tells. */
export interface Adoption {
  runId: string;
  /** `adopted`: it is produced here from now on, unless somebody else was faster. `finished`: nothing is left to do here. */
  state: 'adopted' | 'finished';
}

/**
 * Looks for runs whose producer is gone, on any machine, and goes on with them as `resumeRun` does.
 *
 * The first look is at once. Never completes; a log that fails is asked again at the next look, after `onError`. Unsubscribing
 * stops the looking and the runs that are produced here; they are orphans again.
 * ```text
 * log     a--b--              (the producer has died)
 *         adoptOrphans({ log, executor, interval: 5 })
 * looks   ^----^----^----
 * result  -----a------f---    a: adopted, f: finished
 * ```
 *
 * @param config - See {@link AdoptConfig}.
 * @throws RangeError when `interval` or `concurrency` makes no sense.
 */
export function adoptOrphans(config: AdoptConfig): Observable<Adoption> {
  const { log, interval = 5_000, concurrency = 16, scheduler = asyncScheduler, onError } = config;
  if (!(interval > 0)) throw new RangeError(`adoptOrphans: interval is more than 0 milliseconds, not ${interval}`);
  if (!(concurrency >= 1)) throw new RangeError(`adoptOrphans: concurrency is 1 or more, not ${concurrency}`);
  return defer(() => {
    /** Runs that were left alone, or failed here: they come again when there are no others, so that they hide none. */
    const left = new Set<string>();
    /** Runs that are produced here; one that is seen again while it begins is not begun twice. */
    const mine = new Set<string>();
    const adopt = (runId: string): Observable<Adoption> => {
      const asked = defer(() => (config.request ? from(config.request(runId)) : storedRequest(log, runId)));
      return asked.pipe(
        mergeMap((request) => {
          if (request === null) {
            left.add(runId);
            return EMPTY;
          }
          const produced = produceRun(runId, { ...config, request }).pipe(ignoreElements());
          return concat(
            of<Adoption>({ runId, state: 'adopted' }),
            produced,
            of<Adoption>({ runId, state: 'finished' }),
          );
        }),
        catchError((error: unknown) => {
          left.add(runId);
          report((cause) => onError?.(runId, cause), error);
          return EMPTY;
        }),
        finalize(() => mine.delete(runId)),
      );
    };
    const look = defer(() => log.orphans(concurrency * 4 + left.size)).pipe(
      toArray(),
      mergeMap((found) => {
        const fresh = found.filter((runId) => !left.has(runId));
        if (fresh.length > 0 && left.size < MOST_LEFT) return fresh;
        left.clear();
        return found;
      }),
      catchError((error: unknown) => {
        report((cause) => onError?.('', cause), error);
        return EMPTY;
      }),
    );
    return timer(0, interval, scheduler).pipe(
      exhaustMap(() => look),
      filter((runId) => !mine.has(runId) && mine.size < concurrency && Boolean(mine.add(runId))),
      mergeMap(adopt),
    );
  });
}

/** What the first producer of a run has stored. */
function storedRequest(log: RunLog, runId: string): Observable<InferenceRequest | null> {
  return log.head(runId).pipe(
    mergeMap((head) => (head && head.seq > 0 ? log.read(runId).pipe(take(1)) : EMPTY)),
    map(({ event }) => (event.type === 'run-start' ? (event as RunStartEvent).request : null)),
    defaultIfEmpty(null),
  );
}
