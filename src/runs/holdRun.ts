import { dematerialize, exhaustMap, materialize, type Observable } from 'rxjs';
import { fromLog } from './fromLog.js';
import type { ClaimConfig, Fence, RunLog } from './RunLog.js';

/** Milliseconds that a lease outlives its producer. */
export const LEASE = 10_000;

/**
 * Claims a run and mirrors what is done with its fence for as long as the lease is kept; when it is lost, that ends with the
 * error of the log. The lease is given back at the end and on unsubscription.
 */
export function holdRun<T>(
  { log, runId, ...config }: ClaimConfig & { log: RunLog; runId: string },
  work: (fence: Fence) => Observable<T>,
): Observable<T> {
  // A claim never completes: the end of the work has to be told through it.
  return fromLog(log.claim(runId, config)).pipe(
    exhaustMap((fence) => work(fence).pipe(materialize())),
    dematerialize(),
  );
}
