/* Checks the imports of src: no cycle, one direction, nothing that package.json does not name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { readManifest, root } from './entryPoints.ts';

/**
 * The folders of src from the lowest layer to the highest. A file may import from its own folder and from lower layers;
 * folders of one layer do not know each other. `index` is src/index.ts, which only the command line may import.
 */
const layers = [
  ['internal'],
  ['json'],
  ['contract'],
  ['errors'],
  ['recovery'],
  ['wire'],
  ['operators'],
  ['resilience'],
  ['providers', 'tools', 'otel'],
  ['runs'],
  ['server', 'client', 'testing', 'redis', 'nats'],
  ['index'],
  ['cli'],
];

const source = join(root, 'src');
const problems: string[] = [];

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'))
  .sort();

function layerOf(file: string): number {
  const folder = file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.ts$/, '');
  return layers.findIndex((names) => names.includes(folder));
}

function folderOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
}

const manifest = readManifest();
const allowedPackages = new Set([
  ...Object.keys(manifest.dependencies ?? {}),
  ...Object.keys(manifest.peerDependencies ?? {}),
]);

function checkPackage(file: string, specifier: string): void {
  if (specifier.startsWith('node:')) return; // eslint decides where Node's own modules may stand
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (name === manifest.name) problems.push(`src/${file}: imports its own package by name; use a relative path`);
  else if (!allowedPackages.has(name)) problems.push(`src/${file}: ${name} is no dependency or peer in package.json`);
}

function checkDirection(file: string, target: string): void {
  if (folderOf(file) === folderOf(target) && folderOf(file) !== '') return;
  const from = layerOf(file);
  const to = layerOf(target);
  if (from === to) problems.push(`src/${file}: imports src/${target}, which stands on the same layer`);
  else if (from < to) problems.push(`src/${file}: imports src/${target}, which stands on a higher layer`);
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8');
  return ts.preProcessFile(text, true, true).importedFiles.flatMap(({ fileName }) => {
    if (!fileName.startsWith('.')) {
      checkPackage(file, fileName);
      return [];
    }
    const target = relative(source, join(source, dirname(file), fileName.replace(/\.js$/, '.ts'))).replaceAll(
      '\\',
      '/',
    );
    if (!existsSync(join(source, target))) {
      problems.push(`src/${file}: imports ${fileName}, which does not exist`);
      return [];
    }
    checkDirection(file, target);
    return [target];
  });
}

for (const file of files) {
  if (layerOf(file) === -1) problems.push(`src/${file}: its folder has no layer in scripts/imports.ts`);
}
const graph = new Map(files.map((file) => [file, importsOf(file)]));

const done = new Set<string>();
function findCycles(file: string, path: string[]): void {
  const start = path.indexOf(file);
  if (start !== -1) {
    const cycle = [...path.slice(start), file].map((step) => `src/${step}`);
    problems.push(`import cycle: ${cycle.join(' -> ')}`);
    return;
  }
  if (done.has(file)) return;
  for (const target of graph.get(file) ?? []) findCycles(target, [...path, file]);
  done.add(file);
}
for (const file of files) findCycles(file, []);

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`imports: ${files.length} files, ${problems.length} problems\n`);
process.exit(problems.length > 0 ? 1 : 0);
