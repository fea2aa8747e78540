import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { LlmServerCore } from './LlmServerCore.js';
import type { LlmServer, LlmServerOptions } from './types.js';

/**
 * Starts an HTTP server on 127.0.0.1 that speaks the wire formats of the vendors, streams a script, and breaks by plan.
 *
 * The format is picked by the path. A request that asks for the rest of an answer is answered as a model would, from where
 * its prefix ends in the script. Everything is reproducible: the same options and requests give the same bytes.
 *
 * @example An answer that is cut in the middle, and recovered
 * ```ts
 * import { recover, textDeltas, userMessage } from 'rx-llm';
 * import { anthropicMessages } from 'rx-llm/anthropic';
 * import { startLlmServer } from 'rx-llm/testing';
 *
 * const server = await startLlmServer({ answer: 'Marbles roll along a line.', faults: [{ cutAfterEvents: 4 }] });
 * const claude = anthropicMessages({ baseUrl: server.baseUrl.anthropicMessages, apiKey: 'none' });
 * const request = { model: 'claude-sonnet-4-5', messages: [userMessage('What do marbles do?')] };
 *
 * claude
 *   .executeStream(request)
 *   .pipe(recover({ request, resubscribe: (continuation) => claude.executeStream(continuation) }), textDeltas())
 *   .subscribe({ next: (text) => console.log(text), complete: () => void server.close() });
 * ```
 * @param options - See {@link LlmServerOptions}.
 * @returns The running server. Rejects when the port is taken. Close it at the end: it keeps the process alive.
 */
export async function startLlmServer(options: LlmServerOptions): Promise<LlmServer> {
  const core = new LlmServerCore(options);
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => void core.handle(request, response));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  const port = await listen(server, options.port ?? 0);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    baseUrl: {
      openaiChat: `${url}/v1`,
      openaiResponses: `${url}/v1`,
      anthropicMessages: url,
      geminiGenerateContent: `${url}/v1beta`,
      geminiInteractions: `${url}/v1beta`,
      bedrockConverse: url,
      ollamaChat: url,
      cohereChat: url,
    },
    requests: core.requests,
    get openConnections() {
      return sockets.size;
    },
    get openResponses() {
      return core.openResponses;
    },
    get runs() {
      return core.runs;
    },
    use: (changes) => core.use(changes),
    expireRuns: () => core.expireRuns(),
    idle: () => core.idle(),
    close: () => close(server, sockets),
  };
}

function createServer(onRequest: (request: IncomingMessage, response: ServerResponse) => void): Server {
  // Asked of the process instead of imported, so that a bundle of the other helpers for a browser needs no Node.
  const http = globalThis.process?.getBuiltinModule?.('node:http');
  if (!http) throw new Error('startLlmServer needs Node 20.16 or later: in a browser use scriptedExecutor');
  return http.createServer(onRequest);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const ends = [...sockets].map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
  for (const socket of sockets) socket.destroy();
  await Promise.all([closed, ...ends]);
}
