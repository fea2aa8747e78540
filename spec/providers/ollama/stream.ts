import type { InferenceRequest, JsonObject } from '../../../src/index.js';
import { ollamaChat, type OllamaOptions } from '../../../src/providers/ollama/index.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type FakeAnswer } from '../../helpers/fakeFetch.js';
import { observe } from '../bedrock/observe.js';

export const NDJSON = { 'content-type': 'application/x-ndjson' };

/** One line of the wire. */
export function line(message: object | undefined, more: object = {}): string {
  const time = '2026-11-22T10:11:12.123456Z';
  return `${JSON.stringify({ model: 'qwen3:4b', created_at: time, ...(message && { message: { role: 'assistant', ...message } }), done: false, ...more })}\n`;
}

/** The line that ends an answer. */
export const done = (done_reason = 'stop', content = '') =>
  line({ content }, { done: true, done_reason, prompt_eval_count: 3, eval_count: 2 });

/** What a body gives. */
export function decoded(
  body: string | Uint8Array,
  more: Partial<FakeAnswer> = {},
  asked: Partial<InferenceRequest> = {},
) {
  const fetch = fakeFetch({ body, headers: NDJSON, ...more });
  return observe(ollamaChat({ fetch }).executeStream({ ...request, ...asked }));
}

/** The request as it is sent. */
export async function sent(asked: Partial<InferenceRequest>, options: OllamaOptions = {}) {
  const fetch = fakeFetch({ body: done(), headers: NDJSON });
  const { error } = await observe(ollamaChat({ ...options, fetch }).executeStream({ ...request, ...asked }));
  const [first] = fetch.requests;
  if (!first) throw error ?? new Error('nothing was sent');
  return { url: first.url, headers: first.init.headers as Record<string, string>, body: first.body as JsonObject };
}

/** The error of a request that cannot be sent. */
export async function refusal(asked: Partial<InferenceRequest>) {
  const fetch = fakeFetch({ body: '' });
  const { error } = await observe(ollamaChat({ fetch }).executeStream({ ...request, ...asked }));
  if (!error || fetch.requests.length > 0) throw new Error('the request was sent');
  return { kind: error.kind, detail: error.detail };
}
