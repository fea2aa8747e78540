import {
  addUsage,
  updateUsage,
  type ContentBlock,
  type InFlightTool,
  type InterruptSnapshot,
  type LlmStreamEvent,
  type ProviderMetadata,
  type StopReason,
  type StreamResult,
  type TokenUsage,
  type ToolCall,
} from '../contract/index.js';
import { TextBuffer } from '../internal/TextBuffer.js';
import { FollowedRun } from './FollowedRun.js';
import {
  blockMetadata,
  blockOf,
  callOf,
  unsigned,
  utf8Length,
  type CallSlot,
  type ProseSlot,
  type Slot,
} from './slots.js';
import { estimateAttempt } from './estimateUsage.js';
import { wasCut } from './stopReasons.js';

/** What is wrong with an event, for the caller that has to be strict. */
export type EventProblem = 'duplicate tool call' | 'unknown tool call';

/**
 * Takes in events and holds everything that they brought, over all attempts: the state behind `accumulate`, `recover` and
 * the snapshots in errors. Mutable, one for each subscription; what it hands out is immutable.
 */
export class Accumulator {
  /** Where the provider's run can be followed. */
  readonly run = new FollowedRun();
  #slots: Slot[] = [];
  readonly #calls = new Map<string, CallSlot>();
  /** The text or reasoning block that the next delta of its kind goes on with. */
  #open: ProseSlot | null = null;
  /** Code units of all text, and of text, reasoning and arguments together. */
  #textLength = 0;
  #length = 0;
  #attemptStart = 0;
  #usageBefore: TokenUsage | undefined;
  #usageReported = false;
  #attemptUsage: TokenUsage | undefined;
  #stopReason: StopReason | undefined;
  /** The answer has ended, or this turn of a conversation: nothing but what it has cost comes after that. */
  #over = false;
  #metadata: ProviderMetadata | undefined;
  #cancelled: { id: string; name: string }[] = [];
  /** The answer goes on in another generation: its reasoning is signed for a conversation that is not the history. */
  #spliced = false;
  /** The blocks as they were listed last, how many of them cannot change any more, and of how many slots they are. */
  readonly #listed: ContentBlock[] = [];
  #settledBlocks = 0;
  #settledSlots = 0;
  #cachedCalls: ToolCall[] | undefined;
  /** Calls that are open, or have closed without being whole. */
  #incomplete = 0;

  /** All the text shown so far. */
  get text(): string {
    return this.#textLength === 0 ? '' : this.#joined('text');
  }

  /** About how much is held, in code units: all prose and arguments, and something for each block. */
  get size(): number {
    return this.#length + 64 * this.#slots.length;
  }

  /** True when a consumer has seen anything of the answer that a reset would take back. */
  get hasShown(): boolean {
    return this.#slots.length > 0;
  }

  /** True when anything at all has arrived: something of the answer, what it has cost, or where its run can be followed. */
  get hasArrived(): boolean {
    return this.hasShown || this.#usage() !== undefined || this.run.cursor !== null;
  }

  /** True when a consumer has seen text. */
  get hasShownText(): boolean {
    return this.#textLength > 0;
  }

  /** True after the stop. */
  get stopped(): boolean {
    return this.#stopReason !== undefined;
  }

  /**
   * Takes in one event.
   *
   * @returns What is wrong with it, for callers who have to refuse it; the event itself has been ignored then.
   */
  push(event: LlmStreamEvent): EventProblem | undefined {
    if (this.#over && event.type !== 'usage') {
      this.#over = (event.type as string) !== 'step-start';
      return undefined;
    }
    const { providerMetadata } = event;
    if (providerMetadata?.cursor) this.run.at(providerMetadata.cursor);
    const metadata = providerMetadata && blockMetadata(providerMetadata);
    switch (event.type) {
      case 'text-delta':
        this.#textLength += event.text.length;
        this.#prose('text', event.text, metadata);
        return undefined;
      case 'reasoning-delta':
        this.#prose('reasoning', event.text, metadata);
        return undefined;
      case 'tool-call-delta':
        return this.#argsDelta(event.id, event.argsDelta, metadata);
      case 'tool-call-start':
        return this.#start(event.id, event.name, metadata);
      case 'content-block-stop':
        return this.#close(event.id, metadata);
      case 'usage':
        this.#attemptUsage = updateUsage(this.#attemptUsage, event.usage);
        this.#usageReported = true;
        return undefined;
      case 'stop':
        this.#stop(event.reason);
        this.#metadata = metadata;
        return undefined;
      case 'provider-block':
        this.#open = null;
        this.#slots.push({
          type: 'opaque',
          block: { type: 'provider', provider: event.provider, block: event.block },
        });
        return undefined;
      default:
        this.#recovery(event);
        return undefined;
    }
  }

  /** The answer so far. Blocks that did not change since the last call are the same objects. */
  result(): StreamResult {
    const result: StreamResult = {
      content: this.#blocks(),
      toolCalls: (this.#cachedCalls ??= [...this.#calls.values()].flatMap(({ call }) => call ?? [])),
      hasIncompleteToolCalls: this.#incomplete > 0,
    };
    const usage = this.#usage();
    if (usage) result.usage = usage;
    if (this.#stopReason) result.stopReason = this.#stopReason;
    if (this.#metadata) result.providerMetadata = this.#metadata;
    if (this.#cancelled.length > 0) result.cancelledTools = this.#cancelled;
    return result;
  }

  /** The blocks, as an array of their own. Only those from the last slot of the last call on are looked at. */
  #blocks(): ContentBlock[] {
    const slots = this.#slots;
    this.#listed.length = this.#settledBlocks;
    for (let i = this.#settledSlots; i < slots.length; i++) {
      if (i === slots.length - 1) {
        this.#settledSlots = i;
        this.#settledBlocks = this.#listed.length;
      }
      const block = blockOf(slots[i] as Slot);
      if (block) this.#listed.push(block);
    }
    return this.#listed.slice();
  }

  /** Something else than the last slot has changed. */
  #relist(): void {
    this.#settledSlots = 0;
    this.#settledBlocks = 0;
  }

  /** Everything that has arrived, as it goes into errors and plans. */
  snapshot(): InterruptSnapshot {
    const completedToolCalls: ToolCall[] = [];
    const inFlightTools: InFlightTool[] = [];
    for (const slot of this.#calls.values()) {
      const call = slot.call ?? (slot.state === 'open' ? callOf(slot, 'open') : undefined);
      if (call) completedToolCalls.push(call);
      else inFlightTools.push({ id: slot.id, name: slot.name, partialArgs: slot.args.text });
    }
    return {
      text: this.text || null,
      completedToolCalls,
      inFlightTool: inFlightTools.at(-1) ?? null,
      inFlightTools,
      reasoning: this.#joined('reasoning') || null,
      usage: this.#usage() ?? null,
      cursor: this.run.cursor,
      bytesReceived: this.#bytes(),
      content: this.result().content,
    };
  }

  #prose(type: 'text' | 'reasoning', text: string, told: ProviderMetadata | undefined): void {
    const metadata = told && this.#spliced && type === 'reasoning' ? unsigned(told) : told;
    if (text === '' && !metadata) return;
    this.#length += text.length;
    const open = this.#open;
    if (open === null || open.type !== type) {
      this.#open = { type, text: new TextBuffer(text), metadata, block: undefined };
      this.#slots.push(this.#open);
      return;
    }
    open.text.append(text);
    if (metadata) open.metadata = { ...open.metadata, ...metadata };
    open.block = undefined;
  }

  #start(id: string, name: string, metadata: ProviderMetadata | undefined): EventProblem | undefined {
    this.#open = null;
    const known = this.#calls.get(id);
    if (known) {
      // The later announcement of a call that is open replaces the earlier one; a finished call stays as it is.
      if (known.state === 'open') Object.assign(known, { name, args: new TextBuffer() });
      return 'duplicate tool call';
    }
    const slot: CallSlot = {
      type: 'call',
      id,
      name,
      args: new TextBuffer(),
      metadata,
      state: 'open',
      block: undefined,
      call: undefined,
    };
    this.#calls.set(id, slot);
    this.#slots.push(slot);
    this.#incomplete++;
    this.#comeAgain(id, name);
    return undefined;
  }

  #argsDelta(id: string, delta: string, metadata: ProviderMetadata | undefined): EventProblem | undefined {
    const slot = this.#calls.get(id);
    if (slot === undefined || slot.state !== 'open') return 'unknown tool call';
    slot.args.append(delta);
    this.#length += delta.length;
    if (metadata) slot.metadata = { ...slot.metadata, ...metadata };
    return undefined;
  }

  #close(id: string | undefined, told: ProviderMetadata | undefined): EventProblem | undefined {
    const metadata = told && this.#spliced && this.#open?.type === 'reasoning' ? unsigned(told) : told;
    if (id === undefined) {
      if (this.#open && metadata)
        Object.assign(this.#open, { metadata: { ...this.#open.metadata, ...metadata }, block: undefined });
      this.#open = null;
      return undefined;
    }
    const slot = this.#calls.get(id);
    if (slot === undefined) return 'unknown tool call';
    if (metadata) slot.metadata = { ...slot.metadata, ...metadata };
    if (slot.state === 'open') this.#settle(slot, callOf(slot, 'closed'));
    return undefined;
  }

  #settle(slot: CallSlot, call: ToolCall | undefined): void {
    slot.state = 'broken';
    if (call === undefined) return;
    slot.state = 'complete';
    slot.call = call;
    this.#incomplete--;
    if (slot === this.#slots.at(-1)) {
      this.#cachedCalls &&= [...this.#cachedCalls, call];
    } else {
      this.#cachedCalls = undefined;
      this.#relist();
    }
  }

  #stop(reason: StopReason): void {
    this.#open = null;
    this.#over = true;
    this.#stopReason = reason;
    // A model that was stopped from outside may have been about to say more, even where the JSON is empty so far.
    const rule = wasCut(reason) ? 'open' : 'closed';
    for (const slot of this.#calls.values()) {
      if (slot.state === 'open') this.#settle(slot, callOf(slot, rule));
    }
  }

  /** Takes the signatures off the reasoning that stands before the words with which another generation goes on. */
  #splice(): void {
    this.#spliced = true;
    this.#relist();
    for (let i = this.#slots.length - 1; i >= 0; i--) {
      const slot = this.#slots[i];
      if (slot?.type === 'text' || slot?.type === 'call') return;
      if (slot?.type === 'reasoning') Object.assign(slot, { metadata: unsigned(slot.metadata), block: undefined });
    }
  }

  #recovery(event: LlmStreamEvent): void {
    switch (event.type) {
      case 'tool-call-ready': {
        const { id, name, arguments: args } = event;
        this.#start(id, name, undefined);
        const slot = this.#calls.get(id);
        if (slot && slot.state !== 'complete') this.#settle(slot, { id, name: slot.name, arguments: args });
        return;
      }
      case 'tool-call-cancel':
        this.#cancel(event.id, event.name);
        return;
      case 'stream-reset':
        this.#reset();
        return;
      case 'interrupted':
        this.run.interrupted(event.plan);
        // A run that is attached to again goes on in the same block, and reports its usage once for all of it.
        if (event.plan.kind === 'reattach') return;
        this.#open = this.#open?.type === 'text' ? this.#open : null;
        this.#endAttempt();
        this.#spliced = event.plan.kind === 'continue-text' || event.plan.kind === 'truncate-before-tool';
        return;
      case 'resumed': {
        const exact = (event.seam?.mechanism ?? 'reattach') === 'reattach';
        this.run.resumed(exact);
        if (!exact && event.seam?.method !== 'reset') this.#splice();
        return;
      }
      default:
        return;
    }
  }

  #cancel(id: string, name: string): void {
    const slot = this.#calls.get(id);
    this.#cancelled = [...this.#cancelled, { id, name }];
    if (slot === undefined) return;
    if (slot.state !== 'complete') this.#incomplete--;
    this.#calls.delete(id);
    this.#slots = this.#slots.filter((other) => other !== slot);
    this.#relist();
    this.#cachedCalls = undefined;
  }

  /** A call that had been cancelled is made again: under its old id, or as the first one of its name. */
  #comeAgain(id: string, name: string): void {
    const cancelled = this.#cancelled;
    const again = cancelled.find((call) => call.id === id) ?? cancelled.find((call) => call.name === name);
    if (again) this.#cancelled = cancelled.filter((call) => call !== again);
  }

  #reset(): void {
    this.#slots = [];
    this.#relist();
    // Who answers from the beginning makes all the calls that are wanted.
    this.#cancelled = [];
    this.#calls.clear();
    this.#open = null;
    this.#textLength = 0;
    this.#length = 0;
    this.#attemptStart = 0;
    this.#spliced = false;
    this.run.cursor = null;
    this.run.unjoined = null;
    this.#cachedCalls = undefined;
    this.#incomplete = 0;
    this.#stopReason = undefined;
    this.#metadata = undefined;
  }

  #endAttempt(): void {
    const spent = estimateAttempt(this.#attemptUsage, this.#length - this.#attemptStart);
    this.#usageBefore = sumOf(this.#usageBefore, spent);
    this.#attemptUsage = undefined;
    this.#attemptStart = this.#length;
  }

  #usage(): TokenUsage | undefined {
    return this.#usageReported ? sumOf(this.#usageBefore, this.#attemptUsage) : undefined;
  }

  #joined(type: ProseSlot['type']): string {
    let text = '';
    for (const slot of this.#slots) if (slot.type === type) text += slot.text.text;
    return text;
  }

  #bytes(): number {
    let bytes = 0;
    for (const slot of this.#slots) {
      if (slot.type !== 'opaque') bytes += utf8Length((slot.type === 'call' ? slot.args : slot.text).text);
    }
    return bytes;
  }
}

function sumOf(before: TokenUsage | undefined, later: TokenUsage | undefined): TokenUsage | undefined {
  return before && later ? addUsage(before, later) : (later ?? before);
}
