import { errorInStream } from '../../contract/classify.js';
import { failureIn } from '../../contract/errorFromResponse.js';
import type { EventMetadata, InferenceExecutionError, StopReason } from '../../contract/index.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import type { SseFrame } from '../../wire/sse.js';
import { PROVIDER } from './blocks.js';
import { addToBlock, closeBlock, openBlock, type OpenBlock } from './openBlocks.js';
import { mergeUsage, usageOf } from './usage.js';
import type { WireEvent, WireUsage } from './wire.js';

/**
 * Anthropic "Handling stop reasons". `pause_turn` and `compaction` end an answer that goes on when its content is sent
 * back as it is: for the contract that is an end, and the word itself stands in the metadata of the `stop`.
 */
const STOP_REASONS: Record<string, StopReason> = {
  end_turn: 'end-turn',
  pause_turn: 'end-turn',
  compaction: 'end-turn',
  max_tokens: 'max-tokens',
  model_context_window_exceeded: 'max-tokens',
  stop_sequence: 'stop-sequence',
  tool_use: 'tool-use',
  refusal: 'refusal',
};

/** HTTP status of an error that is told inside a stream (Anthropic "Errors"). */
const ERROR_STATUS: Record<string, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/**
 * Makes the decoder of one answer (Anthropic "Streaming messages"). The terminal event is `message_stop`, and by then the
 * usage has come. Pings and events of a kind that is not known are passed over, as the API asks of its clients.
 *
 * The `stop` carries in its metadata what the API says beyond the contract, under the names of the contract's style:
 * `stopReason` (its own word), `stopSequence`, `stopDetails`, `container`, `contextManagement`, `usage`, `id`, `model`.
 */
export function anthropicDecoder(): Decoder<SseFrame> {
  return new AnthropicDecoder();
}

class AnthropicDecoder implements Decoder<SseFrame> {
  finished = false;
  private readonly open = new Map<number, OpenBlock>();
  private readonly ending: EventMetadata = { provider: PROVIDER };
  private begun = false;
  private hasCalls = false;
  private stopReason: string | undefined;
  private usage: WireUsage = {};
  /** A call that has closed without arguments; whether that is its end or the token limit's, the stop reason tells. */
  private bareCall: string | undefined;

  decode({ event: name, data }: SseFrame, emit: Emit): void {
    // Gateways add the sentinel of another protocol.
    if (data === '[DONE]') return;
    const event = (JSON.parse(data) ?? {}) as WireEvent;
    switch (event.type ?? name) {
      case 'content_block_delta':
        return this.delta(event, emit);
      case 'content_block_start':
        return this.startBlock(event, emit);
      case 'content_block_stop':
        return this.stopBlock(event, emit);
      case 'message_start':
        return this.startMessage(event, emit);
      case 'message_delta':
        return this.updateMessage(event, emit);
      case 'message_stop':
        return this.stopMessage(emit);
      case 'error':
        throw failure(event);
      default:
        // The error object of a gateway that knows nothing of the protocol.
        if (event.type === undefined && (event.error ?? typeof event.message === 'string')) throw failure(event);
    }
  }

  end(): void {
    // The stop is sent with the terminal event: nothing is held back beyond it.
  }

  private delta({ index = 0, delta = {} }: WireEvent, emit: Emit): void {
    switch (delta.type) {
      case 'text_delta':
        if (delta.text) emit({ type: 'text-delta', text: delta.text });
        return;
      case 'thinking_delta':
        if (delta.thinking) emit({ type: 'reasoning-delta', text: delta.thinking });
        return;
      default:
        if (!addToBlock(this.open.get(index), delta, emit)) {
          throw new Error(`${delta.type} for block ${index}, which is not open or of another kind`);
        }
    }
  }

  private startBlock({ index = 0, content_block: block = {} }: WireEvent, emit: Emit): void {
    this.closeBareCall(emit);
    this.hasCalls ||= block.type === 'tool_use';
    this.open.set(
      index,
      openBlock(block, () => `${this.ending.id ?? 'call'}_${index}`, emit),
    );
  }

  private stopBlock({ index = 0 }: WireEvent, emit: Emit): void {
    const block = this.open.get(index);
    if (block === undefined) return;
    this.open.delete(index);
    if (block.type !== 'call') return closeBlock(block, emit);
    if (block.hasArguments) emit({ type: 'content-block-stop', id: block.id });
    else this.bareCall = block.id;
  }

  /** A second message in one stream is a second answer, which somebody between us and the API has spliced in. */
  private startMessage({ message }: WireEvent, emit: Emit): void {
    if (this.begun) throw new Error('a second message_start in one stream');
    this.begun = true;
    if (typeof message !== 'object') return;
    if (message.id) this.ending.id = message.id;
    if (message.model) this.ending['model'] = message.model;
    this.report(message.usage, emit);
  }

  private updateMessage({ delta = {}, usage, context_management }: WireEvent, emit: Emit): void {
    if (delta.stop_reason) this.stopReason = delta.stop_reason;
    if (delta.stop_sequence) this.ending['stopSequence'] = delta.stop_sequence;
    if (delta.stop_details) this.ending['stopDetails'] = delta.stop_details;
    if (delta.container) this.ending['container'] = delta.container;
    if (context_management) this.ending['contextManagement'] = context_management;
    this.report(usage, emit);
  }

  private report(usage: WireUsage | null | undefined, emit: Emit): void {
    if (!usage) return;
    this.usage = mergeUsage(this.usage, usage);
    emit({ type: 'usage', usage: usageOf(this.usage) });
  }

  private stopMessage(emit: Emit): void {
    const { stopReason, hasCalls, ending, usage } = this;
    const reason = stopReason === undefined ? undefined : STOP_REASONS[stopReason];
    // A call that the limit or a classifier cut off before its first argument looks like one that takes none.
    if (reason !== 'max-tokens' && reason !== 'refusal') this.closeBareCall(emit);
    if (stopReason !== undefined) ending['stopReason'] = stopReason;
    if (Object.keys(usage).length > 0) ending['usage'] = usage;
    this.finished = true;
    emit({ type: 'stop', reason: reason ?? (hasCalls ? 'tool-use' : 'end-turn'), providerMetadata: ending });
  }

  private closeBareCall(emit: Emit): void {
    if (this.bareCall === undefined) return;
    emit({ type: 'content-block-stop', id: this.bareCall });
    this.bareCall = undefined;
  }
}

function failure(event: WireEvent): InferenceExecutionError {
  const told = failureIn(event);
  const status = told.status ?? ERROR_STATUS[told.type ?? ''];
  return errorInStream({ ...told, ...(status !== undefined && { status }) });
}
