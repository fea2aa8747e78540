import fc from 'fast-check';

const space = fc.constantFrom('', '', '', ' ', '\n', '\t\r ');

const piece = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text).slice(1, -1)),
  fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\u0041', '\\u00e9', '/', 'é', '\u2028'),
  fc.constantFrom(
    '😀',
    '\\ud83d\\ude00',
    '\\uD83D',
    '\\uDE00',
    '\ud83d',
    '\ude00',
    '\ud83d\\ude00',
    '\\ud83d\\ud83d\\ude00',
  ),
  fc.integer({ min: 0, max: 0xffff }).map((code) => `\\u${code.toString(16).padStart(4, '0')}`),
);

const string = fc.array(piece, { maxLength: 4 }).map((pieces) => `"${pieces.join('')}"`);

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.integer().map(String),
  fc.constantFrom('0', '-0', '-0.0', '1e5', '1E+2', '0.5e-3', '1e999', '-12.50', '9007199254740993', '5E-324'),
);

const key = fc.oneof(
  string,
  fc.constantFrom(
    '"a"',
    '"b"',
    '"\\u0061"',
    '"__proto__"',
    '"\\u005f_proto__"',
    '"constructor"',
    '"toString"',
    '"1"',
    '""',
  ),
);

/** JSON texts in every spelling: white space anywhere, every escape, keys that come twice, keys that Object.prototype has. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{
  value: string;
  spaced: string;
  array: string;
  object: string;
}>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    string,
    number,
    fc.constantFrom('true', 'false', 'null'),
    tie('array'),
    tie('object'),
  ),
  spaced: fc.tuple(space, tie('value'), space).map((parts) => parts.join('')),
  array: fc.oneof(
    space.map((inside) => `[${inside}]`),
    fc.array(tie('spaced'), { minLength: 1, maxLength: 4 }).map((values) => `[${values.join(',')}]`),
  ),
  object: fc.oneof(
    space.map((inside) => `{${inside}}`),
    fc
      .array(fc.tuple(space, key, space, tie('spaced')), { minLength: 1, maxLength: 5 })
      .map((members) => `{${members.map(([a, name, b, value]) => `${a}${name}${b}:${value}`).join(',')}}`),
  ),
})).spaced;

/** A JSON text and places to cut it at. */
export const splitJsonText: fc.Arbitrary<string[]> = jsonText.chain((text) =>
  fc.array(fc.nat(text.length), { maxLength: 8 }).map((cuts) => {
    const at = [0, ...cuts.sort((a, b) => a - b), text.length];
    return at.slice(1).map((end, index) => text.slice(at[index], end));
  }),
);

/** Texts that are nearly JSON: one character replaced, removed or put in. */
export const damagedJsonText: fc.Arbitrary<string> = fc
  .tuple(
    jsonText,
    fc.nat(),
    fc.constantFrom('replace', 'remove', 'insert'),
    fc.constantFrom(...'{}[]",:\\ 0e.-+tu\u0001x'),
  )
  .map(([text, place, how, mark]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + (how === 'remove' ? '' : mark) + text.slice(how === 'insert' ? at : at + 1);
  });
