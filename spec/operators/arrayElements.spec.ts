import fc from 'fast-check';
import { from, NEVER, Subject, take, tap, throwError, type Observable } from 'rxjs';
import type { JsonValue, LlmStreamEvent } from '../../src/contract/index.js';
import { ObjectValidationError } from '../../src/errors/ObjectValidationError.js';
import { arrayElements, type ArrayElementsConfig } from '../../src/operators/arrayElements.js';
import { broken, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { lateSchema, schemaOf } from './schemas.js';

const reset: LlmStreamEvent = { type: 'stream-reset', reason: 'cut' };

interface Outcome {
  values: unknown[];
  error?: unknown;
  completed: boolean;
}

function read(
  list: (string | LlmStreamEvent)[],
  path: Parameters<typeof arrayElements>[0],
  config?: ArrayElementsConfig<JsonValue>,
): Outcome {
  const events = list.map((item) => (typeof item === 'string' ? text(item) : item));
  return observe(from(events).pipe(arrayElements(path, config)));
}

function observe(result: Observable<unknown>): Outcome {
  const outcome: Outcome = { values: [], completed: false };
  result.subscribe({
    next: (value) => outcome.values.push(value),
    error: (error: unknown) => (outcome.error = error),
    complete: () => (outcome.completed = true),
  });
  return outcome;
}

const events: Record<string, LlmStreamEvent> = {
  a: text('{"items":[1'),
  b: text(',{"x":2},"th'),
  c: text('ree"]}'),
  u: usage(1, 2),
  z: stop(),
};
const elements = { x: 1, y: { x: 2 }, w: 'three' };

describe('arrayElements', () => {
  it('should emit each element as soon as it is complete', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<LlmStreamEvent>('-a-u-b---c--z|', events);
      const sourceSubs = '                 ^------------!';
      const expected = '                   -----(xy)w---|';

      expectObservable(source.pipe(arrayElements('items'))).toBe(expected, elements);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit each element once, in order, however the text is split', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.nat(200), { maxLength: 10 }), (array, cuts) => {
        const raw = JSON.stringify({ before: array, at: { items: array }, items: 'no' });
        const at = [0, ...cuts.map((cut) => Math.min(cut, raw.length)).sort((a, b) => a - b), raw.length];
        const pieces = at.slice(1).map((end, index) => raw.slice(at[index], end));
        const outcome = read([...pieces, stop()], 'at.items');

        expect(outcome.values).toEqual(JSON.parse(JSON.stringify(array)));
        expect(outcome.completed).toBe(true);
      }),
    );
  });

  it.each<[string, Parameters<typeof arrayElements>[0], string]>([
    ['the root', '', '[1,[2],3]'],
    ['the root', [], '[1,[2],3]'],
    ['a dotted path', 'a.b', '{"a":{"c":[0],"b":[1,[2],3]},"b":[0]}'],
    ['a path with an index', 'a.1', '{"a":[[0],[1,[2],3],[0]]}'],
    ['a path as a list', ['a', 1], '{"a":[[0],[1,[2],3],[0]]}'],
    ['a key with a dot', ['a.b'], '{"a":{"b":[0]},"a.b":[1,[2],3]}'],
    ['a key like Object.prototype has', '__proto__', '{"__proto__":[1,[2],3]}'],
  ])('should find the array at %s', (_, path, raw) => {
    expect(read([raw, stop()], path)).toEqual({ values: [1, [2], 3], completed: true });
    expect(read([...raw], path).values).toEqual([1, [2], 3]);
  });

  it('should give nothing for an empty array, or for none', () => {
    expect(read(['{"items":[]}', stop()], 'items')).toEqual({ values: [], completed: true });
    expect(read(['{"other":[1]}', stop()], 'items')).toEqual({ values: [], completed: true });
    expect(read(['{"other":[1]}', stop()], 'items.x')).toEqual({ values: [], completed: true });
  });

  it('should overlook a code fence', () => {
    expect(read(['```json\n[1', ',2]\n```', stop()], '')).toEqual({ values: [1, 2], completed: true });
  });

  it('should emit the elements that came before a fault, and the fault at the end', () => {
    const outcome = read(['[1,2,', stop('max-tokens')], '');

    expect(outcome.values).toEqual([1, 2]);
    expect(outcome.error).toBeInstanceOf(ObjectValidationError);
    expect(outcome.error).toMatchObject({ text: '[1,2,', stopReason: 'max-tokens', path: [2] });
  });

  it.each([['{"items":"none"}'], ['{"items":{"a":1}}'], ['{"items":null,"x":[']])(
    'should error as soon as the value at the path turns out to be no array, in %j',
    (raw) => {
      const { values, error } = read([raw], 'items');

      expect(values).toEqual([]);
      expect(error).toMatchObject({
        message: 'invalid object at items: expected an array',
        path: ['items'],
        text: raw,
      });
    },
  );

  it('should refuse a bare number in place of the array at the end', () => {
    expect(read(['12', stop()], '').error).toMatchObject({ path: [], stopReason: 'end-turn' });
  });

  it('should begin again after a reset, and in the turn after tool calls', () => {
    expect(read(['[1,2', reset, '[1,2]', stop()], '').values).toEqual([1, 1, 2]);
    expect(read(['I look.', stop('tool-use'), '[1]', stop()], '')).toEqual({ values: [1], completed: true });
  });

  it('should pass on limits', () => {
    expect(read(['[[[1]]]', stop()], '', { maxDepth: 2 }).error).toMatchObject({ cause: { fault: 'too-deep' } });
    expect(read(['[1,', '2]'], '', { maxLength: 4 })).toMatchObject({
      values: [1],
      error: { cause: { fault: 'too-long' } },
    });
    expect(() => arrayElements('', { maxDepth: -1 })).toThrow(RangeError);
    expect(() => arrayElements('', { schema: { type: 'array' } as never })).toThrow(
      /arrayElements: give a Standard Schema/,
    );
  });

  describe('with a schema', () => {
    const even = schemaOf<number>((value) =>
      (value as number) % 2 === 0 ? [] : [{ message: 'expected an even number', path: [] }],
    ) as ArrayElementsConfig<JsonValue>['schema'];

    it('should say which element it refused, after the ones before', () => {
      const { values, error } = read(['{"a":[2,4,', '5,6]}', stop()], 'a', { schema: even });

      expect(values).toEqual([2, 4]);
      expect(error).toMatchObject({
        message: 'invalid object at a[2]: expected an even number',
        path: ['a', 2],
        text: '{"a":[2,4,5,6]}',
      });
    });

    it('should keep the order of elements that are validated later, and complete after the last', async () => {
      const schema = lateSchema<string>();
      const source = new Subject<LlmStreamEvent>();
      const outcome = observe(source.pipe(arrayElements('', { schema })));
      source.next(text('[1,2]'));
      source.next(stop());
      source.complete();
      expect(schema.asked).toEqual([1]);
      await schema.settle({ value: 'one' });
      expect(outcome).toMatchObject({ values: ['one'], completed: false });
      await schema.settle({ value: 'two' });

      expect(schema.asked).toEqual([1, 2]);
      expect(outcome).toMatchObject({ values: ['one', 'two'], completed: true });
    });

    it('should pass on what it throws, and its rejections', async () => {
      const thrown = new Error('mine');
      const throws = schemaOf<JsonValue>(() => {
        throw thrown;
      }) as ArrayElementsConfig<JsonValue>['schema'];
      expect(read(['[1]'], '', { schema: throws }).error).toBe(thrown);

      const late = lateSchema<JsonValue>();
      const outcome = observe(from([text('[1]')]).pipe(arrayElements('', { schema: late })));
      await late.fail(thrown);
      expect(outcome.error).toBe(thrown);
    });
  });

  describe('as an operator', () => {
    it('should complete with an empty source', () => {
      createTestScheduler().run(({ cold, expectObservable }) => {
        expectObservable(cold<LlmStreamEvent>('--|').pipe(arrayElements(''))).toBe('--|');
      });
    });

    it('should never end with a source that never does', () => {
      createTestScheduler().run(({ expectObservable }) => {
        expectObservable((NEVER as Observable<LlmStreamEvent>).pipe(arrayElements(''))).toBe('-');
      });
    });

    it('should pass an error on at once', () => {
      createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const error = broken();
        const source = cold<LlmStreamEvent>('-a-b----#', events, error);
        const sourceSubs = '                 ^-------!';
        const expected = '                   ---(xy)-#';

        expectObservable(source.pipe(arrayElements('items'))).toBe(expected, elements, error);
        expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      });
      expect(observe(throwError(() => 'at once').pipe(arrayElements(''))).error).toBe('at once');
    });

    it('should unsubscribe from the source early', () => {
      createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<LlmStreamEvent>('-a-b---c-z|', events);
        const sourceSubs = '                 ^-----!    ';
        const unsub = '                      ------!    ';
        const expected = '                   ---(xy)    ';

        expectObservable(source.pipe(arrayElements('items')), unsub).toBe(expected, elements);
        expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      });
    });

    it('should stop a synchronous source after `take`, in the middle of a piece', () => {
      let sent = 0;
      const source = from([text('[1,2,3,'), text('4]'), stop()]).pipe(tap(() => sent++));
      const outcome = observe(source.pipe(arrayElements(''), take(2)));

      expect(outcome).toEqual({ values: [1, 2], completed: true });
      expect(sent).toBe(1);
    });

    it('should share no state between two subscribers', () => {
      const source = new Subject<LlmStreamEvent>();
      const result = source.pipe(arrayElements(''));
      const first = observe(result);
      source.next(text('[1,'));
      const second = observe(result);
      source.next(text('[2,3],'));

      expect(first.values).toEqual([1, [2, 3]]);
      expect(second.values).toEqual([2, 3]);
    });
  });
});
