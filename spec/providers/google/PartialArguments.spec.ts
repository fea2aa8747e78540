import fc from 'fast-check';
import { PartialArguments } from '../../../src/providers/google/PartialArguments.js';
import type { PartialArg } from '../../../src/providers/google/wire.js';

function write(...pieces: PartialArg[]): string {
  const args = new PartialArguments();
  return PartialArguments.begin + pieces.map((piece) => args.add(piece)).join('') + args.end();
}

/** Writes a value the way that Google streams it: leaf by leaf, strings in pieces. */
function* leaves(value: unknown, path: string): Generator<PartialArg> {
  if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* leaves(item, `${path}[${i}]`);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      const plain = /^[^.[\]]+$/.test(name);
      yield* leaves(item, plain ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`);
    }
  } else if (typeof value === 'string') {
    const middle = value.length >> 1;
    yield { jsonPath: path, stringValue: value.slice(0, middle), willContinue: true };
    yield { jsonPath: path, stringValue: value.slice(middle) };
  } else if (typeof value === 'number') yield { jsonPath: path, numberValue: value };
  else if (typeof value === 'boolean') yield { jsonPath: path, boolValue: value };
  else yield { jsonPath: path, nullValue: 'NULL_VALUE' };
}

describe('PartialArguments', () => {
  it('should write the pieces of a string as they come', () => {
    const args = new PartialArguments();

    expect([
      args.add({ jsonPath: '$.greeting', stringValue: 'Hel', willContinue: true }),
      args.add({ jsonPath: '$.greeting', stringValue: 'lo "you"\n', willContinue: true }),
      args.add({ jsonPath: '$.greeting', stringValue: '' }),
      args.add({ jsonPath: '$.name', stringValue: 'jone' }),
      args.end(),
    ]).toEqual(['"greeting":"Hel', String.raw`lo \"you\"\n`, '"', ',"name":"jone"', '}']);
  });

  it.each<[string, PartialArg[], unknown]>([
    ['no arguments', [], {}],
    [
      'numbers, booleans and null',
      [
        { jsonPath: '$.n', numberValue: 1.5 },
        { jsonPath: '$.z', numberValue: 0 },
        { jsonPath: '$.b', boolValue: false },
        { jsonPath: '$.x', nullValue: 'NULL_VALUE' },
      ],
      { n: 1.5, z: 0, b: false, x: null },
    ],
    [
      'objects in arrays',
      [
        { jsonPath: '$.rows[0].a', stringValue: 'x' },
        { jsonPath: '$.rows[0].b[0]', numberValue: 1 },
        { jsonPath: '$.rows[0].b[1]', numberValue: 2 },
        { jsonPath: '$.rows[1].a', stringValue: 'y' },
        { jsonPath: '$.after', boolValue: true },
      ],
      { rows: [{ a: 'x', b: [1, 2] }, { a: 'y' }], after: true },
    ],
    [
      'a string that the next argument ends',
      [
        { jsonPath: '$.a', stringValue: 'cut', willContinue: true },
        { jsonPath: '$.b', stringValue: 'next', willContinue: true },
      ],
      { a: 'cut', b: 'next' },
    ],
    [
      'quoted names',
      [
        { jsonPath: `$['a b']`, numberValue: 1 },
        { jsonPath: `$["c.d"]`, numberValue: 2 },
        { jsonPath: `$['it\\'s "x"']`, numberValue: 3 },
      ],
      { 'a b': 1, 'c.d': 2, 'it\'s "x"': 3 },
    ],
    [
      'a surrogate pair in two pieces',
      [
        { jsonPath: '$.a', stringValue: '\ud834', willContinue: true },
        { jsonPath: '$.a', stringValue: '\udd1e' },
      ],
      { a: '𝄞' },
    ],
    [
      'a name that means something to JavaScript',
      [
        { jsonPath: '$.__proto__', stringValue: 'x' },
        { jsonPath: '$.constructor', stringValue: 'y' },
      ],
      JSON.parse('{"__proto__":"x","constructor":"y"}'),
    ],
    ['a piece without a value', [{ jsonPath: '$.a' }, { jsonPath: '$.b', numberValue: 1 }], { b: 1 }],
  ])('should write %s', (_what, pieces, value) => {
    expect(JSON.parse(write(...pieces))).toEqual(value);
  });

  it('should put any arguments together again', () => {
    const filled = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.keys(value).length > 0 && Object.values(value).every(filled));
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue().filter(filled)), (value) => {
        expect(write(...leaves(value, '$'))).toBe(JSON.stringify(value));
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('should take arguments that come whole', () => {
    const args = new PartialArguments();
    const json = args.add({ jsonPath: '$.a.b', numberValue: 1 }) + args.addAll({ c: [2], d: 'x' }) + args.end();

    expect(`{${json}`).toBe('{"a":{"b":1},"c":[2],"d":"x"}');
  });

  it.each<[string, PartialArg[]]>([
    [
      'a member that has been written',
      [
        { jsonPath: '$.a', numberValue: 1 },
        { jsonPath: '$.a', numberValue: 2 },
      ],
    ],
    [
      'a way back into what is closed',
      [
        { jsonPath: '$.a.x', numberValue: 1 },
        { jsonPath: '$.b', numberValue: 2 },
        { jsonPath: '$.a.y', numberValue: 3 },
      ],
    ],
    ['an index that leaves one out', [{ jsonPath: '$.a[1]', numberValue: 1 }]],
    [
      'a member of a list',
      [
        { jsonPath: '$.a[0]', numberValue: 1 },
        { jsonPath: '$.a.b', numberValue: 2 },
      ],
    ],
  ])('should refuse %s, since what was written is not taken back', (_what, pieces) => {
    expect(() => write(...pieces)).toThrow(/provider error: malformed stream: .* comes out of order/);
  });

  it.each(['a', '$a', '$..a', '$.a[', '$.a[x]', '$[*]', ''])('should refuse the path %j', (jsonPath) => {
    expect(() => write({ jsonPath, numberValue: 1 })).toThrow(/is no path to an argument/);
  });
});
