import {
  concat,
  defer,
  EMPTY,
  filter,
  finalize,
  first,
  from,
  ignoreElements,
  merge,
  Subject,
  type Observable,
} from 'rxjs';
import type { InferenceRequest, LlmExecutor, LlmStreamEvent } from '../contract/index.js';
import type { ConversationState } from '../tools/ConversationState.js';
import { recover } from '../operators/recover.js';
import { converse, resumeConversation } from '../tools/converse.js';
import type { ConverseConfig } from '../tools/ConverseConfig.js';
import type { ConverseEvent } from '../tools/ConverseEvent.js';
import { gone } from './gone.js';
import type { RunEvent, RunStartEvent } from './RunLog.js';

/** Where a conversation stands, so that another process can go on with it. For the log alone: readers do not get it. */
export interface CheckpointEvent extends RunEvent {
  readonly type: 'checkpoint';
  readonly state: ConversationState;
}

/** What is needed to go on with a conversation. */
export interface TalkConfig {
  executor: LlmExecutor;
  request: InferenceRequest;
  converse: ConverseConfig;
}

const OF_THE_MODEL: ReadonlySet<string> = new Set<LlmStreamEvent['type']>([
  ...(['text-delta', 'reasoning-delta', 'tool-call-start', 'tool-call-delta', 'content-block-stop'] as const),
  ...(['usage', 'stop', 'provider-block', 'tool-call-ready', 'tool-call-cancel', 'stream-reset'] as const),
  ...(['interrupted', 'resumed'] as const),
]);

/**
 * The rest of a conversation of which there are these events.
 *
 * The turn that was under way is played to the conversation once more, as an attempt that broke, and goes on from there; what
 * readers have already is left out. Calls are run by the ledger of the last checkpoint: each at most once.
 *
 * @param stored - Emits each event once it is in the log: a checkpoint is waited for.
 */
export function talkOn(
  events: readonly RunEvent[],
  { executor, request, converse: config }: TalkConfig,
  stored: Observable<RunEvent>,
): Observable<ConverseEvent | CheckpointEvent> {
  return defer(() => {
    const last = events.findLastIndex(({ type }) => type === 'checkpoint');
    const tail = events.slice(last + 1);
    if (tail.some(({ type }) => type === 'conversation-end' || type === 'conversation-suspended')) return EMPTY;

    const checkpoints = new Subject<CheckpointEvent>();
    const checkpoint = (state: ConversationState): Observable<never> => {
      const event: CheckpointEvent = { type: 'checkpoint', state };
      const kept = stored.pipe(
        first((other) => other === event),
        ignoreElements(),
      );
      return merge(
        kept,
        defer(() => {
          checkpoints.next(event);
          return EMPTY;
        }),
      );
    };
    const begun = startOf(events);
    const state = last === -1 ? begun : (events[last] as CheckpointEvent).state;
    const told = state ? replayed(state) : converse(executor, request, { ...config, checkpoint });
    return merge(checkpoints, told.pipe(finalize(() => checkpoints.complete())));

    function replayed(state: ConversationState): Observable<ConverseEvent> {
      const turn = state.result ? [] : turnOf(events, state.step);
      const replay = new Replay(executor, turn, config.recover === false);
      const resumed = resumeConversation(replay.executor, state, { ...config, checkpoint });
      const known = new Set(events.map(boundaryOf).filter((name) => name !== ''));
      const fresh = resumed.pipe(filter((event) => replay.isNew(event) && !known.has(boundaryOf(event))));
      return concat(from(untold(state, events, begun)), fresh);
    }
  });
}

/** An executor that answers its first request with what has come of the answer already, and then breaks. */
class Replay {
  #old: boolean;
  readonly executor: LlmExecutor;

  /** @param alone - True when nobody around recovers: what went before is gone on with all the same. */
  constructor(executor: LlmExecutor, turn: readonly LlmStreamEvent[], alone: boolean) {
    this.#old = turn.length > 0;
    const ends = turn.at(-1)?.type === 'stop';
    const broken = defer(() => {
      // The conversation has come to where its readers are; after a stop it does not get here.
      this.#old = ends && this.#old;
      return gone();
    });
    const resubscribe = (request: InferenceRequest): Observable<LlmStreamEvent> => executor.executeStream(request);
    const execute = (request: InferenceRequest): Observable<LlmStreamEvent> => {
      if (!this.#old) return resubscribe(request);
      const replayed = concat(from(turn), broken);
      return alone ? replayed.pipe(recover({ request, resubscribe, count: 1 })) : replayed;
    };
    this.executor = {
      ...executor,
      name: executor.name,
      execute: (request) => executor.execute(request),
      executeStream: execute,
    };
  }

  /** True for an event that is not in the log. */
  isNew({ type }: ConverseEvent): boolean {
    if (!this.#old) return true;
    // The stop that is played is the last that readers have.
    if (type === 'stop') this.#old = false;
    return false;
  }
}

/** What the model has said in a turn. Each producer that goes on with a turn puts a checkpoint into it, so that none bounds it. */
function turnOf(events: readonly RunEvent[], step: number): LlmStreamEvent[] {
  const begin = events.findLastIndex((event) => boundaryOf(event) === `step-start ${step}`);
  const said = begin === -1 ? [] : events.slice(begin).filter(({ type }) => OF_THE_MODEL.has(type));
  return said as LlmStreamEvent[];
}

/** Where the conversation stood that a run goes on with. */
export function startOf([first]: readonly RunEvent[]): ConversationState | undefined {
  const { request, state } = first?.type === 'run-start' ? (first as RunStartEvent) : {};
  return request && state && { ...state, request };
}

/**
 * Results that the ledger knows and readers were not told, because the process died in between.
 *
 * @param begun - Where the run has begun: the readers of the run before were told of what was known then.
 */
function untold(
  { ledger, step }: ConversationState,
  events: readonly RunEvent[],
  begun: ConversationState | undefined,
): ConverseEvent[] {
  const turn = events.slice(events.findLastIndex(({ type }) => type === 'step-start') + 1);
  const told = new Set(
    (turn as ConverseEvent[]).flatMap((event) => (event.type === 'tool-execution-result' ? [event.id] : [])),
  );
  if (begun?.step === step) for (const { call, status } of begun.ledger) if (status) told.add(call.id);
  return ledger.flatMap(({ call: { id, name }, status, result, timedOut }): ConverseEvent[] =>
    status && result && !told.has(id)
      ? [{ type: 'tool-execution-result', id, name, status, result, ...(timedOut && { timedOut }) }]
      : [],
  );
}

/** Names the beginning or the end of a turn, which readers are told once. */
function boundaryOf(event: RunEvent): string {
  const { type, step } = event as { type: string; step?: number };
  return type === 'step-start' || type === 'step-finish' ? `${type} ${step}` : '';
}
