import { firstValueFrom, lastValueFrom, materialize, toArray, type Observable } from 'rxjs';
import {
  collect,
  type InferenceExecutionError,
  type InferenceRequest,
  type LlmStreamEvent,
  type StreamResult,
} from '../../../src/index.js';
import { anthropicMessages, type AnthropicOptions } from '../../../src/providers/anthropic/index.js';
import { fakeFetch, type FakeAnswer } from '../../helpers/fakeFetch.js';
import { request } from '../../helpers/events.js';

/** Frames of the wire, from their payloads. */
export function frames(...payloads: object[]): string {
  return payloads
    .map(
      (payload) => `event: ${(payload as { type?: string }).type ?? 'message'}\ndata: ${JSON.stringify(payload)}\n\n`,
    )
    .join('');
}

export const opening = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 5, output_tokens: 1 },
  },
};

export const begin = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block });
export const piece = (index: number, delta: object) => ({ type: 'content_block_delta', index, delta });
export const finish = (index: number) => ({ type: 'content_block_stop', index });
export const ending = (stop_reason: string | null, delta: object = {}, output_tokens = 7) => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null, ...delta },
  usage: { output_tokens },
});
export const closing = { type: 'message_stop' };

/** A block of text, whole. */
export const textBlock = (index: number, ...pieces: string[]) => [
  begin(index, { type: 'text', text: '' }),
  ...pieces.map((text) => piece(index, { type: 'text_delta', text })),
  finish(index),
];

/** A call, whole, with its arguments in pieces. */
export const callBlock = (index: number, id: string, name: string, ...pieces: string[]) => [
  begin(index, { type: 'tool_use', id, name, input: {} }),
  ...pieces.map((partial_json) => piece(index, { type: 'input_json_delta', partial_json })),
  finish(index),
];

/** The events that a body gives, and how they end. */
export async function decoded(body: FakeAnswer['body'], answerOptions: Omit<FakeAnswer, 'body'> = {}) {
  const executor = anthropicMessages({ fetch: fakeFetch({ ...answerOptions, body }) });
  const events: LlmStreamEvent[] = [];
  let error: unknown;
  for (const notification of await all(executor.executeStream(request).pipe(materialize()))) {
    if (notification.kind === 'N') events.push(notification.value);
    if (notification.kind === 'E') error = notification.error;
  }
  return { events, error: error as InferenceExecutionError | undefined };
}

/** The answer that a body gives. */
export function answer(body: FakeAnswer['body']): Promise<StreamResult> {
  return lastValueFrom(
    anthropicMessages({ fetch: fakeFetch({ body }) })
      .executeStream(request)
      .pipe(collect()),
  );
}

/** The request as it is sent. */
export async function sent(asked: Partial<InferenceRequest>, options: AnthropicOptions = {}) {
  const fetch = fakeFetch({ body: frames(opening, ending('end_turn'), closing) });
  await all(anthropicMessages({ ...options, fetch }).executeStream({ ...request, ...asked }));
  const { url, init, body } = fetch.requests[0]!;
  return { url, headers: init.headers as Record<string, string>, body: body as Record<string, unknown> };
}

/** The body of a request about nothing in particular, with these overrides. */
export async function settings(overrides: InferenceRequest['overrides'], model = 'claude-sonnet-4-5') {
  const { messages: _messages, model: _model, stream: _stream, ...rest } = (await sent({ model, overrides })).body;
  return rest;
}

/** The error of a request that cannot be sent. */
export async function refusal(asked: Partial<InferenceRequest>): Promise<InferenceExecutionError> {
  const fetch = fakeFetch({ body: '' });
  const [last] = (
    await all(
      anthropicMessages({ fetch })
        .executeStream({ ...request, ...asked })
        .pipe(materialize()),
    )
  ).slice(-1);
  if (last?.kind !== 'E' || fetch.requests.length > 0) throw new Error('the request was sent');
  return last.error as InferenceExecutionError;
}

function all<T>(source: Observable<T>): Promise<T[]> {
  return firstValueFrom(source.pipe(toArray()));
}
