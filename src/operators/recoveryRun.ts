import {
  catchError,
  concat,
  defer,
  forkJoin,
  from,
  ignoreElements,
  of,
  take,
  tap,
  throwIfEmpty,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import {
  InferenceExecutionError,
  interruptCauseOf,
  planRecovery,
  type ContinuationNote,
  type InterruptCause,
  type InterruptSnapshot,
  type LlmStreamEvent,
  type RecoveryPlan,
} from '../contract/index.js';
import { Accumulator } from '../recovery/accumulator.js';
import { announce } from '../recovery/announce.js';
import { failWith, toInferenceError } from '../recovery/attachSnapshot.js';
import { retryAfterOf } from '../recovery/backoff.js';
import { continuationRequest } from '../recovery/continuationRequest.js';
import { dropLiveRun, holdLiveRun } from '../recovery/liveRuns.js';
import { hasOpenServerTool } from '../recovery/openServerTool.js';
import { joinAttempt, type AttemptProgress } from './joinAttempt.js';
import { shadowContinuation } from './shadowContinuation.js';
import type { Interruption, RecoverConfig } from './RecoverConfig.js';

/** The configuration of `recover` with its defaults filled in. */
export type RecoverSettings = Required<Omit<RecoverConfig, 'random' | 'idleTimeout'>> & {
  /** Watches an attempt for stalls. */
  watch: MonoTypeOperatorFunction<LlmStreamEvent>;
};

/** One try to get the answer, or the rest of it. */
interface Attempt {
  number: number;
  /** How it came about; undefined for the first. */
  plan?: RecoveryPlan;
  /** How the run is joined that is followed again, when that is still open. */
  note?: ContinuationNote | undefined;
}

/** What one subscription to `recover` knows over all its attempts. */
export class RecoveryRun {
  readonly #settings: RecoverSettings;
  readonly #seen = new Accumulator();
  readonly #startedAt: number;
  #recoveries = 0;
  /** The error that broke the answer: the one of the last attempt that had brought something. */
  #original: InferenceExecutionError | undefined;
  #lastCause: InterruptCause | null = null;
  /** The provider has refused once to let us follow its run again. */
  #refused = false;
  /** The last continuation could not be joined to what has been shown: only a restart helps. */
  #mustRestart = false;
  /** An error that ends the run, whatever the budget says. */
  #final: InferenceExecutionError | undefined;

  constructor(settings: RecoverSettings) {
    this.#settings = settings;
    this.#startedAt = settings.scheduler.now();
  }

  /** Follows one attempt, and those that come after it. */
  follow(source: Observable<LlmStreamEvent>, attempt: Attempt = { number: 1 }): Observable<LlmStreamEvent> {
    const progress: AttemptProgress = { events: 0, note: attempt.note };
    const { continuation } = this.#settings.request;
    const join = joinAttempt({
      ...{ seen: this.#seen, ...attempt, progress },
      onReset: (ambiguous) => this.#checkReset(ambiguous),
    });
    return source.pipe(
      this.#settings.watch,
      // The first attempt at a continuation is joined by who asked for it.
      attempt.number === 1 && continuation ? shadowContinuation(this.#seen, continuation, progress) : join,
      catchError((error: unknown) => {
        try {
          return this.#recoverFrom(error, attempt, progress);
        } catch (final) {
          throw failWith(final, this.#seen);
        }
      }),
    );
  }

  /** Called when an attempt turns out to start the answer again in other words, or cannot be joined. */
  #checkReset(ambiguous: boolean): void {
    this.#final = this.#settings.resets === 'fail' ? this.#original : undefined;
    if (this.#final) throw this.#final;
    if (!ambiguous) return;
    this.#mustRestart = true;
    throw new InferenceExecutionError('stream-interrupted', 'the continuation fits nowhere', {
      interruption: this.#lastCause ?? undefined,
    });
  }

  /** Gives the rest of the answer, or throws the error that it ends in. */
  #recoverFrom(thrown: unknown, attempt: Attempt, { events, note }: AttemptProgress): Observable<LlmStreamEvent> {
    if (this.#final !== undefined) throw this.#final;
    const error = toInferenceError(thrown);
    const progressed = events > 0;
    const followed = attempt.plan?.kind === 'reattach' ? attempt.plan.cursor : undefined;
    // A run that has not moved on is no run that is being followed: to attach again for nothing would never end.
    const lostRun = followed && (!progressed || isSame(followed, this.#seen.run.unjoined ?? this.#seen.run.cursor));
    const cause = interruptCauseOf(thrown) ?? (lostRun && isGone(error) ? this.#lastCause : null);
    if (cause === null) throw error;
    this.#lastCause = cause;
    if (progressed || this.#original === undefined) this.#original = error;
    if (progressed) this.#refused = false;
    if (lostRun && !this.#refused && !progressed && mayLetIn(error)) {
      this.#refused = true;
    } else if (lostRun) {
      dropLiveRun(followed);
      this.#seen.run.drop();
      this.#recoveries++;
    }
    const snapshot = this.#seen.snapshot();
    const { unjoined } = this.#seen.run;
    const open = unjoined && note && !this.#mustRestart ? note : undefined;
    const plan: RecoveryPlan = unjoined && open ? { kind: 'reattach', cursor: unjoined } : this.#planFor(snapshot);
    this.#mustRestart = false;
    const interruption: Interruption = { cause, error, snapshot, plan, attempt: attempt.number };
    return plan.kind === 'synthesize-tool-use' ? this.#say(interruption, 0) : this.#goOn(interruption, open);
  }

  /**
   * What cannot be continued is asked for again: constrained decoding starts its JSON anew, whatever stands before it, and
   * nothing tells the model what a tool on its side would have given.
   */
  #planFor(snapshot: InterruptSnapshot): RecoveryPlan {
    const plan = planRecovery(snapshot);
    const continues = plan.kind === 'continue-text' || plan.kind === 'truncate-before-tool';
    const format = this.#settings.request.overrides?.responseFormat?.type ?? 'text';
    const stuck = continues && (format !== 'text' || hasOpenServerTool(snapshot.content ?? []));
    return this.#mustRestart || stuck ? { kind: 'whole-restart' } : plan;
  }

  #goOn(interruption: Interruption, note: ContinuationNote | undefined): Observable<LlmStreamEvent> {
    const { cause, error, snapshot, plan, attempt } = interruption;
    const { count, maxElapsed, resets, scheduler, request, resubscribe, when, delay } = this.#settings;
    const original = this.#original ?? error;
    const free = plan.kind === 'reattach';
    const takesBack = plan.kind === 'whole-restart' && this.#seen.hasShownText;
    if ((!free && this.#recoveries >= count) || (takesBack && resets === 'fail') || !when(interruption)) {
      throw original;
    }
    const asked = typeof delay === 'function' ? delay(cause, this.#recoveries + 1) : delay;
    if (Number.isNaN(asked)) throw new RangeError('recover: delay gave NaN in place of milliseconds');
    const wait = Math.max(typeof asked === 'number' ? asked : 0, retryAfterOf(error));
    if (scheduler.now() - this.#startedAt + wait > maxElapsed) throw original;
    if (!free) this.#recoveries++;

    const next = defer(() => {
      try {
        return from(resubscribe(continuationRequest(request, plan, snapshot), interruption));
      } catch (thrown) {
        this.#final = toInferenceError(thrown);
        throw thrown;
      }
    });
    const rest = concat(
      this.#say(interruption, wait),
      this.#pause(wait, asked),
      this.follow(next, { number: attempt + 1, plan, note }),
    );
    if (plan.kind !== 'reattach') return rest;
    // The attempt that broke is unsubscribed only now: it must not cancel the run that is to be attached to again.
    return rest.pipe(tap(holdLiveRun(plan.cursor)));
  }

  #say(interruption: Interruption, delay: number): Observable<LlmStreamEvent> {
    return from(announce({ ...interruption, delay })).pipe(tap((event) => this.#seen.push(event)));
  }

  #pause(wait: number, asked: number | ObservableInput<unknown>): Observable<never> {
    // The stack holds only so many attempts that fail at once.
    const slept = wait > 0 || this.#recoveries % 64 === 63 ? timer(wait, this.#settings.scheduler) : of(0);
    // A notifier that completes without a value says that nobody will come: the answer must not end as if it were whole.
    const notified = from(typeof asked === 'number' ? [asked] : asked).pipe(
      take(1),
      throwIfEmpty(() => this.#original),
    );
    return forkJoin([slept, notified]).pipe(
      ignoreElements(),
      catchError((error: unknown) => {
        throw failWith(error, this.#seen);
      }),
    );
  }
}

/** The provider does not know the run any more: not a mistake in the request, only too late. */
function isGone(error: InferenceExecutionError): boolean {
  return error.kind === 'model-not-found' || error.kind === 'invalid-request';
}

/** The provider is too busy to let anybody follow its run, or cannot be reached: once more may help. */
function mayLetIn({ kind, status = 0 }: InferenceExecutionError): boolean {
  return status === 429 || status >= 500 || (kind === 'stream-interrupted' && status === 0);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
