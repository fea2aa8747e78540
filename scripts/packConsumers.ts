/*
 * Installs the packed package as strangers do, and lets each consumer stream an answer that is cut from the fault server: an
 * ECMAScript project, a CommonJS project, a page built by Vite and shown in Chromium, a page in one file and an edge function,
 * the last three without anything of Node.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { startLlmServer } from '../src/testing/index.ts';
import { buildWithVite, missingBrowser, openInChromium } from './packVite.ts';

const ANSWER = 'Nothing is lost, and nothing comes twice, whatever breaks on the way from the model to the reader.';
/** Longest run of a consumer, in milliseconds. */
const LIMIT = 30_000;

/** What each consumer does, with `rx-llm` under the names of its imports; gives the text, and how often it was recovered. */
const BODY = `
  async function streamAll(url) {
    const executor = openaiChat({ baseUrl: url, apiKey: 'none' });
    const request = { model: 'gpt-4o', messages: [userMessage('go')] };
    let recovered = 0;
    const resubscribe = (next) => (recovered++, executor.executeStream(next));
    const result = await lastValueFrom(
      executor.executeStream(request).pipe(recover({ request, resubscribe, delay: 0, count: 5 }), accumulate()),
    );
    return { text: resultText(result), recovered };
  }`;
const NAMES = 'accumulate, recover, resultText, userMessage';
const IMPORTS = `
  import { ${NAMES} } from 'rx-llm';
  import { openaiChat } from 'rx-llm/openai';
  import { lastValueFrom } from 'rxjs';`;
const REQUIRES = `
  const { ${NAMES} } = require('rx-llm');
  const { openaiChat } = require('rx-llm/openai');
  const { lastValueFrom } = require('rxjs');`;
const PRINT = `streamAll(process.argv[2]).then((told) => console.log(JSON.stringify(told)));`;

/** What a page or a worker has and the language has not. */
const WEB = [
  ...[
    'fetch',
    'Request',
    'Response',
    'Headers',
    'URL',
    'URLSearchParams',
    'ReadableStream',
    'TransformStream',
    'WritableStream',
  ],
  ...['TextDecoder', 'TextEncoder', 'AbortController', 'AbortSignal', 'DOMException', 'Event', 'EventTarget', 'crypto'],
  ...[
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'queueMicrotask',
    'structuredClone',
    'console',
    'atob',
    'btoa',
  ],
];

interface Told {
  text: string;
  recovered: number;
}

/** Installs the tarball into an empty project. Returns its folder. */
function install(folder: string, type: 'module' | 'commonjs', tarball: string): string {
  const project = join(folder, type);
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: `consumer-${type}`, private: true, type }));
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--silent', tarball, 'rxjs@7.8.2'];
  execFileSync('npm', args, { cwd: project, stdio: ['ignore', 'inherit', 'inherit'] });
  if (!existsSync(join(project, 'node_modules/rx-llm/dist'))) throw new Error(`nothing was installed into ${project}`);
  return project;
}

function runNode(file: string, url: string): Promise<Told> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, url], { stdio: ['ignore', 'pipe', 'inherit'], timeout: LIMIT });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as Told);
      else reject(new Error(`ended with ${code}`));
    });
  });
}

/** Bundles as a tool for the browser or the edge does: nothing of Node resolves. Returns the file. */
async function bundle(project: string, kind: 'page' | 'edge'): Promise<string> {
  const outfile = join(project, `${kind}.js`);
  const { metafile } = await build({
    stdin: { contents: `${IMPORTS}${BODY}\nglobalThis.streamAll = streamAll;`, resolveDir: project },
    outfile,
    bundle: true,
    minify: true,
    metafile: true,
    format: 'iife',
    target: 'es2022',
    logLevel: 'error',
    ...(kind === 'page'
      ? { platform: 'browser' as const }
      : {
          platform: 'neutral' as const,
          mainFields: ['module', 'main'],
          conditions: ['edge-light', 'worker', 'import'],
        }),
  });
  const outside = Object.keys(metafile.inputs).find((file) => file !== '<stdin>' && !resolve(file).startsWith(project));
  if (outside !== undefined) throw new Error(`${outside} does not come from the installed packages`);
  return outfile;
}

function runWeb(file: string, url: string): Promise<Told> {
  const page = createContext(Object.fromEntries(WEB.map((name) => [name, Reflect.get(globalThis, name) as unknown])));
  runInContext(readFileSync(file, 'utf8'), page);
  return runInContext(`streamAll(${JSON.stringify(url)})`, page, { timeout: LIMIT }) as Promise<Told>;
}

/** Lets every consumer stream from the fault server. Returns what is wrong, in words. */
export async function streamAsConsumers(tarball: string): Promise<string[]> {
  // Outside of the project, where nothing can be found that was not installed.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rx-llm-pack-')));
  const esm = install(folder, 'module', tarball);
  const commonjs = install(folder, 'commonjs', tarball);
  writeFileSync(join(esm, 'index.js'), IMPORTS + BODY + PRINT);
  writeFileSync(join(commonjs, 'index.js'), REQUIRES + BODY + PRINT);

  const server = await startLlmServer({ answer: ANSWER, chunkSize: 7, latency: 1 });
  const problems: string[] = [];
  const check = async (what: string, run: (url: string) => Promise<Told>): Promise<void> => {
    server.use({ faults: [{ cutAfterEvents: 5 }, { endAfterEvents: 3 }, { errorEvent: {}, afterEvents: 2 }] });
    try {
      const { text, recovered } = await run(server.baseUrl.openaiChat);
      if (text !== ANSWER) problems.push(`${what}: got ${JSON.stringify(text)}`);
      if (recovered !== 3) problems.push(`${what}: recovered ${recovered} times in place of 3`);
      process.stdout.write(`pack: ${what} streamed ${text.length} characters over ${recovered + 1} connections\n`);
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  try {
    await check('an ECMAScript project', (url) => runNode(join(esm, 'index.js'), url));
    await check('a CommonJS project', (url) => runNode(join(commonjs, 'index.js'), url));
    const missing = missingBrowser();
    if (missing === undefined) await check('a Vite page', (url) => openInChromium(buildWithVite(esm), url));
    else if (process.env['CI'] === 'true') problems.push(`a Vite page: ${missing}`);
    else process.stdout.write(`pack: a Vite page was built, but not shown (${buildWithVite(esm)}): ${missing}\n`);
    await check('a page in one file', async (url) => runWeb(await bundle(esm, 'page'), url));
    await check('an edge bundle', async (url) => runWeb(await bundle(esm, 'edge'), url));
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return problems;
}
