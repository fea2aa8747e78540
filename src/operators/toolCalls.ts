import type { OperatorFunction } from 'rxjs';
import type { LlmStreamEvent, ToolCall } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { Accumulator } from '../recovery/accumulator.js';

/**
 * Emits each tool call once, as soon as it is whole: when its block closes, when recovery says that it is ready, or at the
 * stop for providers that do not tell the end of a block.
 *
 * A call whose arguments are not whole is never emitted, and nothing is repaired. After a `stream-reset` the calls of the
 * answer that starts again are emitted anew. Errors, completion and unsubscription pass through.
 * ```text
 * source  --(s)--d--d--(e)--s|      s: start, d: delta, e: content-block-stop
 *         toolCalls()
 * result  -------------c-----|
 * ```
 */
export function toolCalls(): OperatorFunction<LlmStreamEvent, ToolCall> {
  return operate((subscriber) => {
    const seen = new Accumulator();
    const sent = new Set<string>();
    return {
      next: (event) => {
        seen.push(event);
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
