import { googleError } from './google.js';
import {
  allInput,
  allOutput,
  namedEvent,
  type Frame,
  type WireAnswer,
  type WireBlock,
  type WireEncoder,
} from './types.js';

type Json = Record<string, unknown>;

/**
 * Gemini Interactions as server-sent events ("Interactions API: streaming"): steps with deltas, `interaction.completed`
 * with the usage, `done`. The events of a run in the background carry an `event_id`, after which it can be followed again.
 */
export const geminiInteractionsWire: WireEncoder = {
  contentType: 'text/event-stream; charset=utf-8',
  answerId: (ids) => `v1_${ids.alphanumeric(62)}`,
  callId: (ids) => ids.alphanumeric(8).toLowerCase(),
  keepAlive: ': keepalive\n\n',
  noise: ': end\n\n',
  refusesPrefill: { status: 400, message: 'Requests ending with a model turn are not supported.' },
  frames,
  failure: (failure, answer, sent) => {
    const { error } = googleError(failure);
    return [event(answer, 'error', { error: { code: error.status, message: error.message } }, sent)];
  },
  errorBody: (failure) => JSON.stringify(googleError(failure), null, 2),
};

/** The id of an event, by its place in the stream. */
export function interactionEventId(interactionId: string, index: number): string {
  return `${interactionId.slice(3, 15)}-${index}`;
}

function event(answer: WireAnswer, type: string, members: Json, index: number): Frame {
  const event_id = answer.background ? { event_id: interactionEventId(answer.id, index) } : {};
  return namedEvent(type, { ...members, event_type: type, ...event_id });
}

function frames(answer: WireAnswer): Frame[] {
  const list: Frame[] = [];
  const send = (type: string, members: Json): void => void list.push(event(answer, type, members, list.length));
  const { id, model } = answer;
  send('interaction.created', { interaction: { id, status: 'in_progress', object: 'interaction', model } });
  send('interaction.status_update', { interaction_id: id, status: 'in_progress' });
  answer.blocks.forEach((block, index) => {
    send('step.start', { index, step: stepOf(block) });
    for (const delta of deltasOf(block)) send('step.delta', { index, delta });
    send('step.stop', { index });
  });
  const time = new Date(answer.created * 1_000).toISOString().replace('.000Z', 'Z');
  const interaction = {
    id,
    status: statusOf(answer),
    usage: usageOf(answer),
    created: time,
    updated: time,
    service_tier: 'standard',
    object: 'interaction',
    model,
  };
  send('interaction.completed', { interaction });
  list.push('event: done\ndata: [DONE]\n\n');
  return list;
}

function stepOf(block: WireBlock): Json {
  if (block.type === 'text') return { type: 'model_output' };
  if (block.type === 'reasoning') return { type: 'thought' };
  return { id: block.id, signature: '', type: 'function_call', name: block.name, arguments: {} };
}

function deltasOf(block: WireBlock): Json[] {
  if (block.type === 'text') return block.deltas.map((text) => ({ text, type: 'text' }));
  if (block.type === 'tool-call') return block.deltas.map((piece) => ({ arguments: piece, type: 'arguments_delta' }));
  const signature = block.signature ?? block.redacted;
  const summary = block.deltas.map((text) => ({ content: { text, type: 'text' }, type: 'thought_summary' }));
  return signature === undefined ? summary : [...summary, { signature, type: 'thought_signature' }];
}

function statusOf({ stopReason }: WireAnswer): string {
  if (stopReason === 'tool-use') return 'requires_action';
  return stopReason === 'max-tokens' || stopReason === 'content-filter' ? 'incomplete' : 'completed';
}

function usageOf({ usage }: WireAnswer): Json {
  return {
    total_tokens: allInput(usage) + allOutput(usage),
    total_input_tokens: allInput(usage),
    input_tokens_by_modality: [{ modality: 'text', tokens: allInput(usage) }],
    total_cached_tokens: usage.cacheRead,
    total_output_tokens: usage.output,
    total_tool_use_tokens: 0,
    total_thought_tokens: usage.thinking,
  };
}
