import type { RunCursor } from '../contract/index.js';

interface LiveRun {
  /** Streams that follow the run. */
  followers: number;
  /** Recoveries that are about to follow it again. */
  holds: number;
  /** Cancels the run at the provider, as the last who stopped following it would do it. */
  cancel: (() => void) | undefined;
  /** The last who stopped following it has left, and did not lose it. */
  left: boolean;
}

/** The runs at providers that somebody here follows, or is about to. A run leaves the list with its last follower. */
const runs = new Map<string, LiveRun>();

/**
 * Tells that a stream follows a run.
 *
 * @returns What the stream calls once when it ends: with how to cancel the run and `left` when its subscriber has left; with
 * how to cancel it alone when the connection broke; with nothing when there is no run any more. The run is cancelled when the
 * last one has left who followed it or was about to follow it again: a stall looks like a subscriber who leaves, but is none.
 */
export function followLiveRun(cursor: RunCursor): (cancel?: () => void, left?: boolean) => void {
  const { run, settle } = entryOf(cursor);
  run.followers++;
  return (cancel, left = false) => {
    run.followers--;
    run.cancel = cancel;
    run.left = left;
    settle();
  };
}

/** Keeps a run alive between two streams that follow it, for as long as recovery is at work. */
export interface RunHold {
  /** The subscriber has left, while nobody followed the run perhaps: it is not wanted any more. */
  leave: () => void;
  /** Recovery is over. */
  release: () => void;
}

/** Tells that recovery is about to follow a run again. */
export function holdLiveRun(cursor: RunCursor): RunHold {
  const { run, settle } = entryOf(cursor);
  run.holds++;
  return {
    leave: () => void (run.left = true),
    release: () => {
      run.holds--;
      settle();
    },
  };
}

function entryOf({ provider, runId }: RunCursor): { run: LiveRun; settle: () => void } {
  const key = `${provider} ${runId}`;
  const run = runs.get(key) ?? { followers: 0, holds: 0, cancel: undefined, left: false };
  runs.set(key, run);
  const settle = (): void => {
    if (run.followers > 0 || run.holds > 0) return;
    if (runs.get(key) === run) runs.delete(key);
    if (run.left) run.cancel?.();
    run.cancel = undefined;
  };
  return { run, settle };
}
