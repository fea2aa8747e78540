import type { SchedulerLike, Subscription } from 'rxjs';

/** Watches for silence. */
export interface SilenceTimer {
  /** Something has happened: the silence starts anew, from now on at most `limit` milliseconds where it is given. */
  touch(limit?: number): void;
  /** Stops watching. */
  stop(): void;
}

/**
 * Calls `onSilence` once when nothing has happened for `limit` milliseconds.
 *
 * One timer serves a whole stream: an event only notes the time, and the timer, when it fires, sleeps on for what is left.
 *
 * @param scheduler - Gives the time.
 * @param limit - Longest silence in milliseconds; `Infinity` never fires.
 * @param onSilence - Called at most once, never after `stop`.
 */
export function silenceTimer(scheduler: SchedulerLike, limit: number, onSilence: () => void): SilenceTimer {
  let longest = limit;
  let last = scheduler.now();
  let timer: Subscription | undefined;
  const watch = (wait: number): void => {
    if (wait === Infinity) return;
    timer = scheduler.schedule(() => {
      const left = last + longest - scheduler.now();
      if (left > 0) return watch(left);
      timer = undefined;
      onSilence();
    }, wait);
  };
  watch(limit);
  return {
    touch(next) {
      last = scheduler.now();
      if (next === undefined || next === longest) return;
      const sooner = next < longest || timer === undefined;
      longest = next;
      // A timer that fires too early sleeps on; one that would fire too late has to be set anew.
      if (!sooner) return;
      timer?.unsubscribe();
      watch(next);
    },
    stop() {
      timer?.unsubscribe();
      longest = Infinity;
      timer = undefined;
    },
  };
}
