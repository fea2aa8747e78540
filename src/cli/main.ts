#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { runChat } from './chat.js';
import { isWhole, runDemo } from './demo.js';
import { createPaint } from './paint.js';
import { runToolsDemo } from './tools.js';

const HELP = `rx-llm: streams for language models that survive being cut off

  npm start                         an answer that is cut again and again, and arrives whole
  npm start -- --chat "…"           talks to a real provider
      --provider anthropic|openai   default anthropic; the key is read from the usual variable of the environment
      --model NAME                  default by provider
      --base-url URL                another address of the provider's API
      --tools                       lets it look at the files of a folder, which it can only read
      --folder PATH                 the folder; default the current one
  npm start -- --tools [PATH]       a small agent looks at a folder, is cut on the way, and runs each call once
  npm start -- --web                a page to break the line on, and to see what the reader gets; loopback only
      --port N                      default 4400, or one that is free
  npm start -- --runs               a server dies in the middle of an answer, and another one goes on with it
  npx rx-llm serve                  speaks OpenAI's API on 127.0.0.1:4141 in front of a provider, and recovers
      --provider NAME               anthropic, openai, google, cohere, ollama, mistral, groq, …; default anthropic
      --port N  --recoveries N      default 4141 and 5
  npm start -- --help               this text
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    chat: { type: 'boolean' },
    provider: { type: 'string', default: 'anthropic' },
    model: { type: 'string' },
    'base-url': { type: 'string' },
    tools: { type: 'boolean' },
    folder: { type: 'string' },
    web: { type: 'boolean' },
    runs: { type: 'boolean' },
    port: { type: 'string' },
    recoveries: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const paint = createPaint(process.stdout, process.env);
const write = (text: string): void => void process.stdout.write(text);

async function main(): Promise<number> {
  if (values.help) {
    write(HELP);
    return 0;
  }
  if (positionals[0] === 'serve') return serve();
  if (values.web) {
    const { runWeb } = await import('./web.js');
    return runWeb({ port: values.port === undefined ? undefined : portOf(values.port) }, { write, paint });
  }
  if (values.runs) {
    const { runRunsDemo } = await import('./runs.js');
    return runRunsDemo({ write, paint, now: () => performance.now() });
  }
  if (values.chat) {
    const folder = values.tools ? (values.folder ?? process.cwd()) : undefined;
    const { provider, model, 'base-url': baseUrl } = values;
    return runChat(
      { prompt: positionals.join(' '), provider, model, baseUrl, folder },
      { write, paint, env: process.env },
    );
  }
  if (values.tools) {
    const path = values.folder ?? positionals[0] ?? process.cwd();
    return runToolsDemo(path, { write, paint, now: () => performance.now() });
  }
  const reports = await runDemo({ write, paint, now: () => performance.now() });
  const broken = reports.filter((report) => !isWhole(report));
  write(
    broken.length === 0
      ? paint('green', '\nBoth answers are whole: nothing lost, nothing twice.\n')
      : paint('red', `\nNot whole: ${broken.map(({ wire }) => wire).join(', ')}\n`),
  );
  return broken.length === 0 ? 0 : 1;
}

/** Until Ctrl-C. */
async function serve(): Promise<number> {
  const { runServe } = await import('./serve.js');
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const { provider, model, 'base-url': baseUrl, port, recoveries } = values;
  return runServe(
    { provider, model, baseUrl, port, recoveries },
    { write, paint, env: process.env, signal: stop.signal },
  );
}

function portOf(port: string): number {
  const number = Number(port);
  if (Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  throw new Error(`no port: ${port}; give a number from 0 to 65535`);
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
