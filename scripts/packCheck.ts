/* Packs the package as npm would publish it, and looks at the tarball as strangers' tools and programs would. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { readEntryPoints, readManifest, root, temporary } from './entryPoints.ts';
import { streamAsConsumers } from './packConsumers.ts';

interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
  files: { path: string }[];
}

const folder = join(temporary, 'pack');
const problems: string[] = [];

function pack(): Packed {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' })) as Packed[];
  if (packed === undefined) throw new Error('npm pack packed nothing');
  return packed;
}

function run(what: string, command: string, args: string[], cwd = root): void {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  process.stdout.write(`${stdout}${status === 0 ? '' : stderr}`);
  if (status !== 0) problems.push(`${what} is not content`);
}

/** Unpacks into a consumer inside the project, so that dependencies and peers are found in the folders above. */
function loadAsConsumer(tarball: string): void {
  const { name } = readManifest();
  const consumer = join(folder, 'consumer');
  const installed = join(consumer, 'node_modules', name);
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  writeFileSync(join(consumer, 'package.json'), '{}\n');

  const specifiers = JSON.stringify(readEntryPoints().map(({ specifier }) => specifier));
  // Both flavours must show the same names, and come from the tarball.
  const body = `
    import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    for (const specifier of ${specifiers}) {
      const path = require.resolve(specifier);
      if (!path.includes('consumer')) throw new Error(specifier + ' was not loaded from the tarball: ' + path);
      const names = Object.keys(await import(specifier)).filter((name) => name !== 'default' && name !== 'module.exports');
      const required = Object.keys(require(specifier));
      if (names.length === 0) throw new Error(specifier + ' exports nothing');
      if (names.sort().join() !== required.sort().join()) throw new Error(specifier + ': import and require differ');
      console.log('pack: ' + specifier + ' imports and requires ' + names.length + ' names');
    }`;
  writeFileSync(join(consumer, 'load.mjs'), body);
  run('loading the packed package', process.execPath, ['load.mjs'], consumer);
}

/** A type that was inferred as `any` passes the linter, but stands in the declarations. */
function lookForAny(path: string): void {
  const source = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.ES2022, true);
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) problems.push(`${path}: any in ${node.parent.getText().slice(0, 80)}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const packed = pack();
const tarball = join(folder, packed.filename);
process.stdout.write(
  `pack: ${packed.files.length} files, ${packed.size} B packed, ${packed.unpackedSize} B unpacked\n`,
);
for (const { path } of packed.files) {
  if (!/^(dist\/.*\.(js|d\.ts)|dist\/(esm|commonjs)\/package\.json|package\.json|[A-Z]+(\.md)?)$/.test(path)) {
    problems.push(`${path} does not belong into the package`);
  }
  if (path.endsWith('.d.ts')) lookForAny(path);
}
for (const path of ['LICENSE', 'README.md']) {
  if (!packed.files.some((file) => file.path === path)) problems.push(`${path} is missing from the package`);
}

run('publint', join(root, 'node_modules/.bin/publint'), ['run', tarball, '--strict']);
run('attw', join(root, 'node_modules/.bin/attw'), [tarball, '--profile', 'node16', '--no-emoji', '--no-color']);
loadAsConsumer(tarball);
problems.push(...(await streamAsConsumers(tarball)));

for (const problem of problems) process.stderr.write(`pack: ${problem}\n`);
process.exit(problems.length > 0 ? 1 : 0);
