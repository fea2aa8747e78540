/* Writes what the providers can do into the pages, as they tell it themselves when they are asked. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderProviders, TABLE_PART } from '../spec/docs/providersTable.js';
import { root } from './entryPoints.ts';

const { providers, presets } = await renderProviders();
for (const [page, part] of [
  ['README.md', providers],
  ['docs/providers.md', presets],
] as const) {
  const file = join(root, page);
  const before = readFileSync(file, 'utf8');
  if (!TABLE_PART.test(before)) throw new Error(`${page} has no <!-- providers --> … <!-- /providers -->`);
  const after = before.replace(TABLE_PART, () => part);
  writeFileSync(file, after);
  process.stdout.write(`providers: ${page} ${after === before ? 'is as it was' : 'written'}\n`);
}
