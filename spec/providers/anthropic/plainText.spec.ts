import fc from 'fast-check';
import { plainText } from '../../../src/providers/anthropic/plainText.js';

const payload = (text: string, index = 0, more: object = {}): string =>
  JSON.stringify({ type: 'content_block_delta', index, delta: { type: 'text_delta', text, ...more } });

describe('plainText', () => {
  it('should read any text as JSON.parse does, padded or not', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^["\\{}, :a]*$/)),
        fc.nat({ max: 9 }),
        fc.nat({ max: 9 }),
        (text, index, blanks) => {
          const data = payload(text, index);
          expect(plainText(data)).toBe(text);
          expect(plainText(`${data.slice(0, -1)}${' '.repeat(blanks)}}`)).toBe(text);
        },
      ),
      { numRuns: 2_000, seed: 7 },
    );
  });

  it('should leave everything else alone, so that it is parsed as a whole', () => {
    const whole = payload('a');
    const others = [
      '',
      '{}',
      '[DONE]',
      'null',
      payload('a', 10),
      payload('a', 0, { citation: 'b' }),
      payload('a', 0, { citation: { c: 'd' } }),
      whole.replace('text_delta', 'thinking_delta'),
      whole.replace('{', '{ '),
      whole.replace('"index":0', '"index":x'),
      whole.replace('"index":0', '"index":0,"index":1'),
      whole.replace('"a"', '"a'),
      whole.replace('"a"', '"'),
      whole.replace('"a"', '"a\u0001"'),
      whole.replace('"a"', '"a"b"'),
      whole.replace('"a"', '"\\x"'),
      whole.slice(0, -1),
      `${whole}}`,
      `${whole} x`,
      JSON.stringify({ ...(JSON.parse(whole) as object), usage: { a: 'b' } }),
    ];

    expect(others.filter((data) => plainText(data) !== undefined)).toEqual([]);
  });

  it('should never read a text from what JSON.parse refuses', () => {
    const data = payload('He said "no"\n{}');

    fc.assert(
      fc.property(fc.nat({ max: data.length - 1 }), fc.string({ maxLength: 2 }), (at, piece) => {
        const changed = data.slice(0, at) + piece + data.slice(at + 1);
        const text = plainText(changed);
        if (text === undefined) return;
        expect(JSON.parse(changed)).toMatchObject({ delta: { type: 'text_delta', text } });
      }),
      { numRuns: 5_000, seed: 7 },
    );
  });
});
