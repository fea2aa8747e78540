import { throwError, type Observable } from 'rxjs';
import { InferenceExecutionError } from '../contract/index.js';

/** How an attempt ends whose process died. */
export function gone(): Observable<never> {
  return throwError(
    () =>
      new InferenceExecutionError('stream-interrupted', 'its producer is gone', {
        interruption: { kind: 'resumed-from-checkpoint' },
      }),
  );
}
