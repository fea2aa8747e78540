import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { referenceCases } from '../helpers/reference.js';

const fileOf = (path: string): string => resolve(process.cwd(), path);
const rows = readFileSync(fileOf('docs/reference-defects.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| W\d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));

const AREAS = ['drive', 'pool', 'circuit_breaker', 'retry_unary', 'truncation', 'step', 'cancellation', 'usage'];
const known = new Map(AREAS.flatMap((area) => referenceCases(area)).map((test) => [test.id, test] as const));

/** The tests and cases that a row names. */
function evidence(shown: string): { file: string; title?: string; cases: string[] }[] {
  return shown.split(/; (?=`spec\/)/).map((part) => {
    const [, file = '', title, cases = ''] = /^`(spec\/[\w/.]+)` (?:[*_](should .+)[*_]|([A-Z\d ]+))$/.exec(part) ?? [];
    return { file, ...(title !== undefined && { title }), cases: cases.split(' ').filter((id) => id !== '') };
  });
}

describe('docs/reference-defects.md', () => {
  it('should tell of each defect once', () => {
    expect(rows.map(([, id]) => id)).toEqual(Array.from({ length: 32 }, (_, index) => `W${index + 1}`));
  });

  it.each(rows.map((cells) => [cells[1]!, cells[4]!]))('should name tests that exist, for %s', (id, shown) => {
    const named = evidence(shown);
    const written = named.map(({ file }) => (existsSync(fileOf(file)) ? readFileSync(fileOf(file), 'utf8') : ''));

    expect(named.length).toBeGreaterThan(0);
    named.forEach(({ file, title, cases }, index) => {
      expect([file, title ?? cases]).not.toEqual(['', []]);
      if (title !== undefined) expect([file, written[index]]).toEqual([file, expect.stringContaining(title)]);
      for (const test of cases) expect([test, known.get(test)?.defect?.includes(id)]).toEqual([test, true]);
      for (const test of cases) expect([test, written[index]]).toEqual([test, expect.stringMatching(`${test}: \\[`)]);
    });
  });
});
