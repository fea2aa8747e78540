import type { OperatorFunction, Subscriber } from 'rxjs';
import type { LlmStreamEvent, StreamResult, ToldEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { Accumulator } from '../recovery/accumulator.js';
import { failWith } from '../recovery/attachSnapshot.js';
import { truncation } from '../recovery/truncation.js';
import { lastTurnIn, type ReadEvent } from './ReadEvent.js';

/**
 * Emits the whole answer once, when it has ended, and completes.
 *
 * Ends at the `stop` event without waiting for the source to complete. A source that completes without one has been cut:
 * that errors as `stream-interrupted` with the cause `truncated`. Errors keep their identity and get the snapshot of what
 * had arrived. Unsubscribing unsubscribes from the source.
 *
 * A conversation goes on after the `stop` of a turn: from a `step-start` on, the end is its `conversation-end` or
 * `conversation-suspended`, or the completion, and the answer is that of the last turn.
 * ```text
 * source  --a--b--s|
 *         collect()
 * result  --------(R|)
 * ```
 */
export function collect(): OperatorFunction<ToldEvent, StreamResult> {
  return operate((subscriber: Subscriber<StreamResult>) => {
    let seen = new Accumulator();
    let turns = false;
    const end = (result = seen.result()): void => {
      subscriber.next(result);
      subscriber.complete();
    };
    return {
      next: (told) => {
        const event = told as ReadEvent;
        if (event.type === 'step-start') {
          seen = new Accumulator();
          turns = true;
        }
        seen.push(event as LlmStreamEvent);
        const last = event.type === 'stop' && !turns ? {} : lastTurnIn(event);
        if (last) end(last.result);
      },
      error: (error) => subscriber.error(failWith(error, seen)),
      complete: () => (turns && seen.stopped ? end() : subscriber.error(failWith(truncation(), seen))),
    };
  });
}
