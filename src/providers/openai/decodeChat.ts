import {
  errorInStream,
  failureIn,
  InferenceExecutionError,
  type InferenceRequest,
  type JsonValue,
  type StopReason,
  type TokenUsage,
} from '../../contract/index.js';
import { wasCut } from '../../recovery/stopReasons.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import type { SseFrame } from '../../wire/sse.js';
import { sameUsage } from '../shared/tokenUsage.js';
import { ChatCalls } from './chatCalls.js';
import type { ChatChoice, ChatChunk, ChatDelta, ChatUsage } from './chatChunk.js';
import { ChatReasoning } from './chatReasoning.js';
import { stopReasonOf } from './chatStop.js';
import { ThinkTags, type ThinkSink } from './chatThinkTags.js';
import { usageOf } from './chatUsage.js';

/** How a vendor's stream is read. */
export interface ChatDecoding {
  /** Tells the vendor's opaque data from that of others. */
  provider: string;
  /** The model writes its reasoning between think tags. */
  thinkTags?: boolean | undefined;
}

const BRACE = 0x7b;
const DONE = '[DONE]';

/**
 * Decodes a Chat Completions stream, in the dialects of all vendors that speak it. Source: OpenAI API reference, "Chat
 * Completions / Streaming"; the vendors' own ways stand in {@link ChatChunk}.
 *
 * `finish_reason` is the terminal event. `[DONE]` alone proves nothing, since gateways write it when they give up, too; it
 * ends an answer, as `end-turn`, where the wire knows no reasons and has reported the usage of the whole (Snowflake). The stop
 * is held back until `[DONE]` or the end of the body, since usage, and with some vendors text, follows the reason. Of several
 * choices the first is read.
 *
 * A refusal is told as one opaque block `{ type: 'refusal', refusal }` at the end, since it is not part of the answer's
 * text (which may be JSON), with the stop reason `refusal`. Citations are told in the same way.
 */
export class ChatDecoder implements Decoder<SseFrame>, ThinkSink {
  finished = false;
  private reason: StopReason = 'end-turn';
  private ended = false;
  private begun = false;
  private failed = false;
  /** The wire has the field for the reason, and: it has reported usage beside no choice. */
  private knowsReasons = false;
  private summed = false;
  private refusal = '';
  private usage: TokenUsage | undefined;
  private citations: JsonValue | undefined;
  private annotations: JsonValue[] | undefined;
  private readonly calls: ChatCalls;
  private readonly reasoning: ChatReasoning;
  private readonly think: ThinkTags | undefined;
  private emit: Emit = () => undefined;

  constructor(
    request: InferenceRequest,
    private readonly decoding: ChatDecoding,
  ) {
    this.calls = new ChatCalls(request, decoding.provider);
    this.reasoning = new ChatReasoning(decoding.provider);
    this.think = decoding.thinkTags ? new ThinkTags(this) : undefined;
  }

  decode(frame: SseFrame, emit: Emit): void {
    if (this.ended) return;
    this.emit = emit;
    const { data, event } = frame;
    if (data.charCodeAt(0) === BRACE) this.chunk(JSON.parse(data) as ChatChunk, event);
    else this.decodeOther(data, event);
  }

  end(emit: Emit): void {
    this.emit = emit;
    if (this.finished) this.stop();
  }

  textPiece(text: string): void {
    this.reasoning.interrupt();
    this.begun = true;
    this.emit({ type: 'text-delta', text });
  }

  reasoningPiece(text: string): void {
    this.begun = true;
    this.reasoning.plain(text, this.emit);
  }

  private chunk(told: ChatChunk, event: string | undefined): void {
    // Why Groq has stopped early (groq-sdk, `XGroq.error`).
    const chunk = told.x_groq?.error && !told.error ? { ...told, error: told.x_groq.error } : told;
    const choice = firstChoice(chunk.choices);
    if (choice) this.choice(choice, chunk);
    const usage = chunk.usage ?? chunk.x_groq?.usage ?? choice?.usage;
    if (usage) {
      this.summed ||= choice === undefined;
      this.report(usage);
    }
    if (chunk.citations ?? chunk.search_results) this.citations = citationsOf(chunk);
    if (chunk.error || this.failed || event === 'error' || chunk.choices === undefined) this.problem(chunk, event);
  }

  private decodeOther(data: string, event: string | undefined): void {
    const text = data.trim();
    if (text.startsWith(DONE)) return this.done();
    if (text === '') return;
    if (event === 'error' && !/^[{["]/.test(text)) {
      if (!this.finished) throw errorInStream({ message: text });
      return;
    }
    const value: unknown = JSON.parse(text);
    // Google writes its errors as an array.
    const told: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof told === 'object' && told !== null) this.chunk(told, event);
  }

  private choice(choice: ChatChoice, chunk: ChatChunk): void {
    // A whole answer in one chunk stands in `message`; beside deltas it only repeats them.
    const delta = choice.delta ?? (this.begun ? undefined : choice.message);
    if (delta) this.delta(delta, chunk);
    else if (typeof choice.text === 'string' && choice.text !== '') this.text(choice.text);
    const { finish_reason: reason } = choice;
    if (reason === undefined) return;
    this.knowsReasons = true;
    if (reason !== null && reason !== '') this.finish(reason, choice);
  }

  private delta(delta: ChatDelta, chunk: ChatChunk): void {
    const { content, tool_calls: calls } = delta;
    const plain = reasoningIn(delta);
    const { reasoning_details: details } = delta;
    if (Array.isArray(details) && details.length > 0) {
      this.begun = true;
      this.reasoning.details(details, plain, this.emit);
    } else if (plain !== '') {
      this.reasoningPiece(plain);
    }
    if (typeof content === 'string') {
      if (content !== '') this.text(content);
    } else if (Array.isArray(content)) {
      for (const part of content) this.part(part);
    }
    if (typeof delta.refusal === 'string') this.refusal += delta.refusal;
    if (Array.isArray(calls) && calls.length > 0) this.pushCalls(calls, chunk);
    const legacy = delta.function_call;
    if (typeof legacy === 'object' && legacy !== null) this.calls.legacy(legacy, chunk, this.emit);
    if (Array.isArray(delta.annotations)) (this.annotations ??= []).push(...(delta.annotations as JsonValue[]));
    // What the contract has no word for: pictures, speech, tools that the vendor ran itself.
    if (delta.images) this.opaque({ images: delta.images as JsonValue });
    if (delta.audio) this.opaque({ audio: delta.audio as JsonValue });
    if (delta.executed_tools) this.opaque({ executed_tools: delta.executed_tools as JsonValue });
  }

  private text(text: string): void {
    if (this.think) this.think.push(text);
    else this.textPiece(text);
  }

  private pushCalls(calls: readonly unknown[], chunk: ChatChunk): void {
    this.think?.flush();
    this.reasoning.interrupt();
    this.begun = true;
    for (const call of calls) {
      if (typeof call === 'object' && call !== null) this.calls.push(call, chunk, this.emit);
    }
  }

  /**
   * Sources: Mistral API reference, `ThinkChunk`, `TextChunk`, `ReferenceChunk`; Databricks "Query reasoning models", whose parts
   * of type `reasoning` hold a `summary`.
   */
  private part(part: unknown): void {
    if (typeof part === 'string') return this.text(part);
    if (typeof part !== 'object' || part === null) return;
    const { type, text, ...more } = part as Record<'type' | 'text' | 'thinking' | 'summary', unknown>;
    if (type === 'text' && typeof text === 'string') {
      if (text !== '') this.text(text);
    } else if (type === 'thinking' || type === 'reasoning') {
      const told = type === 'thinking' ? more.thinking : more.summary;
      const pieces: unknown[] = Array.isArray(told) ? told : [{ text: told }];
      for (const piece of pieces) {
        const { text: words } = (piece ?? {}) as { text?: unknown };
        if (typeof words === 'string') this.reasoningPiece(words);
      }
    } else {
      this.opaque(part as JsonValue);
    }
  }

  private opaque(block: JsonValue): void {
    this.think?.flush();
    this.reasoning.interrupt();
    this.begun = true;
    this.emit({ type: 'provider-block', provider: this.decoding.provider, block });
  }

  private report(told: ChatUsage): void {
    const usage = usageOf(told);
    if (usage === undefined || sameUsage(this.usage, usage)) return;
    this.usage = usage;
    this.emit({ type: 'usage', usage });
  }

  private finish(word: unknown, choice: ChatChoice): void {
    const reason = stopReasonOf(word, choice);
    if (reason === 'error') {
      this.failed = true;
      this.finished = false;
      return;
    }
    this.finished = true;
    this.reason = this.honest(reason, choice);
    this.settle();
  }

  /**
   * OpenRouter tells `tool_calls` where the vendor behind it has run into the token limit. Arguments that break off are
   * dropped in any case; ones that have not even begun would count as none at all and be run.
   */
  private honest(reason: StopReason, { native_finish_reason: native }: ChatChoice): StopReason {
    const cut = reason === 'tool-use' && typeof native === 'string' && /length|max_(?:output_)?tokens/i.test(native);
    return cut && this.calls.isLastBare ? 'max-tokens' : reason;
  }

  private settle(): void {
    this.think?.flush();
    this.calls.finish(wasCut(this.reason), this.emit);
  }

  /** A failure that is told inside the stream. After a finish reason it changes nothing any more. */
  private problem(chunk: ChatChunk, event: string | undefined): void {
    const told = Boolean(chunk.error) || event === 'error' || chunk.object === 'error' || chunk.detail !== undefined;
    const bare = chunk.choices === undefined && typeof chunk.message === 'string';
    if (!told && !bare && !this.failed) return;
    if (this.finished && !this.failed) return;
    const failure = failureIn(chunk);
    throw errorInStream({
      ...failure,
      message: failure.message || 'the provider broke off the answer (finish reason "error")',
    });
  }

  private done(): void {
    if (!this.finished) {
      if (!this.begun && this.refusal === '') throw truncated('[DONE] came before any answer');
      if (this.knowsReasons || !this.summed) throw truncated('[DONE] came before a finish_reason');
      if (this.calls.isLastCut) throw truncated('[DONE] came in the middle of a tool call');
      this.finished = true;
      this.reason = this.calls.any ? 'tool-use' : 'end-turn';
    }
    this.stop();
  }

  private stop(): void {
    if (this.ended) return;
    this.ended = true;
    this.settle();
    if (this.citations !== undefined) this.opaque(this.citations);
    if (this.annotations !== undefined) this.opaque({ annotations: this.annotations });
    if (this.refusal !== '') this.opaque({ type: 'refusal', refusal: this.refusal });
    const reason = this.refusal !== '' && this.reason === 'end-turn' ? 'refusal' : this.reason;
    this.emit({ type: 'stop', reason });
  }
}

function firstChoice(choices: unknown): ChatChoice | undefined {
  if (!Array.isArray(choices)) return undefined;
  for (const choice of choices as (ChatChoice | null)[]) {
    if (typeof choice === 'object' && choice !== null && (choice.index === 0 || typeof choice.index !== 'number')) {
      return choice;
    }
  }
  return undefined;
}

function reasoningIn({ reasoning_content: content, reasoning, reasoning_text: text }: ChatDelta): string {
  if (typeof content === 'string' && content !== '') return content;
  if (typeof reasoning === 'string' && reasoning !== '') return reasoning;
  return typeof text === 'string' ? text : '';
}

function citationsOf({ citations, search_results: results }: ChatChunk): JsonValue {
  return {
    ...(citations != null && { citations: citations as JsonValue }),
    ...(results != null && { search_results: results as JsonValue }),
  };
}

function truncated(detail: string): InferenceExecutionError {
  return new InferenceExecutionError('stream-interrupted', detail, { interruption: { kind: 'truncated' } });
}
