import type { OperatorFunction, Subscriber } from 'rxjs';
import type { LlmStreamEvent, ToldEvent, ToolCall } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { Accumulator } from '../recovery/accumulator.js';
import type { ReadEvent } from './ReadEvent.js';

/**
 * Emits each tool call once, as soon as it is whole: when its block closes, when recovery says that it is ready, or at the
 * stop for providers that do not tell the end of a block.
 *
 * A call whose arguments are not whole is never emitted, and nothing is repaired. After a `stream-reset` the calls of the
 * answer that starts again are emitted anew. The turns of a conversation stand each for itself. Errors, completion and unsubscription pass through.
 * ```text
 * source  --(s)--d--d--(e)--s|      s: start, d: delta, e: content-block-stop
 *         toolCalls()
 * result  -------------c-----|
 * ```
 */
export function toolCalls(): OperatorFunction<ToldEvent, ToolCall> {
  return operate((subscriber: Subscriber<ToolCall>) => {
    let seen = new Accumulator();
    const sent = new Set<string>();
    return {
      next: (told) => {
        const event = told as ReadEvent;
        // The ids of another turn are its own.
        if (event.type === 'step-start') {
          seen = new Accumulator();
          sent.clear();
        }
        seen.push(event as LlmStreamEvent);
        if (event.type === 'stream-reset') sent.clear();
        if (event.type === 'tool-call-cancel') sent.delete(event.id);
        if (event.type !== 'content-block-stop' && event.type !== 'tool-call-ready' && event.type !== 'stop') return;
        for (const call of seen.result().toolCalls) {
          if (sent.has(call.id)) continue;
          sent.add(call.id);
          subscriber.next(call);
        }
      },
    };
  });
}
