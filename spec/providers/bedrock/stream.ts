import type { InferenceRequest, JsonObject, LlmExecutor } from '../../../src/index.js';
import { bedrockConverse, type BedrockOptions } from '../../../src/providers/bedrock/index.js';
import { encodeAwsEventStream } from '../../../src/wire/awsEventStream.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type FakeAnswer } from '../../helpers/fakeFetch.js';
import { observe } from './observe.js';

export const EVENT_STREAM = { 'content-type': 'application/vnd.amazon.eventstream' };

/** One event of the wire. */
export function frame(type: string, payload: object): Uint8Array {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
  return encodeAwsEventStream(headers, JSON.stringify({ ...payload, p: 'abcdefgh' }));
}

/** An exception in the middle of a stream. */
export function exception(type: string, payload: object | string): Uint8Array {
  const headers = { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' };
  return encodeAwsEventStream(headers, typeof payload === 'string' ? payload : JSON.stringify(payload));
}

export const messageStart = frame('messageStart', { role: 'assistant' });
export const start = (contentBlockIndex: number, start: object) =>
  frame('contentBlockStart', { contentBlockIndex, start });
export const delta = (contentBlockIndex: number, delta: object) =>
  frame('contentBlockDelta', { contentBlockIndex, delta });
export const stop = (contentBlockIndex: number) => frame('contentBlockStop', { contentBlockIndex });
export const messageStop = (stopReason: string, more: object = {}) => frame('messageStop', { stopReason, ...more });
export const metadata = (usage: object = { inputTokens: 3, outputTokens: 2, totalTokens: 5 }, more: object = {}) =>
  frame('metadata', { metrics: { latencyMs: 7 }, usage, ...more });

export function bytes(...frames: Uint8Array[]): Uint8Array {
  return Uint8Array.from(frames.flatMap((part) => [...part]));
}

/** What a body gives. */
export function decoded(frames: readonly Uint8Array[], more: Partial<FakeAnswer> = {}, asked = request) {
  const fetch = fakeFetch({ body: bytes(...frames), headers: EVENT_STREAM, ...more });
  return observe(bedrockConverse({ fetch }).executeStream(asked));
}

/** The request as it is sent. */
export async function sent(asked: Partial<InferenceRequest>, options: BedrockOptions = {}) {
  const fetch = fakeFetch({ body: bytes(messageStart, messageStop('end_turn'), metadata()), headers: EVENT_STREAM });
  const { error } = await observe(bedrockConverse({ ...options, fetch }).executeStream({ ...request, ...asked }));
  const [first] = fetch.requests;
  if (!first) throw error ?? new Error('nothing was sent');
  return { url: first.url, headers: first.init.headers as Record<string, string>, body: first.body as JsonObject };
}

/** The error of a request that cannot be sent. */
export async function refusal(asked: Partial<InferenceRequest>, make: (fetch: BedrockOptions['fetch']) => LlmExecutor) {
  const fetch = fakeFetch({ body: '' });
  const { error } = await observe(make(fetch).executeStream({ ...request, ...asked }));
  if (!error || fetch.requests.length > 0) throw new Error('the request was sent');
  return { kind: error.kind, detail: error.detail };
}
