import {
  InferenceExecutionError,
  type EventMetadata,
  type JsonValue,
  type LlmStreamEvent,
  type RunCursor,
  type StopReason,
  type TokenUsage,
} from '../../contract/index.js';
import { endsInHighSurrogate } from '../../internal/wellFormed.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import type { SseFrame } from '../../wire/sse.js';
import { cursorEvent } from '../shared/reattach.js';
import { count, sum, tokenUsage } from '../shared/tokenUsage.js';
import { failureInStream } from './finish.js';
import { withSteps } from './interactionsLegacy.js';
import { carriedCalls, freshRun, restoreRun, saveRun, type OpenStep, type RunState } from './interactionsRun.js';
import type { InteractionEvent, InteractionState, InteractionUsage, Step, StepDelta } from './interactionsWire.js';

/** Marks metadata and provider blocks as those of the Interactions API: its steps are no parts of `generateContent`. */
export const INTERACTIONS = 'google-interactions';

/** Block type of citations: told, and never sent back. */
export const ANNOTATION = 'text_annotation_delta';

/** How many event ids of one response are remembered at least, to drop those that come twice. */
const REMEMBERED_IDS = 256;

/** How an interaction ends, by its status. `completed` is said of calls too. */
const STOP_REASONS: Record<string, StopReason> = {
  completed: 'end-turn',
  requires_action: 'tool-use',
  incomplete: 'max-tokens',
  requires_continuation: 'max-tokens',
  budget_exceeded: 'max-tokens',
};

/** What a step is whose beginning has not come, by its first piece. */
const KINDS: Partial<Record<string, OpenStep['kind']>> = {
  text: 'text',
  thought_summary: 'reasoning',
  thought_signature: 'reasoning',
  function_call: 'call',
};

/** What a decoder is told of the run that it follows. */
export interface FollowedRun {
  /** True when the run lives on without us: its events carry a cursor. */
  background: boolean;
  /** Where the run is attached to, when it was there before. */
  cursor?: RunCursor | undefined;
}

/**
 * Decodes the events of the Interactions API.
 *
 * In a background run the last event that a wire event brings carries a cursor: the run, the id of the wire event, and what
 * a decoder needs to go on from there. A run that is attached to goes on in the middle; what comes again, because Google
 * replays a step or the whole run, is dropped by how much of each step has been told, and single events by their id.
 */
export class InteractionsDecoder implements Decoder<SseFrame> {
  finished = false;
  readonly carried: readonly LlmStreamEvent[];
  private readonly run: RunState;
  private readonly background: boolean;
  /** Steps below this number are replays when they begin. */
  private readonly replayed: number;
  private runId: string | undefined;
  private readonly attached: boolean;
  /** The event after which the run was attached to. */
  private after: string | number | undefined;
  private ids = new Set<string>();
  private olderIds: ReadonlySet<string> | undefined;
  private emit: Emit = () => undefined;
  /** The last event so far of the wire event at hand; the one that will carry the cursor. */
  private pending: LlmStreamEvent | undefined;
  /** Half a character that the stream before broke off in; the runtime of that stream had held it back. */
  private owed: string;
  private status: string | undefined;
  private usage: TokenUsage | undefined;

  constructor({ background, cursor }: FollowedRun) {
    this.background = background || cursor !== undefined;
    this.attached = cursor !== undefined;
    this.run = cursor ? restoreRun(cursor) : freshRun();
    this.replayed = this.run.begun;
    this.carried = carriedCalls(this.run);
    this.runId = cursor?.runId;
    this.owed = this.run.half === 0 ? '' : String.fromCharCode(this.run.half);
    this.after = cursor?.after;
  }

  decode({ data, id: frameId }: SseFrame, emit: Emit): void {
    if (this.finished || data === '[DONE]') return;
    const event = JSON.parse(data) as InteractionEvent | null;
    if (typeof event !== 'object' || event === null) return;
    const id = event.event_id || frameId || undefined;
    if (id !== undefined && this.isKnown(id)) return;
    this.emit = emit;
    this.pending = undefined;
    this.take(withSteps(event));
    const last = this.pending as LlmStreamEvent | undefined;
    if (last === undefined) return;
    if (this.background && this.runId !== undefined && last.type !== 'stop') {
      // It has not been sent yet, so it may still be written to.
      const cursor = this.cursorAt(this.runId, id);
      last.providerMetadata = last.providerMetadata ? { ...last.providerMetadata, cursor } : { cursor };
    }
    emit(last);
  }

  end(): void {
    if (!this.finished && this.status === 'failed') throw failed(undefined);
    if (!this.finished && this.status === 'cancelled') throw this.cancelled();
  }

  private send(next: LlmStreamEvent): void {
    if (this.pending) this.emit(this.pending);
    this.pending = next;
  }

  private take(event: InteractionEvent): void {
    switch (event.event_type) {
      case 'interaction.created':
        return this.created(event.interaction ?? {});
      case 'step.start':
        return this.start(event.index ?? this.run.begun, event.step ?? {});
      case 'step.delta':
        this.delta(event.index ?? this.run.begun - 1, event.delta ?? {});
        return this.report(event.metadata?.total_usage);
      case 'step.stop':
        return this.stop(event.index ?? this.run.begun - 1);
      case 'interaction.status_update':
        this.status = event.status;
        return;
      case 'interaction.completed':
        return this.completed(event.interaction ?? {});
      case 'error':
        throw failureInStream(event);
      default:
        // Google adds types of events without notice. An error object without a type may come as a body of its own.
        if (event.error !== undefined) throw failureInStream(event);
    }
  }

  private created({ id }: InteractionState): void {
    this.runId ??= id;
    if (this.background && !this.attached && this.runId !== undefined)
      this.send(cursorEvent(this.cursorAt(this.runId, undefined)));
  }

  private start(index: number, step: Step): void {
    if (index < this.replayed) {
      const open = this.run.steps.get(index);
      if (open) open.skip = open.told;
      else this.run.steps.set(index, { kind: 'silent', told: 0, skip: 0 });
      return;
    }
    this.closeBareCalls();
    this.run.begun = Math.max(this.run.begun, index + 1);
    const open: OpenStep = { kind: 'opaque', told: 0, skip: 0 };
    this.run.steps.set(index, open);
    switch (step.type) {
      case 'model_output':
        open.kind = 'text';
        for (const content of step.content ?? []) this.delta(index, { ...content });
        return;
      case 'thought':
        open.kind = 'reasoning';
        for (const content of step.summary ?? []) this.delta(index, { type: 'thought_summary', content });
        return this.sign(step.signature);
      case 'function_call':
        // The older form tells the name in a piece of its own.
        if (step.name === undefined) open.kind = 'call';
        else this.call(index, open, step);
        return;
      case 'user_input':
        open.kind = 'silent';
        return;
      default:
        open.block = { ...step };
    }
  }

  private call(index: number, open: OpenStep, { id, name = '', signature, arguments: given }: Step): void {
    open.kind = 'call';
    open.id = id || `call_${this.runId ?? ''}_${index}`;
    open.name = name;
    if (isObject(given) && Object.keys(given).length > 0) open.given = JSON.stringify(given);
    this.run.calls = true;
    const providerMetadata: EventMetadata | undefined = signature ? { provider: INTERACTIONS, signature } : undefined;
    this.send({ type: 'tool-call-start', id: open.id, name, ...(providerMetadata && { providerMetadata }) });
  }

  private delta(index: number, delta: StepDelta): void {
    const open = this.run.steps.get(index) ?? this.unannounced(index, delta);
    if (open === undefined || open.kind === 'silent') return;
    if (open.kind === 'opaque') return merge(open, delta);
    switch (delta.type) {
      case 'text':
        return this.tell(open, 'text-delta', delta.text);
      case 'thought_summary':
        return this.tell(open, 'reasoning-delta', delta.content?.text);
      case 'thought_signature':
        return this.sign(delta.signature);
      case 'arguments_delta':
        return this.tell(open, 'tool-call-delta', delta.arguments);
      case 'function_call':
        return this.wholeCall(index, open, delta);
      case ANNOTATION:
        return this.block(open, { ...delta });
      default:
        // Pictures, sound: a step of their own, in which they can be sent back.
        if (open.kind === 'text') this.block(open, { type: 'model_output', content: [delta] });
    }
  }

  /** A call in one piece, as the older form tells it. */
  private wholeCall(index: number, open: OpenStep, { id, name, arguments: args, signature }: StepDelta): void {
    if (open.id !== undefined || typeof name !== 'string') return;
    this.call(index, open, {
      name,
      arguments: args,
      ...(typeof id === 'string' && { id }),
      ...(signature && { signature }),
    });
  }

  /** A step whose beginning has not come: it is known by its pieces. */
  private unannounced(index: number, { type }: StepDelta): OpenStep | undefined {
    const kind = type === undefined ? undefined : KINDS[type];
    if (kind === undefined) return undefined;
    const open: OpenStep = { kind, told: 0, skip: 0 };
    this.run.steps.set(index, open);
    this.run.begun = Math.max(this.run.begun, index + 1);
    return open;
  }

  private tell(open: OpenStep, type: 'text-delta' | 'reasoning-delta' | 'tool-call-delta', piece: unknown): void {
    if (typeof piece !== 'string' || piece === '') return;
    let text = this.unseen(open, piece);
    if (text === '') return;
    if (type === 'tool-call-delta') return this.send({ type, id: open.id ?? '', argsDelta: text });
    text = this.owed + text;
    this.owed = '';
    this.run.half = this.background && endsInHighSurrogate(text) ? text.charCodeAt(text.length - 1) : 0;
    this.send({ type, text });
  }

  /** Cuts off what has been told before, and counts the rest as told. */
  private unseen(open: OpenStep, piece: string): string {
    const again = Math.min(open.skip, piece.length);
    open.skip -= again;
    open.told += piece.length - again;
    return again === 0 ? piece : piece.slice(again);
  }

  private block(open: OpenStep, block: object): void {
    if (this.unseen(open, '.') !== '')
      this.send({ type: 'provider-block', provider: INTERACTIONS, block: block as JsonValue });
  }

  private sign(signature: string | undefined): void {
    if (signature)
      this.send({ type: 'reasoning-delta', text: '', providerMetadata: { provider: INTERACTIONS, signature } });
  }

  private stop(index: number): void {
    const open = this.run.steps.get(index);
    const bare = open?.kind === 'call' && open.told === 0 && open.given === undefined;
    if (bare) open.ended = true;
    else if (open) this.close(index, open);
  }

  private close(index: number, open: OpenStep): void {
    this.run.steps.delete(index);
    switch (open.kind) {
      case 'text':
      case 'reasoning':
        this.run.half = 0;
        this.owed = '';
        return this.send({ type: 'content-block-stop' });
      case 'call': {
        const { id } = open;
        if (id === undefined) return;
        if (open.told === 0 && open.given !== undefined)
          this.send({ type: 'tool-call-delta', id, argsDelta: open.given });
        return this.send({ type: 'content-block-stop', id });
      }
      case 'opaque':
        return this.send({ type: 'provider-block', provider: INTERACTIONS, block: wholeBlock(open) });
      default:
    }
  }

  private closeBareCalls(): void {
    for (const [index, open] of this.run.steps) if (open.ended) this.close(index, open);
  }

  private completed(interaction: InteractionState): void {
    const { status = 'completed', usage, id } = interaction;
    this.runId ??= id;
    const reason = STOP_REASONS[status] ?? 'end-turn';
    if (reason !== 'max-tokens' && status !== 'failed' && status !== 'cancelled') this.closeBareCalls();
    this.report(usage);
    if (status === 'failed' || status === 'cancelled') {
      if (this.pending) this.emit(this.pending);
      throw status === 'failed' ? failed(interaction) : this.cancelled();
    }
    this.finished = true;
    this.send({
      type: 'stop',
      reason: reason === 'end-turn' && this.run.calls ? 'tool-use' : reason,
      // The id is what `providerOptions.previous_interaction_id` of the next turn wants.
      ...(this.runId !== undefined && { providerMetadata: { provider: INTERACTIONS, id: this.runId } }),
    });
  }

  /** Whoever attaches to a run that somebody has cancelled goes on without it; else the cancellation was meant. */
  private cancelled(): InferenceExecutionError {
    const words = 'the interaction was cancelled at Google';
    if (!this.attached) return new InferenceExecutionError('cancelled', words);
    return new InferenceExecutionError('stream-interrupted', words, { interruption: { kind: 'connection-reset' } });
  }

  private report(told: InteractionUsage | undefined): void {
    const usage = told && usageOf(told);
    if (!usage || JSON.stringify(usage) === JSON.stringify(this.usage)) return;
    this.usage = usage;
    this.send({ type: 'usage', usage });
  }

  private isKnown(id: string): boolean {
    if (!this.background) return false;
    const { after } = this;
    this.after = undefined;
    // Later it is part of a replay, whose pieces are told apart by how much of each step is known.
    if (id === String(after ?? '')) return true;
    if (this.ids.has(id) || this.olderIds?.has(id)) return true;
    if (this.ids.size === REMEMBERED_IDS) {
      this.olderIds = this.ids;
      this.ids = new Set();
    }
    this.ids.add(id);
    return false;
  }

  /** Without an id the run is replayed from its beginning; the state tells what of it is known. */
  private cursorAt(runId: string, after: string | undefined): RunCursor {
    return { provider: 'google', runId, ...(after !== undefined && { after }), state: saveRun(this.run) };
  }
}

/** All input: the prompt and what server tools gave back; all output: the answer and the thoughts. */
function usageOf(told: InteractionUsage): TokenUsage | undefined {
  const { total_input_tokens: input, total_tool_use_tokens: toolUse, total_cached_tokens: cached } = told;
  const { total_output_tokens: output, total_thought_tokens: thoughts } = told;
  const prompt = sum(input, toolUse);
  const completion = sum(output, thoughts);
  const known = sum(prompt, completion);
  if (known === undefined) return undefined;
  const total = count(told.total_tokens) ?? known;
  return tokenUsage({ prompt, completion, total, cacheRead: count(cached), thinking: count(thoughts) });
}

/** Adds a piece to an opaque step: pieces of JSON text are joined, everything else replaces what was there. */
function merge(open: OpenStep, { type, ...members }: StepDelta): void {
  if (type === 'arguments_delta' && typeof members.arguments === 'string') {
    open.pieces = (open.pieces ?? '') + members.arguments;
    return;
  }
  open.block = { ...open.block, ...members };
}

function wholeBlock({ block = {}, pieces }: OpenStep): JsonValue {
  if (pieces === undefined) return block as JsonValue;
  try {
    return { ...block, arguments: JSON.parse(pieces) as JsonValue };
  } catch {
    return { ...block, arguments: pieces };
  }
}

function failed(interaction: object | undefined): InferenceExecutionError {
  if (interaction && 'error' in interaction) return failureInStream({ error: interaction.error });
  return new InferenceExecutionError('provider', 'the interaction failed at Google');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
