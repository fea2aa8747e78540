import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../../contract/index.js';
import type { WireFailure } from '../wire/types.js';

const MAX_BODY = 32 * 1024 * 1024;
const KEYS = /authorization|api-key|cookie|token|secret|signature/i;

/** Reads the JSON body of a request; `problem` is what is wrong with it. */
export async function readBody(
  incoming: AsyncIterable<unknown>,
): Promise<{ body: JsonObject | undefined; problem?: WireFailure }> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of incoming) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > MAX_BODY) return { body: undefined, problem: { status: 413 } };
  }
  text += decoder.decode();
  if (text === '') return { body: undefined };
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { body: body as JsonObject };
  } catch {
    // Said below, with what was sent.
  }
  const message = `the body is no JSON object: ${text.slice(0, 80)}`;
  return { body: undefined, problem: { status: 400, message } };
}

/** Headers as they came, with `[redacted]` in place of what holds a key. */
export function withoutKeys(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, KEYS.test(name) ? '[redacted]' : String(value)]),
  );
}

/** Path and query of a URL, with `[redacted]` in place of what holds a key. */
export function withoutQueryKeys(url: URL): string {
  const query = [...url.searchParams].map(
    ([name, value]) => `${name}=${/^key$/i.test(name) || KEYS.test(name) ? '[redacted]' : value}`,
  );
  return url.pathname + (query.length > 0 ? `?${query.join('&')}` : '');
}
