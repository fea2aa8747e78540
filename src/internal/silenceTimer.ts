import type { SchedulerLike, Subscription } from 'rxjs';

/** Watches for silence. */
export interface SilenceTimer {
  /** Something has happened: the silence starts anew, from now on at most `limit` milliseconds where it is given. */
  touch(limit?: number): void;
  /** Stops watching. */
  stop(): void;
}

/** What is being delivered in one go: a number of its own for each chunk, or 0. */
let burst = 0;
let bursts = 0;

/** Events of a burst that come at one time, as far as a silence is concerned: to ask for the time costs more than an event. */
const AT_ONE_TIME = 16;

/** Runs `work`, in which events come one right after the other. */
export function inOneBurst(work: () => void): void {
  const outer = burst;
  burst = ++bursts;
  try {
    work();
  } finally {
    burst = outer;
  }
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
  let known = 0;
  let untimed = 0;
  let stopped = false;
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
      if (burst === 0 || burst !== known || ++untimed === AT_ONE_TIME) {
        last = scheduler.now();
        known = burst;
        untimed = 0;
      }
      if (stopped || next === undefined || next === longest) return;
      const sooner = next < longest || timer === undefined;
      longest = next;
      // A timer that fires too early sleeps on; one that would fire too late has to be set anew.
      if (!sooner) return;
      timer?.unsubscribe();
      watch(next);
    },
    stop() {
      stopped = true;
      timer?.unsubscribe();
      timer = undefined;
    },
  };
}
