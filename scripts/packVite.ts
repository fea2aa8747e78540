/* Builds a page with Vite from the installed package, serves what it wrote, and reads the page in Chromium. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';
import { root } from './entryPoints.ts';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const TYPES: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };
/** Longest wait for the whole text, in milliseconds. */
const LIMIT = 30_000;

const HTML = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>streaming</title><link rel="icon" href="data:," /></head>
  <body><output></output><script type="module" src="/main.ts"></script></body>
</html>
`;
const MAIN = `
import { accumulate, recover, resultText, userMessage, type InferenceRequest } from 'rx-llm';
import { openaiChat } from 'rx-llm/openai';

const output = document.querySelector('output') as HTMLOutputElement;
const request: InferenceRequest = { model: 'gpt-4o', messages: [userMessage('go')] };
const model = openaiChat({ baseUrl: location.origin + '/v1', apiKey: 'none' });
let recovered = 0;
let shown = 0;
const resubscribe = (next: InferenceRequest) => (recovered++, model.executeStream(next));
const end = (title: string) => (Object.assign(output.dataset, { recovered, shown }), (document.title = title));

model.executeStream(request).pipe(recover({ request, resubscribe, delay: 0, count: 5 }), accumulate()).subscribe({
  next: (result) => (shown++, (output.textContent = resultText(result))),
  error: (error) => end('failed: ' + error),
  complete: () => end('complete'),
});
`;

/** What stood on the page in the end. */
export interface Shown {
  text: string;
  recovered: number;
}

/** Says why no page can be opened here, or nothing. */
export function missingBrowser(): string | undefined {
  return existsSync(EXECUTABLE) ? undefined : `there is no ${EXECUTABLE}: install chromium, or set CHROMIUM`;
}

/** Writes the page's project into one that has the package, and lets Vite build it. Returns the folder of what it wrote. */
export function buildWithVite(project: string): string {
  const folder = join(project, 'page');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), HTML);
  writeFileSync(join(folder, 'main.ts'), MAIN);
  const args = ['build', folder, '--outDir', 'dist', '--logLevel', 'warn'];
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/vite'), args, {
    cwd: folder,
    encoding: 'utf8',
  });
  // A module of Node is no error to Vite, which warns and puts an empty one in its place.
  if (status !== 0 || stdout + stderr !== '') throw new Error(`vite build ended with ${status}: ${stdout}${stderr}`);
  return join(folder, 'dist');
}

/** Opens the built page on 127.0.0.1, with the model's API under the same origin as a page's own server has it. */
export async function openInChromium(folder: string, apiUrl: string): Promise<Shown> {
  const server = createServer((request, response) => {
    if (request.method === 'POST') passOn(request, response, apiUrl);
    else sendFile(folder, request.url ?? '/', response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
  try {
    const page = await browser.newPage();
    const broken: string[] = [];
    page.on('pageerror', (error) => broken.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page
      .waitForFunction(() => document.title !== 'streaming', undefined, { timeout: LIMIT })
      .catch(() => {
        throw new Error(`the page did not end within ${LIMIT / 1000} s ${broken.join(', ')}`);
      });
    const title = await page.title();
    if (title !== 'complete') throw new Error(title);
    const output = page.locator('output');
    const [text, recovered, shown] = await Promise.all([
      output.innerText(),
      output.getAttribute('data-recovered'),
      output.getAttribute('data-shown'),
    ]);
    if (Number(shown) < 5) throw new Error(`the text came in ${shown} pieces, and was to be seen growing`);
    return { text, recovered: Number(recovered) };
  } finally {
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A connection that breaks on the one side breaks on the other. */
function passOn(request: IncomingMessage, response: ServerResponse, apiUrl: string): void {
  const { method, headers, url = '/' } = request;
  const upstream = httpRequest(new URL(url, apiUrl), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  });
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
}

function sendFile(folder: string, url: string, response: ServerResponse): void {
  const path = join(folder, normalize(new URL(url, 'http://page').pathname));
  const file = path.endsWith('/') ? join(path, 'index.html') : path;
  if (!existsSync(file)) response.writeHead(404).end();
  else
    response
      .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
      .end(readFileSync(file));
}
