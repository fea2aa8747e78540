import { Observable, Subscriber, type OperatorFunction } from 'rxjs';

/** What an operator does with the notifications of its source. */
export interface Handlers<T> {
  next: (value: T) => void;
  /** Defaults to passing the error on. */
  error?: (error: unknown) => void;
  /** Defaults to passing the completion on. */
  complete?: () => void;
  /** Called once when nobody listens any more, whatever the reason. */
  finalize?: () => void;
}

/**
 * Makes an operator from handlers with state of their own for each subscription.
 *
 * A handler that throws errors the result. As soon as the result has ended, the source is unsubscribed, also in the middle
 * of a synchronous burst, and no handler is called any more.
 */
export function operate<T, R>(connect: (subscriber: Subscriber<R>) => Handlers<T>): OperatorFunction<T, R> {
  return (source) =>
    new Observable((subscriber) => {
      const handlers = connect(subscriber);
      if (handlers.finalize) subscriber.add(handlers.finalize);
      source.subscribe(new Handling(subscriber, handlers));
    });
}

/**
 * Stands between source and result. A subscriber of its own, and not an observer that RxJS would wrap, because it has to be
 * reached from the result before a synchronous source has returned, and because every event of every stream passes through.
 */
class Handling<T, R> extends Subscriber<T> {
  constructor(
    private readonly result: Subscriber<R>,
    private readonly handlers: Handlers<T>,
  ) {
    super(result);
  }

  protected override _next(value: T): void {
    try {
      this.handlers.next(value);
    } catch (error) {
      this.result.error(error);
    }
  }

  protected override _error(error: unknown): void {
    const { handlers, result } = this;
    this.end(() => (handlers.error ? handlers.error(error) : result.error(error)));
  }

  protected override _complete(): void {
    const { handlers, result } = this;
    this.end(() => (handlers.complete ? handlers.complete() : result.complete()));
  }

  private end(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.result.error(error);
    } finally {
      this.unsubscribe();
    }
  }
}
