import {
  asyncScheduler,
  defer,
  EMPTY,
  ignoreElements,
  map,
  of,
  switchMap,
  take,
  throwError,
  toArray,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import type { InFlightTool, InterruptSnapshot, LlmStreamEvent, ToolCall } from '../contract/index.js';
import { Accumulator } from '../recovery/accumulator.js';
import { checkRunId } from './checkRunId.js';
import { holdRun, LEASE } from './holdRun.js';
import {
  isEnd,
  isForReaders,
  type RunEvent,
  type RunHead,
  type RunLog,
  type RunStartEvent,
  type StreamCheckpointEvent,
} from './RunLog.js';
import { RunLogError } from './RunLogError.js';

/** What had come of an answer when its stream broke, over all attempts. Plain JSON. */
export interface StreamCheckpoint {
  runId: string;
  /** The conversation that the run belongs to; empty where nobody has said. */
  threadId: string;
  /** The model that was asked; empty where nobody has said. */
  upstreamModel: string;
  /** All the text so far; may be empty. */
  partialText: string;
  completedToolCalls: ToolCall[];
  /** The last call that is not whole. */
  inFlightTool: InFlightTool | null;
  /** When it was written, in milliseconds since 1970; 0 where a producer has written the run that keeps no times. */
  updatedAtMs: number;
}

/** What a checkpoint has to be about; one that is about something else counts as none. */
export interface CheckpointExpectation {
  threadId?: string;
  upstreamModel?: string;
  /** Most milliseconds since it was written. */
  maxAge?: number;
}

/** Keeps one checkpoint a run. All methods give cold Observables, and error with a `RunLogError`. */
export interface StreamCheckpointStore {
  /** Stores a checkpoint in the place of the one before, and completes; an empty one is nothing to resume, and leaves none. */
  put(checkpoint: StreamCheckpoint): Observable<never>;
  /** Emits the checkpoint of a run once, or null: where there is none, it is empty, or not what is expected. */
  get(runId: string, expected?: CheckpointExpectation): Observable<StreamCheckpoint | null>;
  /** Forgets the checkpoint, and completes; also where there is none. */
  delete(runId: string): Observable<never>;
}

/** Configuration of {@link checkpointStore}. */
export interface CheckpointStoreConfig {
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/**
 * The checkpoints of runs, as a view over their log: what `durable` and `resumeRun` have stored is a checkpoint at any moment, and
 * what is put here can be gone on with by `resumeRun`.
 *
 * A checkpoint holds everything since the beginning of the run, whichever attempt and process it came from. A run that is
 * complete has none; one that failed keeps it. `put` and `delete` are refused with `held` while a producer has the run: the log is
 * more than any checkpoint then.
 * @example
 * ```ts
 * import { checkpointStore, memoryRunLog } from 'rx-llm/runs';
 *
 * const store = checkpointStore(memoryRunLog());
 *
 * store.get('answer-1', { threadId: 'thread-7', maxAge: 3_600_000 }).subscribe((checkpoint) => console.log(checkpoint));
 * ```
 * @param log - Where the runs are.
 * @param config - See {@link CheckpointStoreConfig}.
 */
export function checkpointStore(log: RunLog, config: CheckpointStoreConfig = {}): StreamCheckpointStore {
  const { scheduler = asyncScheduler } = config;
  return {
    put: (checkpoint) => {
      const { runId } = checkpoint;
      checkRunId(runId);
      const replaced = defer(() => {
        if (isEmpty(checkpoint)) return forget(log, runId);
        return holdRun({ log, runId, ttl: LEASE, scheduler }, (fence) =>
          historyOf(log, runId).pipe(switchMap((events) => log.append(fence, difference(events, checkpoint)))),
        );
      });
      return replaced.pipe(ignoreElements());
    },
    get: (runId, expected = {}) => {
      checkRunId(runId);
      return historyOf(log, runId).pipe(
        map((events) => {
          const found = fold(runId, events);
          return found && isExpected(found, expected, scheduler.now()) ? found : null;
        }),
      );
    },
    delete: (runId) => {
      checkRunId(runId);
      return defer(() => forget(log, runId));
    },
  };
}

function forget(log: RunLog, runId: string): Observable<never> {
  return log.head(runId).pipe(
    switchMap((head) => {
      if (head === null || head.ended) return EMPTY;
      if (!head.held) return log.expire(runId, 0);
      const detail = 'somebody produces it; what is in the log is not a checkpoint alone';
      return throwError(() => new RunLogError('held', runId, detail));
    }),
  );
}

/** All that is in the log now. */
function historyOf(log: RunLog, runId: string): Observable<RunEvent[]> {
  const upTo = (head: RunHead | null): Observable<RunEvent[]> =>
    head === null || head.seq === 0
      ? of([])
      : log.read(runId).pipe(
          take(head.seq),
          map(({ event }) => event),
          toArray(),
        );
  return log.head(runId).pipe(switchMap(upTo));
}

function fold(runId: string, events: readonly RunEvent[]): StreamCheckpoint | null {
  const last = events.at(-1);
  if (last && isEnd(last) && last.error === undefined) return null;
  const { text, completedToolCalls, inFlightTool } = snapshotOf(events);
  const about = events.findLast((event): event is StreamCheckpointEvent => event.type === 'stream-checkpoint');
  const start = events.find((event): event is RunStartEvent => event.type === 'run-start');
  const { threadId = '', upstreamModel = start?.request.model ?? '', updatedAtMs = 0 } = about ?? {};
  const partialText = text ?? '';
  const found = { runId, threadId, upstreamModel, partialText, completedToolCalls, inFlightTool, updatedAtMs };
  return isEmpty(found) ? null : found;
}

function snapshotOf(events: readonly RunEvent[]): InterruptSnapshot {
  const seen = new Accumulator();
  for (const event of events) if (isForReaders(event)) seen.push(event as LlmStreamEvent);
  return seen.snapshot();
}

/** The events that make the log say what the checkpoint says. What is there already is not said again. */
function difference(events: readonly RunEvent[], checkpoint: StreamCheckpoint): RunEvent[] {
  const { threadId, upstreamModel, partialText, completedToolCalls, inFlightTool, updatedAtMs } = checkpoint;
  const about: StreamCheckpointEvent = { type: 'stream-checkpoint', threadId, upstreamModel, updatedAtMs };
  const { text, completedToolCalls: known, inFlightTools } = snapshotOf(events);
  const grows =
    partialText.startsWith(text ?? '') &&
    inFlightTools.length === 0 &&
    known.every((call) => completedToolCalls.some((other) => sameCall(call, other)));
  const said = grows ? (text ?? '').length : 0;
  const made = grows ? known : [];
  const changes: LlmStreamEvent[] = grows ? [] : [{ type: 'stream-reset', reason: 'another checkpoint was put' }];
  if (partialText.length > said) changes.push({ type: 'text-delta', text: partialText.slice(said) });
  for (const { id, name, arguments: args } of completedToolCalls) {
    if (made.some((call) => call.id === id)) continue;
    changes.push({ type: 'tool-call-start', id, name });
    changes.push({ type: 'tool-call-delta', id, argsDelta: JSON.stringify(args) });
    changes.push({ type: 'content-block-stop', id });
  }
  if (inFlightTool) {
    const { id, name, partialArgs } = inFlightTool;
    changes.push({ type: 'tool-call-start', id, name });
    if (partialArgs !== '') changes.push({ type: 'tool-call-delta', id, argsDelta: partialArgs });
  }
  return [about, ...changes];
}

function sameCall(a: ToolCall, b: ToolCall): boolean {
  return a.id === b.id && a.name === b.name && JSON.stringify(a.arguments) === JSON.stringify(b.arguments);
}

function isEmpty({ partialText, completedToolCalls, inFlightTool }: StreamCheckpoint): boolean {
  return partialText === '' && completedToolCalls.length === 0 && inFlightTool === null;
}

function isExpected(checkpoint: StreamCheckpoint, expected: CheckpointExpectation, now: number): boolean {
  const { threadId, upstreamModel, maxAge = Infinity } = expected;
  return (
    (threadId === undefined || threadId === checkpoint.threadId) &&
    (upstreamModel === undefined || upstreamModel === checkpoint.upstreamModel) &&
    now - checkpoint.updatedAtMs <= maxAge
  );
}
