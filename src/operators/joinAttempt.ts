import type { OperatorFunction, Subscriber } from 'rxjs';
import type { ContinuationNote, LlmStreamEvent, RecoveryPlan, TextDeltaEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import type { Accumulator } from '../recovery/accumulator.js';
import { truncation } from '../recovery/truncation.js';
import { unstatedSeam } from '../recovery/unstatedSeam.js';
import { createSeam, type Seam, type SeamStep } from '../recovery/seam/index.js';

/** What has come of an attempt. */
export interface AttemptProgress {
  /** Events of the provider. */
  events: number;
  /** How the generation is joined that the attempt goes on with, as its provider has said. */
  note?: ContinuationNote | undefined;
}

/** Configuration of {@link joinAttempt}. */
export interface JoinConfig {
  /** What the subscriber has been shown, over all attempts. */
  seen: Accumulator;
  /** Number of the attempt; the first is 1. */
  number: number;
  plan?: RecoveryPlan;
  progress: AttemptProgress;
  /** Called before a reset is announced; throws where it must not be, or where the attempt is of no use. */
  onReset: (ambiguous: boolean) => void;
}

/**
 * Joins one attempt to what has been shown: says `resumed`, cuts what the model repeats, and ends at the `stop`. A source
 * that completes without one errors as `truncated`.
 */
export function joinAttempt(config: JoinConfig): OperatorFunction<LlmStreamEvent, LlmStreamEvent> {
  return operate((subscriber) => {
    const { seen, progress } = config;
    const send = (event: LlmStreamEvent): void => {
      seen.push(event);
      subscriber.next(event);
      if (event.type === 'stop') subscriber.complete();
    };
    const join = config.plan ? new Join(config, send, subscriber) : undefined;
    return {
      next: (event) => {
        progress.events++;
        if (join === undefined || join.done) send(event);
        else join.push(event);
      },
      complete: () => subscriber.error(truncation()),
    };
  });
}

/** The beginning of an attempt, up to the point where it is known how it goes on. */
class Join {
  /** True when every further event passes as it is. */
  done = false;
  readonly #config: JoinConfig;
  readonly #send: (event: LlmStreamEvent) => void;
  readonly #subscriber: Subscriber<LlmStreamEvent>;
  #seam: Seam | undefined;
  #started = false;
  /** Blocks that ended or came while text is held back: they follow the text. */
  #behind: LlmStreamEvent[] | undefined;

  constructor(config: JoinConfig, send: (event: LlmStreamEvent) => void, subscriber: Subscriber<LlmStreamEvent>) {
    this.#config = config;
    this.#send = send;
    this.#subscriber = subscriber;
  }

  push(sent: LlmStreamEvent): void {
    const event = this.#started ? sent : this.#start(sent);
    if (this.#seam === undefined) return this.#send(event);
    if (event.type === 'text-delta') {
      if (event.text !== '') this.#behind ??= [];
      return this.#show(this.#seam.push(event.text), event);
    }
    if (isWithinText(event)) {
      // One message can be several blocks of text, with reasoning before and citations between them.
      if (this.#behind && event.type !== 'reasoning-delta' && event.type !== 'usage') this.#behind.push(event);
      else this.#send(event);
      return;
    }
    this.#show(this.#seam.end(), undefined);
    if (!this.#subscriber.closed) this.#send(event);
  }

  /** Reads the provider's note off the first event; the note is for us and goes no further. */
  #start(first: LlmStreamEvent): LlmStreamEvent {
    this.#started = true;
    const { seen, plan, number, progress } = this.#config;
    const { continuation: stated, ...metadata } = first.providerMetadata ?? {};
    const follows = stated?.mechanism === 'reattach';
    if (plan?.kind === 'reattach' && stated && !follows) this.#cancelOpenCalls();
    // A run that is followed from where nothing had been joined yet is joined as its beginning would have been.
    const note = (progress.note = (follows ? progress.note : undefined) ?? stated);
    if (plan?.kind === 'whole-restart' || seen.text === '') {
      this.done = true;
      if (!follows) seen.run.drop();
      this.#send({ type: 'resumed', attempt: number, seam: null });
    } else {
      this.#seam = note ? createSeam({ shown: seen.text, ...note }) : unstatedSeam(seen.text);
    }
    if (stated === undefined) return first;
    const { providerMetadata: _, ...bare } = first;
    return Object.keys(metadata).length > 0 ? { ...bare, providerMetadata: metadata } : bare;
  }

  /** Another provider goes on than the one whose run was to be attached to: what that one had open will not come. */
  #cancelOpenCalls(): void {
    for (const { id, name } of this.#config.seen.snapshot().inFlightTools) {
      this.#send({ type: 'tool-call-cancel', id, name, reason: 'the provider was switched' });
    }
  }

  #show(step: SeamStep, event: TextDeltaEvent | undefined): void {
    if (step.report) {
      const { number } = this.#config;
      this.done = true;
      if (step.report.method === 'reset') {
        // What may be the middle of the answer is no answer of its own: it is not shown, the answer is asked for again.
        this.#config.onReset(step.report.reason === 'ambiguous');
        this.#send({ type: 'stream-reset', reason: 'the model started over' });
      }
      this.#send({ type: 'resumed', attempt: number, seam: step.report });
    }
    if (step.text !== '' && !this.#subscriber.closed) this.#send({ ...event, type: 'text-delta', text: step.text });
    if (!step.report) return;
    for (const block of this.#behind ?? []) if (!this.#subscriber.closed) this.#send(withoutCursor(block));
  }
}

/** What is sent behind text that came later does not stand where it came. */
function withoutCursor(event: LlmStreamEvent): LlmStreamEvent {
  if (!event.providerMetadata?.cursor) return event;
  const { cursor: _, ...providerMetadata } = event.providerMetadata;
  return { ...event, providerMetadata };
}

/** True for events after which the text of the same message may still go on. */
function isWithinText(event: LlmStreamEvent): boolean {
  switch (event.type) {
    case 'reasoning-delta':
    case 'usage':
    case 'provider-block':
      return true;
    case 'content-block-stop':
      return event.id === undefined;
    default:
      return false;
  }
}
