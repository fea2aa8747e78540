import {
  errorInStream,
  failureIn,
  type EventMetadata,
  type JsonValue,
  type StopReason,
  type TokenUsage,
} from '../../contract/index.js';
import type { Decoder, Emit } from '../../wire/Decoder.js';
import { count, sumOfBoth, tokenUsage } from '../shared/tokenUsage.js';

/** One line of the answer (Ollama API reference, "Generate a chat message", "Generate a response"). */
interface ChatLine {
  created_at?: string;
  /** What `/api/generate` says in place of a message. */
  response?: string;
  thinking?: string;
  message?: {
    content?: string;
    thinking?: string;
    tool_calls?: ({ id?: string; function?: { name?: string; arguments?: JsonValue } } | null)[];
  };
  done?: boolean;
  done_reason?: string;
  prompt_eval_count?: number | null;
  eval_count?: number | null;
  error?: unknown;
}

/** Said when reasoning has come whole: only then is it shown to the model again. */
const WHOLE: EventMetadata = { provider: 'ollama', complete: true };

/**
 * Decodes the lines of Ollama's `/api/chat` and `/api/generate`.
 *
 * Calls come whole, with their arguments as an object, and an answer that calls tools ends with `stop` like any other. The
 * line that says `done` may hold text, and always ends the answer: usage stands in it.
 */
export class OllamaDecoder implements Decoder<string> {
  finished = false;
  readonly #callsBefore: number;
  #calls = 0;
  #thinking = false;

  /** @param callsBefore - How many calls the conversation holds: ids that are made have to be new in it. */
  constructor(callsBefore: number) {
    this.#callsBefore = callsBefore;
  }

  decode(line: string, emit: Emit): void {
    const chunk = (JSON.parse(line) ?? {}) as ChatLine;
    if (chunk.error != null) throw errorInStream(failureIn(chunk));
    const { content = chunk.response, thinking = chunk.thinking, tool_calls } = chunk.message ?? {};
    if (thinking) {
      this.#thinking = true;
      emit({ type: 'reasoning-delta', text: thinking });
    }
    if (content) {
      this.#thoughtsEnd(emit);
      emit({ type: 'text-delta', text: content });
    }
    if (tool_calls) this.#toolCalls(chunk, tool_calls, emit);
    if (chunk.done !== true) return;
    this.finished = true;
    // An answer that was cut off while the model thought has no whole reasoning.
    if (chunk.done_reason !== 'length') this.#thoughtsEnd(emit);
    const usage = usageOf(chunk);
    if (usage) emit({ type: 'usage', usage });
    emit({ type: 'stop', reason: this.#reason(chunk.done_reason) });
  }

  end(): void {
    // The line that ends the answer holds everything: nothing is held back.
  }

  #toolCalls({ created_at = '' }: ChatLine, calls: Calls, emit: Emit): void {
    this.#thoughtsEnd(emit);
    if (!Array.isArray(calls)) throw new Error('tool calls that are no list');
    for (const call of calls) {
      const { name, arguments: args = {} } = call?.function ?? {};
      if (!name) throw new Error('a tool call without the name of a function');
      const id = call?.id || this.#madeId(created_at);
      this.#calls++;
      emit({ type: 'tool-call-start', id, name });
      emit({ type: 'tool-call-delta', id, argsDelta: typeof args === 'string' ? args : JSON.stringify(args) });
      emit({ type: 'content-block-stop', id });
    }
  }

  /** Older servers name no calls. The time of the line and the number of the call make a name that stays and comes once. */
  #madeId(createdAt: string): string {
    const time = createdAt.replace(/\D/g, '').slice(0, 24);
    return time === '' ? `call_${this.#callsBefore + this.#calls}` : `call_${time}_${this.#calls}`;
  }

  #thoughtsEnd(emit: Emit): void {
    if (!this.#thinking) return;
    this.#thinking = false;
    emit({ type: 'content-block-stop', providerMetadata: WHOLE });
  }

  #reason(told: string | undefined): StopReason {
    if (told === 'length') return 'max-tokens';
    return this.#calls > 0 ? 'tool-use' : 'end-turn';
  }
}

type Calls = NonNullable<NonNullable<ChatLine['message']>['tool_calls']>;

/** A prompt that was evaluated before is left out by older servers. */
function usageOf(line: ChatLine): TokenUsage | undefined {
  const [prompt, completion] = [count(line.prompt_eval_count), count(line.eval_count)];
  return tokenUsage({ prompt, completion, total: sumOfBoth(prompt, completion) });
}
