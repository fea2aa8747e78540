import * as fc from 'fast-check';
import { anchorOf } from '../../src/recovery/seam/index.js';
import { isWellFormed } from '../../src/internal/wellFormed.js';

const prose =
  'A river decide where to go. It leans on whatever gives way, and over a few thousand years that habit becomes a valley.';

describe('anchorOf', () => {
  it('should give about the last 40 characters, from the beginning of a word', () => {
    expect(anchorOf(prose)).toBe('thousand years that habit becomes a valley.');
    expect(anchorOf(prose.slice(0, 60))).toBe(prose.slice(0, 59));
    expect(anchorOf(prose.slice(0, 71))).toBe('leans on whatever gives way, and over a');
  });

  it('should give all of a short text, and nothing of a blank one', () => {
    expect(anchorOf('Hello')).toBe('Hello');
    expect(anchorOf('  Hello, you  \n')).toBe('Hello, you');
    expect(anchorOf('')).toBe('');
    expect(anchorOf(' \n\t ')).toBe('');
  });

  it('should leave out trailing white space and half a surrogate pair', () => {
    expect(anchorOf(`${prose}\n\n`)).toBe(anchorOf(prose));
    expect(anchorOf(`${prose}\ud83d`)).toBe(anchorOf(prose));
  });

  it('should begin within a line where it can, since a text repeats itself from the beginning of one', () => {
    const list = 'Bring these:\n\n- the sensor with its battery cover\n- two cells of the right kind, not the wrong';

    expect(anchorOf(list)).toBe('cover\n- two cells of the right kind, not the wrong');
  });

  it('should be longer where the end of the text stands in it twice', () => {
    const line = 'and the river goes on and on, and the river goes on';
    const twice = `First, ${line}; second, ${line}`;

    expect(anchorOf(twice).length).toBeGreaterThan(line.length);
    expect(twice.indexOf(anchorOf(twice))).toBe(twice.lastIndexOf(anchorOf(twice)));
  });

  it('should reach back to where a text began to repeat itself', () => {
    expect(anchorOf(`They laughed and said ${'ha '.repeat(20)}`)).toMatch(/said (?:ha ?){20}$/);
    expect(anchorOf(`They laughed: ${'ha '.repeat(300)}`).length).toBeLessThanOrEqual(240);
  });

  it('should not split a character that a reader sees as one', () => {
    const families = '👨‍👩‍👧‍👦'.repeat(12);

    expect([...new Intl.Segmenter().segment(anchorOf(families))].map(({ segment }) => segment)).toEqual(
      Array.from({ length: anchorOf(families).length / 11 }, () => '👨‍👩‍👧‍👦'),
    );
    expect(anchorOf('e\u0301'.repeat(60)).startsWith('e')).toBe(true);
  });

  it('should split no code point where there is no segmenter', () => {
    const segmenter = Object.getOwnPropertyDescriptor(Intl, 'Segmenter') ?? {};
    Reflect.deleteProperty(Intl, 'Segmenter');
    try {
      expect(isWellFormed(anchorOf('😂'.repeat(60)))).toBe(true);
      expect(anchorOf('e\u0301'.repeat(60)).startsWith('e')).toBe(true);
    } finally {
      Object.defineProperty(Intl, 'Segmenter', segmenter);
    }
  });

  it('should give an end of the text that begins and ends with something to be seen', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 1, max: 20 }), (text, times) => {
        const shown = text.repeat(times);
        const anchor = anchorOf(shown);

        expect(anchor).toBe(anchor.trim());
        expect(
          shown
            .replace(/[\ud800-\udbff]$/, '')
            .trimEnd()
            .endsWith(anchor),
        ).toBe(true);
        expect(anchor === '').toBe(shown.replace(/[\ud800-\udbff]$/, '').trim() === '');
        expect(anchor.length).toBeLessThanOrEqual(300);
      }),
      { seed: 31, numRuns: 500 },
    );
  });
});
