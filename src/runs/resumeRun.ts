import {
  catchError,
  concat,
  defer,
  EMPTY,
  finalize,
  from,
  ignoreElements,
  map,
  merge,
  of,
  repeat,
  skip,
  Subject,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
  toArray,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import {
  InferenceExecutionError,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
} from '../contract/index.js';
import { recover, type RecoverConfig } from '../operators/recover.js';
import { withDecisions, type ConversationState, type ToolDecisions } from '../tools/ConversationState.js';
import type { ConverseConfig } from '../tools/ConverseConfig.js';
import type { ConverseEvent } from '../tools/ConverseEvent.js';
import { checkRunId } from './checkRunId.js';
import { followRun } from './followRun.js';
import { fromLog } from './fromLog.js';
import { gone } from './gone.js';
import { holdRun, LEASE } from './holdRun.js';
import { isForReaders, type Fence, type RunEvent, type RunLog, type RunStartEvent } from './RunLog.js';
import { isRunLogError } from './RunLogError.js';
import { startOf, talkOn } from './talkOn.js';
import { storeEvents, type GroupConfig } from './storeEvents.js';

/** What is needed to go on with a run. Times are in milliseconds. */
export interface ProduceConfig {
  /** Where the run is kept. */
  log: RunLog;
  /** The model. It need not recover by itself: that is done here. */
  executor: LlmExecutor;
  /** What was asked for. */
  request: InferenceRequest;
  /**
   * Makes the run a conversation with tools; see `converse`. Each call is run at most once over all producers: it is on record
   * before it runs. In the mode `parallel-streaming` runs cannot be resumed, so it is refused. Defaults to one
   * answer without tools.
   */
  converse?: Omit<ConverseConfig, 'checkpoint'>;
  /**
   * How it recovers, each turn of a conversation as well unless `converse` says it; `false` leaves interruptions to the
   * executor. What is in the log is gone on with in any case. Defaults to the defaults of `recover`.
   */
  recover?: Partial<Omit<RecoverConfig, 'request'>> | false;
  /** How events are put together before they are appended. Defaults to the defaults of {@link GroupConfig}. */
  group?: GroupConfig;
  /** How long the lease outlives this producer. Defaults to 10,000. */
  ttl?: number;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/** Configuration of {@link resumeRun}. */
export interface ResumeRunConfig extends ProduceConfig {
  /** Name of the run: 1 to 200 letters, digits and `._:-`. */
  runId: string;
  /**
   * Makes the run a conversation with tools, as in {@link ProduceConfig}: one that begins with `request`, or one that goes on
   * from where another run has been suspended. Defaults to one answer without tools.
   */
  converse?: NonNullable<ProduceConfig['converse']> & {
    /** What `conversation-suspended` gave, for a run that begins now; its own request is taken. The log knows it from then on. */
    state?: ConversationState;
    /** What has been decided about the calls that wait in `state`, by their ids; kept with it. Defaults to nothing. */
    decisions?: ToolDecisions;
  };
}

/**
 * Gives the whole answer of a run, wherever it stands, and goes on with it where its producer is gone.
 *
 * A run that has its end is replayed from the log, and nothing is asked again; one that somebody else produces is followed, and
 * each third of `ttl` the log is asked whether that producer is still there. A run without a producer is claimed: what is in the
 * log is taken in as an attempt that broke, with the cause `resumed-from-checkpoint`, so that it goes on by the same plans as after
 * any interruption, in the same log. A run that does not exist begins. When several resume it at once, one produces and the others
 * follow, and go on when it is gone.
 *
 * What has begun as one answer ends as one. A conversation goes on with the option `converse` alone, and only where it was
 * begun by `resumeRun`, which keeps its checkpoints: anything else errors as `invalid-request`, and the run stays as it is.
 * One that was suspended goes on in a run of another name, with its `state` and what has been decided; that run is resumed as
 * any other.
 *
 * Emits the events from the first one on, each once and only when it is stored; ends, or errors, as the run does.
 * Unsubscribing stops the producer, if it is this one, and leaves a run that somebody else can resume.
 * ```text
 * log before  a--b--          (the producer has died)
 *             resumeRun({ runId, log, executor, request })
 * result      (ab)-i----rc--(s|)     i: interrupted, r: resumed
 * ```
 * @example
 * ```ts
 * import { textDeltas, userMessage, type LlmExecutor } from 'rx-llm';
 * import { resumeRun, type RunLog } from 'rx-llm/runs';
 *
 * declare const executor: LlmExecutor;
 * declare const log: RunLog;
 * const request = { model: 'gpt-4o', messages: [userMessage('Hello')] };
 *
 * resumeRun({ runId: 'answer-1', log, executor, request }).pipe(textDeltas()).subscribe((text) => console.log(text));
 * ```
 * @param config - See {@link ResumeRunConfig}.
 * @throws TypeError when `runId` or the state is none, or the decisions do not fit it.
 */
export function resumeRun(
  config: ResumeRunConfig & { converse: NonNullable<ResumeRunConfig['converse']> },
): Observable<ConverseEvent>;
/** Goes on with a run that is one answer, without tools. */
export function resumeRun(config: ResumeRunConfig & { converse?: undefined }): Observable<LlmStreamEvent>;
export function resumeRun(config: ResumeRunConfig): Observable<ConverseEvent> {
  const { runId, log, converse: { state, decisions = {}, ...converse } = {} } = config;
  checkRunId(runId);
  if (converse.mode === 'parallel-streaming') {
    throw new TypeError(
      'resumeRun: use the mode sequential or parallel-batch-approval; what a model says beside running calls cannot be resumed',
    );
  }
  if (state === undefined && Object.keys(decisions).length > 0) {
    throw new TypeError('resumeRun: give the state that the decisions are about');
  }
  const begin = state && withDecisions(state, decisions);
  const produce: ProduceConfig = config.converse ? { ...config, converse } : config;
  return defer(() => {
    const over = new Subject<void>();
    const followed = followRun<ConverseEvent>(runId, { log }).pipe(
      map(({ event }) => event),
      finalize(() => over.next()),
    );
    // The log is read for everything, also for what is appended here: there is one order of events, and that is its own.
    return merge(standBy(runId, produce, begin).pipe(takeUntil(over)), followed);
  });
}

/** Produces a run whenever it has no producer. Says nothing, and does not complete by itself. */
function standBy(runId: string, config: ProduceConfig, state: ConversationState | undefined): Observable<never> {
  const { log, ttl = LEASE, scheduler } = config;
  let following = false;
  return defer(() => fromLog(log.head(runId))).pipe(
    switchMap((head) => (head?.ended || head?.held ? EMPTY : produceRun(runId, config, state))),
    // Who follows is told by the log of what happens to the run, and goes on following where it cannot go on with it.
    catchError((error: unknown) =>
      following && error instanceof InferenceExecutionError ? EMPTY : throwError(() => error),
    ),
    ignoreElements(),
    repeat({
      delay: () => {
        following = true;
        return timer(ttl / 3, scheduler);
      },
    }),
  );
}

/**
 * Goes on with a run that has no producer, up to its end, and emits what it appends. Completes without a word when somebody
 * else produces it, or it has ended.
 *
 * @param state - Where a conversation goes on, when the run has not begun.
 */
export function produceRun(runId: string, config: ProduceConfig, state?: ConversationState): Observable<RunEvent> {
  const { log, group, ttl = LEASE, scheduler } = config;
  return holdRun({ log, runId, ttl, ...(scheduler && { scheduler }) }, (fence) =>
    defer(() => {
      const stored = new Subject<RunEvent>();
      return history(log, fence).pipe(
        switchMap((events) => {
          // Refused before anything is stored: an end in the log would be the run's own.
          checkKind(events, config, state);
          return goOn(events, config, stored, state).pipe(storeEvents<RunEvent>({ log, fence, group, scheduler }));
        }),
        map(({ event }) => event),
        // Not the Subject itself: `tap` would subscribe to it, and nobody would handle its error.
        tap((event) => stored.next(event)),
      );
    }),
  ).pipe(
    catchError((error: unknown) => {
      const cause = error instanceof InferenceExecutionError ? error.cause : undefined;
      return isRunLogError(cause, 'held') || isRunLogError(cause, 'ended') ? EMPTY : throwError(() => error);
    }),
  );
}

/** Everything that is in the log; nobody else can append to it any more. */
function history(log: RunLog, { runId }: Fence): Observable<RunEvent[]> {
  return fromLog(log.head(runId)).pipe(
    switchMap((head) =>
      head === null || head.seq === 0
        ? of([])
        : fromLog(log.read(runId)).pipe(
            take(head.seq),
            map(({ event }) => event),
            toArray(),
          ),
    ),
  );
}

function goOn(
  events: readonly RunEvent[],
  config: ProduceConfig,
  stored: Observable<RunEvent>,
  state: ConversationState | undefined,
): Observable<RunEvent> {
  const { converse, recover: recovery, scheduler } = config;
  const known = events.length > 0 ? events : [beginning(config, state)];
  const told = events.filter(isForReaders) as LlmStreamEvent[];
  // What has begun as one answer ends as one, whoever goes on with it.
  const talks = converse && (told.length === 0 || isConversation(events));
  const talk = { ...(recovery !== undefined && { recover: recovery }), ...(scheduler && { scheduler }), ...converse };
  const rest = talks ? talkOn(known, { ...config, converse: talk }, stored) : answerOn(told, config);
  return events.length === 0 ? concat(from(known), rest) : rest;
}

function beginning({ request: asked }: ProduceConfig, state: ConversationState | undefined): RunStartEvent {
  if (state === undefined) return { type: 'run-start', request: asked };
  const { request, ...place } = state;
  return { type: 'run-start', request, state: place };
}

/** True where somebody has kept a conversation so that it can be resumed. */
function isConversation(events: readonly RunEvent[]): boolean {
  return startOf(events) !== undefined || events.some(({ type }) => type === 'checkpoint');
}

/** @throws InferenceExecutionError `invalid-request` when what is in the log cannot be gone on with in this way. */
function checkKind(events: readonly RunEvent[], { converse }: ProduceConfig, state?: ConversationState): void {
  if (state && events.length > 0 && !startOf(events)) {
    const advice = 'go on with a suspended conversation in a run of another name';
    throw new InferenceExecutionError('invalid-request', `the run has begun without the state: ${advice}`);
  }
  if (isConversation(events)) {
    if (converse) return;
    throw new InferenceExecutionError(
      'invalid-request',
      'the run is a conversation: resume it with the option `converse`',
    );
  }
  if (!events.some(({ type }) => type === 'step-start')) return;
  const advice = 'begin conversations with resumeRun and its option `converse`';
  throw new InferenceExecutionError('invalid-request', `the run is a conversation without checkpoints: ${advice}`);
}

/** The rest of an answer of which there are these events. */
function answerOn(events: readonly LlmStreamEvent[], config: ProduceConfig): Observable<LlmStreamEvent> {
  const { executor, request, recover: recovery = {}, scheduler } = config;
  const execute = (asked: InferenceRequest): Observable<LlmStreamEvent> => executor.executeStream(asked);
  if (events.length === 0 && recovery === false) return execute(request);
  const first = events.length === 0 ? execute(request) : concat(from(events), gone());
  const settings = { resubscribe: execute, ...(scheduler && { scheduler }), ...(recovery || { count: 1 }) };
  return first.pipe(recover({ ...settings, request }), skip(events.length));
}
