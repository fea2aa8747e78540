import {
  InferenceExecutionError,
  type EventMetadata,
  type JsonObject,
  type JsonValue,
  type StopReason,
  type TokenUsage,
} from '../../contract/index.js';
import { wasCut } from '../../recovery/stopReasons.js';
import type { AwsEventFrame } from '../../wire/awsEventStream.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import { BareCall } from '../shared/BareCall.js';
import { count, sum, tokenUsage } from '../shared/tokenUsage.js';
import { streamFailure } from './failure.js';
import type { BlockDelta, BlockStart, BlockStop, Citation, MessageStop, StreamMetadata, WireUsage } from './wire.js';

/** A content block that has begun; what its kind needs until it stops. */
type OpenBlock =
  | { kind: 'text'; text: string; citations: Citation[] }
  | { kind: 'reasoning'; signature: string; redacted: string[] }
  | { kind: 'call'; id: string; bare: boolean }
  | { kind: 'server-tool'; toolUse: JsonObject; input: string }
  | { kind: 'server-result'; toolResult: JsonObject; content: JsonObject[] }
  | { kind: 'image'; image: JsonObject };

/** AWS API reference, `StopReason`. Anything else that a model may say of itself is an ordinary end. */
const STOP_REASONS: ReadonlyMap<string, StopReason> = new Map([
  ['end_turn', 'end-turn'],
  ['tool_use', 'tool-use'],
  ['max_tokens', 'max-tokens'],
  ['model_context_window_exceeded', 'max-tokens'],
  ['stop_sequence', 'stop-sequence'],
  ['guardrail_intervened', 'content-filter'],
  ['content_filtered', 'content-filter'],
  ['refusal', 'refusal'],
]);

/**
 * Decodes the events of `ConverseStream` (AWS API reference, Amazon Bedrock Runtime).
 *
 * Text and reasoning blocks have no `contentBlockStart`; usage comes in `metadata` after `messageStop`, so the stop waits for
 * it. Signatures and redacted reasoning are sent when their block stops: half a block is of no use to anybody.
 */
export class BedrockDecoder implements Decoder<AwsEventFrame> {
  finished = false;
  readonly #model: string;
  readonly #blocks = new Map<number, OpenBlock>();
  readonly #bareCall = new BareCall();
  #stopReason = '';
  #told: EventMetadata | undefined;
  #metadataSeen = false;

  /** @param model - Id of the model that answers: reasoning goes back to models of its own family only. */
  constructor(model: string) {
    this.#model = model;
  }

  decode({ headers, data }: AwsEventFrame, emit: Emit): void {
    const messageType = headers[':message-type'];
    if (messageType === 'exception' || messageType === 'error') throw streamFailure(headers, data);
    switch (headers[':event-type']) {
      case 'contentBlockDelta':
        return this.#delta(parse<BlockDelta>(data), emit);
      case 'contentBlockStart':
        return this.#start(parse<BlockStart>(data), emit);
      case 'contentBlockStop':
        return this.#stop(parse<BlockStop>(data).contentBlockIndex ?? 0, emit);
      case 'messageStop':
        return this.#messageStop(parse<MessageStop>(data), emit);
      case 'metadata':
        return this.#metadata(parse<StreamMetadata>(data), emit);
      default:
        return;
    }
  }

  end(emit: Emit): void {
    if (!this.finished) return;
    const reason = this.#stopReason;
    if (reason.startsWith('malformed')) {
      throw new InferenceExecutionError('provider', `the model broke off its answer: ${reason}`);
    }
    const told = this.#told;
    emit({ type: 'stop', reason: STOP_REASONS.get(reason) ?? 'end-turn', ...(told && { providerMetadata: told }) });
  }

  #delta({ contentBlockIndex = 0, delta: told }: BlockDelta, emit: Emit): void {
    const delta = told ?? {};
    const { text, toolUse, reasoningContent } = delta;
    if (typeof text === 'string') {
      if (text === '') return;
      this.#open(contentBlockIndex, 'text', emit).text += text;
      emit({ type: 'text-delta', text });
    } else if (toolUse) {
      this.#input(contentBlockIndex, toolUse.input, emit);
    } else if (reasoningContent) {
      const block = this.#open(contentBlockIndex, 'reasoning', emit);
      block.signature += reasoningContent.signature ?? '';
      if (reasoningContent.redactedContent) block.redacted.push(reasoningContent.redactedContent);
      if (reasoningContent.text) emit({ type: 'reasoning-delta', text: reasoningContent.text });
    } else if (delta.citation) {
      this.#open(contentBlockIndex, 'text', emit).citations.push(delta.citation);
    } else if (delta.toolResult) {
      const block = this.#blocks.get(contentBlockIndex);
      if (block?.kind === 'server-result') block.content = joinText(block.content, delta.toolResult);
    } else if (delta.image) {
      const block = this.#blocks.get(contentBlockIndex);
      if (block?.kind === 'image') Object.assign(block.image, delta.image);
    }
  }

  /** The block of that index; text and reasoning begin with their first delta. */
  #open<Kind extends 'text' | 'reasoning'>(index: number, kind: Kind, emit: Emit): Extract<OpenBlock, { kind: Kind }> {
    const known = this.#blocks.get(index);
    if (known?.kind === kind) return known as Extract<OpenBlock, { kind: Kind }>;
    if (known) this.#stop(index, emit);
    this.#bareCall.close(emit);
    const block: OpenBlock =
      kind === 'text' ? { kind: 'text', text: '', citations: [] } : { kind: 'reasoning', signature: '', redacted: [] };
    this.#blocks.set(index, block);
    return block as Extract<OpenBlock, { kind: Kind }>;
  }

  #input(index: number, input: JsonValue | undefined, emit: Emit): void {
    const piece = typeof input === 'string' ? input : input === undefined ? '' : JSON.stringify(input);
    const block = this.#blocks.get(index);
    if (block?.kind === 'call') {
      if (piece === '') return;
      block.bare = false;
      emit({ type: 'tool-call-delta', id: block.id, argsDelta: piece });
    } else if (block?.kind === 'server-tool') {
      block.input += piece;
    } else {
      throw new Error(`arguments for block ${index}, which is no tool call`);
    }
  }

  #start({ contentBlockIndex = 0, start }: BlockStart, emit: Emit): void {
    const { toolUse, toolResult, image } = start ?? {};
    this.#bareCall.close(emit);
    if (toolUse?.type === 'server_tool_use') {
      this.#blocks.set(contentBlockIndex, { kind: 'server-tool', toolUse, input: '' });
    } else if (toolUse) {
      const { toolUseId, name } = toolUse;
      if (!toolUseId || !name) throw new Error('a toolUse block without a toolUseId or a name');
      this.#blocks.set(contentBlockIndex, { kind: 'call', id: toolUseId, bare: true });
      emit({ type: 'tool-call-start', id: toolUseId, name });
    } else if (toolResult) {
      this.#blocks.set(contentBlockIndex, { kind: 'server-result', toolResult, content: [] });
    } else if (image) {
      this.#blocks.set(contentBlockIndex, { kind: 'image', image: { ...image } });
    }
  }

  #stop(index: number, emit: Emit): void {
    const block = this.#blocks.get(index);
    if (!block) return;
    this.#blocks.delete(index);
    switch (block.kind) {
      case 'call':
        if (!block.bare) return emit({ type: 'content-block-stop', id: block.id });
        this.#bareCall.hold(block.id);
        return;
      case 'reasoning':
        this.#opaqueReasoning(block, emit);
        return emit({ type: 'content-block-stop' });
      case 'text':
        if (block.text !== '') emit({ type: 'content-block-stop' });
        if (block.citations.length > 0) emitBlock(emit, { citationsContent: citationsContent(block) });
        return;
      case 'server-tool': {
        const input = parsedInput(block.input);
        // A call that was cut off cannot be shown to the model again: it refuses input that is no object.
        if (input !== undefined) emitBlock(emit, { toolUse: { ...block.toolUse, input } });
        return;
      }
      case 'server-result':
        return emitBlock(emit, { toolResult: { ...block.toolResult, content: block.content } });
      case 'image':
        return emitBlock(emit, { image: block.image });
    }
  }

  #opaqueReasoning({ signature, redacted }: Extract<OpenBlock, { kind: 'reasoning' }>, emit: Emit): void {
    const origin = { provider: 'bedrock', model: this.#model };
    if (signature !== '') emit({ type: 'reasoning-delta', text: '', providerMetadata: { ...origin, signature } });
    if (redacted.length === 0) return;
    emit({ type: 'reasoning-delta', text: '', providerMetadata: { ...origin, encrypted: joinBase64(redacted) } });
  }

  #messageStop({ stopReason: told, additionalModelResponseFields }: MessageStop, emit: Emit): void {
    this.finished = true;
    const stopReason = typeof told === 'string' ? told : '';
    this.#stopReason = stopReason;
    if (!wasCut(STOP_REASONS.get(stopReason))) this.#bareCall.close(emit);
    if (additionalModelResponseFields) this.#tell({ additionalModelResponseFields });
    if (this.#metadataSeen) this.end(emit);
  }

  #metadata({ usage, trace }: StreamMetadata, emit: Emit): void {
    this.#metadataSeen = true;
    if (trace) this.#tell({ trace });
    const counted = usage && usageOf(usage);
    if (counted) emit({ type: 'usage', usage: counted });
    this.end(emit);
  }

  /** What a guardrail or a model says of the answer goes with the stop. */
  #tell(told: EventMetadata): void {
    this.#told = { provider: 'bedrock', ...this.#told, ...told };
  }
}

/**
 * `inputTokens` counts neither what was read from the cache nor what was written to it (AWS "Prompt caching": the total is the
 * sum of the three); the contract's `promptTokens` is all of it.
 */
function usageOf(usage: WireUsage): TokenUsage | undefined {
  const { inputTokens, outputTokens, totalTokens, cacheReadInputTokens: read, cacheWriteInputTokens: written } = usage;
  const prompt = sum(sum(inputTokens, read), written) ?? 0;
  const completion = count(outputTokens) ?? 0;
  const total = count(totalTokens) ?? prompt + completion;
  return tokenUsage({ prompt, completion, total, cacheRead: count(read), cacheCreation: count(written) });
}

/** In the shape in which the request takes it: cited text and its citations are one block. */
function citationsContent({ text, citations }: Extract<OpenBlock, { kind: 'text' }>): JsonObject {
  return { ...(text !== '' && { content: [{ text }] }), citations };
}

function emitBlock(emit: Emit, block: JsonObject): void {
  emit({ type: 'provider-block', provider: 'bedrock', block });
}

/** The pieces of a result's text follow each other; any other piece stands for itself. */
function joinText(content: JsonObject[], more: (JsonObject | null)[]): JsonObject[] {
  if (!Array.isArray(more)) throw new Error('a result of a tool that is no list');
  const joined = [...content];
  for (const piece of more) {
    const last = joined.at(-1);
    if (piece === null) continue;
    const text = piece['text'];
    if (typeof text === 'string' && typeof last?.['text'] === 'string')
      joined[joined.length - 1] = { text: last['text'] + text };
    else joined.push(piece);
  }
  return joined;
}

/** Each piece is base64 of its own; only the bytes can be joined. */
function joinBase64(pieces: readonly string[]): string {
  return pieces.length === 1 ? String(pieces[0]) : btoa(pieces.map((piece) => atob(piece)).join(''));
}

function parsedInput(json: string): JsonValue | undefined {
  try {
    return json.trim() === '' ? {} : (JSON.parse(json) as JsonValue);
  } catch {
    return undefined;
  }
}

function parse<T extends object>(data: string): T {
  return (JSON.parse(data) ?? {}) as T;
}
