import { InferenceExecutionError, type InferenceRequest, type ProviderMetadata } from '../../contract/index.js';
import type { Emit } from '../../wire/Decoder.js';
import { shortHash } from './chatIds.js';
import type { OpenCall } from './responsesState.js';
import { PROVIDER, textOr, type ResponsesItem } from './responsesWire.js';

interface Call extends OpenCall {
  /** The arguments so far; undefined where their beginning came before the run was attached to. */
  args: string | undefined;
  /** The vendor's own id. */
  wireId: string;
}

/** True for the items that ask the caller to run a tool by its name. */
export function isCall({ type }: ResponsesItem): boolean {
  return type === 'function_call' || type === 'custom_tool_call';
}

/** Follows the tool calls of one answer, by their place in it. */
export class ResponsesCalls {
  /** True when the model has called a tool. */
  any = false;
  /** True when it did so before the run was attached to: not all of its calls are known here. */
  before = false;
  private readonly open = new Map<number, Call>();
  private readonly closed = new Set<number>();
  private readonly ids = new Set<string>();
  private readonly wireIds = new Set<string>();

  constructor(private readonly request: InferenceRequest) {}

  /** The calls that are open, by their place; undefined when there is none. */
  get state(): Record<string, OpenCall> | undefined {
    if (this.open.size === 0) return undefined;
    return Object.fromEntries([...this.open].map(([index, { args: _, wireId: __, ...call }]) => [index, call]));
  }

  /** Takes up a call that opened before the run was attached to. */
  resume(index: number, call: OpenCall): void {
    this.open.set(index, { ...call, args: call.sent ? undefined : '', wireId: call.id });
    this.ids.add(call.id);
  }

  start(index: number, item: ResponsesItem, answerId: string, linked: boolean, emit: Emit): void {
    // An end that is told twice is not a second call.
    if (this.open.has(index) || this.closed.has(index)) return;
    const custom = item.type === 'custom_tool_call';
    const wireId = wireIdOf(item);
    const id = this.idFor(wireId, index, answerId);
    const name = textOr(item.name);
    this.any = true;
    this.ids.add(id);
    this.wireIds.add(wireId);
    this.open.set(index, { id, name, custom, sent: false, args: '', wireId });
    const providerMetadata = metadataOf(item, custom, linked);
    emit({ type: 'tool-call-start', id, name, ...(providerMetadata && { providerMetadata }) });
  }

  /** Sends a piece on. True when it is the call's first. */
  push(index: number, delta: unknown, emit: Emit): boolean {
    if (typeof delta !== 'string' || delta === '') return false;
    const call = this.open.get(index);
    if (call === undefined) {
      throw new InferenceExecutionError(
        'provider',
        `malformed stream: arguments for output item ${JSON.stringify(index)}, which is no open tool call`,
      );
    }
    const first = !call.sent;
    const argsDelta = call.custom ? quoted(delta, first) : delta;
    call.sent = true;
    if (call.args !== undefined) call.args += argsDelta;
    emit({ type: 'tool-call-delta', id: call.id, argsDelta });
    return first;
  }

  /** Takes arguments that were told as a whole, where no piece of them has come. True when they were sent. */
  whole(index: number, args: unknown, emit: Emit): boolean {
    return this.open.get(index)?.sent === false && this.push(index, args, emit);
  }

  /** The call's item is whole. One that was cut off by the token limit stays open, so that it is not taken for whole. */
  done(index: number, item: ResponsesItem, emit: Emit): void {
    const call = this.open.get(index);
    if (call === undefined) return;
    this.open.delete(index);
    this.closed.add(index);
    const { id, name, custom, sent, args } = call;
    const whole = custom ? JSON.stringify(textOr(item.input)) : argumentsOf(item.arguments);
    if (!sent && whole !== '') emit({ type: 'tool-call-delta', id, argsDelta: whole });
    if (item.status === 'incomplete') return;
    if (sent && custom) {
      emit({ type: 'tool-call-delta', id, argsDelta: '"' });
    } else if (sent && args !== undefined && differs(args, whole)) {
      // The vendor's SDK takes its last word. What was shown is taken back before another call of the same id comes.
      emit({ type: 'tool-call-cancel', id, name, reason: 'the provider has corrected the arguments' });
      emit({ type: 'tool-call-start', id, name });
      emit({ type: 'tool-call-delta', id, argsDelta: whole });
    }
    emit({ type: 'content-block-stop', id });
  }

  /** The answer is whole: closes the calls whose end was not told, with what the whole answer says of them. */
  finish(output: readonly ResponsesItem[], emit: Emit): void {
    for (const [index, { sent, custom, wireId }] of [...this.open]) {
      const item = output.find((told) => isCall(told) && wireIdOf(told) === wireId);
      if (sent || !custom || item) this.done(index, item ?? {}, emit);
    }
  }

  /** The calls that only the whole answer tells of, with their places. Names that have changed make no new call. */
  missedIn(output: readonly ResponsesItem[]): [number, ResponsesItem][] {
    const calls = [...output.entries()].filter(([, item]) => isCall(item));
    if (this.before || calls.length <= this.open.size + this.closed.size) return [];
    return calls.filter(([, item]) => !this.wireIds.has(wireIdOf(item)));
  }

  /**
   * The call's own id; another one where the answer or the conversation has a call of that id already (Bedrock counts from
   * `call_0` in each answer), or where there is none.
   */
  private idFor(wireId: string, index: number, answerId: string): string {
    if (wireId !== '' && !this.ids.has(wireId) && !isUsed(wireId, this.request)) return wireId;
    const made = shortHash(`${answerId} ${index} ${this.request.messages.length}`, 16);
    return wireId === '' ? `call_${made}` : `${wireId}_${made}`;
  }
}

function wireIdOf(item: ResponsesItem): string {
  return textOr(item.call_id) || textOr(item.id);
}

function isUsed(id: string, { messages }: InferenceRequest): boolean {
  return messages.some(({ content }) => content.some((block) => block.type === 'tool-call' && block.id === id));
}

/** What has to go back with the call, or tells how to send it back. */
function metadataOf(item: ResponsesItem, custom: boolean, linked: boolean): ProviderMetadata | undefined {
  const { id, namespace, caller } = item;
  const kept: ProviderMetadata = {
    ...(linked && typeof id === 'string' && { id }),
    ...(custom && { type: 'custom_tool_call' }),
    ...(typeof namespace === 'string' && { namespace }),
    ...(typeof caller === 'object' && caller !== null && { caller }),
  };
  return Object.keys(kept).length > 0 ? { provider: PROVIDER, ...kept } : undefined;
}

/** A piece of a JSON string, behind its opening quote at the beginning. */
function quoted(text: string, first: boolean): string {
  return JSON.stringify(text).slice(first ? 0 : 1, -1);
}

/** Arguments are JSON text; a gateway that has parsed them already gets them back as such. */
function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : '';
}

/** True when the arguments as a whole are others than those that were streamed; white space does not count. */
function differs(streamed: string, whole: string): boolean {
  if (streamed === whole || whole === '') return false;
  try {
    return JSON.stringify(JSON.parse(streamed)) !== JSON.stringify(JSON.parse(whole));
  } catch {
    return true;
  }
}
