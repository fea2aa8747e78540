import type { StopReason } from '../../contract/index.js';
import { allOutput, type Frame, type WireAnswer, type WireBlock, type WireEncoder, type WireFailure } from './types.js';

const STOP: Record<StopReason, string> = {
  'end-turn': 'end_turn',
  'stop-sequence': 'stop_sequence',
  'max-tokens': 'max_tokens',
  'tool-use': 'tool_use',
  'content-filter': 'refusal',
  refusal: 'refusal',
};

/** Anthropic's ping, blank and all. */
const PING = 'event: ping\ndata: {"type": "ping"}\n\n';

/**
 * Anthropic Messages as server-sent events ("Streaming messages"): named events, blocks by index, cumulative usage in
 * `message_delta`, `message_stop` last. Payloads are padded with blanks before the closing brace, as the vendor's are.
 */
export const anthropicMessagesWire: WireEncoder = {
  contentType: 'text/event-stream; charset=utf-8',
  answerId: (ids) => `msg_01${ids.base58(22)}`,
  callId: (ids) => `toolu_01${ids.base58(22)}`,
  keepAlive: PING,
  noise: 'data: [DONE]\n\n',
  // Words of the vendor's answer for Claude 4.6 and later.
  refusesPrefill: {
    status: 400,
    message: 'This model does not support assistant message prefill. The conversation must end with a user message.',
  },
  frames,
  failure: (failure) => [`event: error\ndata: ${JSON.stringify(errorObject(failure))}\n\n`],
  errorBody: (failure, ids) => JSON.stringify({ ...errorObject(failure), request_id: `req_011${ids.base58(21)}` }),
};

type Send = (payload: { type: string; [member: string]: unknown }) => void;

function frames(answer: WireAnswer): Frame[] {
  const { ids, usage } = answer;
  const list: Frame[] = [];
  const send: Send = (payload) => {
    const json = JSON.stringify(payload);
    list.push(
      `event: ${payload.type}\ndata: ${json.slice(0, -1)}${' '.repeat(ids.alphanumeric(1).charCodeAt(0) % 15)}}\n\n`,
    );
  };
  const input = {
    input_tokens: usage.input,
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cacheRead,
  };
  const message = {
    model: answer.model,
    id: answer.id,
    type: 'message',
    role: 'assistant',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: {
      ...input,
      cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite, ephemeral_1h_input_tokens: 0 },
      output_tokens: Math.min(1, allOutput(usage)),
      service_tier: 'standard',
      inference_geo: 'not_available',
    },
  };
  send({ type: 'message_start', message });
  answer.blocks.forEach((block, index) => {
    send({ type: 'content_block_start', index, content_block: startOf(block) });
    if (index === 0) list.push(PING);
    for (const delta of deltasOf(block)) send({ type: 'content_block_delta', index, delta });
    send({ type: 'content_block_stop', index });
  });
  const details = answer.usage.thinking > 0 ? { output_tokens_details: { thinking_tokens: usage.thinking } } : {};
  send({
    type: 'message_delta',
    delta: { stop_reason: STOP[answer.stopReason], stop_sequence: answer.stopSequence, stop_details: null },
    usage: { ...input, output_tokens: allOutput(usage), ...details },
  });
  send({ type: 'message_stop' });
  return list;
}

function startOf(block: WireBlock): Record<string, unknown> {
  if (block.type === 'text') return { type: 'text', text: '' };
  if (block.type === 'reasoning') {
    if (block.redacted !== undefined) return { type: 'redacted_thinking', data: block.redacted };
    return { type: 'thinking', thinking: '', signature: '' };
  }
  return { type: 'tool_use', id: block.id, name: block.name, input: {}, caller: { type: 'direct' } };
}

function deltasOf(block: WireBlock): Record<string, unknown>[] {
  if (block.type === 'text') return block.deltas.map((text) => ({ type: 'text_delta', text }));
  if (block.type === 'reasoning') {
    if (block.redacted !== undefined) return [];
    const thinking = block.deltas.map((piece) => ({ type: 'thinking_delta', thinking: piece }));
    return block.signature === undefined
      ? thinking
      : [...thinking, { type: 'signature_delta', signature: block.signature }];
  }
  // The first piece is always empty; a call without arguments has no other.
  const pieces = block.args === '{}' ? [''] : ['', ...block.deltas];
  return pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json }));
}

/** Names and words of "Errors". */
const ERRORS: Record<number, [string, string]> & { 500: [string, string] } = {
  400: ['invalid_request_error', 'Invalid request'],
  401: ['authentication_error', 'invalid x-api-key'],
  403: ['permission_error', 'Your API key does not have permission to use the specified resource'],
  404: ['not_found_error', 'model not found'],
  413: ['request_too_large', 'Request exceeds the maximum allowed number of bytes.'],
  429: ['rate_limit_error', "This request would exceed your organization's rate limit."],
  500: ['api_error', 'Internal server error'],
  503: ['api_error', 'Service temporarily unavailable'],
  504: ['timeout_error', 'The request timed out'],
  529: ['overloaded_error', 'Overloaded'],
};

function errorObject({ status, type, message }: WireFailure): Record<string, unknown> {
  const [name, words] = ERRORS[status] ?? (status < 500 ? ['invalid_request_error', 'Invalid request'] : ERRORS[500]);
  return { type: 'error', error: { type: type ?? name, message: message ?? words } };
}
