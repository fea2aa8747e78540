import { firstValueFrom, type Observable } from 'rxjs';
import {
  collect,
  type InferenceExecutionError,
  type InferenceRequest,
  type LlmStreamEvent,
  type StreamResult,
} from '../../../src/index.js';
import { openaiResponses, type OpenAIResponsesOptions } from '../../../src/providers/openai/index.js';
import { request as plainRequest } from '../../helpers/events.js';
import { fakeFetch, type FakeAnswer, type SentRequest } from '../../helpers/fakeFetch.js';

type Json = Record<string, unknown>;

export const RUN = 'resp_0123';

/** One event of a stream, without its number. */
export const event = (type: string, members: Json = {}): Json => ({ type, ...members });
export const created = (id = RUN): Json => event('response.created', { response: { id, status: 'in_progress' } });
export const added = (output_index: number, item: Json): Json =>
  event('response.output_item.added', { output_index, item });
export const done = (output_index: number, item: Json): Json =>
  event('response.output_item.done', { output_index, item });
export const text = (output_index: number, delta: string, content_index = 0): Json =>
  event('response.output_text.delta', { output_index, content_index, item_id: `msg_${output_index}`, delta });
export const summary = (output_index: number, delta: string, summary_index = 0): Json =>
  event('response.reasoning_summary_text.delta', { output_index, summary_index, item_id: `rs_${output_index}`, delta });
export const args = (output_index: number, delta: string): Json =>
  event('response.function_call_arguments.delta', { output_index, item_id: `fc_${output_index}`, delta });
export const call = (index: number, name: string, more: Json = {}): Json => ({
  type: 'function_call',
  id: `fc_${index}`,
  call_id: `call_${index}`,
  name,
  arguments: '',
  status: 'in_progress',
  ...more,
});
export const completed = (more: Json = {}): Json =>
  event('response.completed', { response: { id: RUN, status: 'completed', output: [], ...more } });
export const incomplete = (reason: string): Json =>
  event('response.incomplete', { response: { id: RUN, status: 'incomplete', incomplete_details: { reason } } });

/** Events as the body of a stream, numbered. A string stands as it is. */
export function sse(...events: (Json | string)[]): string {
  return framesOf(events).join('');
}

export function framesOf(events: readonly (Json | string)[]): string[] {
  return events.map((told, sequence_number) => {
    if (typeof told === 'string') return `data: ${told}\n\n`;
    return `event: ${String(told['type'])}\ndata: ${JSON.stringify({ ...told, sequence_number })}\n\n`;
  });
}

export interface Outcome {
  events: LlmStreamEvent[];
  error: InferenceExecutionError | undefined;
}

/** Everything that an observable sends. */
export function outcomeOf(events$: Observable<LlmStreamEvent>): Promise<Outcome> {
  const events: LlmStreamEvent[] = [];
  return new Promise((resolve) => {
    events$.subscribe({
      next: (sent) => events.push(sent),
      error: (error: unknown) => resolve({ events, error: error as InferenceExecutionError }),
      complete: () => resolve({ events, error: undefined }),
    });
  });
}

/** Everything that a stream with that body sends. */
export function read(
  body: string,
  { request = plainRequest, ...answer }: Partial<FakeAnswer> & { request?: InferenceRequest } = {},
): Promise<Outcome> {
  return outcomeOf(openaiResponses({ fetch: fakeFetch({ body, ...answer }) }).executeStream(request));
}

/** The whole answer of a stream with that body. */
export function resultOf(body: string, request = plainRequest): Promise<StreamResult> {
  return firstValueFrom(
    openaiResponses({ fetch: fakeFetch({ body }) })
      .executeStream(request)
      .pipe(collect()),
  );
}

/** The HTTP request that a request becomes. */
export async function sentBy(request: InferenceRequest, options: OpenAIResponsesOptions = {}) {
  const fetch = fakeFetch({ body: sse(created(), completed()) });
  await outcomeOf(openaiResponses({ apiKey: 'key', ...options, fetch }).executeStream(request));
  const { url, init, body } = fetch.requests[0] as SentRequest;
  return { url, init, headers: init.headers as Record<string, string>, body: body as Json };
}

/** The error that a request becomes before anything is sent. */
export async function refusalOf(request: InferenceRequest): Promise<InferenceExecutionError | undefined> {
  const fetch = fakeFetch({ body: '' });
  const { error } = await outcomeOf(openaiResponses({ fetch }).executeStream(request));
  if (fetch.requests.length > 0) throw new Error('a request was sent');
  return error;
}
