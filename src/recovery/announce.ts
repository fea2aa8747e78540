import {
  describeCause,
  type InterruptCause,
  type InterruptSnapshot,
  type LlmStreamEvent,
  type RecoveryPlan,
} from '../contract/index.js';

/** What an announcement tells. */
export interface Announced {
  cause: InterruptCause;
  plan: RecoveryPlan;
  snapshot: InterruptSnapshot;
  /** Number of the attempt that broke. */
  attempt: number;
  /** Wait before the next attempt, in milliseconds. */
  delay: number;
}

/**
 * The events that tell a subscriber of an interruption, in the order in which they are sent: the interruption, each open
 * call that will not come, the reset of the turn where it starts again, and the calls that are whole with the stop that
 * completes them. A run that is attached to again takes nothing back.
 */
export function announce({ cause, plan, snapshot, attempt, delay }: Announced): LlmStreamEvent[] {
  const events: LlmStreamEvent[] = [{ type: 'interrupted', cause, plan, attempt, delay }];
  if (plan.kind === 'reattach') return events;
  const reason = describeCause(cause);
  for (const { id, name } of snapshot.inFlightTools) {
    // A call that has neither id nor name yet is nothing that a subscriber could have shown.
    if (id !== '' || name !== '') events.push({ type: 'tool-call-cancel', id, name, reason });
  }
  if (plan.kind === 'whole-restart') events.push({ type: 'stream-reset', reason });
  if (plan.kind === 'synthesize-tool-use') {
    for (const { id, name, arguments: args } of plan.completed) {
      events.push({ type: 'tool-call-ready', id, name, arguments: args });
    }
    events.push({ type: 'stop', reason: 'tool-use' });
  }
  return events;
}
