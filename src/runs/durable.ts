import { concat, filter, map, of, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { InferenceRequest } from '../contract/index.js';
import { checkRunId } from './checkRunId.js';
import { holdRun, LEASE } from './holdRun.js';
import { keepSeen } from './keepSeen.js';
import { isForReaders, type RunEvent, type RunLog, type RunStartEvent } from './RunLog.js';
import { checkedGroup, storeEvents, type GroupConfig } from './storeEvents.js';

/** Configuration of {@link durable}. Times are in milliseconds. */
export interface DurableConfig {
  /** Name of the run: 1 to 200 letters, digits and `._:-`. */
  runId: string;
  /** Where the run is kept. */
  log: RunLog;
  /**
   * What was asked for, to be stored with the run, so that `adoptOrphans` can go on with it. Defaults to nothing: then who
   * resumes the run has to know it.
   */
  request?: InferenceRequest;
  /** How events are put together before they are appended. Defaults to the defaults of {@link GroupConfig}. */
  group?: GroupConfig;
  /** How long the lease outlives this producer, after which another may go on. Defaults to 10,000. */
  ttl?: number;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/**
 * Writes a stream into a log, and passes on only what is stored there: what a subscriber has seen survives this process.
 *
 * The run is claimed on subscription and its lease kept until the end. The end of the source, also an error, is stored as the
 * run's end, and passes through after it. When the lease is lost, or the log fails, the result errors as `provider` with the
 * `RunLogError` as `cause` and the snapshot of what was stored, and the source is unsubscribed at once: somebody else may be
 * the producer now.
 *
 * Unsubscribing stops the source, forgets what is not stored yet, and gives the lease back; the run has no end then, and
 * `resumeRun` or `adoptOrphans` can go on with it. A run that has to outlive its first reader is subscribed to on its own,
 * and every reader takes `followRun`. A conversation with tools that others shall be able to go on with is begun by
 * `resumeRun({ converse })`, which keeps its checkpoints.
 * ```text
 * source  -a-b-c--------d|
 *         durable({ group: { time: 4 } })
 * log     -----(abc)-----(dE)         E: run-end
 * result  -----(abc)-----(d|)
 * ```
 * @example
 * ```ts
 * import { userMessage, withRecovery, type LlmExecutor } from 'rx-llm';
 * import { durable, followRun, memoryRunLog } from 'rx-llm/runs';
 *
 * declare const executor: LlmExecutor;
 * const log = memoryRunLog();
 * const request = { model: 'gpt-4o', messages: [userMessage('Hello')] };
 *
 * withRecovery(executor).executeStream(request).pipe(durable({ runId: 'answer-1', log })).subscribe();
 * followRun('answer-1', { log, after: 0 }).subscribe(({ seq, event }) => console.log(seq, event.type));
 * ```
 * @param config - See {@link DurableConfig}.
 * @throws TypeError when `runId` is none, RangeError when a size of groups makes no sense.
 */
export function durable<Event extends RunEvent>(config: DurableConfig): MonoTypeOperatorFunction<Event> {
  const { runId, log, request, group, ttl = LEASE, scheduler } = config;
  checkRunId(runId);
  checkedGroup(group);
  return (source) =>
    holdRun({ log, runId, ttl, ...(scheduler && { scheduler }) }, (fence) =>
      (request ? concat(of<RunStartEvent>({ type: 'run-start', request }), source) : source).pipe(
        storeEvents<Event | RunStartEvent>({ log, fence, group, scheduler }),
      ),
    ).pipe(
      map(({ event }) => event),
      filter((event): event is Event => isForReaders(event)),
      keepSeen((event) => event),
    );
}
