import type { JsonObject, JsonValue } from '../../contract/index.js';
import type { Emit } from '../../wire/Decoder.js';
import { PROVIDER } from './blocks.js';
import { isObject } from './settings.js';
import type { WireBlock, WireDelta } from './wire.js';

/** A client tool's call that the model is writing. */
export interface OpenCall {
  type: 'call';
  id: string;
  /** True once a piece of the arguments has been sent on. */
  hasArguments: boolean;
}

/** A block that has begun, with what is told only when it has closed. */
export type OpenBlock =
  | { type: 'text'; citations: JsonValue[] }
  | { type: 'thinking'; signature: string }
  | { type: 'redacted'; data: string }
  | { type: 'opaque'; block: JsonObject; json: string }
  | OpenCall;

/**
 * Begins a block, and sends what stands in its beginning already: the API sends empty beginnings, but for the input of a
 * server tool that is called from code; gateways send whole blocks.
 *
 * @param block - The `content_block` of a `content_block_start`.
 * @param newId - Makes an id for a call that has none.
 */
export function openBlock(block: WireBlock, newId: () => string, emit: Emit): OpenBlock {
  switch (block.type) {
    case 'text':
      if (block.text) emit({ type: 'text-delta', text: block.text });
      return { type: 'text', citations: block.citations ?? [] };
    case 'thinking':
      if (block.thinking) emit({ type: 'reasoning-delta', text: block.thinking });
      return { type: 'thinking', signature: block.signature ?? '' };
    case 'redacted_thinking':
      return { type: 'redacted', data: block.data ?? '' };
    case 'tool_use':
      return openCall(block, newId, emit);
    default:
      return { type: 'opaque', block: block as JsonObject, json: '' };
  }
}

function openCall({ id, name = '', input, caller }: WireBlock, newId: () => string, emit: Emit): OpenCall {
  const call: OpenCall = { type: 'call', id: id || newId(), hasArguments: false };
  // Code that called the tool waits for its result; the API wants to see again who called.
  const metadata = isObject(caller) && { providerMetadata: { provider: PROVIDER, caller } };
  emit({ type: 'tool-call-start', id: call.id, name, ...metadata });
  if (isObject(input) && Object.keys(input).length > 0) addArguments(call, JSON.stringify(input), emit);
  return call;
}

/** Sends a piece of a call's arguments on. */
export function addArguments(call: OpenCall, argsDelta: string, emit: Emit): void {
  if (argsDelta === '') return;
  call.hasArguments = true;
  emit({ type: 'tool-call-delta', id: call.id, argsDelta });
}

/**
 * Takes in a piece that is no text of the answer. Pieces of a kind that is not known are passed over, as the API asks.
 *
 * @returns False when the block has no place for the piece.
 */
export function addToBlock(block: OpenBlock | undefined, delta: WireDelta, emit: Emit): boolean {
  switch (delta.type) {
    case 'input_json_delta':
      if (block?.type === 'call') addArguments(block, delta.partial_json ?? '', emit);
      else if (block?.type === 'opaque') block.json += delta.partial_json ?? '';
      else return false;
      return true;
    case 'signature_delta':
      if (block?.type !== 'thinking') return false;
      block.signature = delta.signature ?? '';
      return true;
    case 'citations_delta':
      if (block?.type !== 'text') return false;
      if (delta.citation !== undefined) block.citations = [...block.citations, delta.citation];
      return true;
    case 'compaction_delta':
      if (block?.type !== 'opaque') return false;
      block.block = appended(block.block, delta);
      return true;
    default:
      return true;
  }
}

/** A summary comes in pieces, whatever members it has (Anthropic "Compaction"). */
function appended(block: JsonObject, { type: _type, ...pieces }: WireDelta): JsonObject {
  const next: JsonObject = { ...block };
  for (const [member, piece] of Object.entries(pieces as JsonObject)) {
    const before = next[member];
    next[member] = typeof before === 'string' && typeof piece === 'string' ? before + piece : (piece ?? before ?? null);
  }
  return next;
}

/** Sends what a block that is no call tells when it closes. */
export function closeBlock(block: Exclude<OpenBlock, OpenCall>, emit: Emit): void {
  switch (block.type) {
    case 'text': {
      const cited = block.citations.length > 0;
      emit({
        type: 'content-block-stop',
        ...(cited && { providerMetadata: { provider: PROVIDER, citations: block.citations } }),
      });
      return;
    }
    case 'thinking':
      // Only now: a signature without the end of its block belongs to a thought that was cut off.
      if (block.signature !== '') emitOpaque({ signature: block.signature }, emit);
      emit({ type: 'content-block-stop' });
      return;
    case 'redacted':
      emitOpaque({ encrypted: block.data }, emit);
      emit({ type: 'content-block-stop' });
      return;
    case 'opaque': {
      const whole = wholeBlock(block.block, block.json);
      if (whole) emit({ type: 'provider-block', provider: PROVIDER, block: whole });
    }
  }
}

/** A delta, not the metadata of the block's end: the thought may have no text that the metadata could stand at. */
function emitOpaque(opaque: { signature: string } | { encrypted: string }, emit: Emit): void {
  emit({ type: 'reasoning-delta', text: '', providerMetadata: { provider: PROVIDER, ...opaque } });
}

/** A server tool whose input was cut off by the token limit has not run, and cannot be sent back: it is left out. */
function wholeBlock(block: JsonObject, json: string): JsonObject | undefined {
  if (json.trim() === '') return block;
  try {
    return { ...block, input: JSON.parse(json) as JsonValue };
  } catch {
    return undefined;
  }
}
