import { of, throwError } from 'rxjs';
import { createTestScheduler } from './testScheduler.js';

class CodedError extends Error {
  override readonly name = 'CodedError';
  constructor(
    readonly code: number,
    options?: ErrorOptions,
  ) {
    super('coded', options);
  }
}

class OtherError extends Error {
  override readonly name = 'CodedError';
  readonly code = 1;
}

function compare(actual: unknown, expected: unknown): () => void {
  return () => {
    createTestScheduler().run(({ expectObservable }) => {
      expectObservable(throwError(() => actual)).toBe('#', undefined, expected);
    });
  };
}

describe('createTestScheduler', () => {
  it('should accept an error with the same class, message and fields', () => {
    expect(compare(new CodedError(1), new CodedError(1))).not.toThrow();
  });

  it('should see a field of an error that differs', () => {
    expect(compare(new CodedError(1), new CodedError(2))).toThrow();
  });

  it('should see a field of the cause that differs', () => {
    const caused = (code: number) => new CodedError(1, { cause: new CodedError(code) });

    expect(compare(caused(1), caused(1))).not.toThrow();
    expect(compare(caused(1), caused(2))).toThrow();
  });

  it('should tell apart two classes that look alike', () => {
    expect(compare(new CodedError(1), new OtherError('coded'))).toThrow();
  });

  it('should see the errors inside events', () => {
    const emit = (code: number) => () => {
      createTestScheduler().run(({ expectObservable }) => {
        expectObservable(of({ cause: [new CodedError(1)] })).toBe('(a|)', { a: { cause: [new CodedError(code)] } });
      });
    };

    expect(emit(1)).not.toThrow();
    expect(emit(2)).toThrow();
  });

  it('should compare errors that hold themselves', () => {
    const looped = (code: number) => {
      const error = new CodedError(code);
      error.cause = error;
      return error;
    };

    expect(compare(looped(1), looped(1))).not.toThrow();
    expect(compare(looped(1), looped(2))).toThrow();
  });
});
