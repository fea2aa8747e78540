import type { StopReason } from '../../contract/index.js';
import {
  allInput,
  allOutput,
  namedEvent,
  type Frame,
  type WireAnswer,
  type WireEncoder,
  type WireFailure,
} from './types.js';

const FINISH: Record<StopReason, string> = {
  'end-turn': 'COMPLETE',
  'stop-sequence': 'STOP_SEQUENCE',
  'max-tokens': 'MAX_TOKENS',
  'tool-use': 'TOOL_CALL',
  'content-filter': 'ERROR_TOXIC',
  refusal: 'COMPLETE',
};

type Json = Record<string, unknown>;

/**
 * Cohere v2 chat as server-sent events ("Chat with streaming"): content by index, calls by an index of their own,
 * `message-end` with the usage, `[DONE]` without an event name. Thoughts are content of the type `thinking`.
 */
export const cohereChatWire: WireEncoder = {
  contentType: 'text/event-stream',
  answerId: (ids) => ids.uuid(),
  callId: (ids, tool) => `${tool}_${ids.alphanumeric(12).toLowerCase()}`,
  keepAlive: ': keepalive\n\n',
  noise: ': end\n\n',
  refusesPrefill: { status: 400, message: 'invalid request: the last message must not be an assistant message' },
  frames,
  failure: (failure) => [
    namedEvent('message-end', {
      type: 'message-end',
      delta: { error: wordsOf(failure), finish_reason: failure.type ?? 'ERROR' },
    }),
    'data: [DONE]\n\n',
  ],
  errorBody: (failure, ids) => JSON.stringify({ id: ids.uuid(), message: wordsOf(failure) }),
};

function frames(answer: WireAnswer): Frame[] {
  const list: Frame[] = [];
  const send = (type: string, members: Json): void => void list.push(namedEvent(type, { type, ...members }));
  const message = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] };
  list.push(namedEvent('message-start', { id: answer.id, type: 'message-start', delta: { message } }));
  let content = 0;
  let call = 0;
  for (const block of answer.blocks) {
    if (block.type === 'tool-call') {
      const index = call++;
      const { id, name } = block;
      send('tool-call-start', {
        index,
        delta: { message: { tool_calls: { id, type: 'function', function: { name, arguments: '' } } } },
      });
      for (const piece of block.deltas) {
        send('tool-call-delta', { index, delta: { message: { tool_calls: { function: { arguments: piece } } } } });
      }
      send('tool-call-end', { index });
    } else {
      const index = content++;
      const type = block.type === 'text' ? 'text' : 'thinking';
      send('content-start', { index, delta: { message: { content: { type, [type]: '' } } } });
      for (const piece of block.deltas)
        send('content-delta', { index, delta: { message: { content: { [type]: piece } } } });
      send('content-end', { index });
    }
  }
  send('message-end', { delta: { finish_reason: FINISH[answer.stopReason], usage: usageOf(answer) } });
  list.push('data: [DONE]\n\n');
  return list;
}

function usageOf({ usage }: WireAnswer): Json {
  return {
    billed_units: { input_tokens: usage.input, output_tokens: allOutput(usage) },
    tokens: {
      input_tokens: allInput(usage),
      output_tokens: allOutput(usage),
      ...(usage.thinking > 0 && { reasoning_tokens: usage.thinking }),
    },
    ...(usage.cacheRead > 0 && { cached_tokens: usage.cacheRead }),
  };
}

function wordsOf({ status, message }: WireFailure): string {
  return message ?? WORDS[status] ?? (status < 500 ? 'invalid request' : 'internal server error');
}

const WORDS: Record<number, string> = {
  401: 'invalid api token',
  404: "model 'scripted-model' not found",
  429: 'You are past the per minute request limit, please wait and try again later.',
  503: 'service unavailable',
  529: 'service unavailable',
};
