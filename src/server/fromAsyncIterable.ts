import { Observable } from 'rxjs';

/**
 * Turns an async iterable into an Observable whose unsubscription reaches it.
 *
 * Cold: each subscription asks the iterable for an iterator. Unsubscribing calls the iterator's `return()` at once, also
 * while a value is waited for, which `from` of RxJS 7 does not do; a generator that is waiting itself gets it when its
 * wait is over, so give what it waits for a signal of its own. Errors and the end of the iteration pass as error and
 * completion.
 *
 * @param iterable - What is read; values are asked for one after the other.
 */
export function fromAsyncIterable<T>(iterable: AsyncIterable<T>): Observable<T> {
  return new Observable((subscriber) => {
    const iterator = iterable[Symbol.asyncIterator]();
    let ended = false;
    const fail = (error: unknown): void => {
      ended = true;
      subscriber.error(error);
    };
    const onResult = (result: IteratorResult<T, unknown>): void => {
      if (subscriber.closed) return;
      if (result.done) {
        ended = true;
        return subscriber.complete();
      }
      subscriber.next(result.value);
      if (!subscriber.closed) read();
    };
    // An iterator of one's own may throw before it returns a promise.
    const read = (): void =>
      void Promise.resolve()
        .then(() => iterator.next())
        .then(onResult)
        .catch(fail);
    subscriber.add(() => {
      // Nobody is left to tell that the cleaning up has failed, whether it throws or rejects.
      if (!ended) new Promise((resolve) => resolve(iterator.return?.())).catch(() => undefined);
    });
    read();
  });
}
