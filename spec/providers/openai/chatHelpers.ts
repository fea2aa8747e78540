import { firstValueFrom } from 'rxjs';
import {
  collect,
  type InferenceExecutionError,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
  type StreamResult,
} from '../../../src/index.js';
import type { ProviderOptions } from '../../../src/providers/shared/options.js';
import { request as plainRequest } from '../../helpers/events.js';
import { fakeFetch, type FakeAnswer, type SentRequest } from '../../helpers/fakeFetch.js';

export type Factory = (options: ProviderOptions) => LlmExecutor;

const ANSWER = 'data: {"choices":[{"index":0,"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

/** A message as it was sent. */
export interface SentMessage {
  role: string;
  content: unknown;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
  [member: string]: unknown;
}

/** A body as it was sent. */
export interface SentBody {
  model: string;
  messages: SentMessage[];
  [member: string]: unknown;
}

/** The HTTP request that a request becomes. */
export async function sentBy(factory: Factory, request: InferenceRequest, options: ProviderOptions = {}) {
  const fetch = fakeFetch({ body: ANSWER });
  await firstValueFrom(
    factory({ apiKey: 'key', ...options, fetch })
      .executeStream(request)
      .pipe(collect()),
  );
  const [sent] = fetch.requests;
  const { url, init, body } = sent as SentRequest;
  const json = init.body as string;
  return { url, headers: init.headers as Record<string, string>, body: body as SentBody, json };
}

/** The error that a request becomes before anything is sent. */
export async function refusalOf(factory: Factory, request: InferenceRequest): Promise<InferenceExecutionError> {
  const fetch = fakeFetch({ body: ANSWER });
  const error: unknown = await firstValueFrom(factory({ fetch }).executeStream(request).pipe(collect())).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (fetch.requests.length > 0) throw new Error('a request was sent');
  return error as InferenceExecutionError;
}

/** Chunks as the body of a stream. A string stands as it is. */
export function sse(...chunks: (object | string)[]): string {
  return chunks.map((chunk) => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`).join('');
}

/** A chunk with one choice. */
export function chunk(delta: object, more: object = {}, rest: object = {}): object {
  return { id: 'chatcmpl-1', created: 1, choices: [{ index: 0, delta, finish_reason: null, ...more }], ...rest };
}

export const finish = (reason: string, rest: object = {}): object => chunk({}, { finish_reason: reason }, rest);

export const call = (index: number | undefined, id: string | undefined, name?: string | null, args?: string | null) =>
  chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: args } }] });

export interface Outcome {
  events: LlmStreamEvent[];
  error: InferenceExecutionError | undefined;
}

/** Everything that a stream with that body sends. */
export function read(
  factory: Factory,
  body: string,
  answer: Partial<FakeAnswer> = {},
  request: InferenceRequest = plainRequest,
): Promise<Outcome> {
  const events: LlmStreamEvent[] = [];
  const stream = factory({ fetch: fakeFetch({ body, ...answer }) }).executeStream(request);
  return new Promise((resolve) => {
    stream.subscribe({
      next: (event) => events.push(event),
      error: (error: unknown) => resolve({ events, error: error as InferenceExecutionError }),
      complete: () => resolve({ events, error: undefined }),
    });
  });
}

/** The whole answer of a stream with that body. */
export function resultOf(factory: Factory, body: string, request = plainRequest): Promise<StreamResult> {
  return firstValueFrom(
    factory({ fetch: fakeFetch({ body }) })
      .executeStream(request)
      .pipe(collect()),
  );
}
