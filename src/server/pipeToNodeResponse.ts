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
 * What cannot be written (no `Response`, one whose body is read by somebody else or has been, a status or a header that Node
 * does not take) is answered with an empty 500, or, when a head has been sent already, by destroying the connection.
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
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let gone = target.destroyed === true;
  let begun = false;
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
  try {
    reader = readerOf(response);
    // A client that is cut off because it is slow may never drain again.
    reader?.closed.catch(() => gone || target.destroy());
    if (gone) return onGone();
    writeHead(response, target);
    // Without a body the head is sent by the end.
    begun = reader !== undefined;
    for (let chunk = await reader?.read(); chunk && !chunk.done && !gone; chunk = await reader?.read()) {
      if (!target.write(chunk.value) && !gone) await new Promise<void>((resolve) => (wake = resolve));
    }
    if (!gone) target.end();
  } catch {
    if (gone) return;
    if (begun) target.destroy();
    else refuse(target);
    onGone();
  } finally {
    target.off('drain', onDrain);
    target.off('close', onGone);
  }
}

/** Locks the body. @throws TypeError when somebody else has, or when some of it has gone to somebody else. */
function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> | undefined {
  if (response.bodyUsed) throw new TypeError('the body of the response has been read already');
  return response.body?.getReader();
}

/** Answers with an empty 500. Node refuses a header when a head has been sent: then nothing but a cut says it. */
function refuse(target: NodeResponse): void {
  // Somebody has answered already.
  if (target.writableEnded) return;
  try {
    target.setHeader('content-length', '0');
    target.statusCode = 500;
    target.end();
  } catch {
    target.destroy();
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
