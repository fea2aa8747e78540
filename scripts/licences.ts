/*
 * Says under which licences everything stands that reaches whoever installs the package, and fails when docs/licences.md
 * does not say it, or when one is not among those that ask for nothing but their notice. `--update` rewrites the page.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest, root } from './entryPoints.ts';

const PERMISSIVE = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD']);
const page = join(root, 'docs/licences.md');

interface Installed {
  name: string;
  version: string;
  license?: string;
  repository?: string | { url?: string };
  dependencies?: Record<string, string>;
}

const problems: string[] = [];

function read(name: string): Installed {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as Installed;
}

/** The package and everything that comes with it. */
function withDependencies(name: string, seen = new Set<string>()): string[] {
  if (seen.has(name)) return [];
  seen.add(name);
  return [name, ...Object.keys(read(name).dependencies ?? {}).flatMap((other) => withDependencies(other, seen))];
}

function row(name: string, why: string, range: string): string {
  const { license = 'none' } = read(name);
  if (!PERMISSIVE.has(license)) problems.push(`${name} is under ${license}`);
  return `| ${name} | ${range} | ${license} | ${why} |`;
}

const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = readManifest();
const rows = [
  ...Object.entries(dependencies).flatMap(([name, range]) =>
    withDependencies(name).map((each) =>
      row(each, each === name ? 'is installed with it' : `comes with ${name}`, each === name ? range : ''),
    ),
  ),
  ...Object.entries(peerDependencies).map(([name, range]) =>
    row(name, peerDependenciesMeta[name]?.optional ? 'a peer, only for who uses it' : 'a peer', range),
  ),
];
const text = `# Licences

rx-llm is under the [MIT licence](../LICENSE), and its package holds nothing but its own code. What it works with:

| package | versions | licence | how it gets there |
| --- | --- | --- | --- |
${rows.join('\n')}

Written by \`npx tsx scripts/licences.ts --update\`, and compared on every check.
`;

/** Cells without the blanks that only make columns. */
const squeezed = (table: string): string => table.replace(/ {2,}/g, ' ').replace(/-{2,}/g, '--');

if (process.argv.includes('--update')) writeFileSync(page, text);
else if (!existsSync(page) || squeezed(readFileSync(page, 'utf8')) !== squeezed(text)) {
  problems.push('docs/licences.md is not up to date: run "npx tsx scripts/licences.ts --update"');
}
for (const problem of problems) process.stderr.write(`licences: ${problem}\n`);
process.stdout.write(`licences: ${rows.length} packages, ${problems.length} problems\n`);
process.exit(problems.length > 0 ? 1 : 0);
