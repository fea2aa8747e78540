import {
  catchError,
  concat,
  defer,
  filter,
  from,
  of,
  tap,
  throwError,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import {
  addUsage,
  InferenceExecutionError,
  planRecovery,
  updateUsage,
  type InferenceRequest,
  type InterruptSnapshot,
  type LlmStreamEvent,
  type RecoveryPlan,
  type StopEvent,
  type TokenUsage,
} from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { Accumulator } from '../recovery/accumulator.js';
import { failWith } from '../recovery/attachSnapshot.js';
import { continuationRequest } from '../recovery/continuationRequest.js';
import { settleArguments } from '../recovery/settleArguments.js';
import { joinAttempt, type AttemptProgress } from './joinAttempt.js';
import { SETTLE, shadowContinuation } from './shadowContinuation.js';

/** Configuration for `continueOnMaxTokens`. */
export interface ContinueOnMaxTokensConfig {
  /** What was asked for; continuation requests are made from it and never from each other. */
  request: InferenceRequest;
  /** Sends a continuation request: usually `(continuation) => executor.executeStream(continuation)`. */
  resubscribe: (continuation: InferenceRequest) => ObservableInput<LlmStreamEvent>;
  /** Most continuations of one answer. Defaults to 2. */
  count?: number;
}

const REASON = 'output limit reached';

/** The limit has been reached: carries the stop that is held back. */
class Limit extends Error {
  constructor(readonly stop: StopEvent) {
    super(REASON);
  }
}

/** What one subscription to `continueOnMaxTokens` knows over all parts of the answer. */
export class LimitRun {
  private readonly seen = new Accumulator();
  private continued = 0;
  /** The stop that was held back last. */
  private stop: StopEvent = { type: 'stop', reason: 'max-tokens' };
  /** Tokens of the parts that are over, and of the running one, since the last interruption. */
  private carried: TokenUsage | undefined;
  private running: TokenUsage | undefined;

  constructor(private readonly config: Required<ContinueOnMaxTokensConfig>) {}

  /** Follows one part of the answer, and those that come after it. */
  follow(source: Observable<LlmStreamEvent>, plan?: RecoveryPlan): Observable<LlmStreamEvent> {
    const { continuation } = this.config.request;
    const progress: AttemptProgress = { events: 0 };
    const before = plan ? this.seen.text.length : (continuation?.prefix.length ?? 0);
    const joined =
      plan === undefined && continuation
        ? shadowContinuation(this.seen, continuation, progress)
        : joinAttempt({
            seen: this.seen,
            number: this.continued + 1,
            plan,
            progress,
            // A long answer is not thrown away for another one that ends at the limit too.
            onReset: () => {
              throw new Limit(this.stop);
            },
          });
    return source.pipe(
      this.gate(),
      joined,
      filter((event) => event !== SETTLE),
      catchError((thrown: unknown) => {
        if (thrown instanceof Limit) return this.atLimit(thrown, before);
        if (this.continued > 0 && progress.events === 0 && isRefused(thrown)) return of(this.stop);
        return throwError(() => failWith(thrown, this.seen));
      }),
    );
  }

  /**
   * Errors in place of a stop at the limit, and adds up the usage.
   *
   * Vendors close a call that the limit has cut, too: the close of a call whose arguments are no whole object is held back
   * until it is clear that no such stop follows.
   */
  private gate() {
    return operate<LlmStreamEvent, LlmStreamEvent>((subscriber) => {
      const args = new Map<string, string>();
      let held: LlmStreamEvent[] = [];
      const release = (): void => {
        for (const event of held.splice(0)) if (!subscriber.closed) subscriber.next(event);
      };
      const isHeld = (event: LlmStreamEvent): boolean => {
        if (event.type === 'usage') return held.length > 0;
        if (event.type !== 'content-block-stop' || event.id === undefined) return false;
        const json = args.get(event.id);
        args.delete(event.id);
        return json !== undefined && settleArguments(json, 'open') === undefined;
      };
      return {
        next: (sent) => {
          const event = this.counted(sent);
          if (event.type === 'tool-call-start') args.set(event.id, '');
          if (event.type === 'tool-call-delta') args.set(event.id, (args.get(event.id) ?? '') + event.argsDelta);
          if (isHeld(event)) return void held.push(event);
          if (event.type !== 'stop' || event.reason !== 'max-tokens') {
            release();
            if (!subscriber.closed) subscriber.next(event);
            return;
          }
          held = held.filter(({ type }) => type === 'usage');
          release();
          subscriber.next(SETTLE);
          subscriber.error(new Limit(event));
        },
        error: (error) => {
          release();
          subscriber.error(error);
        },
        complete: () => {
          release();
          subscriber.complete();
        },
      };
    });
  }

  /** Within one attempt a report of usage replaces the one before, so a later part reports those before it, too. */
  private counted(event: LlmStreamEvent): LlmStreamEvent {
    if (event.type === 'interrupted' && event.plan.kind !== 'reattach') this.carried = this.running = undefined;
    if (event.type !== 'usage') return event;
    this.running = updateUsage(this.running, event.usage);
    return this.carried ? { ...event, usage: addUsage(this.carried, this.running) } : event;
  }

  private atLimit({ stop }: Limit, before: number): Observable<LlmStreamEvent> {
    this.stop = stop;
    if (this.running) this.carried = this.carried ? addUsage(this.carried, this.running) : this.running;
    this.running = undefined;
    // The provider's run is over; there is nothing to attach to.
    this.seen.run.drop();
    const snapshot = this.seen.snapshot();
    const { completedToolCalls, inFlightTools } = snapshot;
    const cut = inFlightTools.length > 0;
    if (cut && completedToolCalls.length > 0) return this.completeCalls(snapshot);
    const grown = (snapshot.text?.length ?? 0) > before;
    const { count, request } = this.config;
    const isText = (request.overrides?.responseFormat?.type ?? 'text') === 'text';
    const ends = this.continued >= count || completedToolCalls.length > 0 || !(cut || grown) || !isText;
    return ends ? of(stop) : this.goOn(snapshot);
  }

  /** The calls that are whole are what the model wanted next; the answer of the tools brings it back to the others. */
  private completeCalls({ completedToolCalls, inFlightTools }: InterruptSnapshot): Observable<LlmStreamEvent> {
    const ready = completedToolCalls.map(({ id, name, arguments: args }): LlmStreamEvent => ({
      type: 'tool-call-ready',
      id,
      name,
      arguments: args,
    }));
    return from([...cancels(inFlightTools), ...ready, { type: 'stop', reason: 'tool-use' } as const]);
  }

  private goOn(snapshot: InterruptSnapshot): Observable<LlmStreamEvent> {
    const { request, resubscribe } = this.config;
    this.continued++;
    const plan = planRecovery(snapshot);
    const said = cancels(snapshot.inFlightTools);
    if (plan.kind === 'whole-restart') said.push({ type: 'stream-reset', reason: REASON });
    const next = defer(() => from(resubscribe(continuationRequest(request, plan, snapshot))));
    return concat(
      from(said).pipe(tap((event) => this.seen.push(event))),
      defer(() => this.follow(next, plan)),
    );
  }
}

function cancels(open: InterruptSnapshot['inFlightTools']): LlmStreamEvent[] {
  return open.map(({ id, name }) => ({ type: 'tool-call-cancel', id, name, reason: REASON }));
}

/** The provider will not continue, however often it is asked: the longer prompt does not fit, say. */
function isRefused(thrown: unknown): boolean {
  return thrown instanceof InferenceExecutionError && !thrown.isRetryable && thrown.kind !== 'cancelled';
}
