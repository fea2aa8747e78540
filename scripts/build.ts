import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEntryPoints, readManifest, root, temporary } from './entryPoints.ts';

// Built beside `dist` and moved there when whole: who imports the package meanwhile never meets half of it.
const fresh = join(temporary, 'build');
const dist = join(root, 'dist');

function compile(flavour: string): Promise<boolean> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return new Promise((resolve, reject) => {
    spawn(process.execPath, [tsc, '-p', `scripts/tsconfig.${flavour}.json`, '--pretty', 'false'], { stdio: 'inherit' })
      .on('error', reject)
      .on('exit', (code) => resolve(code === 0));
  });
}

function writePackageType(flavour: string, type: string): void {
  writeFileSync(join(fresh, flavour, 'package.json'), `${JSON.stringify({ type, sideEffects: false }, null, 2)}\n`);
}

rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });

const compiled = await Promise.all([compile('esm'), compile('commonjs')]);
if (compiled.includes(false)) {
  process.stderr.write('build: failed, dist was left as it was\n');
  process.exit(1);
}

// The nearest package.json decides what `.js` and `.d.ts` mean: without these two, both folders would be ES modules.
writePackageType('esm', 'module');
writePackageType('commonjs', 'commonjs');

rmSync(dist, { recursive: true, force: true });
renameSync(fresh, dist);

const { bin = {} } = readManifest();
for (const file of Object.values(bin)) chmodSync(join(root, file), 0o755);

const promised = readEntryPoints().flatMap(({ esm, commonjs }) => [esm, commonjs]);
const missing = promised.filter((file) => !existsSync(join(root, file)));
if (missing.length > 0) {
  process.stderr.write(`build: package.json exports what was not built: ${missing.join(', ')}\n`);
  process.exit(1);
}
