/* Bundles what a browser would load, beside rxjs, and fails when a row is over its budget. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { readEntryPoints, root } from './entryPoints.ts';

interface Budget {
  /** What is imported: names by entry point, or `*` for all of it. */
  imports: Record<string, string[] | '*'>;
  /** Bytes after minifying and gzip, without rxjs. */
  limit: number;
}

const essentials = ['accumulate', 'recover', 'textDeltas'];

// What a bundle has today and a little more, so that it does not grow unseen. The goal for one provider with the essentials
// is 12,000 bytes, and it is far away: the seam alone is 3,800, a provider some 5,500.
const budgets: Budget[] = [
  { imports: { 'rx-llm': essentials, 'rx-llm/anthropic': ['anthropicMessages'] }, limit: 23_600 },
  { imports: { 'rx-llm': essentials, 'rx-llm/openai': ['openaiChat'] }, limit: 25_400 },
  { imports: { 'rx-llm': ['textDeltas'] }, limit: 1_000 },
  { imports: { 'rx-llm': ['createPartialJson'] }, limit: 3_000 },
  { imports: { 'rx-llm/client': ['connect'], 'rx-llm': ['accumulate'] }, limit: 12_000 },
  { imports: { 'rx-llm': '*' }, limit: 37_200 },
];

const alias = Object.fromEntries(readEntryPoints().map(({ specifier, source }) => [specifier, join(root, source)]));

async function measure({ imports }: Budget): Promise<{ minified: number; gzip: number }> {
  const contents = Object.entries(imports)
    .map(([specifier, names]) => `export ${names === '*' ? '*' : `{ ${names.join(', ')} }`} from '${specifier}';`)
    .join('\n');
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    alias,
    external: ['rxjs', 'rxjs/*'],
    logLevel: 'silent',
  });
  // A name that is not there would make for a small bundle, not for an error.
  const exported = Object.values(metafile.outputs).flatMap((output) => output.exports);
  const wanted = Object.values(imports).flatMap((names) => (names === '*' ? [] : names));
  const missing = wanted.filter((name) => !exported.includes(name));
  if (missing.length > 0 || exported.length === 0) throw new Error(`exports no ${missing.join(', ') || 'name at all'}`);

  const bytes = outputFiles[0]?.contents ?? new Uint8Array();
  return { minified: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

let failed = 0;
for (const budget of budgets) {
  const name = Object.entries(budget.imports)
    .map(([specifier, names]) => `${specifier} ${names === '*' ? '*' : `{ ${names.join(', ')} }`}`)
    .join(' + ');
  try {
    const { minified, gzip } = await measure(budget);
    const over = gzip > budget.limit;
    if (over) failed++;
    process.stdout.write(
      `size: ${gzip} B gzip of ${budget.limit} B (${minified} B minified): ${name}${over ? '  OVER BUDGET' : ''}\n`,
    );
  } catch (error) {
    failed++;
    process.stdout.write(`size: FAILED ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
process.exit(failed > 0 ? 1 : 0);
