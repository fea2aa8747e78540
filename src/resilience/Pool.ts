import { catchError, defer, throwError, type Observable, type SchedulerLike } from 'rxjs';
import { InferenceExecutionError, type InferenceRequest, type LlmStreamEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import { isQuota, isTransient } from './health.js';
import { isRefusal } from './CircuitOpenError.js';
import type { Member } from './Member.js';
import type { PoolAttempt, PoolInference, PoolInferences } from './PoolInference.js';
import type { PoolRouter } from './PoolRouter.js';
import { wrapThrown } from './wrapThrown.js';

/** What a pool does, beside what it is made of. */
export interface PoolSettings {
  key: ((request: InferenceRequest) => string) | undefined;
  quotaThreshold: number;
  maxSwitches: number;
  quarantine: number;
  scheduler: SchedulerLike;
}

/** Why a member is left. */
type Leaving = 'quota' | 'permanent' | 'refused';

/** Why a pool leaves a member that sent this error; null when it stays: another member would do no better, or not at once. */
export function leavingOf(error: InferenceExecutionError, quotaThreshold: number): Leaving | null {
  if (isRefusal(error)) return 'refused';
  if (error.kind === 'unauthorized' || error.kind === 'model-not-found') return 'permanent';
  if (!isQuota(error)) return null;
  return error.retryAfter === undefined || error.retryAfter >= quotaThreshold ? 'quota' : null;
}

/** Carries out what a pool has been asked for. */
export class Pool {
  constructor(
    private readonly members: readonly Member[],
    private readonly router: PoolRouter,
    private readonly inferences: PoolInferences,
    private readonly settings: PoolSettings,
  ) {}

  /** The answer to a request, or its rest. */
  stream(request: InferenceRequest): Observable<LlmStreamEvent> {
    return defer(() => {
      const inference = this.inferences.find(request) ?? this.begin(request);
      if (request.continuation?.mechanism === 'reattach') return this.attach(request, inference);
      return this.ask(request, inference);
    });
  }

  private begin(request: InferenceRequest): PoolInference {
    const session = this.router.session(wrapThrown(() => this.settings.key?.(request)));
    const begun = request.continuation !== undefined;
    const inference: PoolInference = { session, tried: new Set(), hasCalls: begun, begun, wait: Infinity };
    this.inferences.add(request, inference);
    return inference;
  }

  /** Attaches to a run, which only the member can whose provider runs it. */
  private attach(request: InferenceRequest, inference: PoolInference): Observable<LlmStreamEvent> {
    const provider = request.continuation?.cursor?.provider;
    const runner = inference.runner ?? this.members.find((member) => member.provider === provider);
    if (runner?.available && !inference.tried.has(runner)) return this.follow(request, inference, runner);
    // With text alone another member can go on at once. What becomes of calls is planned anew by who recovers.
    if (!inference.hasCalls) return this.ask(withoutCursor(request), inference);
    return throwError(() => lostRun());
  }

  private ask(request: InferenceRequest, inference: PoolInference): Observable<LlmStreamEvent> {
    const member = this.router.choose(inference);
    if (member) return this.follow(request, inference, member);
    const { lastError, tried } = inference;
    // What has been begun is better waited for than given up: who recovers waits, and whoever has room again goes on.
    if (inference.begun && lastError && isQuota(lastError)) {
      tried.clear();
      return throwError(() => lastError);
    }
    this.inferences.remove(request, inference);
    return throwError(() => unavailable(inference));
  }

  private follow(request: InferenceRequest, inference: PoolInference, member: Member): Observable<LlmStreamEvent> {
    const now = this.settings.scheduler.now();
    const attempt: PoolAttempt = { member, request, state: 'running', events: 0, heardAt: now, endedAt: now };
    inference.attempt = attempt;
    return member.executor.executeStream(request).pipe(
      this.observe(request, inference, attempt),
      catchError((thrown: unknown) => this.failed(thrown, request, inference, attempt)),
    );
  }

  /** Mirrors a member up to its stop, and writes down how it goes. */
  private observe(request: InferenceRequest, inference: PoolInference, attempt: PoolAttempt) {
    const { scheduler } = this.settings;
    const end = (state: PoolAttempt['state']): void => {
      if (attempt.state === 'running') Object.assign(attempt, { state, endedAt: scheduler.now() });
    };
    return operate<LlmStreamEvent, LlmStreamEvent>((subscriber) => ({
      next: (event) => {
        attempt.events++;
        inference.begun = true;
        attempt.heardAt = scheduler.now();
        if (event.type === 'text-delta') attempt.head ||= event.text;
        if (event.type === 'tool-call-start') inference.hasCalls = true;
        if (event.providerMetadata?.cursor) inference.runner = attempt.member;
        if (event.type !== 'stop') return subscriber.next(event);
        this.succeeded(request, inference, attempt);
        subscriber.next(event);
        subscriber.complete();
      },
      error: (error) => {
        end('broken');
        subscriber.error(error);
      },
      complete: () => {
        end('broken');
        subscriber.complete();
      },
      finalize: () => end('left'),
    }));
  }

  private succeeded(request: InferenceRequest, inference: PoolInference, attempt: PoolAttempt): void {
    if (inference.attempt !== attempt) return;
    inference.session.switches = 0;
    this.inferences.remove(request, inference);
  }

  private failed(
    thrown: unknown,
    request: InferenceRequest,
    inference: PoolInference,
    attempt: PoolAttempt,
  ): Observable<LlmStreamEvent> {
    const error = toInferenceError(thrown);
    const { quotaThreshold, maxSwitches } = this.settings;
    if (inference.attempt !== attempt) return throwError(() => error);
    const why = leavingOf(error, quotaThreshold);
    const attaching = request.continuation?.mechanism === 'reattach';
    // A run that is not found says nothing about the model.
    const leaves = why !== null && !(attaching && why === 'permanent');
    if (leaves && why === 'permanent') attempt.member.quarantine(this.settings.quarantine);
    const others = this.router.candidates(inference).some((member) => member !== attempt.member);
    const opening = attempt.events === 0 && !attaching;
    // What has been begun is better waited for than given up, where nobody else can go on with it.
    if (!leaves || inference.session.switches >= maxSwitches || !(opening || others)) {
      if (!isTransient(thrown)) this.inferences.remove(request, inference);
      return throwError(() => error);
    }
    inference.tried.add(attempt.member);
    inference.member = undefined;
    inference.lastError = error;
    inference.wait = Math.min(inference.wait, error.retryAfter ?? Infinity);
    inference.session.switches++;
    return opening ? this.ask(request, inference) : throwError(() => forAnother(error));
  }
}

/** The error of a member, for a recovery that will be another one's: nothing is to be waited for, and nothing is for good. */
function forAnother(error: InferenceExecutionError): InferenceExecutionError {
  const { kind, detail, status } = error;
  if (!error.isRetryable) {
    return new InferenceExecutionError('stream-interrupted', `${kind}: ${detail}`, { cause: error });
  }
  return error.retryAfter === undefined ? error : new InferenceExecutionError(kind, detail, { status, cause: error });
}

function withoutCursor(request: InferenceRequest): InferenceRequest {
  const { prefix = '', cancelledTools = [] } = request.continuation ?? {};
  return { ...request, continuation: { prefix, cancelledTools } };
}

function lostRun(): InferenceExecutionError {
  return new InferenceExecutionError('stream-interrupted', 'the member that the run belongs to cannot be asked', {
    interruption: { kind: 'connection-reset' },
  });
}

function unavailable({ lastError: cause, wait }: PoolInference): InferenceExecutionError {
  const options = { ...(cause && { cause }), ...(wait < Infinity && { retryAfter: wait }) };
  return new InferenceExecutionError('all-models-unavailable', '', options);
}
