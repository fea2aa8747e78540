import type { EventMetadata, InferenceRequest, JsonValue, StopReason, TokenUsage } from '../../contract/index.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import { count, sameUsage, sum, tokenUsage } from '../shared/tokenUsage.js';
import { failureInStream, finishName, stopReasonOf } from './finish.js';
import { PartialArguments } from './PartialArguments.js';
import type { Candidate, FunctionCall, GenerateContentChunk, Part, UsageMetadata } from './wire.js';

/** Marks metadata and provider blocks as those of `generateContent`. */
export const GOOGLE = 'google';

/** Names in a candidate that are about the answer and not part of it: told, and never sent back. */
export const ABOUT_THE_ANSWER = ['groundingMetadata', 'citationMetadata', 'urlContextMetadata'] as const;

interface OpenCall {
  id: string;
  wireId: string | undefined;
  args: PartialArguments;
}

/**
 * Decodes the chunks of `streamGenerateContent`, each the JSON of one `GenerateContentResponse`.
 *
 * A finish reason is not the end: with server tools, and from older Vertex models, content goes on after it. So the stop is
 * held back until the body ends, a `STOP` while a tool runs at the server counts for nothing, and any other only as long as
 * no content follows it. Text and thoughts carry their
 * thought signature in the metadata; a signed piece is a block of its own, since Google asks not to merge it with others.
 */
export class GenerateContentDecoder implements Decoder<string> {
  private stop: StopReason | undefined;
  private stopMetadata: EventMetadata | undefined;
  /** A tool runs at the server: a `STOP` is not the end yet. */
  private serverToolRuns = false;
  private proseIsOpen = false;
  private streamed: OpenCall | undefined;
  private readonly ids = new Set<string>();
  private responseId: string | undefined;
  private readonly counts: UsageMetadata = {};
  private total: number | undefined;
  private usage: TokenUsage | undefined;

  constructor(private readonly request: InferenceRequest) {}

  get finished(): boolean {
    return this.stop !== undefined;
  }

  decode(frame: string, emit: Emit): void {
    const finishedBefore = this.stop;
    // A gateway's sentinel, or noise.
    if (!frame.trimStart().startsWith('{') && (finishedBefore !== undefined || frame.includes('[DONE]'))) return;
    // A frame that is cut off, or that tells an error, takes the finish back: something was to follow.
    this.stop = undefined;
    const chunk = JSON.parse(frame) as GenerateContentChunk | null;
    if (typeof chunk !== 'object' || chunk === null) return;
    if (chunk.error !== undefined) throw failureInStream(chunk);
    if (typeof chunk.responseId === 'string') this.responseId ??= chunk.responseId;
    const candidate = chunk.candidates?.find?.(isFirst);
    const parts = candidate?.content?.parts;
    const brought = Array.isArray(parts) && this.parts(parts, emit);
    if (candidate) this.about(candidate, emit);
    if (chunk.usageMetadata) this.report(chunk.usageMetadata, emit);
    if (!brought) this.stop = finishedBefore;
    this.finish(candidate, chunk.promptFeedback);
  }

  end(emit: Emit): void {
    if (this.stop === undefined) return;
    const reason = this.stop;
    emit({ type: 'stop', reason, ...(this.stopMetadata && { providerMetadata: this.stopMetadata }) });
  }

  /** True when the parts brought anything of the answer. */
  private parts(parts: readonly (Part | null)[], emit: Emit): boolean {
    let brought = false;
    for (const sent of parts) {
      if (typeof sent !== 'object' || sent === null) continue;
      const part = withoutNulls(sent);
      const { text, functionCall, thoughtSignature } = part;
      if (functionCall) {
        this.call(part, functionCall, emit);
      } else if (typeof text === 'string' || isBare(part)) {
        if (!text && thoughtSignature === undefined) continue;
        this.prose(text ?? '', part, emit);
      } else {
        this.opaque(part, emit);
      }
      brought = true;
    }
    return brought;
  }

  private prose(text: string, { thought, thoughtSignature: signature }: Part, emit: Emit): void {
    const type = thought === true ? 'reasoning-delta' : 'text-delta';
    this.serverToolRuns = false;
    if (signature === undefined) {
      this.proseIsOpen = true;
      emit({ type, text });
      return;
    }
    if (text === '') {
      // It signs what came before; the mark lets the encoder send it back on an empty part of its own.
      emit({ type, text, providerMetadata: { provider: GOOGLE, signature, signaturePart: 'own' } });
    } else {
      this.closeProse(emit);
      emit({ type, text, providerMetadata: { provider: GOOGLE, signature } });
    }
    this.proseIsOpen = true;
    this.closeProse(emit);
  }

  private closeProse(emit: Emit): void {
    if (this.proseIsOpen) emit({ type: 'content-block-stop' });
    this.proseIsOpen = false;
  }

  /** Code that runs at the server, results, images, what is not known yet. */
  private opaque(part: Part, emit: Emit): void {
    this.proseIsOpen = false;
    this.serverToolRuns = part.executableCode !== undefined;
    emit({ type: 'provider-block', provider: GOOGLE, block: part as JsonValue });
  }

  private call(part: Part, call: FunctionCall, emit: Emit): void {
    const { name, id } = call;
    const open = this.streamed;
    if (open && (!name || (id !== undefined && id === open.wireId))) return this.goOn(open, part, call, emit);
    if (!name) return;
    if (this.runsAtServer(name)) return this.serverCall(part, emit);
    // A call that did not end before the next began stays cut off: its arguments are not whole.
    if (open) emit({ type: 'content-block-stop', id: open.id });
    this.proseIsOpen = false;
    this.serverToolRuns = false;
    const streamed = { id: this.idFor(id), wireId: id || undefined, args: new PartialArguments() };
    const providerMetadata = metadataOf(part.thoughtSignature, streamed.wireId);
    emit({ type: 'tool-call-start', id: streamed.id, name, ...(providerMetadata && { providerMetadata }) });
    if (call.willContinue !== true && call.partialArgs === undefined) {
      this.streamed = undefined;
      emit({ type: 'tool-call-delta', id: streamed.id, argsDelta: JSON.stringify(call.args ?? {}) });
      emit({ type: 'content-block-stop', id: streamed.id });
      return;
    }
    this.streamed = streamed;
    emit({ type: 'tool-call-delta', id: streamed.id, argsDelta: PartialArguments.begin });
    this.goOn(streamed, {}, call, emit);
  }

  private goOn(open: OpenCall, part: Part, call: FunctionCall, emit: Emit): void {
    const { id, args } = open;
    let argsDelta = call.args ? args.addAll(call.args) : '';
    argsDelta += args.addPieces(call.partialArgs ?? []);
    if (call.willContinue !== true) argsDelta += args.end();
    const providerMetadata = metadataOf(part.thoughtSignature, undefined);
    if (argsDelta !== '' || providerMetadata) {
      emit({ type: 'tool-call-delta', id, argsDelta, ...(providerMetadata && { providerMetadata }) });
    }
    if (call.willContinue === true) return;
    this.streamed = undefined;
    emit({ type: 'content-block-stop', id });
  }

  /** Calls of a remote MCP server come as function calls, are run by Google, and must not run here again. */
  private runsAtServer(name: string): boolean {
    const asked = this.request.overrides?.providerOptions?.['tools'];
    if (!Array.isArray(asked) || (this.request.tools ?? []).some((tool) => tool.name === name)) return false;
    return asked.some((tool) => typeof tool === 'object' && tool !== null && 'mcpServers' in tool);
  }

  private serverCall(part: Part, emit: Emit): void {
    this.opaque(part, emit);
    this.serverToolRuns = true;
  }

  /**
   * The call's own id, where Google gives one (from Gemini 3 on). Else one that no other call of the conversation has: it is
   * made of the response's id, or of the number of calls before it.
   */
  private idFor(wireId: string | undefined): string {
    const made = `call_${this.responseId?.replace(/[^\w-]/g, '').slice(0, 40) || callsIn(this.request)}`;
    let id = wireId || `${made}_${this.ids.size}`;
    if (this.ids.has(id)) id = `${made}_${this.ids.size}`;
    this.ids.add(id);
    return id;
  }

  private about(candidate: Candidate, emit: Emit): void {
    for (const name of ABOUT_THE_ANSWER) {
      const value = candidate[name];
      if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) continue;
      this.proseIsOpen = false;
      emit({ type: 'provider-block', provider: GOOGLE, block: { [name]: value } as JsonValue });
    }
  }

  private report(update: UsageMetadata, emit: Emit): void {
    const { counts } = this;
    let news = update.totalTokenCount !== this.total;
    this.total = update.totalTokenCount;
    for (const name of COUNTS) {
      const count = update[name];
      if (typeof count !== 'number' || count === counts[name]) continue;
      counts[name] = count;
      news = true;
    }
    const usage = news ? usageOf(counts, this.total) : undefined;
    if (usage === undefined || sameUsage(this.usage, usage)) return;
    this.usage = usage;
    emit({ type: 'usage', usage });
  }

  private finish(candidate: Candidate | undefined, feedback: GenerateContentChunk['promptFeedback']): void {
    const name = finishName(candidate?.finishReason);
    const blocked = feedback?.blockReason;
    if (name !== undefined) {
      const { finishMessage } = candidate ?? {};
      const reason = stopReasonOf(name, finishMessage, this.ids.size > 0);
      // What the server's tool finds, and what the model makes of it, is still to come.
      if (name === 'STOP' && this.serverToolRuns) return;
      this.stop = reason;
      if (name === 'STOP' || name === 'MAX_TOKENS') this.stopMetadata = undefined;
      else this.stopMetadata = { provider: GOOGLE, finishReason: name, ...(finishMessage && { finishMessage }) };
    } else if (blocked !== undefined && blocked !== 0 && blocked !== 'BLOCK_REASON_UNSPECIFIED') {
      // The prompt was refused: there is no candidate, and nothing to continue.
      this.stop = 'content-filter';
      const { blockReasonMessage } = feedback ?? {};
      this.stopMetadata = { provider: GOOGLE, blockReason: blocked, ...(blockReasonMessage && { blockReasonMessage }) };
    }
  }
}

const COUNTS = [
  'promptTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
  'toolUsePromptTokenCount',
  'cachedContentTokenCount',
] as const;

/** Maps the counts so far. All input: the prompt and what server tools gave back; all output: the answer and the thoughts. */
function usageOf(counts: UsageMetadata, told: number | undefined): TokenUsage | undefined {
  const { promptTokenCount: prompt, toolUsePromptTokenCount: toolUse, cachedContentTokenCount: cached } = counts;
  const { candidatesTokenCount: candidates, thoughtsTokenCount: thoughts } = counts;
  const input = sum(prompt, toolUse);
  const completion = sum(candidates, thoughts);
  const known = sum(input, completion);
  if (known === undefined) return undefined;
  const total = Math.max(known, count(told) ?? 0);
  return tokenUsage({ prompt: input, completion, total, cacheRead: count(cached), thinking: count(thoughts) });
}

function isFirst(candidate: Candidate | null): boolean {
  return (candidate?.index ?? 0) === 0;
}

/** Gateways write null for members that Google leaves out. */
function withoutNulls(part: Part): Part {
  if (part.text !== null && part.thoughtSignature !== null) return part;
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null));
}

/** A part without any data: a signature alone. */
function isBare(part: Part): boolean {
  return Object.keys(part).every((name) => name === 'thoughtSignature' || name === 'thought');
}

function metadataOf(signature: string | undefined, id: string | undefined): EventMetadata | undefined {
  if (signature === undefined && id === undefined) return undefined;
  return { provider: GOOGLE, ...(signature !== undefined && { signature }), ...(id !== undefined && { id }) };
}

function callsIn(request: InferenceRequest): number {
  let calls = 0;
  for (const { content } of request.messages) for (const block of content) if (block.type === 'tool-call') calls++;
  return calls;
}
