import { from, NEVER, of, Subject, take, tap, throwError, type Observable } from 'rxjs';
import type { LlmStreamEvent } from '../../src/contract/index.js';
import { ObjectValidationError } from '../../src/errors/ObjectValidationError.js';
import { PartialJsonError } from '../../src/json/index.js';
import { objects, type ObjectsConfig } from '../../src/operators/objects.js';
import { broken, reasoning, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { anything, lateSchema, schemaOf } from './schemas.js';

interface Recipe {
  title: string;
  steps: { minutes: number }[];
}

/** Steps must have a positive number of minutes. */
const recipe = schemaOf<Recipe>((value) =>
  (value as Recipe).steps.flatMap(({ minutes }, index) =>
    minutes > 0 ? [] : [{ message: 'expected a positive number', path: ['steps', { key: index }, 'minutes'] }],
  ),
);

const reset: LlmStreamEvent = { type: 'stream-reset', reason: 'cut' };

const events: Record<string, LlmStreamEvent> = {
  a: text('{"title":"So'),
  b: text('up","steps":[{"minutes":1'),
  c: text('0}]}'),
  u: usage(1, 2),
  r: reasoning('{"title":"no"}'),
  z: stop(),
};

const partial = (value: unknown) => ({ value, complete: false });
const whole = (value: unknown) => ({ value, complete: true });

const soup = { title: 'Soup', steps: [{ minutes: 10 }] };
const shown = {
  A: partial({ title: 'So' }),
  B: partial({ title: 'Soup', steps: [{}] }),
  C: partial(soup),
  V: whole(soup),
};

interface Outcome {
  values: unknown[];
  error?: unknown;
  completed: boolean;
}

function read(list: LlmStreamEvent[], schema = anything, config?: ObjectsConfig): Outcome {
  return observe(from(list).pipe(objects(schema, config)));
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

const valueOf = (...pieces: string[]): unknown => read([...pieces.map(text), stop()]).values.at(-1);

describe('objects', () => {
  it('should emit the object as it grows, and the whole one when the model stops', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<LlmStreamEvent>('r-a--b-u-c--z-|', events);
      const sourceSubs = '                 ^-------------!';
      const expected = '                   --A--B---C--V-|';

      expectObservable(source.pipe(objects(recipe))).toBe(expected, shown);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit the whole object when the source completes without a stop', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const source = cold<LlmStreamEvent>('-a-b-c-|   ', events);
      const expected = '                   -A-B-C-(V|)';

      expectObservable(source.pipe(objects(recipe))).toBe(expected, shown);
    });
  });

  it('should keep the identity of every branch that did not change', () => {
    const { values } = read([text('{"a":[1],"b":"x'), text('y'), text('"}')]) as {
      values: { value: { a: unknown } }[];
    };

    expect(values).toHaveLength(3);
    expect(values[1]?.value.a).toBe(values[0]?.value.a);
    expect(values[2]?.value).toBe(values[1]?.value);
  });

  it('should not emit again for text that adds nothing to see', () => {
    expect(read([text(''), text(' '), text('['), text(' '), text('1'), text('2')]).values).toEqual([partial([])]);
  });

  it('should emit what the schema makes of the object', () => {
    const trimmed = {
      '~standard': {
        version: 1 as const,
        vendor: 'spec',
        validate: (value: unknown) => ({ value: String(value).trim() }),
      },
    };

    expect(read([text('" a "'), stop()], trimmed).values).toEqual([partial(' a '), whole('a')]);
  });

  it('should end a bare number with the answer', () => {
    expect(valueOf('4', '2')).toEqual(whole(42));
  });

  describe('when the answer is not what was asked for', () => {
    it('should say which path the schema refused, and carry the raw text', () => {
      const raw = '{"title":"Soup","steps":[{"minutes":5},{"minutes":0},{"minutes":-1}]}';
      const { values, error } = read([text(raw), stop()], recipe);

      expect(values).toHaveLength(1);
      expect(error).toBeInstanceOf(ObjectValidationError);
      expect(error).toMatchObject({
        name: 'ObjectValidationError',
        path: ['steps', 1, 'minutes'],
        text: raw,
        stopReason: 'end-turn',
      });
      expect((error as ObjectValidationError).issues).toHaveLength(2);
      expect((error as Error).message).toBe(
        'invalid object at steps[1].minutes: expected a positive number (and 1 more)',
      );
    });

    it('should name the root, odd keys and the lack of a message', () => {
      const path = (issues: { message: string; path?: PropertyKey[] }[]) =>
        (
          read(
            [text('{}'), stop()],
            schemaOf(() => issues),
          ).error as Error
        ).message;

      expect(path([{ message: 'no' }])).toBe('invalid object at its root: no');
      expect(path([{ message: 'no', path: ['a b', 'ü'] }])).toBe('invalid object at ["a b"].ü: no');
      expect(new ObjectValidationError([], [], '').message).toBe('invalid object at its root: refused by the schema');
    });

    it('should say where the text stops being JSON, when all of it has come', () => {
      createTestScheduler().run(({ cold, expectObservable }) => {
        const source = cold<LlmStreamEvent>('a-b-z|', { a: text('{"a":[1'), b: text(' 2]}'), z: stop() });
        const cause = new PartialJsonError('unexpected-character', 8, ['a'], '"," or "]"', '"2"');
        const { message, path } = cause;
        const options = { stopReason: 'end-turn' as const, cause };
        const error = new ObjectValidationError(path, [{ message, path }], '{"a":[1 2]}', options);
        const values = { p: partial({ a: [] }), q: partial({ a: [1] }) };

        expectObservable(source.pipe(objects(anything))).toBe('p-q-#', values, error);
      });
    });

    it('should say why the model stopped in the middle', () => {
      const { error, values } = read([text('{"title":"So'), stop('max-tokens')]);

      expect(values).toEqual([partial({ title: 'So' })]);
      expect(error).toMatchObject({ path: ['title'], stopReason: 'max-tokens', text: '{"title":"So' });
      expect((error as Error).message).toBe(
        'invalid object at title: invalid JSON at offset 12 (in "title"): expected the end of a string, ' +
          'found the end of the text; the model stopped with max-tokens',
      );
    });

    it.each(['refusal', 'end-turn', 'content-filter', 'max-tokens'] as const)(
      'should error on a stop with %s and no text',
      (reason) => {
        expect(read([stop(reason)]).error).toMatchObject({ path: [], text: '', stopReason: reason });
      },
    );

    it('should refuse text around the JSON', () => {
      expect(read([text('Here it is: {}'), stop()]).error).toMatchObject({ cause: { offset: 0 } });
      expect(read([text('{} Enjoy!'), stop()]).error).toMatchObject({ cause: { offset: 3, fault: 'extra-text' } });
    });

    it('should pass on what the schema throws', () => {
      const thrown = new Error('mine');
      const throws = schemaOf(() => {
        throw thrown;
      });
      expect(read([text('1'), stop()], throws).error).toBe(thrown);
    });
  });

  describe('limits', () => {
    it('should error as soon as the text is too long, also after it has turned out to be no JSON', () => {
      createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<LlmStreamEvent>('a-b-c-d-|', {
          a: text('nope'),
          b: text('12'),
          c: text('3'),
          d: text(''),
        });
        const sourceSubs = '                 ^---!';
        const cause = new PartialJsonError('too-long', 6, [], 'no more than 6 characters', 'more');
        const { message, path } = cause;
        const error = new ObjectValidationError([], [{ message, path }], 'nope12', { cause });

        expectObservable(source.pipe(objects(anything, { maxLength: 6 }))).toBe('----#', undefined, error);
        expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      });
    });

    it('should refuse deep nesting', () => {
      expect(read([text('[[1]]'), stop()], anything, { maxDepth: 1 }).error).toMatchObject({
        cause: { fault: 'too-deep' },
      });
    });

    it('should refuse limits without sense at the call', () => {
      expect(() => objects(anything, { maxLength: 0 })).toThrow(RangeError);
      for (const schema of [{ type: 'object' }, undefined, null, () => true]) {
        expect(() => objects(schema as never)).toThrow(
          new TypeError('objects: give a Standard Schema (Zod, Valibot, ArkType), not a JSON Schema'),
        );
      }
    });
  });

  describe('code fences', () => {
    it.each([
      ['```json\n{"a":1}\n```'],
      ['\n ```json\r\n{"a":1}\n```\n\n'],
      ['```\n{"a":1}\n```'],
      ['```{"a":1}```'],
      ['```JSON {"a":1} ```'],
      ['```json\n{"a":1}'],
      ['```json\n{"a":1}\n'],
    ])('should be overlooked in %j, however it is split', (raw) => {
      for (let cut = 0; cut <= raw.length; cut++) {
        expect(valueOf(raw.slice(0, cut), raw.slice(cut))).toEqual(whole({ a: 1 }));
      }
      expect(valueOf(...raw)).toEqual(whole({ a: 1 }));
    });

    it('should not be looked for inside strings', () => {
      expect(valueOf('```json\n["```', '\\n```"]\n``', '`')).toEqual(whole(['```\n```']));
    });

    it.each([
      ['```json\n{"a":1}\n```\nEnjoy!', 16],
      ['```json\n{"a":1}\n``', 16],
      ['``{"a":1}``', 0],
      ['`{"a":1}`', 0],
      ['{"a":1}\n```', 8],
      ['```json', 7],
      [`\`\`\`${'x'.repeat(40)}\n1`, 31],
    ])('should leave the fault in %j at its place in the raw text', (raw, offset) => {
      const parts = read([...[...raw].map(text), stop()]);
      const atOnce = read([text(raw), stop()]);

      expect(atOnce.error).toMatchObject({ text: raw });
      expect(parts.error).toMatchObject({
        cause: { offset: (atOnce.error as { cause: PartialJsonError }).cause.offset },
      });
      expect(atOnce.error).toMatchObject({ cause: { offset } });
    });
  });

  describe('across attempts and turns', () => {
    it('should begin again after a reset', () => {
      const { values } = read([text('{"a":"old'), reset, text('{"a":"n'), text('ew"}'), stop()]);

      expect(values).toEqual([partial({ a: 'old' }), partial({ a: 'n' }), partial({ a: 'new' }), whole({ a: 'new' })]);
    });

    it('should show what equals the value before a reset again', () => {
      expect(read([text('[1,'), reset, text('[1,'), text('2]')]).values).toHaveLength(4);
      expect(read([text('"a'), reset, text('"a'), text('"')]).values).toEqual([partial('a'), partial('a'), whole('a')]);
    });

    it('should discard the text of a turn that ends in tool calls', () => {
      const { values, completed } = read([text('Let me see.'), stop('tool-use'), text('{}'), stop()]);

      expect(values).toEqual([partial({}), whole({})]);
      expect(completed).toBe(true);
    });

    it('should discard the text of a turn with calls, although it ends as any other, but not that of the next', () => {
      const call = { type: 'tool-call-start', id: 'a', name: 'f' } as const;
      const cancel = { type: 'tool-call-cancel', id: 'a', name: 'f', reason: 'cut' } as const;

      const { values, completed } = read([text('Let me see.'), call, stop(), text('{}'), stop()]);

      expect(values).toEqual([partial({}), whole({})]);
      expect(completed).toBe(true);
      expect(read([text('{}'), call, cancel, stop()]).values).toEqual([partial({}), whole({})]);
    });

    it('should go on after a stop at the token limit', () => {
      const { values } = read([text('["a'), stop('max-tokens'), text('b"]'), stop()]);

      expect(values).toEqual([partial(['a']), partial(['ab']), whole(['ab'])]);
    });

    it('should take an object that has closed for whole at the token limit', () => {
      expect(read([text('{}'), stop('max-tokens'), text('x')]).values).toEqual([partial({}), whole({})]);
    });

    it('should ignore what comes after the stop', () => {
      const { values, completed } = read([text('{}'), stop(), text('x'), reset, stop('refusal')]);

      expect(values).toEqual([partial({}), whole({})]);
      expect(completed).toBe(true);
    });
  });

  describe('with a schema that answers later', () => {
    it('should emit after the answer, and complete after the source', async () => {
      const schema = lateSchema<unknown>();
      const source = new Subject<LlmStreamEvent>();
      const outcome = observe(source.pipe(objects(schema)));
      source.next(text('{"a":1}'));
      source.next(stop());
      expect(schema.asked).toEqual([{ a: 1 }]);
      expect(outcome.values).toEqual([partial({ a: 1 })]);

      await schema.settle({ value: 'made' });
      expect(outcome.values.at(-1)).toEqual(whole('made'));
      expect(outcome.completed).toBe(false);
      source.complete();
      expect(outcome.completed).toBe(true);
    });

    it('should wait for the answer when the source completes first', async () => {
      const schema = lateSchema<unknown>();
      const outcome = read([text('1'), stop()], schema);
      expect(outcome).toMatchObject({ values: [], completed: false });

      await schema.settle({ value: 1 });
      expect(outcome).toMatchObject({ values: [whole(1)], completed: true });
    });

    it('should error with what it refuses', async () => {
      const schema = lateSchema<unknown>();
      const outcome = read([text('1'), stop()], schema);

      await schema.settle({ issues: [{ message: 'no', path: ['x'] }] });
      expect(outcome.error).toMatchObject({ path: ['x'], text: '1' });
      expect(outcome.completed).toBe(false);
    });

    it('should pass on its rejection', async () => {
      const schema = lateSchema<unknown>();
      const outcome = read([text('1'), stop()], schema);
      const rejected = new Error('mine');

      await schema.fail(rejected);
      expect(outcome.error).toBe(rejected);
    });

    it('should say nothing after unsubscription', async () => {
      const schema = lateSchema<unknown>();
      const seen: unknown[] = [];
      const subscription = of(text('1'), stop())
        .pipe(objects(schema))
        .subscribe({ next: (value) => seen.push(value), error: (error: unknown) => seen.push(error) });
      subscription.unsubscribe();

      await schema.settle({ value: 1 });
      expect(seen).toEqual([]);
    });
  });

  describe('as an operator', () => {
    it('should complete with an empty source, and with one that has no text', () => {
      createTestScheduler().run(({ cold, expectObservable }) => {
        expectObservable(cold<LlmStreamEvent>('--|').pipe(objects(anything))).toBe('--|');
        expectObservable(cold<LlmStreamEvent>('u-|', events).pipe(objects(anything))).toBe('--|');
        expectObservable(cold('az|', { a: text('x'), z: stop('tool-use') }).pipe(objects(anything))).toBe('--|');
      });
    });

    it('should never end with a source that never does', () => {
      createTestScheduler().run(({ expectObservable }) => {
        expectObservable((NEVER as Observable<LlmStreamEvent>).pipe(objects(anything))).toBe('-');
      });
    });

    it('should pass an error on at once', () => {
      createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const error = broken();
        const source = cold<LlmStreamEvent>('-a-#', events, error);
        const sourceSubs = '                 ^--!';
        const expected = '                   -A-#';

        expectObservable(source.pipe(objects(recipe))).toBe(expected, shown, error);
        expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      });
      expect(observe(throwError(() => 'at once').pipe(objects(anything))).error).toBe('at once');
    });

    it('should unsubscribe from the source early', () => {
      createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<LlmStreamEvent>('-a-b-c-z|', events);
        const sourceSubs = '                 ^---!    ';
        const unsub = '                      ----!    ';
        const expected = '                   -A-B-    ';

        expectObservable(source.pipe(objects(recipe)), unsub).toBe(expected, shown);
        expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      });
    });

    it('should stop a synchronous source after `take`', () => {
      let sent = 0;
      const source = from([text('{"a":'), text('1'), text('}'), stop()]).pipe(tap(() => sent++));
      const outcome = observe(source.pipe(objects(anything), take(1)));

      expect(outcome).toMatchObject({ values: [partial({})], completed: true });
      expect(sent).toBe(1);
    });

    it('should share no state between two subscribers', () => {
      const source = new Subject<LlmStreamEvent>();
      const result = source.pipe(objects(anything));
      const first = observe(result);
      source.next(text('["a'));
      const second = observe(result);
      source.next(text('[1]'));
      source.next(stop());

      expect(first.values.slice(0, 2)).toEqual([partial(['a']), partial(['a[1]'])]);
      expect(first.error).toBeInstanceOf(ObjectValidationError);
      expect(second.values).toEqual([partial([1]), whole([1])]);
    });
  });
});
