import { merge, NEVER, of } from 'rxjs';
import { Slots } from '../../src/tools/slots.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

describe('Slots', () => {
  it('should run so many at a time, in order', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const work = cold('  --a--|     ');
      const workSubs = ['  ^----!     ', '^----!', '-----^----!'];
      const expected = '   --(aa)-a--|';
      const slots = new Slots(2);

      const result = merge(slots.run(work), slots.run(work), slots.run(work));

      expectObservable(result).toBe(expected);
      expectSubscriptions(work.subscriptions).toBe(workSubs);
    });
  });

  it('should give up the place, or the wait for it, when it is unsubscribed', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('  a----------');
      const waits = cold('  b----------');
      const third = cold('  c----------');
      const slots = new Slots(1);

      expectObservable(slots.run(first), '   ^-------!').toBe('a');
      expectObservable(slots.run(waits), '   ^--!     ').toBe('');
      expectObservable(slots.run(third), '   ^----------!').toBe('--------c');
      expectSubscriptions(waits.subscriptions).toBe([]);
      expectSubscriptions(third.subscriptions).toBe('--------^--!');
    });
  });

  it('should pass errors on and free the place', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const slots = new Slots(1);
      expectObservable(slots.run(cold('---#'))).toBe('---#');
      expectObservable(slots.run(of('x'))).toBe('---(x|)');
      expectObservable(slots.run(NEVER)).toBe('');
    });
  });
});
