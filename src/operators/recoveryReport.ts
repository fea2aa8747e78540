import { asyncScheduler, type OperatorFunction, type SchedulerLike, type Subscriber } from 'rxjs';
import type { LlmStreamEvent, StopReason, ToldEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import { lastTurnIn, type ReadEvent } from './ReadEvent.js';
import { ReportBuilder, type RecoveryReport } from './reportBuilder.js';

export type { RecoveryReport, ReportedInterruption } from './reportBuilder.js';

/** Configuration for {@link recoveryReport}. */
export interface RecoveryReportConfig {
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/**
 * Emits one summary of what recovery has done for an answer, when the answer has ended, and completes.
 *
 * Reads what `recover` tells (`interrupted`, what is taken back, `resumed`) and what `continueOnMaxTokens` tells. Ends at the
 * `stop` without waiting for the source to complete. An answer that errors or completes without a stop has a report too,
 * whose `outcome` names the error; the error itself goes to those who read the answer and not further here. Unsubscribing
 * unsubscribes from the source. Times are those of the scheduler, from subscription. For a conversation it ends at the
 * `conversation-end` or `conversation-suspended`, or at the completion, and sums all turns up.
 * ```text
 * source  --a--i---rb--s|          i: interrupted, r: resumed
 *         recoveryReport()
 * result  -------------(R|)
 * ```
 * @example Log it beside the answer
 * ```ts
 * import { recoveryReport, textDeltas, type LlmStreamEvent } from 'rx-llm';
 * import { connect, ignoreElements, merge, tap, type Observable } from 'rxjs';
 *
 * declare const answer$: Observable<LlmStreamEvent>;
 * answer$.pipe(
 *   connect((events$) =>
 *     merge(
 *       events$.pipe(textDeltas()),
 *       events$.pipe(
 *         recoveryReport(),
 *         tap(({ attempts, timeLost }) => console.log(`${attempts} attempts, ${timeLost} ms lost`)),
 *         ignoreElements(),
 *       ),
 *     ),
 *   ),
 * );
 * ```
 */
export function recoveryReport(config: RecoveryReportConfig = {}): OperatorFunction<ToldEvent, RecoveryReport> {
  const { scheduler = asyncScheduler } = config;
  return operate((subscriber: Subscriber<RecoveryReport>) => {
    let turns = false;
    let stopped: StopReason | undefined;
    const report = new ReportBuilder(scheduler.now());
    const end = (outcome: RecoveryReport['outcome']): void => {
      subscriber.next(report.end(outcome, scheduler.now()));
      subscriber.complete();
    };
    return {
      next: (told) => {
        const event = told as ReadEvent;
        if (event.type === 'step-start') {
          if (turns) report.nextTurn();
          turns = true;
          stopped = undefined;
        }
        report.push(event as LlmStreamEvent, scheduler.now());
        if (event.type === 'stop') stopped = event.reason;
        const last = lastTurnIn(event);
        if (last) end({ stop: last.result?.stopReason ?? stopped ?? 'end-turn' });
        else if (event.type === 'stop' && !turns) end({ stop: event.reason });
      },
      error: (error) => end({ error: toInferenceError(error).kind }),
      complete: () => end(turns && stopped ? { stop: stopped } : { error: 'stream-interrupted' }),
    };
  });
}
