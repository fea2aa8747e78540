import { Subject, takeUntil, type Observable } from 'rxjs';
import { SlowConsumerError } from './SlowConsumerError.js';

/** How much waits for a slow consumer. */
export interface QueueConfig<T> {
  /** How much waits at most, as `sizeOf` counts. Defaults to 16,384. */
  limit?: number;
  /** The size of a value. Defaults to 1 for each. */
  sizeOf?: (value: T) => number;
  /** True subscribes at once: for a source that runs already, and must be left also by who never reads. Defaults to false. */
  eager?: boolean;
}

/** How many values wait at most for a slow consumer, by default. */
export const QUEUE_LIMIT = 16_384;

/**
 * Turns an Observable into a web stream.
 *
 * Subscribes at the first read (unless it is `eager`), so that a stream which nobody reads asks for nothing. Values that
 * come while nobody reads wait; beyond the limit the source is unsubscribed and the stream errors with a
 * {@link SlowConsumerError}, without what was waiting. The source's error and completion become the stream's; what `sizeOf`
 * throws is an error of the source. Cancelling the stream unsubscribes from the source.
 *
 * @param source - What is read.
 * @param config - See {@link QueueConfig}.
 * @throws RangeError when the limit is not positive.
 */
export function toReadableStream<T>(source: Observable<T>, config: QueueConfig<T> = {}): ReadableStream<T> {
  const { limit = QUEUE_LIMIT, sizeOf = () => 1, eager = false } = config;
  if (!(limit > 0)) throw new RangeError('toReadableStream: the limit must be positive');
  const left = new Subject<void>();
  let state: 'new' | 'open' | 'ended' = 'new';
  const end = (): void => {
    state = 'ended';
    left.next();
  };
  const start = (controller: ReadableStreamDefaultController<T>): void => {
    if (state !== 'new') return;
    state = 'open';
    source.pipe(takeUntil(left)).subscribe({
      next: (value) => {
        try {
          controller.enqueue(value);
          // With a high-water mark of 0, what is wanting is what waits.
          if (-(controller.desiredSize ?? 0) <= limit) return;
          controller.error(new SlowConsumerError(limit));
        } catch (error) {
          // `sizeOf` is called in there.
          controller.error(error);
        }
        end();
      },
      error: (error: unknown) => {
        state = 'ended';
        controller.error(error);
      },
      // Whoever leaves completes it too, and has closed the stream already.
      complete: () => state === 'open' && controller.close(),
    });
  };
  const source$ = { ...(eager && { start }), pull: start, cancel: end };
  return new ReadableStream<T>(source$, { highWaterMark: 0, size: sizeOf });
}
