import { InferenceExecutionError, type InferenceRequest } from '../../contract/index.js';
import { settleArguments } from '../../recovery/settleArguments.js';
import type { Emit } from '../../wire/Decoder.js';
import type { ChatCallDelta, ChatChunk } from './chatChunk.js';
import { shortHash } from './chatIds.js';

interface Call {
  id: string;
  name: string;
  args: string;
  /** The id is the vendor's own. */
  wireId: string;
  /** The last piece ended in a brace, so that the arguments may be whole: parsing each time would be quadratic. */
  maybeWhole: boolean;
  state: 'unnamed' | 'open' | 'closed';
  extra: unknown;
}

/**
 * Puts the pieces of tool calls together: with and without `index`, with ids and names that are empty or missing in later
 * pieces, parallel and interleaved.
 *
 * A call closes when the next one begins and its own arguments are whole, else when the answer ends. Where it was cut off
 * by the token limit or a filter, the call that was being written stays open.
 */
export class ChatCalls {
  private readonly calls: Call[] = [];
  private readonly byIndex = new Map<number, Call>();
  private last: Call | undefined;
  /** Pieces came for a call that was not the last one. */
  private interleaved = false;
  private usedIds: Set<string> | undefined;
  /** A name for this answer, in the ids that are made. */
  private answer: string | undefined;

  constructor(
    private readonly request: InferenceRequest,
    private readonly provider: string,
  ) {}

  get any(): boolean {
    return this.calls.length > 0;
  }

  /** True when the call that was being written cannot be whole: its arguments are missing or break off. */
  get isLastCut(): boolean {
    return this.last !== undefined && this.last.state !== 'closed' && !isWhole(this.last);
  }

  /** True when the call that was being written has no arguments so far. */
  get isLastBare(): boolean {
    return this.last !== undefined && this.last.args.trim() === '';
  }

  push(delta: ChatCallDelta, chunk: ChatChunk, emit: Emit): void {
    const name = textOr(delta.function?.name);
    const id = textOr(delta.id);
    const args = argumentsOf(delta.function?.arguments);
    let call = this.find(delta.index, id, name, args);
    if (call === undefined) {
      if (id === '' && name === '') {
        if (args === '') return;
        throw new InferenceExecutionError(
          'provider',
          `malformed stream: arguments for tool call ${String(delta.index)}, which has not been opened`,
        );
      }
      call = this.begin(delta.index, id, chunk, emit);
    }
    if (call !== this.last) this.interleaved = true;
    if (delta.extra_content !== undefined && call.state === 'unnamed') call.extra = delta.extra_content;
    if (call.state === 'unnamed' && name !== '') this.open(call, name, emit);
    if (args === '') return;
    // White space may follow arguments that were whole already.
    if (call.state === 'closed' && args.trim() === '') return;
    call.args += args;
    call.maybeWhole = args.trimEnd().endsWith('}') || (call.maybeWhole && args.trim() === '');
    if (call.state !== 'unnamed') emit({ type: 'tool-call-delta', id: call.id, argsDelta: args });
  }

  /** The form before `tool_calls` has one call, without an id. */
  legacy(delta: { name?: unknown; arguments?: unknown }, chunk: ChatChunk, emit: Emit): void {
    this.push({ index: 0, function: delta }, chunk, emit);
  }

  /**
   * The answer has ended: closes what is open.
   *
   * @param cut - It was cut off by the token limit or a filter, so that the call which was being written may not be whole.
   */
  finish(cut: boolean, emit: Emit): void {
    for (const call of this.calls) {
      if (call.state === 'closed' || (cut && (call === this.last || this.interleaved))) continue;
      // A call that never got a name cannot be run; it is told, and dropped where the answer is put together.
      if (call.state === 'unnamed') this.open(call, '', emit);
      this.close(call, emit);
    }
  }

  private find(index: unknown, id: string, name: string, args: string): Call | undefined {
    if (typeof index !== 'number') {
      if (id !== '') return this.calls.find((call) => call.wireId === id);
      // Gemini and old Ollama send whole calls, without index and id.
      return name === '' ? this.last : undefined;
    }
    const call = this.byIndex.get(index);
    if (call === undefined || name === '') return call;
    // Some gateways number all parallel calls 0: a name that comes with another id, or with arguments although
    // those of the call are whole, begins the next one. Others repeat the name with each piece.
    const other = id !== '' && call.wireId !== '' && id !== call.wireId;
    const next = other ? call.args === '' || isWhole(call) : id === '' && args !== '' && isWhole(call);
    return next ? undefined : call;
  }

  private begin(index: unknown, wireId: string, chunk: ChatChunk, emit: Emit): Call {
    const { last } = this;
    if (last?.state === 'open' && isWhole(last)) this.close(last, emit);
    const id = wireId === '' ? this.makeId(chunk) : wireId;
    const call: Call = { id, name: '', args: '', wireId, maybeWhole: false, state: 'unnamed', extra: undefined };
    this.calls.push(call);
    if (typeof index === 'number') this.byIndex.set(index, call);
    this.last = call;
    return call;
  }

  private open(call: Call, name: string, emit: Emit): void {
    call.name = name;
    call.state = 'open';
    const { id, extra } = call;
    const metadata = extra === undefined ? undefined : { provider: this.provider, extra_content: extra };
    emit({ type: 'tool-call-start', id, name, ...(metadata && { providerMetadata: metadata }) });
    if (call.args !== '') emit({ type: 'tool-call-delta', id, argsDelta: call.args });
  }

  private close(call: Call, emit: Emit): void {
    call.state = 'closed';
    emit({ type: 'content-block-stop', id: call.id });
  }

  /** An id for a call that has none: the same at each reading, and another one in each answer of a conversation. */
  private makeId({ id, created }: ChatChunk): string {
    this.usedIds ??= idsIn(this.request);
    this.answer ??= shortHash(`${String(id)} ${String(created)} ${this.usedIds.size}`, 12);
    let number = this.calls.length;
    while (this.usedIds.has(`call_${this.answer}_${number}`)) number++;
    const made = `call_${this.answer}_${number}`;
    this.usedIds.add(made);
    return made;
  }
}

function idsIn({ messages, continuation }: InferenceRequest): Set<string> {
  const ids = new Set<string>(continuation?.cancelledTools.map((tool) => tool.id));
  for (const { content } of messages) for (const block of content) if (block.type === 'tool-call') ids.add(block.id);
  return ids;
}

function isWhole(call: Call): boolean {
  return call.maybeWhole && settleArguments(call.args, 'open') !== undefined;
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Arguments are JSON text; a gateway that has parsed them already gets them back as such. */
function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : '';
}
