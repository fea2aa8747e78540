import { exhaustMap, ignoreElements, interval, merge, Observable, of, type SchedulerLike } from 'rxjs';
import type { Fence } from './RunLog.js';

/** What keeps a lease. */
export interface LeaseKeeper {
  /** Milliseconds that the lease outlives its last renewal. */
  ttl: number;
  scheduler: SchedulerLike;
  /** Renews it once; errors when it is lost. */
  renew: () => Observable<unknown>;
  /** Gives it back; called when nobody is subscribed any more. */
  release: () => void;
}

/** Emits the fence, renews the lease each third of its time, and gives it back on unsubscription. Never completes. */
export function repeatingLease(fence: Fence, { ttl, scheduler, renew, release }: LeaseKeeper): Observable<Fence> {
  const renewals = interval(ttl / 3, scheduler).pipe(exhaustMap(renew), ignoreElements());
  return new Observable((subscriber) => {
    subscriber.add(release);
    subscriber.add(merge(renewals, of(fence)).subscribe(subscriber));
  });
}
