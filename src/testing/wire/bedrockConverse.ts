import type { StopReason } from '../../contract/index.js';
import { eventStreamMessage } from './eventStream.js';
import {
  allInput,
  allOutput,
  type Frame,
  type WireAnswer,
  type WireBlock,
  type WireEncoder,
  type WireFailure,
} from './types.js';

const STOP: Record<StopReason, string> = {
  'end-turn': 'end_turn',
  'stop-sequence': 'stop_sequence',
  'max-tokens': 'max_tokens',
  'tool-use': 'tool_use',
  'content-filter': 'content_filtered',
  refusal: 'refusal',
};
const PADDING = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

type Json = Record<string, unknown>;

/**
 * Bedrock ConverseStream as an AWS event stream (API reference "ConverseStream"): text and reasoning blocks have no start
 * event, usage comes after the stop in `metadata`, which ends the stream; every payload is padded by a member `p`.
 */
export const bedrockConverseWire: WireEncoder = {
  contentType: 'application/vnd.amazon.eventstream',
  answerId: (ids) => ids.uuid(),
  callId: (ids) => `tooluse_${ids.alphanumeric(22)}`,
  keepAlive: null,
  noise: new Uint8Array(),
  refusesPrefill: {
    status: 400,
    message: 'This model does not support assistant message prefill. The conversation must end with a user message.',
  },
  frames,
  failure: (failure) => [exception(failure)],
  errorBody: (failure) => JSON.stringify({ message: wordsOf(failure) }),
  errorHeaders: (failure) => ({ 'x-amzn-errortype': `${nameOf(failure)}:http://internal.amazon.com/coral/` }),
};

function frames(answer: WireAnswer): Frame[] {
  const { ids, usage } = answer;
  const list: Frame[] = [];
  const send = (type: string, payload: Json): void => {
    const length = 2 + (ids.alphanumeric(1).charCodeAt(0) % 60);
    const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
    list.push(eventStreamMessage(headers, JSON.stringify(sorted({ ...payload, p: PADDING.slice(0, length) }))));
  };
  send('messageStart', { role: 'assistant' });
  answer.blocks.forEach((block, contentBlockIndex) => {
    if (block.type === 'tool-call') {
      const start = { toolUse: { name: block.name, toolUseId: block.id } };
      send('contentBlockStart', { contentBlockIndex, start });
    }
    for (const delta of deltasOf(block)) send('contentBlockDelta', { contentBlockIndex, delta });
    send('contentBlockStop', { contentBlockIndex });
  });
  send('messageStop', { stopReason: STOP[answer.stopReason] });
  const cache =
    usage.cacheRead + usage.cacheWrite > 0
      ? { cacheReadInputTokens: usage.cacheRead, cacheWriteInputTokens: usage.cacheWrite }
      : {};
  send('metadata', {
    metrics: { latencyMs: 593 },
    usage: {
      ...cache,
      inputTokens: usage.input,
      outputTokens: allOutput(usage),
      totalTokens: allInput(usage) + allOutput(usage),
    },
  });
  return list;
}

/** The vendor's members stand in the order of the alphabet. */
function sorted(payload: Json): Json {
  return Object.fromEntries(Object.entries(payload).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function deltasOf(block: WireBlock): Json[] {
  if (block.type === 'text') return block.deltas.map((text) => ({ text }));
  if (block.type === 'tool-call') {
    // Calls without arguments have no delta at all.
    return block.args === '{}' ? [] : block.deltas.map((input) => ({ toolUse: { input } }));
  }
  if (block.redacted !== undefined) return [{ reasoningContent: { redactedContent: block.redacted } }];
  const text = block.deltas.map((piece) => ({ reasoningContent: { text: piece } }));
  return block.signature === undefined ? text : [...text, { reasoningContent: { signature: block.signature } }];
}

/** Exceptions of the API reference, by HTTP status; in a stream they have names of their own. */
const ERRORS: Record<number, [string, string]> & { 500: [string, string] } = {
  400: ['ValidationException', 'The provided request is not valid.'],
  403: ['AccessDeniedException', 'You do not have access to the model with the specified model ID.'],
  404: ['ResourceNotFoundException', 'The provided model identifier is invalid.'],
  408: ['ModelTimeoutException', 'Model has timed out in processing the request. Try your request again.'],
  424: ['ModelErrorException', 'The system encountered an unexpected error during processing. Try your request again.'],
  429: ['ThrottlingException', 'Too many requests, please wait before trying again.'],
  500: [
    'InternalServerException',
    'The system encountered an unexpected error during processing. Try your request again.',
  ],
  503: ['ServiceUnavailableException', 'Bedrock is unable to process your request.'],
};

function nameOf({ status, type }: WireFailure): string {
  const code = status === 529 ? 503 : status;
  return type ?? (ERRORS[code] ?? ERRORS[code < 500 ? 400 : 500] ?? ERRORS[500])[0];
}

function wordsOf({ status, message }: WireFailure): string {
  const code = status === 529 ? 503 : status;
  return message ?? (ERRORS[code] ?? ERRORS[code < 500 ? 400 : 500] ?? ERRORS[500])[1];
}

function exception(failure: WireFailure): Frame {
  const name = nameOf(failure);
  const headers = {
    ':exception-type': name.charAt(0).toLowerCase() + name.slice(1),
    ':content-type': 'application/json',
    ':message-type': 'exception',
  };
  return eventStreamMessage(headers, JSON.stringify({ message: wordsOf(failure) }));
}
