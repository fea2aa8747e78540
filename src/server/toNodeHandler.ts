import { pipeToNodeResponse, type NodeResponse } from './pipeToNodeResponse.js';

/** What is used of Node's `IncomingMessage`, and of those that Express and Fastify make of it. */
export interface NodeRequest extends AsyncIterable<Uint8Array> {
  method?: string;
  url?: string;
  /** The path before a router took its part away: Express. */
  originalUrl?: string;
  headers: Record<string, string | string[] | undefined>;
  /** The body, where a parser has read it already. */
  body?: unknown;
}

/**
 * Makes a handler for Node's `http`, Express or Fastify from one that takes a web `Request`: `openAiEndpoint` for example.
 *
 * The request's `signal` aborts when the client goes away before the response has been written. A body that has been parsed
 * already (`express.json()`) is used as it is.
 *
 * @param handle - From a web `Request` to a `Response`. What it throws is answered with an empty 500, and so is what is no
 * `Response`, or one whose body has been read. What is no request to a path (`TRACE`, for example) is answered with an empty
 * 400.
 * @returns A function of Node's request and response; its promise never rejects.
 */
export function toNodeHandler(
  handle: (request: Request) => Response | Promise<Response>,
): (request: NodeRequest, response: NodeResponse) => Promise<void> {
  return async (request, response) => {
    const abort = new AbortController();
    let written = false;
    const onClose = (): void => {
      if (!written) abort.abort();
    };
    response.on('close', onClose);
    try {
      const answer = await answerOf(handle, request, abort.signal);
      await pipeToNodeResponse(answer, response);
      written = true;
    } finally {
      response.off('close', onClose);
    }
  };
}

async function answerOf(
  handle: (request: Request) => Response | Promise<Response>,
  request: NodeRequest,
  signal: AbortSignal,
): Promise<Response> {
  let asked: Request;
  try {
    asked = webRequest(request, signal);
  } catch {
    return new Response(null, { status: 400 });
  }
  try {
    return await handle(asked);
  } catch {
    return new Response(null, { status: 500 });
  }
}

function webRequest(request: NodeRequest, signal: AbortSignal): Request {
  const { method = 'GET', url = '/', originalUrl = url } = request;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    // The names of HTTP/2 that begin with a colon are no headers.
    if (value !== undefined && !name.startsWith(':'))
      headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const body = method === 'GET' || method === 'HEAD' ? null : bodyOf(request);
  const init = { method, headers, signal, body, duplex: 'half' };
  if (!originalUrl.startsWith('/')) throw new TypeError('a request to a path begins with a slash');
  // The host is what the client says: only the path is taken from it, also where it looks like a host (`//`).
  return new Request(new URL(`http://localhost${originalUrl}`), init);
}

/** The body as it is asked for, or what a parser has made of it. */
function bodyOf(request: NodeRequest): ReadableStream<Uint8Array> | string {
  const { body } = request;
  if (body !== undefined) return typeof body === 'string' ? body : JSON.stringify(body);
  const iterator = request[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const chunk: IteratorResult<Uint8Array, unknown> = await iterator.next();
      if (chunk.done) controller.close();
      else controller.enqueue(chunk.value);
    },
    cancel: async () => void (await iterator.return?.()),
  });
}
