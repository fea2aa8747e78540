import { identity, map, Observable, takeUntil } from 'rxjs';
import type { ConverseEvent } from '../tools/ConverseEvent.js';
import { toReadableStream } from './toReadableStream.js';
import { toServerSentEvents, type ServerSentEventsConfig } from './toServerSentEvents.js';

/** Configuration of a streamed response. */
export interface StreamResponseConfig {
  /** Defaults to 200. */
  status?: number;
  /** Added to the headers of the format; one that is named here wins. Defaults to none. */
  headers?: Record<string, string>;
  /**
   * How many bytes wait at most for a client that reads slowly. Beyond it the body errors, which disconnects the client, and
   * the events are unsubscribed. Defaults to 1,048,576.
   */
  limit?: number;
  /** Unsubscribes when it aborts: the `signal` of the request, on servers that do not cancel the body. Defaults to none. */
  signal?: AbortSignal;
  /** True subscribes at once and not at the first read of the body, for events that come already. Defaults to false. */
  eager?: boolean;
}

/** How many bytes wait at most for a client that reads slowly, by default. */
const BYTE_LIMIT = 1024 * 1024;

/** The headers of server-sent events. Without the last one nginx keeps them until it has a buffer full. */
export const SSE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/**
 * Makes a web `Response` from frames: for Hono, Next.js, Deno, Bun and workers as it is, for Node through
 * `pipeToNodeResponse`.
 *
 * The frames are subscribed when the body is first read, and unsubscribed when the client goes away. An error of theirs
 * cuts the connection: the encoders of this library send a frame for it instead.
 *
 * @param frames - The frames, each written as it comes.
 * @param config - See {@link StreamResponseConfig}.
 */
export function streamResponse(frames: Observable<string | Uint8Array>, config: StreamResponseConfig = {}): Response {
  const { status = 200, headers = {}, limit = BYTE_LIMIT, signal, eager = false } = config;
  const encoder = new TextEncoder();
  const bytes = frames.pipe(
    map((frame) => (typeof frame === 'string' ? encoder.encode(frame) : frame)),
    signal ? takeUntil(aborted(signal)) : identity,
  );
  const body = toReadableStream(bytes, { limit, eager, sizeOf: ({ byteLength }) => byteLength });
  return new Response(body, { status, headers });
}

/**
 * Makes the `Response` that carries events as this library's own server-sent events; `connect` of `rx-llm/client` reads it.
 *
 * @example An endpoint
 * ```ts
 * import { withRecovery, type LlmExecutor, type Message } from 'rx-llm';
 * import { sseResponse } from 'rx-llm/server';
 *
 * declare const executor: LlmExecutor;
 *
 * export async function POST(request: Request): Promise<Response> {
 *   const { messages } = (await request.json()) as { messages: Message[] };
 *   const events$ = withRecovery(executor).executeStream({ model: 'gpt-4o', messages });
 *   return sseResponse(events$, { signal: request.signal });
 * }
 * ```
 * @param events - The events.
 * @param config - See {@link ServerSentEventsConfig} and {@link StreamResponseConfig}.
 */
export function sseResponse<T extends object = ConverseEvent>(
  events: Observable<T>,
  config: ServerSentEventsConfig<T> & StreamResponseConfig = {},
): Response {
  return streamResponse(events.pipe(toServerSentEvents(config)), withHeaders(config, SSE_HEADERS));
}

/** The configuration of a response with the headers of its format. */
export function withHeaders(
  config: StreamResponseConfig,
  headers: Readonly<Record<string, string>>,
): StreamResponseConfig {
  const merged = { ...headers };
  for (const [name, value] of Object.entries(config.headers ?? {})) merged[name.toLowerCase()] = value;
  return { ...config, headers: merged };
}

/** Emits when the signal aborts, also when it has already. */
function aborted(signal: AbortSignal): Observable<void> {
  return new Observable((subscriber) => {
    const onAbort = (): void => subscriber.next();
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    return () => signal.removeEventListener('abort', onAbort);
  });
}
