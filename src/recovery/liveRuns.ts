import type { RunCursor } from '../contract/index.js';

/** A run at a provider that somebody here follows, or is about to. */
class LiveRun {
  /** Streams that follow the run, and recoveries that are about to follow it again. */
  users = 0;
  /** Cancels the run at the provider, as the last who stopped following it would do it. */
  cancel: (() => void) | undefined;
  /** The last who stopped following it has left, and did not lose it. */
  left = false;
  /** Recovery goes on without it. */
  dropped = false;

  constructor(readonly key: string) {}

  settle(): void {
    if (--this.users > 0 && !this.dropped) return;
    if (runs.get(this.key) === this) runs.delete(this.key);
    if (this.left || this.dropped) this.cancel?.();
    // Of a run that is dropped others may still have to let go.
    if (this.cancel) this.left = this.dropped = false;
    this.cancel = undefined;
  }
}

/** A run leaves the list with its last follower. */
const runs = new Map<string, LiveRun>();

/**
 * Tells that a stream follows a run.
 *
 * @returns What the stream calls once when it ends: with how to cancel the run and `left` when its subscriber has left; with
 * how to cancel it alone when the connection broke; with nothing when there is no run any more. The run is cancelled when the
 * last one has left who followed it or was about to follow it again: a stall looks like a subscriber who leaves, but is none.
 */
export function followLiveRun(cursor: RunCursor): (cancel?: () => void, left?: boolean) => void {
  const key = keyOf(cursor);
  const run = runs.get(key) ?? new LiveRun(key);
  runs.set(key, run);
  run.users++;
  return (cancel, left = false) => {
    run.cancel = cancel;
    run.left = left;
    run.settle();
  };
}

/** Keeps a run alive between two streams that follow it, for as long as recovery is at work: an observer of the latter. */
export interface RunHold {
  /** The subscriber has left, while nobody followed the run perhaps: it is not wanted any more. */
  unsubscribe: () => void;
  /** Recovery is over. */
  finalize: () => void;
}

/** Tells that recovery is about to follow a run again; undefined where nobody here has followed it, and could cancel it. */
export function holdLiveRun(cursor: RunCursor): RunHold | undefined {
  const run = runs.get(keyOf(cursor));
  if (run === undefined) return undefined;
  run.users++;
  return {
    unsubscribe: () => void (run.left = true),
    finalize: () => run.settle(),
  };
}

/** Tells that recovery goes on without a run: it is cancelled as soon as it is known how. */
export function dropLiveRun(cursor: RunCursor): void {
  const run = runs.get(keyOf(cursor));
  if (run) run.dropped = true;
}

function keyOf({ provider, runId }: RunCursor): string {
  return `${provider} ${runId}`;
}
