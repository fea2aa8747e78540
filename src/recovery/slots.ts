import type { ContentBlock, EventMetadata, ProviderMetadata, ToolCall } from '../contract/index.js';
import type { TextBuffer } from '../internal/TextBuffer.js';
import { settleArguments } from './settleArguments.js';

/** Text or reasoning as it grows. */
export interface ProseSlot {
  type: 'text' | 'reasoning';
  text: TextBuffer;
  metadata: ProviderMetadata | undefined;
  /** The block as it was last handed out; undefined since it has changed. */
  block: ContentBlock | undefined;
}

/** A tool call as it grows. */
export interface CallSlot {
  type: 'call';
  id: string;
  name: string;
  args: TextBuffer;
  metadata: ProviderMetadata | undefined;
  state: 'open' | 'complete' | 'broken';
  block: ContentBlock | undefined;
  call: ToolCall | undefined;
}

/** A block that came whole. */
export interface OpaqueSlot {
  type: 'opaque';
  block: ContentBlock;
}

/** One block of the answer. */
export type Slot = ProseSlot | CallSlot | OpaqueSlot;

/** The call that a slot makes; undefined when it has no name, or its arguments are not whole: see {@link settleArguments}. */
export function callOf({ id, name, args: json }: CallSlot, state: 'open' | 'closed'): ToolCall | undefined {
  const args = name === '' ? undefined : settleArguments(json.text, state);
  return args === undefined ? undefined : { id, name, arguments: args };
}

/** The block as it is handed out: the same object until the slot changes; undefined for a call that is not whole. */
export function blockOf(slot: Slot): ContentBlock | undefined {
  if (slot.type === 'opaque') return slot.block;
  if (slot.type !== 'call') return (slot.block ??= proseBlock(slot));
  if (slot.call === undefined) return undefined;
  const { metadata, call } = slot;
  return (slot.block ??= { type: 'tool-call', ...call, ...(metadata && { providerMetadata: metadata }) });
}

function proseBlock({ type, text: buffer, metadata }: ProseSlot): ContentBlock {
  const { text } = buffer;
  if (metadata === undefined) return { type, text };
  if (type === 'text') return { type, text, providerMetadata: metadata };
  const { signature, encrypted, ...rest } = metadata;
  return {
    type,
    text,
    ...(signature !== undefined && { signature }),
    ...(encrypted !== undefined && { encrypted }),
    ...(Object.keys(rest).length > 0 && { providerMetadata: rest }),
  };
}

/** What of an event's metadata belongs to the block: all but what speaks of the stream. */
export function blockMetadata(metadata: EventMetadata): ProviderMetadata | undefined {
  const { cursor: _cursor, continuation: _continuation, ...rest } = metadata;
  return Object.keys(rest).length > 0 ? rest : undefined;
}

/** What is left without the signature of reasoning, or its encrypted form. */
export function unsigned(metadata: ProviderMetadata = {}): ProviderMetadata | undefined {
  const { signature: _signature, encrypted: _encrypted, ...rest } = metadata;
  return Object.keys(rest).length > 0 ? rest : undefined;
}

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    // Each half of a surrogate pair counts 2 of the pair's 4 bytes.
    bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
