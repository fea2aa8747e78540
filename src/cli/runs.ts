import { fork, spawn, type ChildProcess } from 'node:child_process';
import { createServer, connect as dial, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { lastValueFrom, tap, timer } from 'rxjs';
import { connect } from '../client/index.js';
import type { LlmStreamEvent } from '../contract/index.js';
import { memoryRunLog } from '../runs/index.js';
import { startLlmServer } from '../testing/index.js';
import type { DemoOutput } from './demo.js';
import { serveRuns } from './runsServer.js';
import { answerOf, QUESTIONS } from './webStory.js';

/** How the demo runs. */
export interface RunsDemoOptions {
  /** Wait of the model before each piece, in milliseconds. Defaults to 12. */
  latency?: number;
  /** Where `runsProcess.ts` is. Defaults to the folder of the script that was started. */
  folder?: string;
  /** False uses the log in memory although there is a Redis. Defaults to true. */
  redis?: boolean;
}

/** Two servers, one after the other in front of the client. */
interface Servers {
  urls: readonly [string, string];
  /** Kills the first. */
  kill(): void;
  /** How the first is killed, in words. */
  how: string;
  /** Where the log is, in words. */
  where: string;
  close(): void;
}

type Told = (line: string) => void;

/**
 * An answer outlives its server: a client asks one server, which is killed in mid-answer; it reconnects to another one with
 * `Last-Event-ID`, which has taken over the run from the log.
 *
 * @returns The exit code: 0 when the client's text is the whole answer.
 */
export async function runRunsDemo(output: DemoOutput, options: RunsDemoOptions = {}): Promise<number> {
  const { write, paint } = output;
  const question = QUESTIONS[1] ?? '';
  const whole = answerOf(question);
  const model = await startLlmServer({ answer: whole, latency: options.latency ?? 12 });
  const tell: Told = (line) => write(`\n${paint('yellow', `· ${line}`)}\n`);
  const servers = await startServers(model.baseUrl.anthropicMessages, question, options, tell);
  try {
    write(`${paint('bold', 'An answer that outlives its server')}\n${paint('dim', servers.where)}\n`);
    write(paint('dim', `you: ${question}\n\n`));
    const { text, ids } = await listen(servers, whole.length / 3, output, tell);
    const requests = model.requests.length;
    const good = text === whole && ids;
    write(
      good
        ? paint(
            'green',
            `\n\nThe answer is whole, over 2 servers and ${requests} requests to the model: nothing lost, nothing twice.\n`,
          )
        : paint('red', '\n\nThe answer is not the one that the model gave.\n'),
    );
    return good ? 0 : 1;
  } finally {
    servers.close();
    await model.close();
  }
}

/** Asks the first server, kills it on the way, and goes on with the second. */
async function listen(
  servers: Servers,
  killAt: number,
  { write, paint }: DemoOutput,
  tell: Told,
): Promise<{ text: string; ids: boolean }> {
  let text = '';
  let current = 0;
  let reconnected = false;
  const toCurrent: typeof fetch = (url, init) =>
    fetch((url as string).replace('http://runs', servers.urls[current] ?? ''), init);
  const show = (event: LlmStreamEvent): void => {
    if (event.type === 'interrupted')
      tell(`the second server goes on by ${event.plan.kind}, because of: ${event.cause.kind}`);
    if (event.type !== 'text-delta') return;
    text += event.text;
    write(current === 0 ? event.text : paint('cyan', event.text));
    if (current > 0 || text.length < killAt) return;
    current = 1;
    servers.kill();
    tell(`the first server is killed (${servers.how})`);
  };
  const answer$ = connect<LlmStreamEvent>({
    url: `http://runs/answer-${Date.now()}`,
    fetch: toCurrent,
    delay: () => 100,
    onReconnect: ({ lastEventId }) => {
      reconnected = lastEventId !== undefined;
      tell(`the client reconnects to the second server with Last-Event-ID: ${lastEventId}`);
    },
  });
  await lastValueFrom(answer$.pipe(tap(show)), { defaultValue: undefined });
  return { text, ids: reconnected };
}

async function startServers(
  modelUrl: string,
  question: string,
  options: RunsDemoOptions,
  tell: Told,
): Promise<Servers> {
  const redis = options.redis === false ? undefined : await startRedis();
  return redis ? inProcesses(redis, modelUrl, question, options, tell) : inThisProcess(modelUrl, question, tell);
}

/** Two processes and a Redis. */
async function inProcesses(
  redis: { port: number; child: ChildProcess },
  modelUrl: string,
  question: string,
  options: RunsDemoOptions,
  tell: Told,
): Promise<Servers> {
  const { folder = dirname(process.argv[1] ?? '') } = options;
  const children: ChildProcess[] = [];
  const start = (): Promise<string> => {
    const args = [String(redis.port), modelUrl, question];
    const child = fork(join(folder, 'runsProcess.ts'), args, { execArgv: ['--import', 'tsx'] });
    children.push(child);
    return new Promise((resolve, reject) => {
      child.on('message', (message: { url?: string; adopted?: string }) => {
        if (message.url !== undefined) resolve(message.url);
        if (message.adopted !== undefined)
          tell(`the second server finds the run without a producer, and takes it over`);
      });
      child.once('exit', (code) => reject(new Error(`a server of the demo ended with ${code}`)));
    });
  };
  const close = (): void => {
    for (const child of [...children, redis.child]) child.kill('SIGKILL');
  };
  try {
    const urls = await Promise.all([start(), start()]);
    const where = `two server processes (${children.map(({ pid }) => pid).join(', ')}) and a Redis on port ${redis.port}`;
    return { urls, kill: () => children[0]?.kill('SIGKILL'), how: 'SIGKILL', where, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The same without a Redis: this process plays both servers. */
async function inThisProcess(modelUrl: string, question: string, tell: Told): Promise<Servers> {
  const log = memoryRunLog();
  const onAdopted = (): void => tell('the second server finds the run without a producer, and takes it over');
  const first = await serveRuns({ log, modelUrl, question });
  const second = await serveRuns({ log, modelUrl, question, onAdopted });
  const where = 'there is no redis-server here: this process plays both servers, with the log in its memory';
  return {
    urls: [first.url, second.url],
    kill: () => first.close(),
    how: 'its sockets and its work, at once',
    where,
    close: () => {
      first.close();
      second.close();
    },
  };
}

/** Starts a Redis that keeps nothing; undefined where there is none. */
async function startRedis(): Promise<{ port: number; child: ChildProcess } | undefined> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  let gone = false;
  child.once('error', () => (gone = true));
  child.once('exit', () => (gone = true));
  for (let tries = 0; tries < 200 && !gone; tries++) {
    if (await answers(port)) return { port, child };
    await lastValueFrom(timer(25));
  }
  child.kill('SIGKILL');
  return undefined;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
