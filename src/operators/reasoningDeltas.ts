import { filter, map, type Observable, type OperatorFunction } from 'rxjs';
import type { LlmStreamEvent, ReasoningDeltaEvent, ToldEvent } from '../contract/index.js';

/**
 * Emits the pieces of the model's reasoning as strings; every other event is left out. Errors, completion and
 * unsubscription pass through.
 * ```text
 * source  --r--r--t--s|
 *         reasoningDeltas()
 * result  --a--b------|
 * ```
 */
export function reasoningDeltas(): OperatorFunction<ToldEvent, string> {
  return (source) =>
    (source as Observable<LlmStreamEvent>).pipe(
      filter((event): event is ReasoningDeltaEvent => event.type === 'reasoning-delta' && event.text !== ''),
      map((event) => event.text),
    );
}
