import type { SchedulerLike } from 'rxjs';
import type { Member } from './Member.js';
import type { PoolInference, Session } from './PoolInference.js';
import type { PoolPolicy } from './PoolPolicy.js';
import { rendezvousScore } from './rendezvous.js';

/** Most keys that are remembered. */
const MOST_KEYS = 10_000;

/** Chooses the member for the next attempt of an answer. */
export class PoolRouter {
  private readonly sessions = new Map<string, Session>();
  private turn = 0;

  constructor(
    private readonly members: readonly Member[],
    private readonly home: NonNullable<PoolPolicy['home']>,
    private readonly returnAfter: number,
    private readonly scheduler: SchedulerLike,
  ) {}

  /** The session of a key; one of its own for an answer without a key that takes turns. */
  session(key: string | undefined): Session {
    if (key === undefined && this.home === 'round-robin') return newSession('');
    const known = this.sessions.get(key ?? '') ?? newSession(key ?? '');
    // Taken out and put in again, so that the keys stand in the order of their last use.
    this.sessions.delete(known.key);
    for (const oldest of this.sessions.keys()) {
      if (this.sessions.size < MOST_KEYS) break;
      this.sessions.delete(oldest);
    }
    this.sessions.set(known.key, known);
    return known;
  }

  /** Members that can still be asked for an answer. */
  candidates({ tried }: PoolInference): Member[] {
    return this.members.filter((member) => member.available && !tried.has(member));
  }

  /** The member to ask next, with which the answer stays until it is left; undefined when there is none. */
  choose(inference: PoolInference): Member | undefined {
    const candidates = this.candidates(inference);
    const { member: current, session } = inference;
    if (current && candidates.includes(current)) return current;
    const next = this.settled(session, candidates) ?? this.homeOf(session, candidates);
    const moves = next !== undefined && (current !== undefined || inference.tried.size > 0);
    if (moves) {
      session.moved = next;
      const wait = Math.max(this.returnAfter, inference.lastError?.retryAfter ?? 0);
      session.until = this.scheduler.now() + wait;
    }
    inference.member = next;
    return next;
  }

  /** Where the session has been moved to, as long as it is to stay there. */
  private settled({ moved, until }: Session, candidates: readonly Member[]): Member | undefined {
    return moved && this.scheduler.now() < until && candidates.includes(moved) ? moved : undefined;
  }

  private homeOf(session: Session, candidates: readonly Member[]): Member | undefined {
    const regular = candidates.filter(({ isFailoverOnly }) => !isFailoverOnly);
    const members = regular.length > 0 ? regular : candidates;
    if (this.home === 'first-healthy' || members.length < 2) return members[0];
    if (this.home === 'rendezvous') return highest(members, session.key);
    if (session.home && members.includes(session.home)) return session.home;
    return (session.home = this.next(members));
  }

  /** The member whose turn it is; each has as many turns in a round as it weighs. */
  private next(members: readonly Member[]): Member | undefined {
    const round = members.reduce((sum, { weight }) => sum + weight, 0);
    let place = this.turn++ % round;
    return members.find(({ weight }) => (place -= weight) < 0);
  }
}

function newSession(key: string): Session {
  return { key, until: -Infinity, switches: 0 };
}

function highest(members: readonly Member[], key: string): Member | undefined {
  let best: Member | undefined;
  let bestScore = -Infinity;
  for (const member of members) {
    const score = rendezvousScore(key, member.id, member.weight);
    if (score > bestScore) [best, bestScore] = [member, score];
  }
  return best;
}
