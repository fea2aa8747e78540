import {
  addUsage,
  type EventMetadata,
  type JsonValue,
  type LlmStreamEvent,
  type ProviderMetadata,
  type StopReason,
  type TokenUsage,
} from '../contract/index.js';
import { blockMetadata } from '../recovery/slots.js';
import type { ConversationEnd, ConverseEvent } from '../tools/ConverseEvent.js';
import { Turn } from '../tools/Turn.js';

/** Why a stream has ended, over a single answer and over a conversation. */
export type FinishReason = StopReason | Exclude<ConversationEnd, 'done'> | 'suspended';

/** What the protocols of other front ends have in common: parts that begin, grow and end, in steps. */
export type Told =
  | { type: 'step-start' | 'step-end' }
  | { type: 'prose-start'; kind: Prose; id: string }
  | { type: 'prose-delta'; kind: Prose; id: string; text: string }
  | { type: 'prose-end'; kind: Prose; id: string; metadata: ProviderMetadata | undefined }
  | { type: 'call-start'; id: string; name: string }
  | { type: 'call-delta'; id: string; delta: string }
  /** The call is whole. */
  | { type: 'call-end'; id: string; name: string; arguments: JsonValue; metadata: ProviderMetadata | undefined }
  /** The call will not come, or is none any more. `open`: it had not become whole. */
  | { type: 'call-void'; id: string; name: string; args: string; reason: string; open: boolean }
  /** Everything of the step is void. */
  | { type: 'reset'; reason: string }
  /** What has no part of its own: recovery, the execution of tools, approvals. */
  | { type: 'aside'; event: Aside };

/** The two kinds of running text. */
export type Prose = 'text' | 'reasoning';

/** The events that every protocol tells in its own way. */
export type Aside = Extract<
  ConverseEvent,
  {
    type:
      | 'interrupted'
      | 'resumed'
      | 'tool-execution-start'
      | 'tool-execution-progress'
      | 'tool-execution-result'
      | 'tool-execution-suspended'
      | 'tool-execution-void'
      | 'approval-required'
      | 'conversation-suspended';
  }
>;

interface OpenProse {
  kind: Prose;
  id: string;
  metadata: ProviderMetadata | undefined;
  /** The model has closed the block; the part ends only when something else is whole, since a recovery may go on in it. */
  closing: boolean;
}

/**
 * Follows the events of an answer or a conversation, and tells of them as parts.
 *
 * The text of an interrupted answer goes on in the part that was open, also where the interruption cancelled a call after
 * it. A call is told as whole once, by the same rules as everywhere: see `Turn`.
 */
export class PartTracker {
  /** Tokens of everything so far, where they are known. */
  get usage(): TokenUsage | undefined {
    const turn = this.turnUsage;
    return this.usageBefore && turn ? addUsage(this.usageBefore, turn) : (turn ?? this.usageBefore);
  }

  /** How it has ended; undefined while it has not. */
  finish: FinishReason | undefined;

  /** True when nothing can follow: not only a turn has ended, but the answer or the conversation. */
  get over(): boolean {
    return this.stopped && !this.going;
  }

  private turn = new Turn();
  private prose: OpenProse | undefined;
  private readonly open = new Map<string, { name: string; args: string[] }>();
  /** Calls that have been told as whole in this step. */
  private readonly whole = new Set<string>();
  private inStep = false;
  /** The model has said its last word until the next turn; what it says after that is noise. */
  private stopped = false;
  /** It is a conversation, and has not ended. */
  private going = false;
  private parts = 0;
  private usageBefore: TokenUsage | undefined;
  private turnUsage: TokenUsage | undefined;

  /** @param tell - Called for everything there is to tell, in order. */
  constructor(private readonly tell: (told: Told) => void) {}

  /** Takes in one event. */
  take(event: ConverseEvent): void {
    switch (event.type) {
      case 'step-start':
        this.endStep();
        this.turn = new Turn();
        this.going = true;
        return this.startStep();
      case 'step-finish':
        return this.endStep();
      case 'conversation-end':
        this.finish = event.reason === 'done' ? (this.finish ?? 'end-turn') : event.reason;
        if (event.usage) this.usageBefore = event.usage;
        this.turnUsage = event.usage ? undefined : this.turnUsage;
        return this.close();
      case 'conversation-suspended':
        this.finish = 'suspended';
        this.close();
        return this.tell({ type: 'aside', event });
      case 'tool-execution-start':
        if (!this.whole.has(event.id)) this.callEnd(event.id, event.name, event.arguments, undefined);
        this.going = true;
        return this.tell({ type: 'aside', event });
      case 'tool-execution-progress':
      case 'tool-execution-result':
      case 'tool-execution-suspended':
      case 'tool-execution-void':
      case 'approval-required':
        this.going = true;
        return this.tell({ type: 'aside', event });
      default:
        if (this.stopped) return;
        if (!this.inStep) this.startStep();
        for (const told of this.turn.take(event)) this.answer(told);
    }
  }

  /** Ends what is open: the stream has ended well. */
  end(): void {
    this.endStep();
  }

  /** Ends what is open: the stream has failed. The step stays open, as it was not finished. */
  fail(reason: string): void {
    this.endProse();
    this.voidOpen(reason);
  }

  private answer(event: LlmStreamEvent): void {
    switch (event.type) {
      case 'text-delta':
        return this.proseDelta('text', event.text, event.providerMetadata);
      case 'reasoning-delta':
        return this.proseDelta('reasoning', event.text, event.providerMetadata);
      case 'tool-call-start':
        return this.callStart(event.id, event.name);
      case 'tool-call-delta': {
        const call = this.open.get(event.id);
        if (call === undefined || event.argsDelta === '') return;
        call.args.push(event.argsDelta);
        return this.tell({ type: 'call-delta', id: event.id, delta: event.argsDelta });
      }
      case 'content-block-stop':
        return event.id === undefined ? this.blockStop(event.providerMetadata) : undefined;
      case 'tool-call-ready':
        return this.callEnd(event.id, event.name, event.arguments, this.metadataOf(event.id));
      case 'tool-call-cancel':
        return this.callVoid(event.id, event.name, event.reason);
      case 'stream-reset':
        return this.reset(event.reason);
      case 'interrupted':
        if (this.prose?.kind === 'reasoning' && event.plan.kind !== 'reattach') this.endProse();
        return this.tell({ type: 'aside', event });
      case 'resumed':
        // The text goes on where it was, whatever the model had begun after it.
        if (this.prose?.kind === 'text') this.prose.closing = false;
        return this.tell({ type: 'aside', event });
      case 'stop':
        return this.stop(event.reason);
      default:
        return;
    }
  }

  private proseDelta(kind: Prose, text: string, told: EventMetadata | undefined): void {
    const metadata = told && blockMetadata(told);
    if (this.prose && (this.prose.kind !== kind || this.prose.closing)) this.endProse();
    if (this.prose && metadata) this.prose.metadata = { ...this.prose.metadata, ...metadata };
    if (text === '' && (this.prose || !metadata)) return;
    if (!this.prose) {
      this.prose = { kind, id: `${kind}-${++this.parts}`, metadata, closing: false };
      this.tell({ type: 'prose-start', kind, id: this.prose.id });
    }
    if (text !== '') this.tell({ type: 'prose-delta', kind, id: this.prose.id, text });
  }

  private blockStop(told: EventMetadata | undefined): void {
    if (!this.prose) return;
    const metadata = told && blockMetadata(told);
    if (metadata) this.prose.metadata = { ...this.prose.metadata, ...metadata };
    if (this.prose.kind === 'reasoning') this.endProse();
    else this.prose.closing = true;
  }

  private endProse(): void {
    if (!this.prose) return;
    const { kind, id, metadata } = this.prose;
    this.prose = undefined;
    this.tell({ type: 'prose-end', kind, id, metadata });
  }

  private callStart(id: string, name: string): void {
    if (this.prose?.kind === 'reasoning') this.endProse();
    else if (this.prose) this.prose.closing = true;
    if (this.open.has(id) || this.whole.has(id)) return;
    this.open.set(id, { name, args: [] });
    this.tell({ type: 'call-start', id, name });
  }

  private callEnd(id: string, name: string, args: JsonValue, metadata: ProviderMetadata | undefined): void {
    this.endProse();
    this.open.delete(id);
    this.whole.add(id);
    this.tell({ type: 'call-end', id, name, arguments: args, metadata });
  }

  private callVoid(id: string, name: string, reason: string): void {
    const call = this.open.get(id);
    if (!call && !this.whole.has(id)) return;
    this.open.delete(id);
    this.whole.delete(id);
    this.tell({ type: 'call-void', id, name, args: call?.args.join('') ?? '', reason, open: call !== undefined });
  }

  private voidOpen(reason: string): void {
    for (const [id, { name }] of [...this.open]) this.callVoid(id, name, reason);
  }

  private reset(reason: string): void {
    this.endProse();
    this.voidOpen(reason);
    this.whole.clear();
    this.tell({ type: 'reset', reason });
  }

  private stop(reason: StopReason): void {
    this.endProse();
    this.finish = reason;
    this.stopped = true;
    this.turnUsage = this.turn.result().usage;
  }

  private close(): void {
    this.stopped = true;
    this.going = false;
  }

  private startStep(): void {
    this.inStep = true;
    this.stopped = false;
    this.finish = undefined;
    this.tell({ type: 'step-start' });
  }

  private endStep(): void {
    if (!this.inStep) return;
    this.endProse();
    this.voidOpen('the call did not arrive whole');
    this.whole.clear();
    this.usageBefore = this.usage;
    this.turnUsage = undefined;
    this.inStep = false;
    this.tell({ type: 'step-end' });
  }

  private metadataOf(id: string): ProviderMetadata | undefined {
    const block = this.turn.result().content.findLast((found) => found.type === 'tool-call' && found.id === id);
    return block?.type === 'tool-call' ? block.providerMetadata : undefined;
  }
}
