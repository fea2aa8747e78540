import { catchError, throwError, type Observable } from 'rxjs';
import { InferenceExecutionError } from '../contract/index.js';
import { messageOf } from '../internal/isError.js';
import { isRunLogError } from './RunLogError.js';

/** Tells a failure of the log as this library tells failures; the log's own error is the `cause`. */
export function fromLog<T>(asked: Observable<T>): Observable<T> {
  return asked.pipe(
    catchError((cause: unknown) =>
      throwError(() => {
        // A run that is gone stays gone, whoever asks again.
        const kind = isRunLogError(cause, 'trimmed') ? 'model-not-found' : 'provider';
        return new InferenceExecutionError(kind, `the log of the run: ${messageOf(cause)}`, { cause });
      }),
    ),
  );
}
