import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PRESETS, SUBJECTS } from './providerFacts.js';
import { exportedFactories, renderProviders, TABLE_PART } from './providersTable.js';

const partOf = (page: string): string =>
  TABLE_PART.exec(readFileSync(resolve(process.cwd(), page), 'utf8'))?.[0] ?? `${page} has no table`;
/** Cells without the blanks that only make columns. */
const squeezed = (text: string): string => text.replace(/ {2,}|-{2,}/g, ' ');

describe('the tables of the providers in README.md and docs/providers.md', () => {
  it('should say what the providers do when they are asked (to write it: npx tsx scripts/providersTable.ts)', async () => {
    const { providers, presets } = await renderProviders();

    expect(squeezed(partOf('README.md'))).toBe(squeezed(providers));
    expect(squeezed(partOf('docs/providers.md'))).toBe(squeezed(presets));
  });

  it('should name every provider that there is, and every preset', async () => {
    const part = partOf('README.md');
    const factories = [...(await exportedFactories())];

    expect(factories.map(([name]) => name).sort()).toEqual(
      [...SUBJECTS.map(({ factory }) => factory), 'openaiCompatible'].sort(),
    );
    for (const [name, entry] of factories) expect(part).toMatch(new RegExp(`^\\| \`${name}\` +\\| \`${entry}\` `, 'm'));
    for (const preset of PRESETS) expect(partOf('docs/providers.md')).toContain(`\`${preset}\``);
  });
});
