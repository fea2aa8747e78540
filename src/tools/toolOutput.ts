import { from, observable, of, type Observable } from 'rxjs';

/** What a tool's `execute` may return: a value, a promise of one, or a stream whose last value is the result. */
export type ToolOutput<Output> = Output | PromiseLike<Output> | Observable<Output> | AsyncIterable<Output>;

/** The values of what a function of the user has returned. */
export function valuesOf<T>(output: ToolOutput<T>): Observable<T> {
  return isStream(output) || isPromise(output) ? from(output) : of(output as T);
}

/** True for what sends values one after the other: an Observable, also of another copy of RxJS, or an async iterable. */
export function isStream(output: unknown): output is Observable<never> | AsyncIterable<never> {
  if (typeof output !== 'object' || output === null) return false;
  return observable in output || Symbol.asyncIterator in output;
}

function isPromise(output: unknown): output is PromiseLike<never> {
  return typeof output === 'object' && output !== null && 'then' in output && typeof output.then === 'function';
}
