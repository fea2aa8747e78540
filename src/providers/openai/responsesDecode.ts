import {
  errorInStream,
  failureIn,
  InferenceExecutionError,
  type InferenceRequest,
  type JsonValue,
  type ProviderMetadata,
  type StopReason,
} from '../../contract/index.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import type { SseFrame } from '../../wire/sse.js';
import { isCall, ResponsesCalls } from './responsesCalls.js';
import { readState, type ProseKind, type RunState } from './responsesState.js';
import { responsesUsage } from './responsesUsage.js';
import {
  PROVIDER,
  records,
  textOr,
  type ResponsesEvent,
  type ResponsesItem,
  type ResponsesResponse,
} from './responsesWire.js';

const BRACE = 0x7b;

/** The text or reasoning that the last delta belonged to. */
type Prose = { kind: ProseKind; index: number; part: number };

/** Reads one frame; undefined for what is no event: sentinels such as `[DONE]`, which say nothing here. */
export function readEvent({ data }: SseFrame): ResponsesEvent | undefined {
  if (data.charCodeAt(0) === BRACE) return JSON.parse(data) as ResponsesEvent;
  const text = data.trim();
  if (text === '' || text.startsWith('[DONE]')) return undefined;
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? value : undefined;
}

/**
 * Decodes a Responses stream. Source: OpenAI API reference, "Responses / Streaming events", and the gateways that speak it
 * (Azure, xAI, OpenRouter, DeepSeek, LM Studio, Bedrock).
 *
 * Items are told apart by `output_index`. The end is `response.completed` or `response.incomplete`; `[DONE]` is not. Each
 * message item and each part of a reasoning summary is a block of its own. A refusal is told as one opaque block
 * `{ type: 'refusal', refusal }`, since it is not part of the answer's text (which may be JSON), with the stop reason
 * `refusal`. Every item that is no message, reasoning or call (built-in tools, MCP, compaction) is an opaque block, verbatim,
 * when it is whole. Annotations stand in the metadata of the text that they belong to. The input of a custom tool is a JSON
 * string.
 */
export class ResponsesDecoder implements Decoder<SseFrame> {
  finished = false;
  /** The id of the response, once it is known. */
  answerId = '';
  private prose: Prose | undefined;
  private proseId: unknown;
  private annotations: unknown[] = [];
  /** Items that have sent something, in case their end brings all of it again. */
  private readonly begun = new Set<number>();
  /** Anything of the answer has come. */
  private anyItem = false;
  private refusal = '';
  private refused = false;
  /** Reasoning or an opaque item has come: what follows may have to go back with its id. */
  private linked = false;
  private readonly calls: ResponsesCalls;
  private known: RunState | undefined;
  /** What {@link state} says has changed. */
  private changed = true;

  /**
   * @param request - What was asked.
   * @param state - Of a run that is attached to in the middle: what the cursor says about it.
   */
  constructor(
    private readonly request: InferenceRequest,
    state?: JsonValue,
  ) {
    this.calls = new ResponsesCalls(request);
    if (state !== undefined) this.resume(readState(state));
  }

  /** What a decoder needs that goes on after this event; undefined for nothing. The same object until something changes. */
  get state(): RunState | undefined {
    if (this.changed) {
      this.changed = false;
      this.known = this.makeState();
    }
    return this.known;
  }

  decode(frame: SseFrame, emit: Emit): void {
    const event = readEvent(frame);
    if (event) this.handle(event, emit);
  }

  end(): void {
    // The stop is sent with the terminal event: what follows it adds nothing.
  }

  handle(event: ResponsesEvent, emit: Emit): void {
    switch (event.type) {
      case 'response.output_text.delta':
        return this.text(event, emit);
      case 'response.reasoning_summary_text.delta':
        return this.reasoning('summary', event, event.summary_index, emit);
      // Models with open weights, and DeepSeek, show their reasoning itself.
      case 'response.reasoning_text.delta':
        return this.reasoning('thought', event, event.content_index, emit);
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        if (this.calls.push(event.output_index ?? 0, event.delta, emit)) this.changed = true;
        return;
      case 'response.function_call_arguments.done':
      case 'response.custom_tool_call_input.done':
        if (this.calls.whole(event.output_index ?? 0, event.arguments ?? event.input, emit)) this.changed = true;
        return;
      case 'response.output_item.added':
        return this.added(event.output_index ?? 0, event.item ?? {}, emit);
      case 'response.output_item.done':
        return this.done(event.output_index ?? 0, event.item ?? {}, emit);
      case 'response.output_text.annotation.added':
        if (event.annotation !== undefined) this.annotations.push(event.annotation);
        return;
      case 'response.refusal.delta':
        this.refusal += textOr(event.delta);
        return;
      case 'response.refusal.done':
        return this.refuse(event.output_index ?? 0, textOr(event.refusal) || this.refusal, emit);
      default:
        return this.handleRest(event, emit);
    }
  }

  private handleRest(event: ResponsesEvent, emit: Emit): void {
    switch (event.type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        this.answerId ||= textOr(event.response?.id);
        return;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
      case 'response.done':
        return this.terminal(event.type.slice('response.'.length), event.response ?? {}, emit);
      case 'error':
        throw errorInStream(failureIn(event));
      default:
        // Gateways write their own failures into the stream as they are.
        if (event.type === undefined && event.error) throw errorInStream(failureIn(event));
    }
  }

  private text(event: ResponsesEvent, emit: Emit): void {
    const { delta, output_index: index = 0, content_index: part = 0 } = event;
    if (typeof delta !== 'string' || delta === '') return;
    const { prose } = this;
    if (prose?.index !== index || prose.part !== part || prose.kind !== 'text') {
      this.begin({ kind: 'text', index, part }, event.item_id, emit);
    }
    emit({ type: 'text-delta', text: delta });
  }

  private reasoning(kind: 'summary' | 'thought', event: ResponsesEvent, part = 0, emit: Emit): void {
    const { delta, output_index: index = 0 } = event;
    if (typeof delta !== 'string' || delta === '') return;
    const { prose } = this;
    if (prose?.index !== index || prose.part !== part || prose.kind !== kind) {
      this.begin({ kind, index, part }, event.item_id, emit);
    }
    emit({ type: 'reasoning-delta', text: delta });
  }

  private begin(prose: Prose, id: unknown, emit: Emit): void {
    if (this.prose?.index === prose.index) this.proseId = id;
    this.close(emit);
    this.prose = prose;
    this.proseId = id;
    this.begun.add(prose.index);
    this.anyItem = true;
    this.changed = true;
  }

  /** Ends the text or reasoning that is open. */
  private close(emit: Emit, item?: ResponsesItem): void {
    const { prose } = this;
    if (prose === undefined) return;
    this.prose = undefined;
    this.changed = true;
    const id = textOr(item?.id ?? this.proseId);
    const isText = prose.kind === 'text';
    const kept: ProviderMetadata = {
      ...((this.linked || !isText) && id !== '' && { id }),
      ...(isText && this.aboutText(item, prose.part)),
      ...(prose.kind === 'thought' && { part: 'reasoning_text' }),
    };
    const providerMetadata = Object.keys(kept).length > 0 ? { provider: PROVIDER, ...kept } : undefined;
    emit({ type: 'content-block-stop', ...(providerMetadata && { providerMetadata }) });
  }

  private aboutText(item: ResponsesItem | undefined, at: number): ProviderMetadata {
    const parts = records(item?.content);
    // Bedrock counts the parts of a message on from those of the reasoning before it.
    const told = records((parts[at] ?? parts.at(-1))?.['annotations']);
    const annotations = told.length > 0 ? told : this.annotations;
    this.annotations = [];
    const phase = textOr(item?.phase);
    return { ...(phase !== '' && { phase }), ...(annotations.length > 0 && { annotations }) };
  }

  private added(index: number, item: ResponsesItem, emit: Emit): void {
    if (!isCall(item)) return;
    this.anyItem = true;
    this.close(emit);
    this.changed = true;
    this.calls.start(index, item, this.answerId, this.linked, emit);
  }

  private done(index: number, item: ResponsesItem, emit: Emit): void {
    this.anyItem = true;
    this.changed = true;
    const begun = this.begun.delete(index);
    if (item.type === 'message') return this.messageDone(index, item, begun, emit);
    if (item.type === 'reasoning') return this.reasoningDone(index, item, begun, emit);
    if (!isCall(item)) return this.opaque(item, emit);
    this.added(index, item, emit);
    this.calls.done(index, item, emit);
  }

  private messageDone(index: number, item: ResponsesItem, begun: boolean, emit: Emit): void {
    if (!begun) {
      for (const [part, content] of records(item.content).entries()) {
        this.text({ delta: content['text'], output_index: index, content_index: part, item_id: item.id }, emit);
        const refusal = textOr(content['refusal']);
        if (refusal !== '') this.refuse(index, refusal, emit);
      }
      this.begun.delete(index);
    }
    if (this.prose?.index === index) this.close(emit, item);
  }

  private reasoningDone(index: number, item: ResponsesItem, begun: boolean, emit: Emit): void {
    if (!begun) {
      const whole = { output_index: index, item_id: item.id };
      for (const [part, { text }] of records(item.summary).entries()) {
        this.reasoning('summary', { ...whole, delta: text }, part, emit);
      }
      for (const [part, { text }] of records(item.content).entries()) {
        this.reasoning('thought', { ...whole, delta: text }, part, emit);
      }
      this.begun.delete(index);
    }
    const encrypted = textOr(item.encrypted_content);
    if (encrypted !== '') {
      this.linked = true;
      const id = textOr(item.id);
      // It may come when another item is being written already, so it is put on a delta of its own.
      if (this.prose?.index !== index) {
        this.close(emit);
        this.prose = { kind: 'summary', index, part: 0 };
      }
      const providerMetadata = { provider: PROVIDER, ...(id !== '' && { id }), encrypted };
      emit({ type: 'reasoning-delta', text: '', providerMetadata });
    }
    if (this.prose?.index === index) this.close(emit, item);
  }

  private refuse(index: number, refusal: string, emit: Emit): void {
    this.begun.add(index);
    this.anyItem = true;
    this.refusal = '';
    this.refused = true;
    this.changed = true;
    this.close(emit);
    emit({ type: 'provider-block', provider: PROVIDER, block: { type: 'refusal', refusal } });
  }

  private opaque(item: ResponsesItem, emit: Emit): void {
    if (typeof item.type !== 'string') return;
    this.close(emit);
    this.linked = true;
    emit({ type: 'provider-block', provider: PROVIDER, block: item as JsonValue });
  }

  private terminal(name: string, response: ResponsesResponse, emit: Emit): void {
    const status = textOr(response.status) || name;
    this.answerId ||= textOr(response.id);
    if (status === 'failed') throw failed(response);
    if (status === 'cancelled') {
      throw new InferenceExecutionError('cancelled', 'the response was cancelled at the provider');
    }
    // A gateway that does not stream sends everything at once, be it behind items that it has announced.
    const output = records(response.output);
    if (!this.anyItem) for (const [index, item] of output.entries()) this.done(index, item, emit);
    if (this.refusal !== '') this.refuse(0, this.refusal, emit);
    this.close(emit);
    if (status !== 'incomplete') {
      this.calls.finish(output, emit);
      for (const [index, item] of this.calls.missedIn(output)) this.done(index, item, emit);
    }
    const usage = response.usage && responsesUsage(response.usage);
    if (usage) emit({ type: 'usage', usage });
    this.finished = true;
    const reason = status === 'incomplete' ? cutReason(response) : this.endReason();
    // Only the id of a stored response is good for anything: `previous_response_id`.
    const stored = this.request.overrides?.providerOptions?.['store'] === true && this.answerId !== '';
    emit({ type: 'stop', reason, ...(stored && { providerMetadata: { provider: PROVIDER, id: this.answerId } }) });
  }

  private endReason(): StopReason {
    if (this.calls.any) return 'tool-use';
    return this.refused ? 'refusal' : 'end-turn';
  }

  private makeState(): RunState | undefined {
    const { prose, begun, calls, refused, linked } = this;
    const open = calls.state;
    const state: RunState = {
      ...(prose && { open: [prose.kind, prose.index, prose.part] }),
      ...(begun.size > 0 && { begun: [...begun] }),
      ...(open && { calls: open }),
      ...(calls.any && { called: true }),
      ...(refused && { refused: true }),
      ...(linked && { linked: true }),
    };
    return Object.keys(state).length > 0 ? state : undefined;
  }

  private resume({ open, begun = [], calls = {}, called, refused, linked }: RunState): void {
    this.anyItem = true;
    if (open) this.prose = { kind: open[0], index: open[1], part: open[2] };
    for (const index of begun) this.begun.add(index);
    for (const [index, call] of Object.entries(calls)) this.calls.resume(Number(index), call);
    this.calls.any = this.calls.before = called === true;
    this.refused = refused === true;
    this.linked = linked === true;
  }
}

/** Source: OpenAI API reference, `response.incomplete_details.reason`. */
function cutReason({ incomplete_details: details }: ResponsesResponse): StopReason {
  return details?.reason === 'content_filter' ? 'content-filter' : 'max-tokens';
}

function failed({ error }: ResponsesResponse): InferenceExecutionError {
  const failure = failureIn({ error });
  return errorInStream({ ...failure, message: failure.message || 'the response failed without saying why' });
}
