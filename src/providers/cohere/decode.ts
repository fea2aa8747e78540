import { errorInStream, failureIn, type JsonObject, type StopReason, type TokenUsage } from '../../contract/index.js';
import { wasCut } from '../../recovery/stopReasons.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import type { SseFrame } from '../../wire/sse.js';
import { BareCall } from '../shared/BareCall.js';
import { count, sumOfBoth, tokenUsage } from '../shared/tokenUsage.js';

/** One event of the stream (Cohere API reference v2, "Chat with Streaming"). */
interface ChatEvent {
  type?: string;
  id?: string;
  index?: number;
  delta?: {
    message?: {
      content?: { type?: string; text?: string; thinking?: string };
      tool_plan?: string;
      tool_calls?: { id?: string; function?: { name?: string; arguments?: string } } | null;
      citations?: JsonObject;
    };
    finish_reason?: string;
    usage?: WireUsage;
    error?: unknown;
  };
  message?: unknown;
  error?: unknown;
}

/** Token counts as Cohere reports them. */
export interface WireUsage {
  tokens?: { input_tokens?: number; output_tokens?: number; reasoning_tokens?: number };
  billed_units?: { input_tokens?: number; output_tokens?: number };
  cached_tokens?: number;
}

const STOP_REASONS: ReadonlyMap<string, StopReason> = new Map([
  ['COMPLETE', 'end-turn'],
  ['STOP_SEQUENCE', 'stop-sequence'],
  ['MAX_TOKENS', 'max-tokens'],
  ['TOOL_CALL', 'tool-use'],
  ['ERROR_TOXIC', 'content-filter'],
]);

/**
 * Decodes the events of Cohere's v2 chat.
 *
 * `message-end` ends the answer and holds the usage; `[DONE]` after it says nothing more. The tool plan is reasoning. A citation
 * comes as a block of its own as soon as it is told, in the middle of the text that it is about.
 */
export class CohereDecoder implements Decoder<SseFrame> {
  finished = false;
  readonly #model: string;
  readonly #calls = new Map<number, { id: string; bare: boolean }>();
  readonly #bareCall = new BareCall();
  #answer = '';
  /** Index of the content block in which the model thinks. */
  #thinking: number | undefined;

  /** @param model - Id of the model that answers: it alone is shown its thoughts again. */
  constructor(model: string) {
    this.#model = model;
  }

  decode({ data, event }: SseFrame, emit: Emit): void {
    if (data === '[DONE]') return;
    const chunk = (JSON.parse(data) ?? {}) as ChatEvent;
    const { index = 0 } = chunk;
    const message = chunk.delta?.message;
    switch (chunk.type ?? event) {
      case 'content-delta':
        return content(message?.content, emit);
      case 'tool-call-delta':
        return this.#arguments(index, message?.tool_calls?.function?.arguments, emit);
      case 'tool-plan-delta':
        if (message?.tool_plan) emit({ type: 'reasoning-delta', text: message.tool_plan });
        return;
      case 'content-start':
        this.#bareCall.close(emit);
        if (message?.content?.type === 'thinking') this.#thinking = index;
        return content(message?.content, emit);
      case 'content-end':
        return this.#contentEnd(index, emit);
      case 'tool-call-start':
        return this.#callStart(index, message?.tool_calls, emit);
      case 'tool-call-end':
        return this.#callEnd(index, emit);
      case 'citation-start':
        if (message?.citations) emitCitation(message.citations, emit);
        return;
      case 'message-start':
        this.#answer = chunk.id ?? '';
        return;
      case 'message-end':
        return this.#messageEnd(chunk.delta ?? {}, emit);
      default:
        // Errors are told as they would be outside of a stream: an object without a type.
        if (chunk.type === undefined && (chunk.message != null || chunk.error != null))
          throw errorInStream(failureIn(chunk));
    }
  }

  end(): void {
    // The event that ends the answer holds everything: nothing is held back.
  }

  #contentEnd(index: number, emit: Emit): void {
    if (this.#thinking !== index) return emit({ type: 'content-block-stop' });
    this.#thinking = undefined;
    emit({
      type: 'content-block-stop',
      providerMetadata: { provider: 'cohere', model: this.#model, complete: true },
    });
  }

  #callStart(
    index: number,
    call: { id?: string; function?: { name?: string; arguments?: string } } | null | undefined,
    emit: Emit,
  ): void {
    const { name, arguments: args } = call?.function ?? {};
    if (!name) throw new Error('a tool call without the name of a function');
    const id = call?.id || `call_${this.#answer.replace(/[^a-zA-Z0-9]/g, '').slice(0, 40)}_${index}`;
    this.#bareCall.close(emit);
    this.#calls.set(index, { id, bare: !args });
    emit({ type: 'tool-call-start', id, name });
    if (args) emit({ type: 'tool-call-delta', id, argsDelta: args });
  }

  #arguments(index: number, args: string | undefined, emit: Emit): void {
    const call = this.#calls.get(index);
    if (call === undefined)
      throw new Error(`arguments for the tool call ${JSON.stringify(index)}, which has not begun`);
    if (!args) return;
    call.bare = false;
    emit({ type: 'tool-call-delta', id: call.id, argsDelta: args });
  }

  #callEnd(index: number, emit: Emit): void {
    const call = this.#calls.get(index);
    if (call === undefined) return;
    this.#calls.delete(index);
    if (call.bare) this.#bareCall.hold(call.id);
    else emit({ type: 'content-block-stop', id: call.id });
  }

  #messageEnd({ finish_reason, usage, error }: NonNullable<ChatEvent['delta']>, emit: Emit): void {
    const told = finish_reason ?? 'COMPLETE';
    const reason = STOP_REASONS.get(told) ?? 'end-turn';
    const failed = error != null || told === 'ERROR' || told === 'TIMEOUT';
    if (!failed && !wasCut(reason)) this.#bareCall.close(emit);
    const counted = usage && usageOf(usage);
    if (counted) emit({ type: 'usage', usage: counted });
    if (failed) throw failure(told, error);
    this.finished = true;
    emit({ type: 'stop', reason });
  }
}

function content(piece: { text?: string; thinking?: string } | undefined, emit: Emit): void {
  if (piece?.text) emit({ type: 'text-delta', text: piece.text });
  else if (piece?.thinking) emit({ type: 'reasoning-delta', text: piece.thinking });
}

function emitCitation(citation: JsonObject, emit: Emit): void {
  emit({ type: 'provider-block', provider: 'cohere', block: { citation } });
}

function failure(reason: string, error: unknown): Error {
  const told = failureIn({ error });
  const message = told.message || (reason === 'TIMEOUT' ? 'the generation took too long' : 'the generation failed');
  return errorInStream({ ...told, message, type: told.type ?? (reason === 'TIMEOUT' ? 'timeout' : undefined) });
}

/**
 * `tokens` counts all that the model read and wrote, what was cached and what was thought included; `billed_units` only what is
 * paid for (Cohere API reference v2, `Usage`).
 */
export function usageOf({ tokens, billed_units, cached_tokens: cached }: WireUsage): TokenUsage | undefined {
  const prompt = count(tokens?.input_tokens) ?? count(billed_units?.input_tokens);
  const completion = count(tokens?.output_tokens) ?? count(billed_units?.output_tokens);
  const total = sumOfBoth(prompt, completion);
  const thinking = count(tokens?.reasoning_tokens);
  return tokenUsage({ prompt, completion, total, cacheRead: count(cached), thinking });
}
