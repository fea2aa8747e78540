import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A block of code in a page that cannot be compiled here, since it needs what only an example has. */
interface Excerpt {
  page: string;
  file: string | undefined;
  code: string;
}

const BLOCK = /(?:<!-- excerpt: (\S+) -->\n\n)?```(\w+)\n([\s\S]*?)\n```/g;

const pages = readdirSync('docs').filter((name) => name.endsWith('.md'));

const excerpts: Excerpt[] = pages.flatMap((page) =>
  [...readFileSync(join('docs', page), 'utf8').matchAll(BLOCK)].flatMap(([, file, language = '', code = '']) =>
    file !== undefined || /^TypeScript$/.test(language) ? [{ page, file, code }] : [],
  ),
);

describe('the excerpts in docs', () => {
  it.each(['angular.md', 'nest.md'])('should be found in %s', (page) => {
    expect(excerpts.filter((excerpt) => excerpt.page === page).length).toBeGreaterThanOrEqual(3);
  });

  it.each(excerpts)('should stand in $file as it stands in $page', ({ file, code }) => {
    // Without a source to compare it with, a block would be checked by nobody: name it above the block.
    expect(file).toMatch(/^examples\//);
    expect(readFileSync(file ?? '', 'utf8')).toContain(code);
  });
});
