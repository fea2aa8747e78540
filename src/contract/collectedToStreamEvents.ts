import type { ContentBlock } from './content.js';
import type { EventMetadata, LlmStreamEvent } from './events.js';
import type { StreamResult } from './result.js';
import type { ToolCall } from './tool.js';

/**
 * Turns a whole answer into the events that would have brought it: text and reasoning in the order of the blocks, each call
 * as a start and one delta, then usage, then the stop. Empty blocks and media are left out; calls that have no block of
 * their own follow the text.
 *
 * @param result - The answer; fields that are absent count as empty.
 */
export function collectedToStreamEvents(result: Partial<StreamResult>): LlmStreamEvent[] {
  const { content = [], toolCalls = [], usage, stopReason } = result;
  const calls = new Map(toolCalls.map((call) => [call.id, call]));
  const events: LlmStreamEvent[] = [];
  for (const block of content) {
    if (block.type === 'tool-call') {
      const call = calls.get(block.id);
      if (call && calls.delete(block.id)) pushCall(events, call, block.providerMetadata);
    } else {
      const event = eventOf(block);
      if (!event) continue;
      // What is signed or cited is that block alone, and not its neighbour of the same kind.
      const before = events.at(-1);
      const signed = before?.providerMetadata ?? event.providerMetadata;
      if (signed && before?.type === event.type) events.push({ type: 'content-block-stop' });
      events.push(event);
    }
  }
  for (const call of calls.values()) pushCall(events, call);
  if (usage) events.push({ type: 'usage', usage });
  if (stopReason) events.push({ type: 'stop', reason: stopReason });
  return events;
}

function pushCall(events: LlmStreamEvent[], call: ToolCall, providerMetadata?: EventMetadata): void {
  const { id, name } = call;
  events.push(withMetadata({ type: 'tool-call-start', id, name }, providerMetadata));
  // A call without arguments is `{}`: the word null would make the call incomplete when it is read back.
  events.push({ type: 'tool-call-delta', id, argsDelta: JSON.stringify(call.arguments ?? {}) });
  // Of arguments that are no object only an end of their own says that they are whole.
  if (typeof call.arguments !== 'object' || Array.isArray(call.arguments))
    events.push({ type: 'content-block-stop', id });
}

function eventOf(block: ContentBlock): LlmStreamEvent | undefined {
  switch (block.type) {
    case 'text':
      return block.text ? withMetadata({ type: 'text-delta', text: block.text }, block.providerMetadata) : undefined;
    case 'reasoning': {
      const { signature, encrypted } = block;
      const opaque = signature === undefined && encrypted === undefined ? undefined : { signature, encrypted };
      if (!block.text && !opaque) return undefined;
      const metadata = opaque || block.providerMetadata ? { ...block.providerMetadata, ...opaque } : undefined;
      return withMetadata({ type: 'reasoning-delta', text: block.text }, metadata);
    }
    case 'provider':
      return { type: 'provider-block', provider: block.provider, block: block.block };
    default:
      return undefined;
  }
}

function withMetadata<E extends LlmStreamEvent>(event: E, providerMetadata: EventMetadata | undefined): E {
  return providerMetadata ? { ...event, providerMetadata } : event;
}
