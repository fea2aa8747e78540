/*
 * Compiles a stranger's program against what was built, with the compiler of this project and with an
 * older one.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, temporary } from './entryPoints.ts';

const VERSION = '5.9.3';
const older = join(temporary, `typescript-${VERSION}`);
const compilers = [join(root, 'node_modules/typescript'), join(older, 'node_modules/typescript')];

// Not a dependency: two packages with a command `tsc` in one folder are one too many.
if (!existsSync(join(older, 'node_modules/typescript'))) {
  mkdirSync(older, { recursive: true });
  writeFileSync(join(older, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--prefix', older, '--no-audit', '--no-fund', '--prefer-offline', '--silent'];
  execFileSync('npm', [...args, `typescript@${VERSION}`], { cwd: older, stdio: 'inherit' });
}

let failed = 0;
const versions = new Set<string>();
for (const compiler of compilers) {
  if (!existsSync(join(compiler, 'package.json'))) throw new Error(`${compiler} is missing`);
  const { version } = JSON.parse(readFileSync(join(compiler, 'package.json'), 'utf8')) as { version: string };
  versions.add(version);
  const args = [join(compiler, 'bin/tsc'), '-p', 'scripts/tsconfig.older.json', '--pretty', 'false'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed++;
  process.stdout.write(`types: TypeScript ${version} ${status === 0 ? 'is content' : 'FOUND ERRORS'}\n`);
}
if (versions.size < 2) {
  failed++;
  process.stderr.write('types: both compilers are of the same version\n');
}
process.exit(failed > 0 ? 1 : 0);
