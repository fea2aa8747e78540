import type { OperatorFunction } from 'rxjs';
import type { LlmStreamEvent, StreamResult } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { Accumulator } from '../recovery/accumulator.js';
import { failWith } from '../recovery/attachSnapshot.js';
import { truncation } from '../recovery/truncation.js';

/**
 * Emits the whole answer once, when it has ended, and completes.
 *
 * Ends at the `stop` event without waiting for the source to complete. A source that completes without one has been cut:
 * that errors as `stream-interrupted` with the cause `truncated`. Errors keep their identity and get the snapshot of what
 * had arrived. Unsubscribing unsubscribes from the source.
 * ```text
 * source  --a--b--s|
 *         collect()
 * result  --------(R|)
 * ```
 */
export function collect(): OperatorFunction<LlmStreamEvent, StreamResult> {
  return operate((subscriber) => {
    const seen = new Accumulator();
    return {
      next: (event) => {
        seen.push(event);
        if (event.type !== 'stop') return;
        subscriber.next(seen.result());
        subscriber.complete();
      },
      error: (error) => subscriber.error(failWith(error, seen)),
      complete: () => subscriber.error(failWith(truncation(), seen)),
    };
  });
}
