import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import {
  createPartialJson,
  type JsonPath,
  type JsonValue,
  type PartialJson,
  PartialJsonError,
} from '../../src/json/index.js';
import { bestValue } from './bestValue.js';
import { damagedJsonText, jsonText, splitJsonText } from './jsonText.js';

const RUNS = { numRuns: 400 };

function parse(...pieces: string[]): PartialJson {
  const json = createPartialJson();
  for (const piece of pieces) json.push(piece);
  return json;
}

function valuesOf(text: string, pieces: Iterable<string> = [...text]): (JsonValue | undefined)[] {
  const json = createPartialJson();
  return [...pieces].map((piece) => {
    json.push(piece);
    return json.value;
  });
}

describe('createPartialJson', () => {
  describe('on whole texts', () => {
    it('should give what JSON.parse gives, however the text is split', () => {
      fc.assert(
        fc.property(splitJsonText, (pieces) => {
          const json = parse(...pieces);
          json.end();

          expect(json.status).toBe('complete');
          expect(isDeepStrictEqual(json.value, JSON.parse(pieces.join('')))).toBe(true);
          expect(JSON.stringify(json.value)).toBe(JSON.stringify(JSON.parse(pieces.join(''))));
          expect(json.live).toBe(json.value);
        }),
        RUNS,
      );
    });

    it('should give what JSON.parse gives when the value is read after every character', () => {
      fc.assert(
        fc.property(jsonText, (text) => {
          const json = createPartialJson();
          for (let i = 0; i < text.length; i++) {
            json.push(text.charAt(i));
            void json.value;
            void json.live;
          }
          json.end();

          expect(isDeepStrictEqual(json.value, JSON.parse(text))).toBe(true);
          expect(isDeepStrictEqual(json.live, JSON.parse(text))).toBe(true);
        }),
        RUNS,
      );
    });

    it('should agree with JSON.parse on what is JSON', () => {
      let refused = 0;
      fc.assert(
        fc.property(damagedJsonText, (text) => {
          let expected: { value: unknown } | undefined;
          try {
            expected = { value: JSON.parse(text) };
          } catch {
            refused++;
          }
          const json = parse(text);
          json.end();

          expect(json.status).toBe(expected ? 'complete' : 'invalid');
          if (expected) expect(isDeepStrictEqual(json.value, expected.value)).toBe(true);
        }),
        { numRuns: 2_000 },
      );
      expect(refused).toBeGreaterThan(200);
    });
  });

  describe('on prefixes', () => {
    it('should have the best value and the status of every prefix, whether it came at once or in pieces', () => {
      fc.assert(
        fc.property(jsonText, (text) => {
          const stepped = createPartialJson();
          for (let end = 1; end <= text.length; end++) {
            stepped.push(text.charAt(end - 1));
            const best = bestValue(text.slice(0, end));
            const atOnce = parse(text.slice(0, end));

            expect(stepped.status).toBe(best.status);
            expect(atOnce.status).toBe(best.status);
            for (const value of [stepped.value, stepped.live, atOnce.value, atOnce.live]) {
              if (!isDeepStrictEqual(value, best.value)) expect(value).toEqual(best.value);
            }
          }
        }),
        { numRuns: 200 },
      );
    });

    it('should find the first fault at the same place and keep the best value before it, however the text is split', () => {
      fc.assert(
        fc.property(damagedJsonText, (text) => {
          const atOnce = parse(text);
          const stepped = parse(...text.split(''));
          const best = bestValue(text);

          expect(atOnce.status).toBe(best.status);
          expect(stepped.status).toBe(best.status);
          expect(stepped.error).toEqual(atOnce.error);
          expect({ ...stepped.error }).toEqual({ ...atOnce.error });
          expect(isDeepStrictEqual(atOnce.value, best.value)).toBe(true);
          expect(isDeepStrictEqual(stepped.value, best.value)).toBe(true);
          if (atOnce.error) expect(bestValue(text.slice(0, atOnce.error.offset)).status).not.toBe('invalid');
        }),
        { numRuns: 1_000 },
      );
    });

    it('should not show a number before its end is known', () => {
      expect(valuesOf('[-1.5e3,20]')).toEqual([[], [], [], [], [], [], [], [-1500], [-1500], [-1500], [-1500, 20]]);
    });

    it('should hold a top-level number back until the end', () => {
      const json = parse('12');
      expect([json.value, json.status]).toEqual([undefined, 'partial']);
      json.push('3');
      json.end();
      expect([json.value, json.status]).toEqual([123, 'complete']);
    });

    it('should show neither half a literal nor a key without a value', () => {
      expect(valuesOf('', ['{"a', '":', 'tru', 'e,"b"', ':n', 'ull}'])).toEqual([
        {},
        {},
        {},
        { a: true },
        { a: true },
        { a: true, b: null },
      ]);
    });

    it('should show strings without half an escape or half a surrogate pair', () => {
      expect(valuesOf('', ['"a\\', 'n', '\\u00', 'e9', '\\ud83d', '\\ude00', '\ud83d', '\ude00', '\\ud83d"'])).toEqual([
        'a',
        'a\n',
        'a\n',
        'a\né',
        'a\né',
        'a\né😀',
        'a\né😀',
        'a\né😀😀',
        'a\né😀😀\ud83d',
      ]);
    });

    it('should replace the value of a key that comes again', () => {
      expect(valuesOf('', ['{"a":[1', '],"b":2,"a":', '"x', '"}'])).toEqual([
        { a: [] },
        { a: [1], b: 2 },
        { a: 'x', b: 2 },
        { a: 'x', b: 2 },
      ]);
    });
  });

  describe('snapshots', () => {
    it('should never change after they were handed out', () => {
      fc.assert(
        fc.property(splitJsonText, (pieces) => {
          const seen: [JsonValue | undefined, string | undefined][] = [];
          const json = createPartialJson();
          for (const piece of pieces) {
            json.push(piece);
            seen.push([json.value, JSON.stringify(json.value)]);
          }
          for (const [value, text] of seen) expect(JSON.stringify(value)).toBe(text);
        }),
        RUNS,
      );
    });

    it('should keep the identity of every branch that is the same', () => {
      fc.assert(
        fc.property(jsonText, (text) => {
          const paths: string[] = [];
          const json = createPartialJson({ onValue: (path) => paths.push(JSON.stringify(path)) });
          let before: JsonValue | undefined;
          let kept = true;
          for (let i = 0; i < text.length; i++) {
            json.push(text.charAt(i));
            kept &&= !copiedInVain(before, json.value);
            before = json.value;
          }
          // A key that comes again may bring the value that it had.
          fc.pre(new Set(paths).size === paths.length);
          expect(kept).toBe(true);
        }),
        RUNS,
      );
    });

    it('should keep the identity of closed elements while the array goes on', () => {
      const [first, second] = valuesOf('', ['{"items":[{"id":1},{"id":2', '},{"id":3}],"n":"x']) as [
        { items: JsonValue[] },
        { items: JsonValue[] },
      ];

      expect(second.items).toHaveLength(3);
      expect(second.items[0]).toBe(first.items[0]);
      expect(second.items).not.toBe(first.items);
    });

    it('should be the same object when nothing visible has changed', () => {
      const json = parse('{"a":[1,2],"b":"x');
      const before = json.value;
      json.push('"');
      json.push(' ,"key": 12');
      expect(json.value).toBe(before);
      json.push(' ');
      expect(json.value).not.toBe(before);
      const whole = json.value;
      json.push('}');
      expect(json.value).toBe(whole);
      expect(json.status).toBe('complete');
    });
  });

  describe('wide containers', () => {
    it.each([
      ['array', '[', ']', (index: number) => `${index},`, 20, 1 / 5],
      ['object', '{', '}', (index: number) => `"key ${index}":${index},`, 1 / 1.5, 3],
    ])(
      'should copy an %s no more than the text has paid for, and be late by no more than that',
      (_, open, close, element, paid, late) => {
        const count = 20_000;
        const json = createPartialJson();
        json.push(open);
        let [characters, sinceNew, copied, tooLate] = [0, 0, 0, 0];
        let last: JsonValue | undefined;
        for (let index = 0; index < count; index++) {
          const piece = element(index);
          json.push(piece);
          characters += piece.length;
          sinceNew += piece.length;
          if (json.value !== last) {
            last = json.value;
            sinceNew = 0;
            const width = Object.keys(last as object).length;
            // What is narrow is copied at each delta.
            if (width > 2_000) copied += width;
          }
          if (sinceNew > late * (index + 1)) tooLate++;
        }
        json.push(`${element(count).slice(0, -1)}${close}`);

        expect(copied).toBeGreaterThan(count);
        expect(copied).toBeLessThan(paid * characters);
        expect(tooLate).toBe(0);
        expect(Object.keys(json.value as object)).toHaveLength(count + 1);
      },
    );

    it('should keep what was handed out in an object of many keys', () => {
      const json = parse(`{${Array.from({ length: 20 }, (_, i) => `"k${i}":${i},`).join('')}"list":[1 `);
      const before = json.value as { list: JsonValue };
      json.push('],"list":[2');
      json.push('],"more":[3 ');
      const between = json.value as { list: JsonValue; more: JsonValue };
      json.push('],"last":"x');
      const after = json.value as { list: JsonValue; more: JsonValue };

      expect(before.list).toEqual([1]);
      expect(between.list).toEqual([2]);
      expect(after.list).toBe(between.list);
      expect(after.more).toBe(between.more);
      expect(Object.keys(after).slice(19)).toEqual(['k19', 'list', 'more', 'last']);
    });

    it('should always be fresh where that was asked for', () => {
      const json = createPartialJson({ freshness: 'always' });
      json.push(`[${'0,'.repeat(20_000)}`);
      json.push('1,');
      void json.value;
      json.push('2,');
      expect((json.value as JsonValue[]).slice(-2)).toEqual([1, 2]);
    });

    it('should be fresh after every character up to 1,000 elements', () => {
      const json = createPartialJson();
      json.push('[');
      for (let index = 0; index < 1_000; index++) {
        json.push(',0'.slice(index === 0 ? 1 : 0));
        expect(json.value).toHaveLength(index);
      }
    });

    it('should be fresh when the text has become invalid', () => {
      const json = parse(`[${'0,'.repeat(20_000)}`);
      void json.value;
      json.push('1,x');
      expect(json.status).toBe('invalid');
      expect(json.value).toHaveLength(20_001);
    });

    it('should have everything in its live tree at once, and the same tree each time', () => {
      const json = parse(`{"list":[${'0,'.repeat(20_000)}`);
      const live = json.live as { list: JsonValue[] };
      json.push('"no');
      expect(json.live).toBe(live);
      expect(live.list.at(-1)).toBe('no');
      json.push('w"');
      expect((json.live as { list: JsonValue[] }).list.slice(-2)).toEqual([0, 'now']);
    });
  });

  describe('onValue', () => {
    it('should be called once for every value, inner ones first, with its path and the value that stays', () => {
      fc.assert(
        fc.property(splitJsonText, fc.boolean(), (pieces, reading) => {
          const calls: [JsonPath, JsonValue][] = [];
          const json = createPartialJson({ onValue: (path, value) => calls.push([path, value]) });
          for (const piece of pieces) {
            json.push(piece);
            if (reading) void json.value;
          }
          json.end();

          const expected: string[] = [];
          JSON.parse(pieces.join(''), function (this: unknown, _: string, value: unknown) {
            expected.push(JSON.stringify(value));
            return value;
          });
          const root = calls.at(-1);
          expect(root?.[0]).toEqual([]);
          expect(root?.[1]).toBe(json.value);
          const seen = calls.map(([path, value]) => {
            const key = path.reduce<JsonValue | undefined>((at, part) => (at as never)?.[part], json.value);
            return { path: JSON.stringify(path), same: Object.is(key, value), text: JSON.stringify(value) };
          });
          const last = new Map(seen.map((call) => [call.path, call]));
          // A key that came again took the place of the first; everything else is where its path says.
          if (last.size === seen.length) {
            expect(seen.every((call) => call.same)).toBe(true);
            expect(seen.map((call) => call.text).sort()).toEqual(expected.sort());
          }
        }),
        RUNS,
      );
    });

    it('should be called as soon as a value is complete', () => {
      const calls: string[] = [];
      const json = createPartialJson({
        onValue: (path, value) => calls.push(`${path.join('.')}=${JSON.stringify(value)}`),
      });
      json.push('{"a":[1');
      expect(calls).toEqual([]);
      json.push(',{"b":"x"');
      expect(calls).toEqual(['a.0=1', 'a.1.b="x"']);
      json.push('}]}');
      expect(calls.slice(2)).toEqual(['a.1={"b":"x"}', 'a=[1,{"b":"x"}]', '={"a":[1,{"b":"x"}]}']);
    });

    it('should let what it throws leave push', () => {
      const json = createPartialJson({
        onValue: () => {
          throw new Error('mine');
        },
      });
      expect(() => json.push('[1,')).toThrow('mine');
    });
  });

  describe('safety', () => {
    it('should make `__proto__` an own property and leave prototypes alone', () => {
      const json = createPartialJson();
      for (const piece of '{"__proto__":{"polluted":"yes"},"a":{"__proto__":[1,"x"]}}') {
        json.push(piece);
        expect(Object.getPrototypeOf(json.value ?? {})).toBe(Object.prototype);
      }
      expect(Object.keys(json.value as object)).toEqual(['__proto__', 'a']);
      expect(({} as { polluted?: string }).polluted).toBeUndefined();
      expect((json.value as { polluted?: string }).polluted).toBeUndefined();
    });

    it('should keep `__proto__` an own property in an object of many keys', () => {
      const json = parse(
        `{"__proto__":{"polluted":1},${Array.from({ length: 40 }, (_, i) => `"k${i}":${i},`).join('')}`,
      );
      expect(Object.keys(json.value as object)).toHaveLength(41);
      expect(Object.getPrototypeOf(json.value)).toBe(Object.prototype);
    });

    it('should refuse nesting beyond the limit and keep what came before', () => {
      const json = createPartialJson({ maxDepth: 3 });
      json.push('[{"a":[1,[2]]}]');
      expect(json.status).toBe('invalid');
      expect(json.error).toMatchObject({
        fault: 'too-deep',
        offset: 9,
        path: [0, 'a', 1],
        message:
          'invalid JSON at offset 9 (in 0 > "a" > 1): expected no more than 3 levels of objects and arrays, found "["',
      });
      expect(json.value).toEqual([{ a: [1] }]);
    });

    it('should allow 128 levels and no more by default', () => {
      expect(parse('['.repeat(128)).status).toBe('partial');
      expect(parse('['.repeat(129)).error?.fault).toBe('too-deep');
    });

    it.each([[['"abcdefgh"']], [['"abc', 'defgh', '"']], [[...'"abcdefgh"']]])(
      'should refuse text beyond the limit at the same place in %j',
      (pieces) => {
        const json = createPartialJson({ maxLength: 6 });
        for (const piece of pieces) json.push(piece);
        expect(json.status).toBe('invalid');
        expect(json.error).toMatchObject({ fault: 'too-long', offset: 6 });
        expect(json.value).toBe('abcde');
      },
    );

    it('should limit white space too', () => {
      const json = createPartialJson({ maxLength: 10 });
      json.push(' '.repeat(11));
      expect(json.error?.fault).toBe('too-long');
    });

    it('should allow text up to the limit', () => {
      const json = createPartialJson({ maxLength: 4 });
      json.push('"ab"');
      expect(json.status).toBe('complete');
    });

    it.each([{ maxDepth: 0 }, { maxLength: -1 }, { maxLength: NaN }])('should refuse the options %j', (options) => {
      expect(() => createPartialJson(options)).toThrow(RangeError);
    });
  });

  describe('errors', () => {
    it.each([
      ['{"a":1}x', 'extra-text', 7, [], 'invalid JSON at offset 7: expected nothing more, found "x"'],
      ['', 'unexpected-end', 0, [], 'invalid JSON at offset 0: expected a value, found the end of the text'],
      ['[1,]', 'unexpected-character', 3, [1], 'invalid JSON at offset 3 (in 1): expected a value, found "]"'],
      ['[01]', 'unexpected-character', 2, [], 'invalid JSON at offset 2: expected "," or "]", found "1"'],
      [
        '{"a":[1 2]}',
        'unexpected-character',
        8,
        ['a'],
        'invalid JSON at offset 8 (in "a"): expected "," or "]", found "2"',
      ],
      ['{a:1}', 'unexpected-character', 1, [], 'invalid JSON at offset 1: expected a key or "}", found "a"'],
      ['{"a":1,}', 'unexpected-character', 7, [], 'invalid JSON at offset 7: expected a key, found "}"'],
      ['{"a" 1}', 'unexpected-character', 5, ['a'], 'invalid JSON at offset 5 (in "a"): expected ":", found "1"'],
      [
        '["a\nb"]',
        'unexpected-character',
        3,
        [0],
        'invalid JSON at offset 3 (in 0): expected the end of a string, found "\\n"',
      ],
      ['"\\x"', 'unexpected-character', 2, [], 'invalid JSON at offset 2: expected an escaped character, found "x"'],
      ['"\\u12g"', 'unexpected-character', 5, [], 'invalid JSON at offset 5: expected a hexadecimal digit, found "g"'],
      ['[1.]', 'unexpected-character', 3, [0], 'invalid JSON at offset 3 (in 0): expected a digit, found "]"'],
      ['[trUe]', 'unexpected-character', 3, [0], 'invalid JSON at offset 3 (in 0): expected "true", found "U"'],
      ['undefined', 'unexpected-character', 0, [], 'invalid JSON at offset 0: expected a value, found "u"'],
      [
        '{"a":["x',
        'unexpected-end',
        8,
        ['a', 0],
        'invalid JSON at offset 8 (in "a" > 0): expected the end of a string, found the end of the text',
      ],
      ['-', 'unexpected-end', 1, [], 'invalid JSON at offset 1: expected a digit, found the end of the text'],
    ])('should say what is wrong with %j', (text, fault, offset, path, message) => {
      const json = parse(text);
      json.end();
      expect(json.status).toBe('invalid');
      expect(json.error).toBeInstanceOf(PartialJsonError);
      expect(json.error).toMatchObject({ name: 'PartialJsonError', fault, offset, path, message });
    });

    it('should keep the value and ignore what comes after a fault', () => {
      const json = parse('[1,2]', ' x', '[3]');
      expect(json.value).toEqual([1, 2]);
      expect(json.error?.offset).toBe(6);
      json.end();
      expect(json.error?.offset).toBe(6);
    });

    it('should accept white space after the value, and refuse text after the end', () => {
      const json = parse('7');
      json.end();
      json.push(' \n');
      expect(json.status).toBe('complete');
      json.push('1');
      expect(json.error?.fault).toBe('extra-text');
      expect(json.value).toBe(7);
    });

    it('should ignore empty pieces', () => {
      const json = parse('', '[', '', ']', '');
      expect([json.status, json.value]).toEqual(['complete', []]);
    });
  });
});

/** True when some object or array of `after` equals the one at the same place in `before` without being it. */
function copiedInVain(before: unknown, after: unknown): boolean {
  if (before === after || typeof before !== 'object' || typeof after !== 'object' || !before || !after) return false;
  if (isDeepStrictEqual(before, after)) return true;
  return Object.keys(after).some((key) =>
    copiedInVain(
      Object.getOwnPropertyDescriptor(before, key)?.value,
      Object.getOwnPropertyDescriptor(after, key)?.value,
    ),
  );
}
