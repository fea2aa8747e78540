import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { inOneBurst, silenceTimer } from '../../src/internal/silenceTimer.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

/** A clock that counts how often it is asked. */
function counted(): { scheduler: SchedulerLike; asked: () => number } {
  let asked = 0;
  const now = (): number => {
    asked++;
    return 0;
  };
  const scheduler: SchedulerLike = {
    now,
    schedule: (...args: Parameters<SchedulerLike['schedule']>) => asyncScheduler.schedule(...args),
  };
  return { scheduler, asked: () => asked };
}

describe('silenceTimer', () => {
  it('should fire when the silence since the last touch is too long, and once', () => {
    const scheduler = createTestScheduler();
    const fired: number[] = [];
    scheduler.run(({ flush }) => {
      const timer = silenceTimer(scheduler, 10, () => fired.push(scheduler.now()));
      for (const at of [4, 8, 12]) scheduler.schedule(() => timer.touch(), at);
      flush();
    });

    expect(fired).toEqual([22]);
  });

  it('should count the silence after a burst from the end of the burst', () => {
    const scheduler = createTestScheduler();
    const fired: number[] = [];
    scheduler.run(({ flush }) => {
      const timer = silenceTimer(scheduler, 10, () => fired.push(scheduler.now()));
      scheduler.schedule(() => inOneBurst(() => [1, 2, 3].forEach(() => timer.touch())), 6);
      scheduler.schedule(() => inOneBurst(() => timer.touch()), 9);
      flush();
    });

    expect(fired).toEqual([19]);
  });

  it('should ask for the time once in sixteen events of a burst, and at each event outside of one', () => {
    const { scheduler, asked } = counted();
    const timer = silenceTimer(scheduler, 1_000, () => undefined);
    const before = asked();
    inOneBurst(() => Array.from({ length: 32 }).forEach(() => timer.touch()));
    const inBurst = asked() - before;
    Array.from({ length: 3 }).forEach(() => timer.touch());
    timer.stop();

    expect(inBurst).toBe(2);
    expect(asked() - before - inBurst).toBe(3);
  });

  it('should leave the burst when what is delivered throws, and return to the outer one', () => {
    const { scheduler, asked } = counted();
    const timer = silenceTimer(scheduler, 1_000, () => undefined);
    inOneBurst(() => {
      timer.touch();
      expect(() =>
        inOneBurst(() => {
          throw new Error('broken');
        }),
      ).toThrow('broken');
      const before = asked();
      timer.touch();
      expect(asked()).toBe(before);
    });
    const before = asked();
    timer.touch();
    timer.touch();
    timer.stop();

    expect(asked() - before).toBe(2);
  });
});
