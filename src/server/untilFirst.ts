import { Observable, type Subscriber } from 'rxjs';
import { InferenceExecutionError } from '../contract/index.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';

/**
 * Subscribes, and waits for the first value: what fails before it can still be answered with an HTTP status.
 *
 * @param source - What is subscribed.
 * @param signal - When it aborts, the source is unsubscribed and whoever waits gets the error `cancelled`.
 * @returns The values, the first included, for one subscriber, who unsubscribes the source by leaving. Rejects with the
 * source's error when it comes before any value. A source without a value gives an empty stream.
 */
export function untilFirst<T>(source: Observable<T>, signal?: AbortSignal): Promise<Observable<T>> {
  return new Promise((resolve, reject) => {
    /** What has come before somebody listens: no more than the source sends at once. */
    const held: ((subscriber: Subscriber<T>) => void)[] = [];
    let listener: Subscriber<T> | undefined;
    const values = new Observable<T>((subscriber) => {
      listener = subscriber;
      for (const tell of held.splice(0)) tell(subscriber);
      return subscription;
    });
    const take = (tell: (subscriber: Subscriber<T>) => void): void => {
      if (listener) return tell(listener);
      held.push(tell);
      resolve(values);
    };
    const subscription = source.subscribe({
      next: (value) => take((subscriber) => subscriber.next(value)),
      error: (error: unknown) => {
        // Once the promise has resolved this does nothing.
        if (held.length === 0 && !listener) reject(toInferenceError(error));
        take((subscriber) => subscriber.error(error));
      },
      complete: () => take((subscriber) => subscriber.complete()),
    });
    const leave = (): void => {
      subscription.unsubscribe();
      const error = new InferenceExecutionError('cancelled');
      reject(error);
      take((subscriber) => subscriber.error(error));
    };
    if (signal?.aborted) return leave();
    signal?.addEventListener('abort', leave);
    subscription.add(() => signal?.removeEventListener('abort', leave));
  });
}
