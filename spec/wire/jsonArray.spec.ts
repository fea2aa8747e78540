import fc from 'fast-check';
import { jsonArrayFraming } from '../../src/wire/jsonArray.js';

const encoder = new TextEncoder();

function frame(text: string | Uint8Array, cuts: readonly number[] = [], maxLength = 1_000_000): string[] {
  const bytes = typeof text === 'string' ? encoder.encode(text) : text;
  const frames: string[] = [];
  const framer = jsonArrayFraming((element) => frames.push(element), maxLength);
  const points = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  points.slice(1).forEach((end, i) => framer.push(bytes.subarray(points[i], end)));
  framer.end();
  return frames;
}

function everywhere(text: string): number[] {
  return Array.from({ length: encoder.encode(text).length }, (_, i) => i);
}

describe('jsonArrayFraming', () => {
  it('should give each element of the array as its text', () => {
    expect(frame('[{"a":1},\r\n{"b":[2,{"c":3}]}\n]')).toEqual(['{"a":1}', '{"b":[2,{"c":3}]}']);
  });

  it.each([
    ['brackets in strings', '[{"a":"}]{[,"},{"b":"]"}]', ['{"a":"}]{[,"}', '{"b":"]"}']],
    [
      'escaped quotes and backslashes',
      String.raw`[{"a":"\\\"}"},{"b":"\\"}]`,
      [String.raw`{"a":"\\\"}"}`, String.raw`{"b":"\\"}`],
    ],
    ['characters outside ASCII', '[{"a":"é✅𝄞"}]', ['{"a":"é✅𝄞"}']],
    ['elements that are arrays', '[[1,[2]],[3]]', ['[1,[2]]', '[3]']],
    ['a byte order mark and white space', '\ufeff \r\n[\n\t{"a":1} , {"b":2} ] \n', ['{"a":1}', '{"b":2}']],
    ['an empty array', '[]', []],
    ['an empty body', '', []],
    ['one object in place of an array', '{"error":{"code":400}}', ['{"error":{"code":400}}']],
    ['noise after the array', '[{"a":1}] oops {"b":2}', ['{"a":1}']],
  ])('should read %s, whatever the split', (_what, text, elements) => {
    expect(frame(text)).toEqual(elements);
    expect(frame(text, everywhere(text))).toEqual(elements);
  });

  it('should give the elements of any array, cut anywhere', () => {
    const element = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));
    fc.assert(
      fc.property(
        fc.array(element),
        fc.nat(4),
        fc.array(fc.nat(2_000), { maxLength: 20 }),
        (elements, indent, cuts) => {
          const text = JSON.stringify(elements, null, indent);
          const inside = cuts.map((cut) => cut % (encoder.encode(text).length + 1));

          expect(frame(text, inside).map((frameText) => JSON.parse(frameText) as unknown)).toEqual(
            JSON.parse(JSON.stringify(elements)),
          );
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });

  it('should give an element as soon as its last byte has come', () => {
    const frames: string[] = [];
    const framer = jsonArrayFraming((element) => frames.push(element), 1_000);

    framer.push(encoder.encode('[{"a":1'));
    expect(frames).toEqual([]);
    framer.push(encoder.encode('}'));
    expect(frames).toEqual(['{"a":1}']);
  });

  it('should give an element that was cut off at the end, so that it is found out', () => {
    expect(frame('[{"a":1},{"b":')).toEqual(['{"a":1}', '{"b":']);
  });

  it('should refuse an element that is longer than the limit, also in small chunks', () => {
    const long = `[{"a":"${'x'.repeat(200)}"}]`;

    expect(() => frame(long, [], 100)).toThrow(/longer than 100/);
    expect(() => frame(long, everywhere(long), 100)).toThrow(/longer than 100/);
    expect(frame(long, everywhere(long), 208)).toHaveLength(1);
  });

  it('should not count what lies between elements', () => {
    const text = `[${'{"a":1},'.repeat(50)}{"a":1}]`;

    expect(frame(text, everywhere(text), 10)).toHaveLength(51);
  });

  it.each(['<html>', '[{"a":1},x]', '"text"', '[1]'])('should say what is wrong with %s', (text) => {
    expect(() => frame(text)).toThrow(/malformed stream: . where a JSON array or object was expected/);
  });

  it('should be done with an element of 10 MB in small chunks', () => {
    const bytes = encoder.encode(`[{"a":"${'x'.repeat(10_000_000)}"}]`);
    const cuts = Array.from({ length: 7_000 }, (_, i) => i * 1_400);

    expect(frame(bytes, cuts, 16_000_000).map(({ length }) => length)).toEqual([bytes.length - 2]);
  });
});
