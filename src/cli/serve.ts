import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeCause, type InferenceExecutionError, type LlmExecutor } from '../index.js';
import { anthropicMessages } from '../providers/anthropic/index.js';
import { cohereChat } from '../providers/cohere/index.js';
import { geminiGenerateContent } from '../providers/google/index.js';
import { ollamaChat } from '../providers/ollama/index.js';
import { compatiblePresets, openaiChat, openaiCompatible, openaiResponses } from '../providers/openai/index.js';
import { openAiEndpoint, toNodeHandler } from '../server/index.js';
import type { Paint } from './paint.js';

/** What is served. */
export interface ServeOptions {
  /** Whom to ask. */
  provider: string;
  /** Asked for instead of what the client names. */
  model?: string | undefined;
  baseUrl?: string | undefined;
  /** Defaults to 4141; 0 takes one that is free. */
  port?: string | undefined;
  /** Most recoveries of an answer. Defaults to 5. */
  recoveries?: string | undefined;
}

interface ServeOutput {
  write: (text: string) => void;
  paint: Paint;
  env: Record<string, string | undefined>;
  /** Ends the server. */
  signal?: AbortSignal;
  /** Told of the address when the server is there. */
  onListening?: (url: string) => void;
}

type Create = (options: { apiKey?: string; baseUrl?: string }) => LlmExecutor;

/** The providers, each with the variable of the environment that holds its key. */
const PROVIDERS: Record<string, { variable?: string; create: Create }> = {
  anthropic: { variable: 'ANTHROPIC_API_KEY', create: anthropicMessages },
  openai: { variable: 'OPENAI_API_KEY', create: openaiChat },
  'openai-responses': { variable: 'OPENAI_API_KEY', create: openaiResponses },
  google: { variable: 'GEMINI_API_KEY', create: geminiGenerateContent },
  cohere: { variable: 'COHERE_API_KEY', create: cohereChat },
  ollama: { create: ollamaChat },
};

/**
 * Serves OpenAI's Chat Completions API on the loopback in front of a provider, with recovery: `npx rx-llm serve`.
 *
 * Only this machine reaches it, and no page in its browser: the key of the provider is used for whoever asks.
 *
 * @returns The exit code, when the signal has ended the server; 2 at once when something is missing.
 */
export async function runServe(options: ServeOptions, output: ServeOutput): Promise<number> {
  const { write, paint, env, signal, onListening } = output;
  const port = Number(options.port ?? 4141);
  const count = Number(options.recoveries ?? 5);
  if (!(Number.isInteger(port) && port >= 0 && port < 65_536)) return refuse(write, `no port: ${options.port}`);
  if (!(Number.isInteger(count) && count >= 0)) return refuse(write, `no number of recoveries: ${options.recoveries}`);
  const executor = executorOf(options, env);
  if (typeof executor === 'string') return refuse(write, executor);

  const server = createServer(proxy(executor, options, count, write));
  const url = await listen(server, port);
  write(
    `${paint('bold', `${url}/v1`)}  speaks OpenAI's Chat Completions, answers with ${executor.name}, and recovers\n`,
  );
  write(paint('dim', `  OPENAI_BASE_URL=${url}/v1 OPENAI_API_KEY=none …\n`));
  onListening?.(url);
  await ended(server, signal);
  return 0;
}

function proxy(
  executor: LlmExecutor,
  { model }: ServeOptions,
  count: number,
  write: (text: string) => void,
): Parameters<typeof createServer>[1] {
  const endpoint = openAiEndpoint(executor, {
    recover: {
      count,
      when: ({ cause, attempt, plan }) => {
        write(`✕ ${describeCause(cause)} in attempt ${attempt}: ${plan.kind}\n`);
        return true;
      },
    },
    mapRequest: ({ request }) => ({ ...request, model: model ?? request.model }),
    // Keys have been taken out of it; whoever asks is the owner of the key.
    describe: (error: InferenceExecutionError) => error.message,
    onError: (error) => write(`${error instanceof Error ? error.message : String(error)}\n`),
    ...(model !== undefined && { models: [model] }),
  });
  const handle = toNodeHandler(endpoint);
  return (request, response) => {
    // A page whose name was made to point here asks for itself by that name.
    if (isLocal(request.headers.host)) return void handle(request, response);
    response.writeHead(403).end();
  };
}

function executorOf({ provider, baseUrl }: ServeOptions, env: ServeOutput['env']): LlmExecutor | string {
  const own = Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : undefined;
  const compatible = Object.keys(compatiblePresets).find((name) => name === provider);
  if (!own && !compatible) {
    const names = [...Object.keys(PROVIDERS), ...Object.keys(compatiblePresets)].join(', ');
    return `unknown provider "${provider}": use one of ${names}`;
  }
  const variable = own ? own.variable : `${provider.toUpperCase().replaceAll('-', '_')}_API_KEY`;
  const apiKey = variable === undefined ? undefined : env[variable];
  // A server of one's own at another address may want none.
  if (variable !== undefined && !apiKey && baseUrl === undefined) return `no key: set ${variable} in the environment`;
  const settings = { ...(apiKey && { apiKey }), ...(baseUrl !== undefined && { baseUrl }) };
  try {
    return own ? own.create(settings) : openaiCompatible(provider as keyof typeof compatiblePresets, settings);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isLocal(host: string | undefined): boolean {
  return /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(host ?? '');
}

function refuse(write: (text: string) => void, words: string): number {
  write(`${words}\n`);
  return 2;
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

function ended(server: Server, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    server.once('close', () => resolve());
    const stop = (): void => {
      server.close();
      server.closeAllConnections();
    };
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
  });
}
