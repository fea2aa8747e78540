import { asyncScheduler, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { operate } from '../internal/operate.js';
import { silenceTimer, type SilenceTimer } from '../internal/silenceTimer.js';

/** Silence after which a heartbeat is sent, in milliseconds; most proxies give up after 60,000 or 30,000. */
export const HEARTBEAT = 15_000;

/**
 * Mirrors the source, and sends `beat` whenever it has been silent for `each` milliseconds, from the subscription on.
 * One timer serves the whole stream.
 */
export function heartbeat<T, B>(
  beat: B,
  each: number = HEARTBEAT,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<T, T | B> {
  if (!(each > 0)) throw new RangeError('heartbeat: the time must be a positive number of milliseconds, or Infinity');
  return operate((subscriber) => {
    let timer: SilenceTimer;
    const watch = (): void => {
      timer = silenceTimer(scheduler, each, () => {
        watch();
        subscriber.next(beat);
      });
    };
    watch();
    return {
      next: (value) => {
        timer.touch();
        subscriber.next(value);
      },
      finalize: () => timer.stop(),
    };
  });
}
