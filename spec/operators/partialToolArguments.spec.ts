import { from, NEVER, of, Subject, take, tap, throwError, type Observable } from 'rxjs';
import type { LlmStreamEvent } from '../../src/contract/index.js';
import { partialToolArguments } from '../../src/operators/partialToolArguments.js';
import { args, broken, close, start, stop, text } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const ready = (id: string, name: string, value: { [key: string]: number }): LlmStreamEvent => ({
  type: 'tool-call-ready',
  id,
  name,
  arguments: value,
});
const cancel = (id: string): LlmStreamEvent => ({ type: 'tool-call-cancel', id, name: 'mail', reason: 'cut' });
const reset: LlmStreamEvent = { type: 'stream-reset', reason: 'cut' };

const events: Record<string, LlmStreamEvent> = {
  s: start('1', 'mail'),
  a: args('1', '{"to":"a'),
  b: args('1', 'nn"'),
  c: args('1', ',"body":"hi"}'),
  e: close('1'),
  z: stop('tool-use'),
  t: text('x'),
};

const partial = (value: unknown, id = '1', name = 'mail') => ({ id, name, value, complete: false });
const whole = (value: unknown, id = '1', name = 'mail') => ({ id, name, value, complete: true });

const shown = {
  A: partial({ to: 'a' }),
  B: partial({ to: 'ann' }),
  C: partial({ to: 'ann', body: 'hi' }),
  W: whole({ to: 'ann', body: 'hi' }),
};

/** Everything that is emitted for some events. */
function emitted(list: LlmStreamEvent[], config?: Parameters<typeof partialToolArguments>[0]): unknown[] {
  const seen: unknown[] = [];
  from(list)
    .pipe(partialToolArguments(config))
    .subscribe((value) => seen.push(value));
  return seen;
}

describe('partialToolArguments', () => {
  it('should emit the arguments as they grow, and the whole ones when the call closes', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<LlmStreamEvent>('--s--a--b--c--e--z|', events);
      const sourceSubs = '                 ^-----------------!';
      const expected = '                   -----A--B--C--W---|';

      expectObservable(source.pipe(partialToolArguments())).toBe(expected, shown);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit the whole arguments at the stop where no block end was told', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const source = cold<LlmStreamEvent>('s-a-b-c-t-(z|)', events);
      const expected = '                   --A-B-C---(W|)';

      expectObservable(source.pipe(partialToolArguments())).toBe(expected, shown);
    });
  });

  it('should not emit again for a delta that adds nothing to see', () => {
    expect(emitted([start('1', 'f'), args('1', ''), args('1', ' '), args('1', '{"a"'), args('1', ':1')])).toEqual([
      partial({}, '1', 'f'),
    ]);
  });

  it('should keep the identity of what did not change, and of the value that is complete', () => {
    const seen = emitted([start('1', 'f'), args('1', '{"a":[1],"b":"x'), args('1', 'y"}'), close('1')]) as {
      value: { a: unknown };
    }[];

    expect(seen).toHaveLength(3);
    expect(seen[1]?.value.a).toBe(seen[0]?.value.a);
    expect(seen[2]?.value).toBe(seen[1]?.value);
  });

  it('should keep calls that come interleaved apart', () => {
    expect(
      emitted([
        start('1', 'f'),
        start('2', 'g'),
        args('2', '[1,'),
        args('1', '{"x":"'),
        args('2', '2]'),
        close('2'),
        args('1', '"}'),
        close('1'),
      ]),
    ).toEqual([
      partial([1], '2', 'g'),
      partial({ x: '' }, '1', 'f'),
      partial([1, 2], '2', 'g'),
      whole([1, 2], '2', 'g'),
      whole({ x: '' }, '1', 'f'),
    ]);
  });

  it.each([[{ name: 'g' }], [{ id: '2' }], [{ name: 'g', id: '2' }]])('should read only the calls of %j', (config) => {
    const calls = [start('1', 'f'), start('2', 'g'), args('1', '{}'), args('2', '{}'), close('1'), close('2')];

    expect(emitted(calls, config)).toEqual([partial({}, '2', 'g'), whole({}, '2', 'g')]);
    expect(emitted(calls, { name: 'f', id: '2' })).toEqual([]);
    expect(emitted([ready('1', 'f', {}), ready('2', 'g', {})], config)).toEqual([whole({}, '2', 'g')]);
  });

  it('should take no arguments at all for an empty object', () => {
    expect(emitted([start('1', 'f'), close('1')])).toEqual([whole({}, '1', 'f')]);
    expect(emitted([start('1', 'f'), args('1', ' '), stop('tool-use')])).toEqual([whole({}, '1', 'f')]);
    expect(emitted([start('1', 'f'), args('1', 'null'), close('1')]).at(-1)).toEqual(whole({}, '1', 'f'));
  });

  it('should not call arguments whole that are not', () => {
    const cut = [start('1', 'f'), args('1', '{"a":"x')];

    expect(emitted([...cut, close('1')])).toEqual([partial({ a: 'x' }, '1', 'f')]);
    expect(emitted([...cut, stop('tool-use')])).toEqual([partial({ a: 'x' }, '1', 'f')]);
    expect(emitted([start('1', 'f'), args('1', '{"a":1}}'), close('1')])).toEqual([partial({ a: 1 }, '1', 'f')]);
  });

  it('should not call arguments whole that the token limit may have cut', () => {
    const limit = stop('max-tokens');

    expect(emitted([start('1', 'f'), limit])).toEqual([]);
    expect(emitted([start('1', 'f'), args('1', '12'), limit])).toEqual([]);
    expect(emitted([start('1', 'f'), args('1', '{}'), limit]).at(-1)).toEqual(whole({}, '1', 'f'));
  });

  it.each(['content-filter', 'refusal'] as const)('should not act on a call without arguments at a %s', (reason) => {
    expect(emitted([start('1', 'f'), stop(reason)])).toEqual([]);
    expect(emitted([start('1', 'f'), args('1', '{}'), stop(reason)]).at(-1)).toEqual(whole({}, '1', 'f'));
  });

  it('should end a bare number with its call', () => {
    expect(emitted([start('1', 'f'), args('1', '1'), args('1', '2'), close('1')])).toEqual([whole(12, '1', 'f')]);
  });

  it('should emit the arguments that recovery says are ready', () => {
    const open = [start('1', 'f'), args('1', '{"a":1}')];

    expect(emitted([...open, ready('1', 'f', { a: 1 })]).at(-1)).toEqual(whole({ a: 1 }, '1', 'f'));
    expect(emitted([...open, close('1'), ready('1', 'f', { a: 1 })]).filter((call) => isWhole(call))).toHaveLength(1);
    expect(emitted([...open, stop(), ready('1', 'f', { a: 1 })]).filter((call) => isWhole(call))).toHaveLength(1);
    expect(emitted([ready('3', 'h', { b: 2 })])).toEqual([whole({ b: 2 }, '3', 'h')]);
    expect(emitted([start('1', 'f'), args('1', '"'), close('1'), ready('1', 'f', { a: 1 })]).at(-1)).toEqual(
      whole({ a: 1 }, '1', 'f'),
    );
  });

  it('should drop a call that is cancelled, and read one that comes again from its beginning', () => {
    expect(
      emitted([
        start('1', 'mail'),
        args('1', '{"a":"ol'),
        cancel('1'),
        args('1', 'd"}'),
        close('1'),
        start('1', 'mail'),
        args('1', '{"a":"new"}'),
        close('1'),
      ]),
    ).toEqual([partial({ a: 'ol' }), partial({ a: 'new' }), whole({ a: 'new' })]);
  });

  it('should drop all calls at a reset', () => {
    expect(
      emitted([
        start('1', 'mail'),
        start('2', 'mail'),
        args('1', '{"a":"ol'),
        close('2'),
        reset,
        args('1', 'd"}'),
        close('1'),
        start('2', 'mail'),
        args('2', '[1]'),
        stop('tool-use'),
      ]),
    ).toEqual([partial({ a: 'ol' }), whole({}, '2'), partial([1], '2'), whole([1], '2')]);
  });

  it('should ignore deltas after the call has closed, and a second start of it', () => {
    expect(
      emitted([
        start('1', 'f'),
        args('1', '{}'),
        close('1'),
        args('1', '{}'),
        start('1', 'f'),
        args('1', '[]'),
        close('1'),
      ]),
    ).toEqual([partial({}, '1', 'f'), whole({}, '1', 'f')]);
  });

  it('should begin again with a call that is announced twice', () => {
    expect(emitted([start('1', 'f'), args('1', '{"a"'), start('1', 'f'), args('1', '[]'), close('1')]).at(-1)).toEqual(
      whole([], '1', 'f'),
    );
  });

  it('should accept the same id in the next turn', () => {
    const turn = [start('call_0', 'f'), args('call_0', '{}'), close('call_0'), stop('tool-use')];

    expect(emitted([...turn, ...turn])).toHaveLength(4);
  });

  it('should ignore deltas of a call that was not announced, and ends of other blocks', () => {
    expect(emitted([args('9', '{}'), close('9'), start('1', 'f'), close(), args('1', '{}')])).toEqual([
      partial({}, '1', 'f'),
    ]);
  });

  it('should stop reading a call whose arguments pass a limit', () => {
    const call = [start('1', 'f'), args('1', '[[1],'), args('1', '[[2]]]'), close('1')];

    expect(emitted(call, { maxDepth: 2 })).toEqual([partial([[1]], '1', 'f'), partial([[1], []], '1', 'f')]);
    expect(emitted(call, { maxLength: 5 })).toEqual([partial([[1]], '1', 'f')]);
  });

  it('should refuse limits without sense at the call', () => {
    expect(() => partialToolArguments({ maxDepth: 0 })).toThrow(RangeError);
  });

  describe('as an operator', () => {
    it('should complete with an empty source', () => {
      createTestScheduler().run(({ cold, expectObservable }) => {
        expectObservable(cold<LlmStreamEvent>('--|').pipe(partialToolArguments())).toBe('--|');
      });
    });

    it('should never end with a source that never does', () => {
      createTestScheduler().run(({ expectObservable }) => {
        expectObservable((NEVER as Observable<LlmStreamEvent>).pipe(partialToolArguments())).toBe('-');
      });
    });

    it('should pass an error on, and make nothing whole of what is open', () => {
      createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const error = broken();
        const source = cold<LlmStreamEvent>('s-a-b-c-#', events, error);
        const sourceSubs = '                 ^-------!';
        const expected = '                   --A-B-C-#';

        expectObservable(source.pipe(partialToolArguments())).toBe(expected, shown, error);
        expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      });
    });

    it('should pass on the error of a source that errors at once', () => {
      const error = broken();
      const seen: unknown[] = [];
      throwError(() => error)
        .pipe(partialToolArguments())
        .subscribe({ error: (reason: unknown) => seen.push(reason) });
      expect(seen).toEqual([error]);
    });

    it('should unsubscribe from the source early', () => {
      createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<LlmStreamEvent>('s-a-b-c-e-z|', events);
        const sourceSubs = '                 ^----!      ';
        const unsub = '                      -----!      ';
        const expected = '                   --A-B-      ';

        expectObservable(source.pipe(partialToolArguments()), unsub).toBe(expected, shown);
        expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      });
    });

    it('should stop a synchronous source after `take`', () => {
      let sent = 0;
      const list = [start('1', 'f'), args('1', '{"a":"x'), args('1', 'y'), args('1', 'z"}'), close('1')];
      const source = from(list).pipe(tap(() => sent++));
      const seen: unknown[] = [];
      source.pipe(partialToolArguments(), take(1)).subscribe((value) => seen.push(value));

      expect(seen).toEqual([partial({ a: 'x' }, '1', 'f')]);
      expect(sent).toBe(2);
    });

    it('should share no state between two subscribers', () => {
      const source = new Subject<LlmStreamEvent>();
      const result = source.pipe(partialToolArguments());
      const first: unknown[] = [];
      const second: unknown[] = [];
      result.subscribe((value) => first.push(value));
      source.next(start('1', 'f'));
      source.next(args('1', '{"a":1,'));
      result.subscribe((value) => second.push(value));
      source.next(args('1', '"b":"x"}'));
      source.next(close('1'));

      expect(first).toHaveLength(3);
      expect(second).toEqual([]);
      of(start('1', 'f'), close('1'))
        .pipe(partialToolArguments())
        .subscribe((value) => second.push(value));
      expect(second).toEqual([whole({}, '1', 'f')]);
    });
  });
});

function isWhole(call: unknown): boolean {
  return (call as { complete: boolean }).complete;
}
