import { openaiError } from './openaiChat.js';
import {
  allInput,
  allOutput,
  namedEvent,
  type Frame,
  type WireAnswer,
  type WireBlock,
  type WireEncoder,
  type WireFailure,
} from './types.js';

type Json = Record<string, unknown>;
/** Appends an event; the sequence number is its place in the stream. */
type Send = (type: string, members: Json) => void;

/**
 * OpenAI Responses as server-sent events ("Responses: streaming events"): items with their parts, deltas and their ends,
 * `response.completed` or `response.incomplete` last, with all items and the usage.
 */
export const openaiResponsesWire: WireEncoder = {
  contentType: 'text/event-stream; charset=utf-8',
  answerId: (ids) => `resp_0${ids.hex(49)}`,
  callId: (ids) => `call_${ids.alphanumeric(24)}`,
  keepAlive: ': keepalive\n\n',
  noise: 'data: [DONE]\n\n',
  // OpenAI takes such a turn and starts over; servers that copy the format may refuse it.
  refusesPrefill: { status: 400, message: 'Invalid input: the last message must not be one of the assistant.' },
  frames,
  failure,
  errorBody: (told) => JSON.stringify(openaiError(told), null, 2),
};

function frames(answer: WireAnswer): Frame[] {
  const list: Frame[] = [];
  const send: Send = (type, members) => {
    // The type first, then the members in the order of the alphabet.
    const rest = Object.entries({ ...members, sequence_number: list.length }).sort(([one], [other]) =>
      one < other ? -1 : 1,
    );
    list.push(namedEvent(type, { type, ...Object.fromEntries(rest) }));
  };
  send('response.created', { response: responseOf(answer, 'in_progress', []) });
  send('response.in_progress', { response: responseOf(answer, 'in_progress', []) });
  const cutOff = answer.stopReason === 'max-tokens' || answer.stopReason === 'content-filter';
  const output = answer.blocks.map((block, index) => {
    const status = cutOff && index === answer.blocks.length - 1 ? 'incomplete' : 'completed';
    if (block.type === 'text') return message(send, answer, block, index, status);
    return block.type === 'reasoning'
      ? reasoning(send, answer, block, index)
      : call(send, answer, block, index, status);
  });
  const status = cutOff ? 'incomplete' : 'completed';
  send(`response.${status}`, { response: responseOf(answer, status, output) });
  return list;
}

function message(
  send: Send,
  { ids, stopReason }: WireAnswer,
  block: WireBlock & { type: 'text' },
  output_index: number,
  status: string,
): Json {
  const refuses = stopReason === 'refusal';
  const id = `msg_0${ids.hex(49)}`;
  const at = { item_id: id, output_index, content_index: 0 };
  const whole = block.deltas.join('');
  const [event, part] = refuses
    ? ['response.refusal', (refusal: string): Json => ({ type: 'refusal', refusal })]
    : ['response.output_text', (text: string): Json => ({ type: 'output_text', annotations: [], logprobs: [], text })];
  const item = { id, type: 'message', status: 'in_progress', content: [] as Json[], role: 'assistant' };
  send('response.output_item.added', { item, output_index });
  send('response.content_part.added', { ...at, part: part('') });
  for (const delta of block.deltas) {
    send(`${event}.delta`, {
      ...at,
      delta,
      ...(!refuses && { logprobs: [] }),
      obfuscation: padding(ids.alphanumeric(16), delta),
    });
  }
  send(`${event}.done`, refuses ? { ...at, refusal: whole } : { ...at, logprobs: [], text: whole });
  send('response.content_part.done', { ...at, part: part(whole) });
  const done = { ...item, status, content: [part(whole)] };
  send('response.output_item.done', { item: done, output_index });
  return done;
}

/** A summary in one part; a signature or a payload goes into `encrypted_content`. */
function reasoning(
  send: Send,
  { ids }: WireAnswer,
  block: WireBlock & { type: 'reasoning' },
  output_index: number,
): Json {
  const id = `rs_0${ids.hex(49)}`;
  const encrypted = block.signature ?? block.redacted;
  const item = { id, type: 'reasoning', content: [], ...(encrypted !== undefined && { encrypted_content: encrypted }) };
  send('response.output_item.added', { item: { ...item, summary: [] }, output_index });
  const text = block.deltas.join('');
  const at = { item_id: id, output_index, summary_index: 0 };
  if (text !== '') {
    send('response.reasoning_summary_part.added', { ...at, part: { type: 'summary_text', text: '' } });
    for (const delta of block.deltas) {
      send('response.reasoning_summary_text.delta', {
        ...at,
        delta,
        obfuscation: padding(ids.alphanumeric(16), delta),
      });
    }
    send('response.reasoning_summary_text.done', { ...at, text });
    send('response.reasoning_summary_part.done', { ...at, part: { type: 'summary_text', text } });
  }
  const done = { ...item, summary: text === '' ? [] : [{ type: 'summary_text', text }] };
  send('response.output_item.done', { item: done, output_index });
  return done;
}

function call(
  send: Send,
  { ids }: WireAnswer,
  block: WireBlock & { type: 'tool-call' },
  output_index: number,
  status: string,
): Json {
  const id = `fc_0${ids.hex(49)}`;
  const item = { id, type: 'function_call', status: 'in_progress', arguments: '', call_id: block.id, name: block.name };
  send('response.output_item.added', { item, output_index });
  for (const delta of block.deltas) {
    const members = { delta, item_id: id, obfuscation: padding(ids.alphanumeric(16), delta), output_index };
    send('response.function_call_arguments.delta', members);
  }
  send('response.function_call_arguments.done', { arguments: block.args, item_id: id, output_index });
  const done = { ...item, status, arguments: block.args };
  send('response.output_item.done', { item: done, output_index });
  return done;
}

/** The vendor pads deltas, so that their lengths do not give the words away. */
function padding(text: string, delta: string): string {
  return text.slice(0, 16 - (delta.length % 16));
}

function responseOf(answer: WireAnswer, status: string, output: Json[], error: Json | null = null): Json {
  const finished = status !== 'in_progress';
  const reason = answer.stopReason === 'content-filter' ? 'content_filter' : 'max_output_tokens';
  return {
    id: answer.id,
    object: 'response',
    created_at: answer.created,
    status,
    background: answer.background,
    completed_at: status === 'completed' ? answer.created + 2 : null,
    error,
    frequency_penalty: 0,
    incomplete_details: status === 'incomplete' ? { reason } : null,
    instructions: null,
    max_output_tokens: null,
    max_tool_calls: null,
    model: answer.model,
    output,
    parallel_tool_calls: true,
    presence_penalty: 0,
    previous_response_id: null,
    prompt_cache_key: null,
    prompt_cache_retention: null,
    reasoning: { effort: null, summary: null },
    safety_identifier: null,
    service_tier: finished ? 'default' : 'auto',
    store: true,
    temperature: 1,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
    top_logprobs: 0,
    top_p: 1,
    truncation: 'disabled',
    usage: finished && error === null ? usageOf(answer) : null,
    user: null,
    metadata: {},
  };
}

function usageOf({ usage }: WireAnswer): Json {
  return {
    input_tokens: allInput(usage),
    input_tokens_details: { cache_write_tokens: usage.cacheWrite, cached_tokens: usage.cacheRead },
    output_tokens: allOutput(usage),
    output_tokens_details: { reasoning_tokens: usage.thinking },
    total_tokens: allInput(usage) + allOutput(usage),
  };
}

/** An `error` event and `response.failed`, as recorded for a quota that was used up. */
function failure(told: WireFailure, answer: WireAnswer, sent: number): Frame[] {
  const { error } = openaiError(told);
  const code = told.type ?? CODES[told.status] ?? 'server_error';
  const response = responseOf(answer, 'failed', [], { code, message: error.message });
  return [
    namedEvent('error', { type: 'error', sequence_number: sent, error: { ...error, type: code, code } }),
    namedEvent('response.failed', { type: 'response.failed', sequence_number: sent + 1, response }),
  ];
}

const CODES: Record<number, string> = {
  429: 'rate_limit_exceeded',
  503: 'server_is_overloaded',
  529: 'server_is_overloaded',
};
