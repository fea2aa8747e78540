import type { InferenceRequest, JsonObject } from '../../../src/index.js';
import { cohereChat, type CohereOptions } from '../../../src/providers/cohere/index.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type FakeAnswer } from '../../helpers/fakeFetch.js';
import { observe } from '../bedrock/observe.js';

/** One event of the wire. */
export function event(type: string, message?: object, more: object = {}): string {
  const data = { type, ...more, ...(message && { delta: { message } }) };
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const begin = event(
  'message-start',
  { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] },
  { id: '2941521a-b87a' },
);
export const content = (index: number, piece: object, type = 'content-delta') =>
  event(type, { content: piece }, { index });
/** A block of content, whole. */
export const block = (index: number, type: 'text' | 'thinking', ...pieces: string[]) =>
  content(index, { type, [type]: '' }, 'content-start') +
  pieces.map((piece) => content(index, { [type]: piece })).join('') +
  event('content-end', undefined, { index });
export const call = (index: number, id: string, name: string, args = '') =>
  event('tool-call-start', { tool_calls: { id, type: 'function', function: { name, arguments: args } } }, { index });
export const argument = (index: number, args: string) =>
  event('tool-call-delta', { tool_calls: { function: { arguments: args } } }, { index });
export const callEnd = (index: number) => event('tool-call-end', undefined, { index });
export const end = (finish_reason: string | null = 'COMPLETE', more: object = {}) =>
  event('message-end', undefined, {
    delta: {
      finish_reason,
      usage: { billed_units: { input_tokens: 1, output_tokens: 1 }, tokens: { input_tokens: 3, output_tokens: 2 } },
      ...more,
    },
  });
export const DONE = 'data: [DONE]\n\n';

/** What a body gives. */
export function decoded(
  body: string | Uint8Array,
  more: Partial<FakeAnswer> = {},
  asked: Partial<InferenceRequest> = {},
) {
  return observe(cohereChat({ fetch: fakeFetch({ body, ...more }) }).executeStream({ ...request, ...asked }));
}

/** The request as it is sent. */
export async function sent(asked: Partial<InferenceRequest>, options: CohereOptions = {}) {
  const fetch = fakeFetch({ body: begin + end() + DONE });
  const { error } = await observe(cohereChat({ ...options, fetch }).executeStream({ ...request, ...asked }));
  const [first] = fetch.requests;
  if (!first) throw error ?? new Error('nothing was sent');
  return { url: first.url, headers: first.init.headers as Record<string, string>, body: first.body as JsonObject };
}

/** The error of a request that cannot be sent. */
export async function refusal(asked: Partial<InferenceRequest>) {
  const fetch = fakeFetch({ body: '' });
  const { error } = await observe(cohereChat({ fetch }).executeStream({ ...request, ...asked }));
  if (!error || fetch.requests.length > 0) throw new Error('the request was sent');
  return { kind: error.kind, detail: error.detail };
}
