import { Subject, type MonoTypeOperatorFunction } from 'rxjs';
import type { Continuation, LlmStreamEvent, RecoveryPlan } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import type { Accumulator } from '../recovery/accumulator.js';
import { truncation } from '../recovery/truncation.js';
import { joinAttempt, type AttemptProgress } from './joinAttempt.js';

/** Says to a join that what it holds back has to be decided on; means nothing to anybody else and goes no further. */
export const SETTLE: LlmStreamEvent = { type: 'content-block-stop', id: '' };

/**
 * Mirrors the stream of a request that is itself a continuation. Who made the request joins the stream to what has been
 * shown before, with the note on its first event; this side only has to know what the subscriber sees, so as to go on from
 * there. So the events pass as they are, and `seen` takes in what the join will make of them.
 *
 * Ends at the `stop`. A source that completes without one errors as `truncated`.
 *
 * @param seen - Gets the text shown before, and then everything that is shown.
 * @param continuation - The continuation that the stream answers.
 * @param progress - What has come of the stream.
 */
export function shadowContinuation(
  seen: Accumulator,
  { prefix, cursor }: Continuation,
  progress: AttemptProgress,
): MonoTypeOperatorFunction<LlmStreamEvent> {
  return operate((subscriber) => {
    if (prefix !== '') seen.push({ type: 'text-delta', text: prefix });
    seen.run.expect(cursor?.runId);
    const shadow = new Subject<LlmStreamEvent>();
    const plan: RecoveryPlan = { kind: 'continue-text', assistantPrefix: prefix };
    const joined = shadow
      .pipe(joinAttempt({ seen, number: 1, plan, progress, onReset: () => undefined }))
      // What the shadow makes of an end is nobody's concern.
      .subscribe({ error: () => undefined });
    subscriber.add(joined);
    const fail = (error: unknown): void => {
      const { unjoined } = seen.run;
      shadow.next(SETTLE);
      // Who joins the stream has to decide now as well, and takes what a run says later for what goes on from here.
      if (unjoined) seen.run.drop();
      subscriber.error(error);
    };
    return {
      next: (event) => {
        shadow.next(event);
        if (event !== SETTLE) subscriber.next(event);
        if (event.type === 'stop') subscriber.complete();
      },
      error: fail,
      complete: () => fail(truncation()),
    };
  });
}
