/** What is used of Node's `ServerResponse`, of HTTP/1 or HTTP/2, and of those that Express and Fastify make of it. */
export interface NodeResponse {
  statusCode: number;
  readonly destroyed?: boolean;
  readonly writableEnded?: boolean;
  setHeader(name: string, value: string | string[]): unknown;
  flushHeaders?(): void;
  write(chunk: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
  on(event: 'close' | 'drain' | 'error', listener: () => void): unknown;
  off(event: 'close' | 'drain', listener: () => void): unknown;
}

/**
 * Writes a web `Response` to Node's `ServerResponse`.
 *
 * Waits for `drain` where the client reads slowly; what comes meanwhile waits in the response's body, up to its `limit`.
 * A client that goes away cancels the body at once, and so unsubscribes what feeds it. A body that errors destroys the
 * connection: the client must not take a cut for an end.
 *
 * @example Express
 * ```ts
 * import type { LlmExecutor, Message } from 'rx-llm';
 * import { pipeToNodeResponse, sseResponse, type NodeResponse } from 'rx-llm/server';
 *
 * declare const executor: LlmExecutor;
 * declare const app: {
 *   post(path: string, handle: (req: { body: { messages: Message[] } }, res: NodeResponse) => Promise<void>): void;
 * };
 * app.post('/chat', async (req, res) => {
 *   const { messages } = req.body;
 *   await pipeToNodeResponse(sseResponse(executor.executeStream({ model: 'gpt-4o', messages })), res);
 * });
 * ```
 * @param response - The response; its body is used up.
 * @param target - Where it is written; what has been set on it already stays.
 * @returns A promise that resolves when the response has been written, or the client has gone; it never rejects.
 */
export async function pipeToNodeResponse(response: Response, target: NodeResponse): Promise<void> {
  const reader = response.body?.getReader();
  let gone = target.destroyed === true;
  let wake: () => void = () => undefined;
  const onDrain = (): void => wake();
  const onGone = (): void => {
    gone = true;
    // A body that has errored rejects; there is nobody left to tell.
    reader?.cancel().catch(() => undefined);
    wake();
  };
  target.on('drain', onDrain);
  target.on('close', onGone);
  // Stays: a socket may fail after the end, and an error that nobody listens for ends the process.
  target.on('error', onGone);
  // A client that is cut off because it is slow may never drain again.
  reader?.closed.catch(() => gone || target.destroy());
  try {
    if (gone) return onGone();
    writeHead(response, target);
    for (let chunk = await reader?.read(); chunk && !chunk.done && !gone; chunk = await reader?.read()) {
      if (!target.write(chunk.value) && !gone) await new Promise<void>((resolve) => (wake = resolve));
    }
    if (!gone) target.end();
  } catch {
    if (!gone) target.destroy();
  } finally {
    target.off('drain', onDrain);
    target.off('close', onGone);
  }
}

function writeHead(response: Response, target: NodeResponse): void {
  target.statusCode = response.status;
  response.headers.forEach((value, name) => {
    if (name !== 'set-cookie') target.setHeader(name, value);
  });
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) target.setHeader('set-cookie', cookies);
  // The client knows at once that the server is there, however long the model thinks.
  if (response.body) target.flushHeaders?.();
}
