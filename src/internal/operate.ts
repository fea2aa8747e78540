import { Observable, Subject, takeUntil, type OperatorFunction, type Subscriber } from 'rxjs';

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
      // The subscription to a synchronous source does not exist yet while the source sends: a notifier reaches it anyway.
      const ended = new Subject<void>();
      subscriber.add(() => ended.next());
      const handlers = connect(subscriber);
      if (handlers.finalize) subscriber.add(handlers.finalize);
      const guard = (work: () => void): void => {
        if (subscriber.closed) return;
        try {
          work();
        } catch (error) {
          subscriber.error(error);
        }
      };
      source.pipe(takeUntil(ended)).subscribe({
        next: (value) => {
          if (subscriber.closed) return;
          try {
            handlers.next(value);
          } catch (error) {
            subscriber.error(error);
          }
        },
        error: (error: unknown) => guard(() => (handlers.error ? handlers.error(error) : subscriber.error(error))),
        complete: () => guard(() => (handlers.complete ? handlers.complete() : subscriber.complete())),
      });
    });
}
