import type { Observable, SchedulerLike } from 'rxjs';
import type { InferenceErrorKind, InferenceRequest, InterruptCause } from '../contract/index.js';
import type { ConversationState } from '../tools/ConversationState.js';

/** What a log holds: any event that is plain JSON and says its `type`, such as an `LlmStreamEvent`. */
export interface RunEvent {
  readonly type: string;
}

/** The first event of a run, where its producer stores what was asked for. */
export interface RunStartEvent extends RunEvent {
  readonly type: 'run-start';
  readonly request: InferenceRequest;
  /** Where the conversation stood that the run goes on with, and what has been decided since. */
  readonly state?: Omit<ConversationState, 'request'>;
}

/** The last event of a run. */
export interface RunEndEvent extends RunEvent {
  readonly type: 'run-end';
  /** Why the run failed; absent when it is complete. */
  readonly error?: {
    kind: InferenceErrorKind;
    detail: string;
    /** How the stream broke. */
    interruption?: InterruptCause;
    /** Milliseconds. */
    retryAfter?: number;
  };
}

/** What a checkpoint is about, where one was put in from outside. */
export interface StreamCheckpointEvent extends RunEvent {
  readonly type: 'stream-checkpoint';
  readonly threadId: string;
  readonly upstreamModel: string;
  /** Milliseconds since 1970. */
  readonly updatedAtMs: number;
}

const FOR_PRODUCERS: ReadonlySet<string> = new Set(['run-start', 'run-end', 'checkpoint', 'stream-checkpoint']);

/** True for what readers of a run get; the rest is for its producers. */
export function isForReaders({ type }: RunEvent): boolean {
  return !FOR_PRODUCERS.has(type);
}

/** True for the last event of a run. */
export function isEnd(event: RunEvent): event is RunEndEvent {
  return event.type === 'run-end';
}

/** One event of a run, with its place. */
export interface RunEntry<Event extends RunEvent = RunEvent> {
  /** Place in the run, from 1 on; each is one more than the one before. */
  seq: number;
  event: Event | RunEndEvent;
}

/** The right to append to a run. A later one has a higher token and makes all earlier ones worthless. */
export interface Fence {
  runId: string;
  /** Counts the producers of the run, from 1 on. */
  token: number;
}

/** Configuration of {@link RunLog.claim}. */
export interface ClaimConfig {
  /** Milliseconds that the lease outlives its last renewal. It is renewed each third of that. */
  ttl: number;
  /** Gives the time of the renewals. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/** Where a run stands. */
export interface RunHead {
  /** The last sequence number, 0 when nothing has been appended. */
  seq: number;
  /** True when the last event is the run's end. */
  ended: boolean;
  /** True while a producer holds the lease. */
  held: boolean;
}

/**
 * The append-only logs of many runs, on an engine that all machines reach. All methods give cold Observables: nothing is asked
 * before the subscription. All errors are `RunLogError`s.
 *
 * `memoryRunLog`, `redisRunLog` and `natsRunLog` are such logs; `runLogConformance` of `rx-llm/testing` checks one of your own.
 */
export interface RunLog {
  /**
   * Takes the lease of a run, creating the run where there is none, and emits its fence once. The lease is renewed while
   * somebody is subscribed; unsubscribing gives it back. Never completes.
   *
   * Errors with `held` while another producer has it, `ended` after the run's end, `lost` when it could not be kept, and
   * `unavailable` when the engine does not answer for longer than the lease.
   */
  claim(runId: string, config: ClaimConfig): Observable<Fence>;

  /**
   * Appends events, all or none, and emits their sequence numbers once they are stored. The engine itself refuses a fence that
   * has been overtaken or has run out, with `lost`. A `run-end` has to be the last of them; after it, `ended` is the answer.
   */
  append(fence: Fence, events: readonly RunEvent[]): Observable<number[]>;

  /**
   * Emits all entries after a sequence number: first the history, then the live ones, without a gap and without a repeat, and
   * completes after the `run-end`. Waits for a run that does not exist yet. Errors with `trimmed` when entries after that
   * number are gone.
   *
   * @param after - The last sequence number that the reader has seen. Defaults to 0.
   */
  read(runId: string, after?: number): Observable<RunEntry>;

  /** Emits once where a run stands, or null when there is no such run. */
  head(runId: string): Observable<RunHead | null>;

  /** Emits the ids of runs that have begun, have no end and no producer, at most `limit` (default 100), and completes. */
  orphans(limit?: number): Observable<string>;

  /**
   * Deletes a run in so many milliseconds, at once when 0, and completes. Who reads it then gets `trimmed`; its lease is lost.
   */
  expire(runId: string, after: number): Observable<never>;
}
