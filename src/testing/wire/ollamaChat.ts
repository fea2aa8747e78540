import {
  allInput,
  allOutput,
  argumentsObject,
  type Frame,
  type WireAnswer,
  type WireEncoder,
  type WireFailure,
} from './types.js';

type Json = Record<string, unknown>;

/**
 * Ollama `/api/chat` as lines of JSON ("Generate a chat completion"): pieces of the message, a call whole, a
 * line with `done` and the counts last. A call ends with `stop`, as any other answer does.
 */
export const ollamaChatWire: WireEncoder = {
  contentType: 'application/x-ndjson',
  answerId: () => '',
  callId: (ids) => `call_${ids.alphanumeric(8).toLowerCase()}`,
  keepAlive: '\n',
  noise: '\n',
  refusesPrefill: { status: 400, message: 'the last message must not be an assistant message' },
  frames,
  failure: (failure) => [`${errorBody(failure)}\n`],
  errorBody,
};

function frames(answer: WireAnswer): Frame[] {
  const { model, usage } = answer;
  const list: Frame[] = [];
  const send = (message: Json, rest: Json): void => {
    const created_at = timeOf(answer.created, list.length);
    list.push(
      `${JSON.stringify({ model, created_at, message: { role: 'assistant', content: '', ...message }, ...rest })}\n`,
    );
  };
  let index = 0;
  for (const block of answer.blocks) {
    if (block.type === 'tool-call') {
      const args = argumentsObject(block.args);
      // A call that was cut off does not come at all.
      const { id, name } = block;
      if (args) send({ tool_calls: [{ id, function: { index, name, arguments: args } }] }, { done: false });
      index++;
    } else {
      const member = block.type === 'text' ? 'content' : 'thinking';
      for (const piece of block.deltas) send({ [member]: piece }, { done: false });
    }
  }
  const eval_count = allOutput(usage);
  send(
    {},
    {
      done_reason: answer.stopReason === 'max-tokens' ? 'length' : 'stop',
      done: true,
      total_duration: 1_206_689_917,
      load_duration: 569_451_292,
      prompt_eval_count: allInput(usage),
      prompt_eval_duration: 233_000_000,
      eval_count,
      eval_duration: eval_count * 20_000_000,
    },
  );
  return list;
}

/** Times with nanoseconds, one line 20 ms after the other. */
function timeOf(created: number, line: number): string {
  const time = new Date(created * 1_000 + line * 20).toISOString().slice(0, -1);
  return `${time}595067Z`;
}

function errorBody({ status, message }: WireFailure): string {
  return JSON.stringify({
    error:
      message ??
      WORDS[status] ??
      (status < 500 ? 'invalid request' : 'an error was encountered while running the model'),
  });
}

const WORDS: Record<number, string> = {
  401: 'unauthorized',
  404: 'model "scripted-model" not found, try pulling it first',
  429: 'too many requests',
  503: 'server busy, please try again. maximum pending requests exceeded',
  529: 'server busy, please try again. maximum pending requests exceeded',
};
