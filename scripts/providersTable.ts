/* Writes what the providers can do into the README, as they tell it themselves when they are asked. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderProviders, TABLE_PART } from '../spec/docs/providersTable.js';
import { root } from './entryPoints.ts';

const file = join(root, 'README.md');
const before = readFileSync(file, 'utf8');
const part = await renderProviders();
if (!TABLE_PART.test(before)) throw new Error('README.md has no <!-- providers --> … <!-- /providers -->');
const after = before.replace(TABLE_PART, () => part);
writeFileSync(file, after);
process.stdout.write(`providers: README.md ${after === before ? 'is as it was' : 'written'}\n`);
