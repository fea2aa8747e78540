import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Tells whether a listener's port can be had by another try. */
function isTaken(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE';
}

/** An HTTP listener on loopback that can be killed, with every connection it has, and comes back on the same port. */
export class WebListener {
  #server: Server | undefined;
  #port = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly handle: (request: IncomingMessage, response: ServerResponse) => void) {}

  get port(): number {
    return this.#port;
  }

  /** Listens. Without a port the usual one is taken, or one that is free. */
  async open(port: number | undefined, usual: number): Promise<void> {
    try {
      this.#port = await this.#listen(port ?? usual);
    } catch (error) {
      if (!isTaken(error)) throw error;
      if (port !== undefined) {
        throw new Error(`port ${port} is taken: give another with --port`, { cause: error });
      }
      this.#port = await this.#listen(0);
    }
  }

  /** Destroys every connection and refuses new ones for some milliseconds. */
  kill(downtime: number): void {
    if (this.#timer !== undefined) return;
    const server = this.#server;
    server?.close();
    server?.closeAllConnections();
    const revive = (): void => {
      this.#timer = setTimeout(() => {
        this.#listen(this.#port).then(
          () => (this.#timer = undefined),
          // Somebody else has the port by now: try until it is free, or until this is closed.
          revive,
        );
      }, downtime);
    };
    revive();
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    const server = this.#server;
    if (!server?.listening) return Promise.resolve();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    return closed;
  }

  #listen(port: number): Promise<number> {
    const server = createServer((request, response) => this.handle(request, response));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  }
}
