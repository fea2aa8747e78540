/* Bundles what a browser would load, beside rxjs, measures it with size-limit, and fails when a row is over its budget. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import esbuildPlugin from '@size-limit/esbuild';
import sizeLimit, { type Check, type Plugin } from 'size-limit';
import { readEntryPoints, root } from './entryPoints.ts';

interface Budget {
  name: string;
  /** Names by entry point; an entry point as such, for all of it. */
  imports: Record<string, string[]> | string;
  /** Bytes after minifying and gzip, without rxjs. Where there is a goal below, what there is today and a little more. */
  limit: number;
  /** Bytes that the row is meant to come down to. */
  goal?: number;
  /** Sources that were not asked for, and must not be in the bundle. */
  without?: RegExp;
}

const essentials = ['accumulate', 'recover', 'textDeltas'];

const budgets: Budget[] = [
  {
    name: 'one provider: anthropicMessages, recover, accumulate, textDeltas',
    imports: { 'rx-llm': essentials, 'rx-llm/anthropic': ['anthropicMessages'] },
    limit: 25_300,
    goal: 12_000,
    without: /^src\/(providers\/(?!anthropic|shared)|client|runs|server|tools)/,
  },
  {
    name: 'one provider: openaiChat, recover, accumulate, textDeltas',
    imports: { 'rx-llm': essentials, 'rx-llm/openai': ['openaiChat'] },
    limit: 27_400,
    goal: 12_000,
    without: /^src\/(providers\/(?!openai|shared)|providers\/openai\/.*responses|client|runs|server|tools)/i,
  },
  {
    name: 'client: connect, accumulate',
    imports: { 'rx-llm/client': ['connect'], 'rx-llm': ['accumulate'] },
    limit: 12_000,
  },
  { name: 'partial JSON: createPartialJson', imports: { 'rx-llm': ['createPartialJson'] }, limit: 3_000 },
  // Nearly nothing, or tree-shaking is broken.
  {
    name: 'one operator: textDeltas',
    imports: { 'rx-llm': ['textDeltas'] },
    limit: 300,
    without: /^src\/(?!operators|internal|index)/,
  },
  { name: 'core alone: everything in rx-llm', imports: 'rx-llm', limit: 39_300 },
];

const alias = Object.fromEntries(readEntryPoints().map(({ specifier, source }) => [specifier, join(root, source)]));

/** Stands where `@size-limit/file` would: bytes after gzip as a server compresses that has the time for it. */
const gzipPlugin: Plugin = {
  name: '@size-limit/file',
  step60: async (_config, check) => {
    const files = await Promise.all((check.bundles ?? []).map((file) => readFile(file)));
    check.size = files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
  },
};

/** Gives the size in bytes, and the sources of which something is left in the bundle. */
async function measure({ name, imports }: Budget): Promise<{ size: number; sources: string[] }> {
  const check: Check = {
    name,
    files: typeof imports === 'string' ? [alias[imports] ?? imports] : [],
    import:
      typeof imports === 'string'
        ? undefined
        : Object.fromEntries(Object.entries(imports).map(([from, names]) => [from, `{ ${names.join(', ')} }`])),
    gzip: true,
    ignore: ['rxjs', 'rxjs/*'],
    // Without a format the bundler would put a `require` of its own before the imports that are left out.
    modifyEsbuildConfig: (config) => ({
      ...config,
      alias,
      absWorkingDir: root,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      logLevel: 'silent',
    }),
  };
  const [result] = await sizeLimit([esbuildPlugin, [gzipPlugin]], { checks: [check] });
  const sources = Object.values(check.esbuildMetafile?.outputs ?? {}).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([source, { bytesInOutput }]) => (bytesInOutput > 0 ? [source] : [])),
  );
  if (result?.size === undefined || sources.length === 0) throw new Error('nothing was bundled');
  return { size: result.size, sources };
}

let failed = 0;
for (const budget of budgets) {
  const { name, limit, goal } = budget;
  try {
    const { size, sources } = await measure(budget);
    const found = sources.filter((source) => budget.without?.test(source));
    const faults = [
      ...(size > limit ? [`OVER BUDGET by ${size - limit} B`] : []),
      ...(found.length > 0 ? [`HOLDS ${found.join(', ')}, which was not imported`] : []),
    ];
    if (faults.length > 0) failed++;
    const told = [`size: ${String(size).padStart(6)} B of ${String(limit).padStart(6)} B`, name];
    if (goal !== undefined)
      told.push(size > goal ? `(goal ${goal} B: ${size - goal} B away)` : `(goal ${goal} B: reached)`);
    process.stdout.write(`${[...told, ...faults].join('  ')}\n`);
  } catch (error) {
    failed++;
    process.stdout.write(`size: FAILED ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
process.exit(failed > 0 ? 1 : 0);
