import type { IncomingMessage, ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import type { FollowedEvent } from '../runs/index.js';
import { lastEventId, pipeToNodeResponse, publicEvent, sseResponse } from '../server/index.js';
import { startLlmServer } from '../testing/index.js';
import type { Paint } from './paint.js';
import { LINE_FAULTS, WebLine, type LineFault } from './webLine.js';
import { WebListener } from './webListener.js';
import { buildPage, type PageFile } from './webPage.js';
import { WebRuns, WIRES, type WebAsk } from './webRuns.js';
import { answerOf, QUESTIONS } from './webStory.js';

/** Options of {@link startWeb}. Times are in milliseconds. */
export interface WebOptions {
  /** Defaults to 4400, or to one that is free where that is taken. */
  port?: number | undefined;
  /** Where the page's sources stand. Defaults to `examples/web` in the current folder. */
  folder?: string | undefined;
  /** Wait before each piece of the answer. Defaults to 85. */
  latency?: number | undefined;
  /** Silence after which the provider counts as stalled. Defaults to 1,200. */
  idleTimeout?: number | undefined;
  /** Wait before the rest is asked for. Defaults to 700. */
  delay?: number | undefined;
  /** How long the killed server stays away. Defaults to 1,500. */
  downtime?: number | undefined;
}

/** A running page. */
export interface WebServer {
  url: string;
  close(): Promise<void>;
}

const USUAL_PORT = 4400;
const MAX_BODY = 16_384;
const QUESTION_LIST: PageFile = { type: 'application/json', body: JSON.stringify(QUESTIONS) };

/** Requests of the page are JSON of its own origin; a page of another origin cannot send that without being asked first. */
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
};

/**
 * Serves the page of `examples/web` with everything that it talks to: a scripted provider, the line to it, which can be
 * broken, and the application's own server, which recovers what comes over the line. On loopback only.
 *
 * @param options - See {@link WebOptions}.
 * @returns The running page. Rejects when the page cannot be built, or the port is taken.
 */
export async function startWeb(options: WebOptions = {}): Promise<WebServer> {
  const { idleTimeout = 1_200, delay = 700, downtime = 1_500, latency = 85 } = options;
  const page = await buildPage(resolve(options.folder ?? 'examples/web'));
  const provider = await startLlmServer({
    answer: ({ messages }) => answerOf(messages.findLast(({ role }) => role === 'user')?.text ?? ''),
    latency,
  });
  const line = new WebLine(provider.url);
  const runs = new WebRuns({ providerUrl: await line.open(), idleTimeout, delay });
  const app = new WebApp({ page, line, runs, kill: () => listener.kill(downtime) });
  const listener = new WebListener((request, response) => void app.handle(request, response));
  const close = async (): Promise<void> => {
    runs.stopAll();
    await Promise.all([listener.close(), line.close(), provider.close()]);
  };
  try {
    await listener.open(options.port, USUAL_PORT);
  } catch (error) {
    await close();
    throw error;
  }
  return { url: `http://127.0.0.1:${listener.port}`, close };
}

/**
 * Serves the page until the process is told to end.
 *
 * @returns The exit code.
 */
export async function runWeb(
  options: WebOptions,
  { write, paint }: { write: (text: string) => void; paint: Paint },
): Promise<number> {
  const server = await startWeb(options);
  write(`\n  ${paint('bold', server.url)}\n\n`);
  write(
    paint(
      'dim',
      '  A scripted model, a line that you can break, and what the reader sees. Loopback only. Ctrl-C ends it.\n',
    ),
  );
  await new Promise<void>((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
  await server.close();
  return 0;
}

interface WebAppParts {
  page: ReadonlyMap<string, PageFile>;
  line: WebLine;
  runs: WebRuns;
  kill: () => void;
}

/** The application's own server: the page, its answers, and the buttons. */
class WebApp {
  constructor(private readonly parts: WebAppParts) {}

  /** Answers one request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (!isLoopback(request.headers.host)) return plain(response, 403, 'this page is for the machine it runs on');
      const { pathname } = new URL(`http://127.0.0.1${request.url ?? '/'}`);
      if (request.method === 'POST') return await this.#post(pathname, request, response);
      const file = pathname === '/questions.json' ? QUESTION_LIST : this.parts.page.get(pathname);
      if (!file) return plain(response, 404, 'nothing here');
      response.writeHead(200, { ...HEADERS, 'content-type': file.type });
      response.end(file.body);
    } catch (error) {
      plain(response, 400, error instanceof Error ? error.message : String(error));
    }
  }

  async #post(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(request);
    switch (path) {
      case '/answer':
        return this.#answer(readAsk(body), lastEventId(request.headers), response);
      case '/break':
        return this.#break(textOf(body, 'runId'), textOf(body, 'fault'), response);
      case '/stop':
        return plain(response, this.parts.runs.stop(textOf(body, 'runId')) ? 204 : 404, '');
      case '/whole':
        return plain(response, 200, answerOf(textOf(body, 'question')));
      default:
        return plain(response, 404, 'nothing here');
    }
  }

  async #answer(ask: WebAsk, after: string | undefined, response: ServerResponse): Promise<void> {
    const entries = this.parts.runs.follow(ask, Number(after ?? 0));
    const sse = sseResponse<FollowedEvent>(entries, {
      id: ({ seq }) => seq,
      event: ({ event }) => publicEvent(event),
      replay: true,
    });
    await pipeToNodeResponse(sse, response);
  }

  #break(runId: string, fault: string, response: ServerResponse): void {
    if (fault === 'kill') {
      // The page is told first: a killed server answers nobody.
      response.on('finish', () => setImmediate(this.parts.kill));
      return plain(response, 202, '');
    }
    if (!isLineFault(fault)) throw new Error(`unknown fault "${fault}": use kill or ${LINE_FAULTS.join(', ')}`);
    if (this.parts.line.break(runId, fault)) return plain(response, 202, '');
    plain(response, 409, 'nothing is on the line at this moment');
  }
}

function isLineFault(fault: string): fault is LineFault {
  return LINE_FAULTS.some((known) => known === fault);
}

/** A name that another site has pointed at this machine is not this machine's. */
function isLoopback(host = ''): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host);
}

function plain(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) throw new Error('send JSON');
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_BODY) throw new Error('this is longer than a question should be');
  }
  const body: unknown = JSON.parse(text);
  if (typeof body !== 'object' || body === null) throw new Error('send a JSON object');
  return { ...body };
}

function readAsk(body: Record<string, unknown>): WebAsk {
  const wire = WIRES.find((known) => known === body['wire']);
  if (wire === undefined) throw new Error(`unknown wire: use ${WIRES.join(' or ')}`);
  return { runId: textOf(body, 'runId'), question: textOf(body, 'question'), wire };
}

function textOf(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value.trim() === '') throw new Error(`${name} is missing`);
  return value;
}
