import { Observable } from 'rxjs';

/**
 * Turns a web stream into an Observable whose unsubscription cancels it.
 *
 * A stream can be read once: the first subscription locks it, a second one errors. Unsubscribing cancels the stream at
 * once, also while a read is pending, which `from` of RxJS 7 does not do. The stream's error and end pass as error and
 * completion. A function is called at each subscription, so that the result is cold.
 *
 * @param stream - The stream, or a function that opens one.
 */
export function fromReadableStream<T>(stream: ReadableStream<T> | (() => ReadableStream<T>)): Observable<T> {
  return new Observable((subscriber) => {
    const reader = (typeof stream === 'function' ? stream() : stream).getReader();
    const onChunk = (result: ReadableStreamReadResult<T>): void => {
      if (subscriber.closed) return;
      if (result.done) return subscriber.complete();
      subscriber.next(result.value);
      if (!subscriber.closed) read();
    };
    const read = (): void => void reader.read().then(onChunk, (error: unknown) => subscriber.error(error));
    subscriber.add(() => {
      // A stream that has ended or failed already rejects; there is nobody left to tell.
      reader.cancel().catch(() => undefined);
      reader.releaseLock();
    });
    read();
  });
}
