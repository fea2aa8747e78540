import { filter, map, type Observable, type OperatorFunction } from 'rxjs';
import type { LlmStreamEvent, TextDeltaEvent, ToldEvent } from '../contract/index.js';

/**
 * Emits the pieces of the answer's text as strings; every other event is left out.
 *
 * A `stream-reset` cannot be told in strings: a page that must take text back reads `accumulate()`, and a consumer that
 * cannot take anything back recovers with `resets: 'fail'`. Errors, completion and unsubscription pass through.
 * ```text
 * source  --t--u--r--t--s|
 *         textDeltas()
 * result  --a--------b---|
 * ```
 */
export function textDeltas(): OperatorFunction<ToldEvent, string> {
  return (source) =>
    (source as Observable<LlmStreamEvent>).pipe(
      filter((event): event is TextDeltaEvent => event.type === 'text-delta' && event.text !== ''),
      map((event) => event.text),
    );
}
