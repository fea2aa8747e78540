import {
  addUsage,
  updateUsage,
  type InferenceErrorKind,
  type InterruptCause,
  type InterruptedEvent,
  type LlmStreamEvent,
  type RecoveryPlan,
  type ResumedEvent,
  type Seam,
  type StopReason,
  type TokenUsage,
  type ToolCallCancelEvent,
} from '../contract/index.js';
import { tokensIn } from '../internal/tokensIn.js';
import { Accumulator } from '../recovery/accumulator.js';

/** One interruption in a {@link RecoveryReport}. Times are in milliseconds. */
export interface ReportedInterruption {
  /** Number of the attempt that broke, as the event says it. */
  attempt: number;
  cause: InterruptCause;
  plan: RecoveryPlan['kind'];
  /** Announced wait before the next attempt. */
  delay: number;
  /** How much of the text that was shown stayed, in UTF-16 code units. */
  kept: number;
  /** Calls that were cancelled. */
  cancelled: { id: string; name: string }[];
  /** True when what had been shown was taken back. */
  reset: boolean;
  /** From the last piece of the answer before the interruption to where the answer went on, broke again, or ended. */
  timeLost: number;
  /** The join; null where there is none: started again, completed from what was there, broke again. */
  seam: Seam | null;
}

/** What recovery has done for one answer, or one conversation. Plain JSON; times are in milliseconds. */
export interface RecoveryReport {
  /** Streams that it took, continuations at the output limit included: 1 when nothing broke, or 1 for each turn. */
  attempts: number;
  interruptions: ReportedInterruption[];
  /** How often the answer went on after the output limit had stopped it. */
  continuations: number;
  /** From subscription to the end. */
  elapsed: number;
  /** What of `elapsed` the interruptions took. */
  timeLost: number;
  /** Tokens of all attempts together, as in the result; absent when none were reported. */
  usage?: TokenUsage;
  /**
   * Tokens that were paid a second time, or for nothing: the prompts of all attempts but the first, and the output that was
   * taken back, cancelled or cut at a seam. `estimated` where not all of it was reported; what became of output never is.
   */
  paidTwice: Required<Pick<TokenUsage, 'promptTokens' | 'completionTokens' | 'totalTokens'>> & { estimated?: boolean };
  /** How the answer ended: why the model stopped, or what error came. */
  outcome: { stop: StopReason } | { error: InferenceErrorKind };
}

/** Builds a report from the events of one answer. */
export class ReportBuilder {
  private seen = new Accumulator();
  /** Tokens of the turns before. */
  private usageBefore: TokenUsage | undefined;
  private readonly interruptions: ReportedInterruption[] = [];
  private continuations = 0;
  private attempts = 1;
  /** Code units that are shown, of the text and of everything; what the calls have of it; what was paid for nothing. */
  private text = 0;
  private shown = 0;
  private readonly calls = new Map<string, number>();
  private wasted = 0;
  /** Prompt tokens of the first report of the first attempt, and of those that were paid again. */
  private firstPrompt: number | undefined;
  private againPrompt = 0;
  private guessed = false;
  /** The running attempt: its usage, the first prompt that it reported, its number, whether it has brought anything. */
  private usage: TokenUsage | undefined;
  private prompt: number | undefined;
  private number = 1;
  private brought = false;
  /** When the answer last made progress; since when time is being lost. */
  private aliveAt: number;
  private lostSince: number | undefined;

  /** @param now - When the subscription began. */
  constructor(private readonly startedAt: number) {
    this.aliveAt = startedAt;
  }

  push(event: LlmStreamEvent, now: number): void {
    this.seen.push(event);
    switch (event.type) {
      case 'text-delta':
        this.text += event.text.length;
        return this.grow(event.text.length, now);
      case 'reasoning-delta':
        return this.grow(event.text.length, now);
      case 'tool-call-delta':
        this.calls.set(event.id, (this.calls.get(event.id) ?? 0) + event.argsDelta.length);
        return this.grow(event.argsDelta.length, now);
      case 'usage':
        this.brought = true;
        this.usage = updateUsage(this.usage, event.usage);
        this.prompt ??= event.usage.promptTokens;
        return;
      case 'interrupted':
        return this.interrupted(event, now);
      case 'tool-call-cancel':
        return this.cancel(event);
      case 'stream-reset':
        return this.reset();
      case 'resumed':
        return this.resumed(event, now);
      case 'stop':
        return this.regain(now);
      default:
        return;
    }
  }

  /** Another turn of the conversation begins: what the turns before have shown stays, and their prompts are other ones. */
  nextTurn(): void {
    this.closeAttempt();
    this.usageBefore = this.usageSoFar();
    this.seen = new Accumulator();
    this.attempts++;
    this.number = 1;
    this.text = this.shown = 0;
    this.calls.clear();
  }

  /** The report of an answer that ends now. */
  end(outcome: RecoveryReport['outcome'], now: number): RecoveryReport {
    this.regain(now);
    this.closeAttempt();
    const usage = this.usageSoFar();
    const completionTokens = tokensIn(this.wasted);
    const promptTokens = this.againPrompt;
    return {
      attempts: this.attempts,
      interruptions: this.interruptions,
      continuations: this.continuations,
      elapsed: now - this.startedAt,
      timeLost: this.interruptions.reduce((sum, { timeLost }) => sum + timeLost, 0),
      ...(usage && { usage }),
      paidTwice: {
        promptTokens,
        completionTokens,
        totalTokens: promptTokens + completionTokens,
        ...((this.guessed || completionTokens > 0) && { estimated: true }),
      },
      outcome,
    };
  }

  private usageSoFar(): TokenUsage | undefined {
    const { usageBefore } = this;
    const { usage } = this.seen.result();
    return usageBefore && usage ? addUsage(usageBefore, usage) : (usage ?? usageBefore);
  }

  /** The interruption that the answer has not got over yet. */
  private get running(): ReportedInterruption | undefined {
    return this.lostSince === undefined ? undefined : this.interruptions.at(-1);
  }

  private grow(length: number, now: number): void {
    this.brought = true;
    if (length === 0) return;
    this.shown += length;
    this.aliveAt = now;
  }

  private interrupted({ attempt, cause, plan: { kind }, delay }: InterruptedEvent, now: number): void {
    this.regain(now);
    const known = { attempt, cause, plan: kind, delay, kept: this.text };
    this.interruptions.push({ ...known, cancelled: [], reset: false, timeLost: 0, seam: null });
    this.lostSince = this.aliveAt;
    if (kind === 'synthesize-tool-use') return;
    this.attempts++;
    if (kind === 'reattach') return;
    this.closeAttempt();
    this.number++;
  }

  private cancel({ id, name }: ToolCallCancelEvent): void {
    const length = this.calls.get(id) ?? 0;
    this.wasted += length;
    this.shown -= length;
    this.calls.delete(id);
    this.running?.cancelled.push({ id, name });
  }

  private reset(): void {
    const { running } = this;
    if (running) Object.assign(running, { reset: this.shown > 0, kept: 0 });
    this.wasted += this.shown;
    this.shown = this.text = 0;
    this.calls.clear();
  }

  private resumed({ seam }: ResumedEvent, now: number): void {
    this.wasted += seam?.cut ?? 0;
    const { running } = this;
    if (running) running.seam = seam;
    else {
      this.continuations++;
      this.attempts++;
    }
    this.regain(now);
  }

  /** The time that is being lost ends here. */
  private regain(now: number): void {
    const { running } = this;
    if (running) running.timeLost = now - (this.lostSince ?? now);
    this.lostSince = undefined;
    this.aliveAt = running ? now : this.aliveAt;
  }

  /** Counts the prompt of the attempt that is over, and those of the continuations that it reported with its own. */
  private closeAttempt(): void {
    const { usage, prompt, number } = this;
    const continued = (usage?.promptTokens ?? 0) - (prompt ?? 0);
    if (number === 1) this.firstPrompt = prompt;
    else if (prompt !== undefined) this.againPrompt += prompt;
    else if (this.brought && this.firstPrompt !== undefined) {
      // Each later prompt is the first one and what was kept of the answer.
      this.againPrompt += this.firstPrompt + tokensIn(this.interruptions.at(-1)?.kept ?? 0);
      this.guessed = true;
    }
    if (this.continuations > 0) this.againPrompt += Math.max(0, continued);
    this.usage = this.prompt = undefined;
    this.brought = false;
  }
}
