import { lastValueFrom, throwError } from 'rxjs';
import { collect, InferenceExecutionError, recover } from '../../src/index.js';
import { request } from '../helpers/events.js';

/** The library once more, as an application has it that takes it as modules and as CommonJS. */
function otherCopy(): typeof InferenceExecutionError {
  let other: { InferenceExecutionError: typeof InferenceExecutionError } | undefined;
  jest.isolateModules(() => (other = jest.requireActual('../../src/index.js')));
  return other!.InferenceExecutionError;
}

describe('errors of two copies of the library', () => {
  it('should be errors of either', async () => {
    const Other = otherCopy();
    expect(Other).not.toBe(InferenceExecutionError);
    const error = new Other('unauthorized', 'no key');

    expect(error).toBeInstanceOf(InferenceExecutionError);
    const asked: unknown[] = [];
    const recovered = throwError(() => error).pipe(
      recover({ request, resubscribe: (again) => (asked.push(again), []), delay: 0 }),
      collect(),
    );
    await expect(lastValueFrom(recovered)).rejects.toBe(error);
    expect(asked).toEqual([]);
  });

  it('should not be errors of a class that is made from one, nor be anything that has the name', () => {
    class Mine extends InferenceExecutionError {}

    expect(new (otherCopy())('timeout')).not.toBeInstanceOf(Mine);
    expect(new InferenceExecutionError('timeout')).not.toBeInstanceOf(Mine);
    expect(new Mine('timeout')).toBeInstanceOf(InferenceExecutionError);
    expect({ name: 'InferenceExecutionError' }).not.toBeInstanceOf(InferenceExecutionError);
  });
});
