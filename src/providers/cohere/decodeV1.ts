import {
  errorInStream,
  failureIn,
  type JsonObject,
  type JsonValue,
  type StopReason,
  type TokenUsage,
} from '../../contract/index.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import { usageOf, type WireUsage } from './decode.js';

interface WireCall {
  name?: string;
  parameters?: JsonValue;
}

/** One event of the stream (Cohere API reference v1, "Chat with Streaming"). */
interface ChatEvent {
  event_type?: string;
  generation_id?: unknown;
  text?: string;
  tool_calls?: WireCall[];
  citations?: JsonValue;
  search_queries?: JsonValue;
  search_results?: JsonValue;
  documents?: JsonValue;
  finish_reason?: string;
  response?: { finish_reason?: string; tool_calls?: WireCall[]; meta?: WireUsage } | null;
  message?: unknown;
  error?: unknown;
}

const STOP_REASONS: ReadonlyMap<string, StopReason> = new Map([
  ['COMPLETE', 'end-turn'],
  ['STOP_SEQUENCE', 'stop-sequence'],
  ['MAX_TOKENS', 'max-tokens'],
  ['ERROR_LIMIT', 'max-tokens'],
  ['ERROR_TOXIC', 'content-filter'],
]);

/**
 * Decodes the lines of Cohere's v1 chat.
 *
 * `stream-end` ends the answer and holds the usage. Calls come whole in `tool-calls-generation`, and without ids: the answer's
 * own id makes them. What is said in `tool-calls-chunk` is the plan for the tools, which is reasoning. Citations and searches
 * come as blocks of their own.
 */
export class CohereV1Decoder implements Decoder<string> {
  finished = false;
  #answer = '';
  #calls = 0;
  #planned = false;

  decode(line: string, emit: Emit): void {
    const chunk = (JSON.parse(line) ?? {}) as ChatEvent;
    switch (chunk.event_type) {
      case 'text-generation':
        if (chunk.text) emit({ type: 'text-delta', text: chunk.text });
        return;
      case 'stream-start':
        this.#answer = (JSON.stringify(chunk.generation_id) ?? '').replace(/[^a-zA-Z0-9]/g, '').slice(0, 40);
        return;
      case 'tool-calls-chunk':
        return this.#plan(chunk.text, emit);
      case 'tool-calls-generation':
        if (!this.#planned) this.#plan(chunk.text, emit);
        return this.#toolCalls(chunk.tool_calls, emit);
      case 'citation-generation':
        return opaque({ citations: chunk.citations ?? [] }, emit);
      case 'search-queries-generation':
        return opaque({ search_queries: chunk.search_queries ?? [] }, emit);
      case 'search-results':
        return opaque({ search_results: chunk.search_results ?? [], documents: chunk.documents ?? [] }, emit);
      case 'stream-end':
        return this.#end(chunk, emit);
      default:
        // Errors are told as they would be outside of a stream: an object without a type.
        if (chunk.event_type === undefined && (chunk.message != null || chunk.error != null))
          throw errorInStream(failureIn(chunk));
    }
  }

  end(): void {
    // The event that ends the answer holds everything: nothing is held back.
  }

  #plan(text: string | undefined, emit: Emit): void {
    if (!text) return;
    this.#planned = true;
    emit({ type: 'reasoning-delta', text });
  }

  #toolCalls(calls: readonly WireCall[] = [], emit: Emit): void {
    for (const { name, parameters = {} } of calls) {
      if (!name) throw new Error('a tool call without a name');
      const id = `call_${this.#answer}_${this.#calls++}`;
      emit({ type: 'tool-call-start', id, name });
      emit({ type: 'tool-call-delta', id, argsDelta: JSON.stringify(parameters) });
      emit({ type: 'content-block-stop', id });
    }
  }

  #end({ finish_reason, response }: ChatEvent, emit: Emit): void {
    const { finish_reason: reason = finish_reason ?? 'COMPLETE', tool_calls, meta } = response ?? {};
    if (this.#calls === 0) this.#toolCalls(tool_calls, emit);
    const usage: TokenUsage | undefined = meta && usageOf(meta);
    if (usage) emit({ type: 'usage', usage });
    if (reason === 'ERROR' || reason === 'USER_CANCEL') {
      throw errorInStream({ message: `the generation ended with ${reason}` });
    }
    this.finished = true;
    const ended = STOP_REASONS.get(reason) ?? 'end-turn';
    emit({ type: 'stop', reason: ended === 'end-turn' && this.#calls > 0 ? 'tool-use' : ended });
  }
}

function opaque(block: JsonObject, emit: Emit): void {
  emit({ type: 'provider-block', provider: 'cohere', block });
}
