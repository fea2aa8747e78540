import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A file of the page. */
export interface PageFile {
  type: string;
  body: string;
}

/** As much as is used of esbuild, which belongs to the project's tools and is no dependency of the package. */
interface Bundler {
  build(options: Record<string, unknown>): Promise<{ outputFiles: { text: string }[] }>;
}

/**
 * Makes the page: the document and its style as they are, and its TypeScript as one script for browsers.
 *
 * @param folder - Where the page's sources stand.
 * @returns The files by the path under which the page asks for them. Rejects where the sources or esbuild are missing.
 */
export async function buildPage(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  let document: string;
  try {
    document = await read('index.html');
  } catch (error) {
    throw new Error(`no page in ${folder}: run this in a clone of the project, of which the page is a part`, {
      cause: error,
    });
  }
  const [style, script] = await Promise.all([read('style.css'), bundle(folder)]);
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', body: document }],
    ['/style.css', { type: 'text/css; charset=utf-8', body: style }],
    ['/main.js', { type: 'text/javascript; charset=utf-8', body: script }],
  ]);
}

async function bundle(folder: string): Promise<string> {
  const esbuild = createRequire(join(folder, 'main.ts'))('esbuild') as Bundler;
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(folder, 'main.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // Where `rx-llm` is the project's own source.
    tsconfig: join(folder, 'tsconfig.json'),
    logLevel: 'silent',
  });
  return outputFiles.map(({ text }) => text).join('\n');
}
