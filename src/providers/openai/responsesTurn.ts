import type { ContentBlock, ProviderMetadata, ReasoningBlock, TextBlock, ToolCallBlock } from '../../contract/index.js';
import { toJson } from '../shared/requestBody.js';
import { cannotSend, isItem, type InputObject } from './responsesItem.js';
import { PROVIDER } from './responsesWire.js';

/**
 * Encodes the blocks of an assistant turn, in their order. Source: OpenAI guide, "Reasoning models / Keeping reasoning items
 * in context", and API reference, "Create a model response / input".
 *
 * Reasoning goes back when its encrypted content has come, and something of the turn follows it: a reasoning item "without
 * its required following item" is refused. Ids of items are left out, since nothing of them is stored and Azure refuses them
 * then; but a turn with opaque items, which have theirs, goes back with all of them, as the API links items by id.
 */
export function turnItems(content: readonly ContentBlock[], idOf: (id: string) => string): InputObject[] {
  const withIds = content.some((block) => block.type === 'provider' && isOwnItem(block) && 'id' in block.block);
  const turn = new Turn(withIds, idOf);
  for (const block of content) turn.add(block);
  return turn.items();
}

class Turn {
  private readonly list: InputObject[] = [];
  private readonly reasoning = new Map<string, InputObject>();

  constructor(
    private readonly withIds: boolean,
    private readonly idOf: (id: string) => string,
  ) {}

  add(block: ContentBlock): void {
    switch (block.type) {
      case 'text':
        return this.text(block);
      case 'reasoning':
        return this.think(block);
      case 'tool-call':
        this.list.push(this.call(block));
        return;
      case 'provider':
        if (isOwnItem(block)) this.list.push(itemOf(block.block));
        return;
      default:
        throw cannotSend(`a ${block.type} block in an assistant message`, 'put it into a user message');
    }
  }

  items(): InputObject[] {
    const sent = this.list.filter((item) => item['type'] !== 'reasoning' || 'encrypted_content' in item);
    while (sent.at(-1)?.['type'] === 'reasoning') sent.pop();
    return sent;
  }

  private text({ text, providerMetadata }: TextBlock): void {
    if (text === '') return;
    const own = ownMetadata(providerMetadata);
    const phase = own?.['phase'] === undefined ? undefined : { phase: own['phase'] };
    if (this.withIds && own?.id !== undefined) {
      const part = { type: 'output_text', text, annotations: own['annotations'] ?? [] };
      const whole = { type: 'message', id: own.id, role: 'assistant', status: 'completed', content: [part], ...phase };
      this.list.push(whole);
      return;
    }
    const last = this.list.at(-1);
    // Pieces that nothing tells apart are one text: that is what the subscriber has seen.
    if (typeof last?.['content'] === 'string' && phase === undefined && own === undefined) {
      last['content'] += text;
    } else {
      this.list.push({ type: 'message', role: 'assistant', content: text, ...phase });
    }
  }

  /** The parts of one reasoning item are blocks of their own; the last of them has the encrypted content. */
  private think({ text, encrypted, providerMetadata }: ReasoningBlock): void {
    const own = ownMetadata(providerMetadata);
    if (own === undefined) return;
    const key = own.id ?? '';
    let item = this.reasoning.get(key);
    if (item === undefined || key === '') {
      item = { type: 'reasoning', ...(this.withIds && own.id !== undefined && { id: own.id }), summary: [] };
      this.reasoning.set(key, item);
      this.list.push(item);
    }
    if (text !== '') {
      const shown = own['part'] === 'reasoning_text';
      const [name, type] = shown ? ['content', 'reasoning_text'] : ['summary', 'summary_text'];
      item[name] = [...((item[name] as InputObject[] | undefined) ?? []), { type, text }];
    }
    if (encrypted !== undefined) item['encrypted_content'] = encrypted;
  }

  private call({ id, name, arguments: args, providerMetadata }: ToolCallBlock): InputObject {
    const own = ownMetadata(providerMetadata);
    const call = {
      ...(this.withIds && own?.id !== undefined && { id: own.id }),
      call_id: this.idOf(id),
      name,
      ...(own?.['namespace'] !== undefined && { namespace: own['namespace'] }),
      ...(own?.['caller'] !== undefined && { caller: own['caller'] }),
    };
    if (own?.['type'] === 'custom_tool_call') {
      return { type: 'custom_tool_call', ...call, input: typeof args === 'string' ? args : toJson(args ?? '') };
    }
    return { type: 'function_call', ...call, arguments: toJson(args ?? {}) };
  }
}

/** Opaque data goes back only to the vendor that made it. */
function ownMetadata(metadata: ProviderMetadata | undefined): ProviderMetadata | undefined {
  return metadata?.provider === PROVIDER ? metadata : undefined;
}

function isOwnItem(block: ContentBlock): block is ContentBlock & { type: 'provider'; block: InputObject } {
  return block.type === 'provider' && block.provider === PROVIDER && isItem(block.block);
}

/** A refusal is a part of a message and no item. */
function itemOf(block: InputObject): InputObject {
  return block['type'] === 'refusal' ? { type: 'message', role: 'assistant', content: [block] } : block;
}
