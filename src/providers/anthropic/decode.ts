import { errorInStream } from '../../contract/classify.js';
import { failureIn } from '../../contract/errorFromResponse.js';
import type { EventMetadata, InferenceExecutionError, StopReason } from '../../contract/index.js';
import { isObject } from '../../internal/isObject.js';
import { wasCut } from '../../recovery/stopReasons.js';
import { truncation } from '../../recovery/truncation.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import type { SseFrame } from '../../wire/sse.js';
import { BareCall } from '../shared/BareCall.js';
import { PROVIDER } from './blocks.js';
import { addToBlock, closeBlock, openBlock, type OpenBlock } from './openBlocks.js';
import { plainText } from './plainText.js';
import { usageOf } from './usage.js';
import type { WireEvent, WireMessage, WireUsage } from './wire.js';

/**
 * Anthropic "Handling stop reasons". `pause_turn` and `compaction` end an answer that goes on when its content is sent
 * back as it is: for the contract that is an end, as for every word that is not known, and the word itself stands in the
 * metadata of the `stop`.
 */
const STOP_REASONS: Partial<Record<string, StopReason>> = {
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
const ERROR_STATUS: Partial<Record<string, number>> = {
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
 * stop reason and the usage have come; one without a reason is taken for a stream that broke. Pings and events of a kind
 * that is not known are passed over, as the API asks of its clients.
 *
 * The `stop` carries in its metadata what the API says beyond the contract, under the names of the contract's style:
 * `stopReason` (its own word), `stopSequence`, `stopDetails`, `container`, `contextManagement`, `usage`, `id`, `model`.
 */
export function anthropicDecoder(): Decoder<SseFrame> {
  const open = new Map<number, OpenBlock>();
  const message = new AnthropicMessage();
  let finished = false;
  let hasCalls = false;
  const bareCall = new BareCall();

  return {
    get finished() {
      return finished;
    },
    decode({ event: name, data }, emit) {
      const text = plainText(data);
      if (text) emit({ type: 'text-delta', text });
      // Gateways add the sentinel of another protocol.
      if (text !== undefined || data === '[DONE]') return;
      const event = (JSON.parse(data) ?? {}) as WireEvent;
      const { index = 0 } = event;
      const delta = event.delta ?? {};
      const type = event.type ?? name;
      switch (type) {
        case 'content_block_delta':
          if (delta.type === 'text_delta') {
            if (delta.text) emit({ type: 'text-delta', text: delta.text });
          } else if (delta.type === 'thinking_delta') {
            if (delta.thinking) emit({ type: 'reasoning-delta', text: delta.thinking });
          } else addToBlock(open.get(index), delta, index, emit);
          return;
        case 'content_block_start': {
          bareCall.close(emit);
          const opened = openBlock(event.content_block ?? {}, `${message.ending.id ?? 'call'}_${index}`, emit);
          hasCalls ||= opened.block.type === 'tool_use';
          open.set(index, opened);
          return;
        }
        case 'content_block_stop': {
          const closed = open.get(index);
          open.delete(index);
          if (closed?.block.type === 'tool_use' && closed.json === '') bareCall.hold(closed.block.id);
          else if (closed) closeBlock(closed, emit);
          return;
        }
        case 'message_start':
        case 'message_delta':
          return message.push(event, type === 'message_start', emit);
        case 'message_stop': {
          const known = message.stopReason();
          // A call that the limit or a classifier cut off before its first argument looks like one that takes none.
          if (!wasCut(known)) bareCall.close(emit);
          finished = true;
          const reason = known ?? (hasCalls ? 'tool-use' : 'end-turn');
          return emit({ type: 'stop', reason, providerMetadata: message.ending });
        }
        default:
          // The error object of a gateway that knows nothing of the protocol has no type.
          if (type === 'error' || (event.type === undefined && isFailure(event))) throw failure(event);
      }
    },
    // The stop is sent with the terminal event: nothing is held back beyond it.
    end() {},
  };
}

/** What is told of the answer as a whole. */
class AnthropicMessage {
  /** The metadata of the `stop`. */
  readonly ending: EventMetadata = { provider: PROVIDER };
  #begun = false;
  #usage: WireUsage = {};

  /** Undefined for a word that is not known. Without one the message is no whole: a gateway has given it up. */
  stopReason(): StopReason | undefined {
    const word = this.ending['stopReason'];
    if (word === undefined) throw truncation();
    return STOP_REASONS[word as string];
  }

  /** A second message in one stream is a second answer, which somebody between us and the API has spliced in. */
  push({ message, delta, usage, context_management }: WireEvent, begins: boolean, emit: Emit): void {
    if (begins && this.#begun) throw new Error('a second message_start in one stream');
    this.#begun ||= begins;
    const { id, model, usage: first } = (isObject(message) ? message : {}) as WireMessage;
    const told = {
      id,
      model,
      stopReason: delta?.stop_reason,
      stopSequence: delta?.stop_sequence,
      stopDetails: delta?.stop_details,
      container: delta?.container,
      contextManagement: context_management,
    };
    for (const [name, value] of Object.entries(told)) if (value) this.ending[name] = value;
    this.#report(usage ?? first, emit);
  }

  /**
   * `message_delta` repeats running totals and may correct what `message_start` said, member by member; null says nothing
   * (Anthropic "Streaming messages": "token counts … are cumulative").
   */
  #report(told: WireUsage | null | undefined, emit: Emit): void {
    if (!told) return;
    const usage = { ...this.#usage };
    for (const name in told) if (told[name] != null) usage[name] = told[name];
    this.#usage = usage;
    if (Object.keys(usage).length > 0) this.ending['usage'] = usage;
    const counted = usageOf(usage);
    if (counted) emit({ type: 'usage', usage: counted });
  }
}

function isFailure({ error, message }: WireEvent): boolean {
  return Boolean(error ?? typeof message === 'string');
}

function failure(event: WireEvent): InferenceExecutionError {
  const told = failureIn(event);
  const status = told.status ?? ERROR_STATUS[told.type ?? ''];
  return errorInStream({ ...told, status });
}
