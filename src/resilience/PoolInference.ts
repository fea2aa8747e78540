import type { SchedulerLike } from 'rxjs';
import type { InferenceExecutionError, InferenceRequest, Message } from '../contract/index.js';
import type { Member } from './Member.js';

/** How long an answer that broke is waited for: longer than recovery ever waits. */
const PATIENCE = 120_000;
/** A stream that its subscriber left after so long a silence had stalled; one that was left sooner was not wanted any more. */
const STALL = 5_000;
/** Most answers at a time to one list of messages that are told apart. */
const MOST_ALIKE = 100;

/** Where a routing key is. */
export interface Session {
  readonly key: string;
  /** Where it is at home, when that is a matter of turns. */
  home?: Member;
  /** Where it was moved, and until when. */
  moved?: Member;
  until: number;
  /** Switches since the last success. */
  switches: number;
}

/** One stream of one member. */
export interface PoolAttempt {
  readonly member: Member;
  readonly request: InferenceRequest;
  /** `left`: the subscriber has gone before the end. */
  state: 'running' | 'broken' | 'left';
  events: number;
  /** The first piece of text. */
  head?: string;
  /** When it last sent something, and when it ended. */
  heardAt: number;
  endedAt: number;
}

/** One answer, over the attempts that it takes: members that were left are not asked again for it. */
export interface PoolInference {
  readonly session: Session;
  readonly tried: Set<Member>;
  /** The newest attempt; an older one does not change anything any more. */
  attempt?: PoolAttempt;
  /** Who goes on with the answer; undefined when it has been left. */
  member?: Member;
  /** Whose run the last cursor is. */
  runner?: Member;
  /** True when calls came: their fate is not the pool's to decide. */
  hasCalls: boolean;
  /** True when a member has begun to answer: somebody waits for more. */
  begun: boolean;
  lastError?: InferenceExecutionError;
  /** The shortest wait that a member has asked for, in milliseconds; infinite when none has. */
  wait: number;
}

/**
 * Knows the answers that are under way. A continuation request carries no id; but recovery never edits the messages, so the
 * list itself, the same object in all requests for one answer, tells which one is meant. Where several answers go on from
 * the same list, the text so far does.
 */
export class PoolInferences {
  private readonly byMessages = new WeakMap<readonly Message[], PoolInference[]>();

  constructor(private readonly scheduler: SchedulerLike) {}

  /**
   * The answer that a request goes on with; undefined for a new one. Recovery that asks again before a stream has failed has
   * seen it stall: that is counted.
   */
  find(request: InferenceRequest): PoolInference | undefined {
    const now = this.scheduler.now();
    let found: PoolInference | undefined;
    let best = 0;
    for (const inference of this.byMessages.get(request.messages) ?? []) {
      const likeness = likenessOf(inference.attempt, request, now);
      if (likeness >= best && likeness > 0) [found, best] = [inference, likeness];
    }
    const attempt = found?.attempt;
    if (attempt && attempt.state !== 'broken') {
      attempt.member.breaker.record('failure');
      attempt.state = 'broken';
    }
    return found;
  }

  add({ messages }: InferenceRequest, inference: PoolInference): void {
    const now = this.scheduler.now();
    const others = this.byMessages.get(messages)?.filter(({ attempt }) => attempt && isAwaited(attempt, now)) ?? [];
    this.byMessages.set(messages, [...others, inference].slice(-MOST_ALIKE));
  }

  remove({ messages }: InferenceRequest, inference: PoolInference): void {
    const others = this.byMessages.get(messages)?.filter((other) => other !== inference) ?? [];
    if (others.length > 0) this.byMessages.set(messages, others);
    else this.byMessages.delete(messages);
  }
}

function isAwaited({ state, endedAt }: PoolAttempt, now: number): boolean {
  return state === 'running' || now - endedAt <= PATIENCE;
}

/** How well a request fits as the next one after an attempt; 0 when it does not. */
function likenessOf(attempt: PoolAttempt | undefined, request: InferenceRequest, now: number): number {
  if (attempt === undefined || !isAwaited(attempt, now)) return 0;
  const { state, head, heardAt } = attempt;
  if (request.continuation === undefined) {
    // An answer starts again only while there is no text. A user who asks again at once has not seen a stall.
    const silence = (state === 'running' ? now : attempt.endedAt) - heardAt;
    return !head && (state === 'broken' || silence >= STALL) ? 1 : 0;
  }
  const { prefix } = request.continuation;
  const before = attempt.request.continuation?.prefix ?? '';
  // The same request at the same time is a second answer: one that was hedged.
  if (attempt.request === request || !prefix.startsWith(before)) return 0;
  const goesOn = prefix.startsWith(before + (head ?? ''));
  // A stream that has ended fits better than one that runs, then the one that knows more of the text.
  return 1 + before.length * 2 + (goesOn ? 1 : 0) + (state === 'running' ? 0 : 2 * prefix.length + 2);
}
