import type { OperatorFunction } from 'rxjs';
import type { LlmStreamEvent, StreamResult, ToldEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { Accumulator } from '../recovery/accumulator.js';

/**
 * Emits the answer so far at each event.
 *
 * Each result is immutable; a block that an event did not change is the same object as in the result before. The cost of an
 * event is that of its delta, whatever has accumulated (and of a copy of the list of blocks, some 1 ns for each); *reading*
 * the text of each result is not (the engine flattens it), so a page that draws long answers samples: `accumulate(),
 * auditTime(0, animationFrameScheduler)`. Understands what recovery says: a cancelled call goes, a reset empties the answer,
 * usage adds up over attempts. After the stop only usage still counts, until the next turn of a conversation. Errors,
 * completion and unsubscription pass through.
 * ```text
 * source  --a--b--s|
 *         accumulate()
 * result  --A--B--S|
 * ```
 * @example Show a growing answer
 * ```ts
 * import { accumulate, resultText, type LlmStreamEvent } from 'rx-llm';
 * import type { Observable } from 'rxjs';
 *
 * declare const events$: Observable<LlmStreamEvent>;
 * events$.pipe(accumulate()).subscribe((result) => console.log(resultText(result)));
 * ```
 */
export function accumulate(): OperatorFunction<ToldEvent, StreamResult> {
  return operate<ToldEvent, StreamResult>((subscriber) => {
    const seen = new Accumulator();
    return {
      next: (event) => {
        seen.push(event as LlmStreamEvent);
        subscriber.next(seen.result());
      },
    };
  });
}
