import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PRESETS, SUBJECTS } from './providerFacts.js';
import { exportedFactories, renderProviders, TABLE_PART } from './providersTable.js';

const readme = readFileSync(resolve(process.cwd(), 'README.md'), 'utf8');
/** Cells without the blanks that only make columns. */
const squeezed = (text: string | undefined): string | undefined => text?.replace(/ {2,}|-{2,}/g, ' ');

describe('the table of the providers in README.md', () => {
  it('should say what the providers do when they are asked (to write it: npx tsx scripts/providersTable.ts)', async () => {
    expect(squeezed(TABLE_PART.exec(readme)?.[0])).toBe(squeezed(await renderProviders()));
  });

  it('should name every provider that there is, and every preset', async () => {
    const part = TABLE_PART.exec(readme)?.[0] ?? '';
    const factories = [...(await exportedFactories())];

    expect(factories.map(([name]) => name).sort()).toEqual(
      [...SUBJECTS.map(({ factory }) => factory), 'openaiCompatible'].sort(),
    );
    for (const [name, entry] of factories) expect(part).toMatch(new RegExp(`^\\| \`${name}\` +\\| \`${entry}\` `, 'm'));
    for (const preset of PRESETS) expect(part).toContain(`\`${preset}\``);
  });
});
