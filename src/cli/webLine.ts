import { createServer, request as send, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What can be done to an answer that is on its way. */
export const LINE_FAULTS = ['cut', 'stall', 'truncate', '503'] as const;
export type LineFault = (typeof LINE_FAULTS)[number];

/** The header by which a request says whose it is; it goes no further than the line. */
export const RUN_HEADER = 'x-demo-run';

/** An answer that is passing through. */
interface Passing {
  upstream: IncomingMessage;
  response: ServerResponse;
}

/**
 * A line to a provider that can be broken while an answer is on it: an HTTP server on loopback that passes everything on.
 */
export class WebLine {
  readonly #server: Server;
  readonly #passing = new Map<string, Passing>();
  /** Runs whose next request is refused. */
  readonly #busy = new Set<string>();

  constructor(private readonly target: string) {
    this.#server = createServer((request, response) => this.#pass(request, response));
  }

  /** Listens on a free port; resolves with the address to use instead of the provider's. */
  open(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        resolve(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
      });
    });
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    return closed;
  }

  /** Breaks the answer of a run; false when none is on the line at this moment. */
  break(run: string, fault: LineFault): boolean {
    const passing = this.#passing.get(run);
    if (!passing) return false;
    const { upstream, response } = passing;
    this.#passing.delete(run);
    upstream.unpipe(response);
    switch (fault) {
      case 'stall':
        // Nothing more comes, and nothing says so: only the reader's own clock can tell.
        return true;
      case 'cut':
        response.socket?.resetAndDestroy();
        break;
      case 'truncate':
        response.end();
        break;
      case '503':
        this.#busy.add(run);
        response.end(busyFrame(upstream.headers['content-type']));
        break;
    }
    upstream.destroy();
    return true;
  }

  #pass(incoming: IncomingMessage, response: ServerResponse): void {
    const { [RUN_HEADER]: run, host: _, ...headers } = incoming.headers;
    const name = String(run);
    if (this.#busy.delete(name)) {
      response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' });
      response.end(JSON.stringify({ error: { type: 'overloaded_error', message: 'come back in a second' } }));
      return;
    }
    const outgoing = send(new URL(incoming.url ?? '/', this.target), { method: incoming.method ?? 'GET', headers });
    outgoing.on('error', () => response.destroy());
    outgoing.on('response', (upstream) => {
      response.writeHead(upstream.statusCode ?? 502, upstream.headers);
      this.#passing.set(name, { upstream, response });
      upstream.on('error', () => response.destroy());
      upstream.pipe(response);
    });
    response.on('close', () => {
      if (this.#passing.get(name)?.response === response) this.#passing.delete(name);
      outgoing.destroy();
    });
    incoming.pipe(outgoing);
  }
}

/** How a provider that is too busy says so in the middle of an answer: in words that both wires of the demo read. */
function busyFrame(contentType = ''): string {
  if (!contentType.includes('event-stream')) return '';
  const error = { type: 'overloaded_error', message: 'Service temporarily unavailable', status: 503 };
  return `event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`;
}
