/*
 * The long runs of fuzz.spec.ts, combinations.spec.ts and waiting.spec.ts in spec/trust, with a seed of their own each time: `--runs N`
 * damaged bodies for each dialect of the recordings (default 2,000, some minutes), `--conversations N` for each model (default
 * 200, some minutes), `--seed N` to do a run again.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './entryPoints.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    conversations: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const { runs, conversations, seed } = values;
process.stdout.write(
  `fuzz: ${runs} bodies for each dialect, ${conversations} conversations for each model, seed ${seed}\n`,
);
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/jest/bin/jest.js'),
    '--testTimeout=1800000',
    'spec/trust/(fuzz|combinations|waiting).spec.ts',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, FUZZ_RUNS: runs, FUZZ_CONVERSATIONS: conversations, FUZZ_SEED: seed },
  },
);
process.exit(status ?? 1);
