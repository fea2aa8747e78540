import type { JsonObject, JsonValue } from '../../contract/index.js';
import { isObject } from '../../internal/isObject.js';
import { parseJson } from '../../internal/parseJson.js';
import type { Emit } from '../../wire/Decoder.js';
import { PROVIDER } from './blocks.js';
import type { WireBlock, WireDelta } from './wire.js';

/** A block that has begun, with what is told only when it has closed. */
export interface OpenBlock {
  /** What has come of it, in the API's own words. */
  block: WireBlock;
  /** The input of a server tool as far as it has come; of a client's tool the last piece. */
  json: string;
}

/**
 * Begins a block, and sends what stands in its beginning already: the API sends empty beginnings, but for the input of a
 * server tool that is called from code; gateways send whole blocks.
 *
 * @param block - The `content_block` of a `content_block_start`.
 * @param newId - An id for a call that has none.
 */
export function openBlock(block: WireBlock, newId: string, emit: Emit): OpenBlock {
  const { type, text, thinking, name = '', input, caller } = block;
  const open: OpenBlock = { block: { ...block }, json: '' };
  if (type === 'text' && text) emit({ type: 'text-delta', text });
  if (type === 'thinking' && thinking) emit({ type: 'reasoning-delta', text: thinking });
  if (type === 'tool_use') {
    const id = (open.block.id ||= newId);
    // Code that called the tool waits for its result; the API wants to see again who called.
    const called = isObject(caller) && { providerMetadata: { provider: PROVIDER, caller } };
    emit({ type: 'tool-call-start', id, name, ...called });
    if (isObject(input) && Object.keys(input).length > 0) addInput(open, JSON.stringify(input), emit);
  }
  return open;
}

/** Kinds of blocks that a piece has a place in; a server tool, a compaction and what is not known here are `opaque`. */
const PLACES: Partial<Record<string, string>> = {
  input_json_delta: 'tool_use opaque',
  signature_delta: 'thinking',
  citations_delta: 'text',
  compaction_delta: 'opaque',
};

/**
 * Takes in a piece that is no text of the answer. Pieces of a kind that is not known are passed over, as the API asks.
 *
 * @throws Error for a piece that the block has no place for.
 */
export function addToBlock(open: OpenBlock | undefined, delta: WireDelta, index: number, emit: Emit): void {
  const { type = '', partial_json = '', signature = '', citation } = delta;
  const places = PLACES[type];
  if (places === undefined) return;
  if (!open || !places.includes(kindOf(open.block))) {
    throw new Error(`${type} for block ${JSON.stringify(index)}, which is not open or of another kind`);
  }
  const { block } = open;
  if (type === 'input_json_delta') addInput(open, partial_json, emit);
  else if (type === 'signature_delta') block.signature = signature;
  else if (type === 'compaction_delta') append(block, delta);
  else if (citation !== undefined) block.citations = [...(block.citations ?? []), citation];
}

function kindOf({ type = '' }: WireBlock): string {
  return /^(?:text|thinking|redacted_thinking|tool_use)$/.test(type) ? type : 'opaque';
}

function addInput(open: OpenBlock, argsDelta: string, emit: Emit): void {
  const { type, id = '' } = open.block;
  if (type !== 'tool_use') open.json += argsDelta;
  else if (argsDelta !== '') emit({ type: 'tool-call-delta', id, argsDelta: (open.json = argsDelta) });
}

/** A summary comes in pieces, whatever members it has (Anthropic "Compaction"). */
function append(block: WireBlock, { type: _type, ...pieces }: WireDelta): void {
  const members: Record<string, unknown> = { ...block };
  for (const [name, piece] of Object.entries(pieces as Record<string, unknown>)) {
    const before = members[name];
    members[name] =
      typeof before === 'string' && typeof piece === 'string' ? before + piece : (piece ?? before ?? null);
  }
  Object.assign(block, members);
}

/** Sends what a block tells when it closes. */
export function closeBlock({ block, json }: OpenBlock, emit: Emit): void {
  const { type, id = '', citations, signature, data: encrypted = '' } = block;
  const kind = kindOf(block);
  if (kind === 'tool_use') return emit({ type: 'content-block-stop', id });
  if (kind === 'opaque') {
    const whole = wholeBlock(block as JsonObject, json);
    if (whole) emit({ type: 'provider-block', provider: PROVIDER, block: whole });
    return;
  }
  // Only now: a signature without the end of its block belongs to a thought that was cut off.
  const told =
    kind === 'redacted_thinking' ? { encrypted } : type === 'thinking' && signature ? { signature } : undefined;
  // A delta, not the metadata of the block's end: the thought may have no text that the metadata could stand at.
  if (told) emit({ type: 'reasoning-delta', text: '', providerMetadata: { provider: PROVIDER, ...told } });
  const cited = type === 'text' && citations?.length && { providerMetadata: { provider: PROVIDER, citations } };
  emit({ type: 'content-block-stop', ...cited });
}

/** A server tool whose input was cut off by the token limit has not run, and cannot be sent back: it is left out. */
function wholeBlock(block: JsonObject, json: string): JsonObject | undefined {
  if (json.trim() === '') return block;
  const input = parseJson(json) as JsonValue | undefined;
  return input === undefined ? undefined : { ...block, input };
}
