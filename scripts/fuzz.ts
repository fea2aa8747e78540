/*
 * The long run of spec/trust/fuzz.spec.ts, with a seed of its own each time: `--runs N` damaged bodies for each dialect of the
 * recordings (default 2,000, some minutes), `--seed N` to do a run again.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './entryPoints.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
process.stdout.write(`fuzz: ${values.runs} bodies for each dialect, seed ${values.seed}\n`);
const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/jest/bin/jest.js'), 'spec/trust/fuzz.spec.ts'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, FUZZ_RUNS: values.runs, FUZZ_SEED: values.seed },
  },
);
process.exit(status ?? 1);
