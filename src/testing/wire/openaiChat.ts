import type { StopReason } from '../../contract/index.js';
import { allInput, allOutput, type Frame, type WireAnswer, type WireEncoder, type WireFailure } from './types.js';

const FINISH: Record<StopReason, string> = {
  'end-turn': 'stop',
  'stop-sequence': 'stop',
  refusal: 'stop',
  'max-tokens': 'length',
  'tool-use': 'tool_calls',
  'content-filter': 'content_filter',
};

type Delta = Record<string, unknown>;

/**
 * OpenAI Chat Completions as server-sent events ("Chat Completions: streaming"): the role first, deltas, the finish reason,
 * a chunk with usage and no choices when `stream_options.include_usage` asked for it, `[DONE]`. Reasoning text goes into
 * `reasoning_content`, as DeepSeek and others that speak this format do; OpenAI itself shows none.
 */
export const openaiChatWire: WireEncoder = {
  contentType: 'text/event-stream; charset=utf-8',
  answerId: (ids) => `chatcmpl-${ids.alphanumeric(29)}`,
  callId: (ids) => `call_${ids.alphanumeric(24)}`,
  keepAlive: ': keepalive\n\n',
  noise: 'data: {"choices":[],"cost":"0"}\n\n',
  refusesPrefill: {
    status: 400,
    message:
      'Expected last role User or Tool (or Assistant with prefix True) but got assistant: the last message must not be an assistant message.',
  },
  frames,
  failure: (failure) => [data(openaiError(failure))],
  errorBody: (failure) => JSON.stringify(openaiError(failure), null, 2),
};

function frames(answer: WireAnswer): Frame[] {
  const chunk = chunkMaker(answer);
  const callsAtOnce = answer.blocks[0]?.type === 'tool-call';
  const list: Frame[] = [
    chunk({ role: 'assistant', ...(callsAtOnce ? { content: null } : { content: '', refusal: null }) }),
  ];
  let index = 0;
  for (const block of answer.blocks) {
    if (block.type === 'tool-call') {
      const first = { index, id: block.id, type: 'function', function: { name: block.name, arguments: '' } };
      list.push(chunk({ tool_calls: [first] }));
      for (const piece of block.deltas) list.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
      index++;
    } else {
      const member = memberOf(block.type, answer.stopReason);
      for (const piece of block.deltas) list.push(chunk({ [member]: piece }));
    }
  }
  list.push(chunk({}, FINISH[answer.stopReason]));
  if (answer.includeUsage) list.push(chunk(undefined));
  list.push('data: [DONE]\n\n');
  return list;
}

function memberOf(type: 'text' | 'reasoning', stopReason: StopReason): string {
  if (type === 'reasoning') return 'reasoning_content';
  return stopReason === 'refusal' ? 'refusal' : 'content';
}

/** Makes chunks of one answer; without a delta the chunk that carries the usage. */
function chunkMaker(answer: WireAnswer): (delta: Delta | undefined, finish?: string) => Frame {
  const { ids, model, includeUsage, usage } = answer;
  const head = {
    id: answer.id,
    object: 'chat.completion.chunk',
    created: answer.created,
    model,
    service_tier: 'default',
    system_fingerprint: null,
  };
  const total = {
    prompt_tokens: allInput(usage),
    completion_tokens: allOutput(usage),
    total_tokens: allInput(usage) + allOutput(usage),
    prompt_tokens_details: { cached_tokens: usage.cacheRead, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.thinking,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
  return (delta, finish) =>
    data({
      ...head,
      choices: delta ? [{ index: 0, delta, finish_reason: finish ?? null }] : [],
      ...(includeUsage && { usage: delta ? null : total }),
      // The vendor pads its chunks, so that their lengths do not give the words away.
      obfuscation: ids.alphanumeric(JSON.stringify(delta ?? {}).length % 14),
    });
}

/** Names of OpenAI's "Error codes". */
export function openaiError({ status, type, message }: WireFailure): { error: OpenaiError } {
  const [name, words] = ERRORS[status] ?? (status < 500 ? ['invalid_request_error', 'Invalid request.'] : ERRORS[500]);
  return { error: { message: message ?? words, type: type ?? name, param: null, code: CODES[status] ?? null } };
}

interface OpenaiError {
  message: string;
  type: string;
  param: null;
  code: string | null;
}

const ERRORS: Record<number, [string, string]> & { 500: [string, string] } = {
  400: ['invalid_request_error', 'We could not parse the JSON body of your request.'],
  401: ['invalid_request_error', 'Incorrect API key provided.'],
  404: ['invalid_request_error', 'The model does not exist or you do not have access to it.'],
  429: ['requests', 'Rate limit reached for requests. Please try again later.'],
  500: ['server_error', 'The server had an error while processing your request. Sorry about that!'],
  503: ['service_unavailable_error', 'The engine is currently overloaded, please try again later.'],
  529: ['service_unavailable_error', 'The engine is currently overloaded, please try again later.'],
};

const CODES: Record<number, string> = { 401: 'invalid_api_key', 404: 'model_not_found', 429: 'rate_limit_exceeded' };

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
