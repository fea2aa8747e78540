import { EMPTY, from, NEVER, take } from 'rxjs';
import { idleTimeout, InferenceExecutionError, type LlmStreamEvent } from '../../src/index.js';
import { args, broken, reasoning, start, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const values = {
  a: text('a'),
  r: reasoning('r'),
  d: args('1', '{'),
  u: usage(1, 1),
  t: start('1', 'f'),
  e: text(''),
  s: stop(),
};

const stall = (limit: number, over: object = {}): unknown =>
  expect.objectContaining({
    kind: 'stream-interrupted',
    detail: `no progress for ${limit} ms`,
    interruption: { kind: 'idle-stall' },
    ...over,
  });

describe('idleTimeout', () => {
  it('should error and unsubscribe from the source when there is no progress', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions, time }) => {
      const source = cold(' --a--a--------s|', values);
      const each = time('        ----|       ');
      const subs = '        ^--------!      ';
      const expected = '    --a--a---#      ';

      const result = source.pipe(idleTimeout({ each }));

      expectObservable(result).toBe(
        expected,
        values,
        stall(4, { snapshot: expect.objectContaining({ text: 'aa' }) as unknown }),
      );
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('should apply `first` to the wait for the first progress only', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const source = cold(' ------a-----a|', values);
      const expected = '    ------a--#    ';

      expectObservable(source.pipe(idleTimeout({ first: 7, each: 3 }))).toBe(expected, values, stall(3));
    });
  });

  it('should error when the first progress is late', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const source = cold(' --u---a|', values);
      const expected = '    --u--#   ';

      expectObservable(source.pipe(idleTimeout({ first: 5, each: 30 }))).toBe(expected, values, stall(5));
    });
  });

  it('should let text, reasoning and arguments count, and nothing else', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const progress = cold('  a--r--d--a--s|', values);
      const keepAlive = cold(' a--u--t--e--a|', values);

      expectObservable(progress.pipe(idleTimeout(4))).toBe('a--r--d--a--s|', values);
      expectObservable(keepAlive.pipe(idleTimeout(4))).toBe('a--u#', values, stall(4));
    });
  });

  it('should watch no more after the stop', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-s----------|', values).pipe(idleTimeout(4))).toBe('-a-s----------|', values);
    });
  });

  it('should pass the source error and completion through', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const error = broken();

      expectObservable(cold('-a-#', values, error).pipe(idleTimeout(4))).toBe('-a-#', values, error);
      expectObservable(EMPTY.pipe(idleTimeout(4))).toBe('|');
    });
  });

  it('should leave no timer when it is unsubscribed', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(' --a------', values);
      const unsub = '       ----!    ';

      expectObservable(source.pipe(idleTimeout(4)), unsub).toBe('--a--', values);
      expectSubscriptions(source.subscriptions).toBe('^---!');
    });
  });

  it('should error over a source that never sends', () => {
    createTestScheduler().run(({ expectObservable }) => {
      expectObservable(NEVER.pipe(idleTimeout(4))).toBe('----#', undefined, stall(4, { snapshot: undefined }));
    });
  });

  it('should stop a synchronous source at once', () => {
    let sent = 0;
    function* endless(): Generator<LlmStreamEvent> {
      for (;;) yield text(String(sent++));
    }

    from(endless()).pipe(idleTimeout(4), take(2)).subscribe();

    expect(sent).toBe(2);
  });

  it('should watch no more after the stop, whatever follows it', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const sent = { ...values, s: stop() };
      const result = cold('-a-s-a------------|', sent).pipe(idleTimeout({ first: 3, each: 5 }));

      expectObservable(result).toBe('-a-s-a------------|', sent);
    });
  });

  it('should share no time between two subscribers', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const result = cold('--a------', values).pipe(idleTimeout(4));

      expectObservable(result, '^-----------').toBe('--a---#', values, stall(4));
      expectObservable(result, '---^--------').toBe('-----a---#', values, stall(4));
    });
  });

  it.each([0, -1, NaN])('should throw at the call on a time of %d', (each) => {
    expect(() => idleTimeout(each)).toThrow(RangeError);
    expect(() => idleTimeout({ each: 1, first: each })).toThrow(RangeError);
  });

  it('should send an error of the library', () => {
    expect(stall(4)).toBeDefined();
    let error: unknown;
    createTestScheduler().run(({ flush }) => {
      NEVER.pipe(idleTimeout(4)).subscribe({ error: (e: unknown) => (error = e) });
      flush();
    });

    expect(error).toBeInstanceOf(InferenceExecutionError);
  });
});
