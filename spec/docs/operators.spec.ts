import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as library from '../../src/index.js';

const read = (path: string): string => readFileSync(resolve(process.cwd(), path), 'utf8');

/** What the entry point exports from the folders of operators and of resilience, functions only. */
const exported = [...read('src/index.ts').matchAll(/export \{([^}]*)\} from '\.\/(?:operators|resilience)\//g)]
  .flatMap(([, names = '']) => names.split(','))
  .map((name) => name.trim())
  .filter((name) => /^[a-z]/.test(name) && !name.startsWith('type '));

describe('docs/operators.md', () => {
  it('should be held against what there is', () => {
    expect(exported).toEqual(expect.arrayContaining(['recover', 'accumulate', 'hedge', 'withHedge', 'executorPool']));
    expect(exported.filter((name) => typeof library[name as keyof typeof library] !== 'function')).toEqual([]);
  });

  it.each(exported)('should tell of %s in one line', (name) => {
    const rows = read('docs/operators.md')
      .split('\n')
      .filter((line) => line.startsWith(`| \`${name}(`));

    expect(rows).toHaveLength(1);
  });
});
