import type { RecoveryPlan, RunCursor } from '../contract/index.js';

/**
 * Knows where the provider's own run can be followed again, of all that its events say.
 *
 * A run that goes on with an answer in words of its own (it was asked to repeat the last ones, say) can be followed exactly
 * only when its first words have been joined to what has been shown: `unjoined` is where it can be followed until then.
 */
export class FollowedRun {
  cursor: RunCursor | null = null;
  unjoined: RunCursor | null = null;
  /** While it is open how the answer goes on: the run that is to be followed, or '' for none. */
  #awaited: string | undefined;

  /** Takes in where an event stands. */
  at(cursor: RunCursor): void {
    if ((this.#awaited ?? cursor.runId) === cursor.runId) this.cursor = cursor;
    else this.unjoined = cursor;
  }

  /** Tells that a run is about to be followed, or, without its name, that another generation is about to go on. */
  expect(runId = ''): void {
    this.#awaited = runId;
  }

  interrupted(plan: RecoveryPlan): void {
    const runId = plan.kind === 'reattach' ? plan.cursor.runId : '';
    const again = runId !== '' && runId === this.unjoined?.runId;
    this.expect(again ? '' : runId);
    if (!again) this.unjoined = null;
    // A run that could be followed would be.
    if (runId === '') this.cursor = null;
  }

  /** Tells that the answer goes on, exactly or in words that have been joined. */
  resumed(exact: boolean): void {
    // What goes on in other words has left the run behind that was followed before, and what is joined is yet to be shown:
    // its own events say from where on the new one can be followed.
    if (!exact && this.#awaited !== undefined) this.cursor = null;
    this.#awaited = undefined;
    this.unjoined = null;
  }

  /** Forgets a run, the one that is not joined first: attaching to it has failed. */
  drop(): void {
    if (this.unjoined === null) this.cursor = null;
    this.unjoined = null;
  }
}
