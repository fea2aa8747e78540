import type { LlmServer } from '../../../src/testing/index.js';

/** What came back over a real socket. */
export interface Got {
  status: number;
  headers: Headers;
  bytes: Uint8Array;
  text: string;
  /** The error that the body ended in; undefined for a proper end. */
  error: (Error & { cause?: { code?: string } }) | undefined;
}

export const PATHS = { openaiChat: '/v1/chat/completions', anthropicMessages: '/v1/messages' };

/** Sends a request by plain `fetch` and reads all of the answer. */
export async function ask(
  server: LlmServer,
  path: string,
  body: object | string = {},
  init: RequestInit = {},
): Promise<Got> {
  const response = await open(server, path, body, init);
  const chunks: Uint8Array[] = [];
  let error: Got['error'];
  try {
    for await (const chunk of response.body ?? []) chunks.push(chunk);
  } catch (reason) {
    error = reason as NonNullable<Got['error']>;
  }
  const bytes = new Uint8Array(Buffer.concat(chunks));
  return { status: response.status, headers: response.headers, bytes, text: new TextDecoder().decode(bytes), error };
}

/** Sends a request and hands out the response as soon as its headers are there. */
export function open(
  server: LlmServer,
  path: string,
  body: object | string = {},
  init: RequestInit = {},
): Promise<Response> {
  const request = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] };
  return fetch(server.url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify({ ...request, ...body }),
    ...init,
  });
}

/** Reads a body until `enough`, and not a byte more than has come by then. */
export async function readUntil(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  enough: (text: string) => boolean,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  while (!enough(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

/** The text of an Anthropic or OpenAI chat answer, read by the wire's own words. */
export function textIn(body: string): string {
  return [...body.matchAll(/"(?:text_delta","text|content)":("(?:[^"\\]|\\.)*")/g)]
    .map(([, json]) => JSON.parse(json ?? '""') as string)
    .join('');
}
