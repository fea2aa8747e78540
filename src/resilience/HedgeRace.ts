import { Subject, takeUntil, type Observable, type Subscriber } from 'rxjs';
import { addUsage, updateUsage, type LlmStreamEvent, type TokenUsage } from '../contract/index.js';

/** Most events that are held back for one request; one that sends more without progress is taken for the answer. */
const MOST_HELD = 100;

/** One request of the race. */
interface Runner {
  /** Ends its subscription, also in the middle of a synchronous burst. */
  left: Subject<void>;
  running: boolean;
  held: LlmStreamEvent[];
  usage: TokenUsage | undefined;
  /** How it ended without an answer; undefined while it runs. */
  end: (() => void) | undefined;
}

/** The race of two requests for one answer. */
export class HedgeRace {
  /** Called when no further request is wanted. */
  onDecided: () => void = () => undefined;
  private readonly runners: Runner[] = [];
  private winner: Runner | undefined;
  private usage: TokenUsage | undefined;

  constructor(private readonly subscriber: Subscriber<LlmStreamEvent>) {
    subscriber.add(() => this.leaveAll());
  }

  /** Lets a request take part. */
  enter(source: Observable<LlmStreamEvent>): void {
    if (this.subscriber.closed) return;
    const runner: Runner = { left: new Subject(), running: true, held: [], usage: undefined, end: undefined };
    this.runners.push(runner);
    source.pipe(takeUntil(runner.left)).subscribe({
      next: (event) => this.next(runner, event),
      error: (error: unknown) => this.ended(runner, () => this.subscriber.error(error)),
      complete: () => this.ended(runner, () => this.subscriber.complete()),
    });
  }

  private next(runner: Runner, event: LlmStreamEvent): void {
    if (runner === this.winner) return this.send(event);
    if (event.type === 'usage') runner.usage = updateUsage(runner.usage, event.usage);
    runner.held.push(event);
    if (isProgress(event) || runner.held.length > MOST_HELD) this.win(runner);
  }

  private win(runner: Runner): void {
    this.winner = runner;
    this.onDecided();
    for (const other of this.runners) if (other !== runner && other.running) other.left.next();
    this.flush(runner);
  }

  private ended(runner: Runner, end: () => void): void {
    // Leaving a request completes it, too; nobody asks for it any more.
    if (this.subscriber.closed || (this.winner !== undefined && runner !== this.winner)) return;
    if (runner === this.winner) return end();
    runner.running = false;
    runner.end = end;
    if (this.runners.some(({ running }) => running)) return;
    this.onDecided();
    const first = this.runners[0] ?? runner;
    this.winner = first;
    this.flush(first);
    first.end?.();
  }

  private flush(runner: Runner): void {
    for (const event of runner.held.splice(0)) if (!this.subscriber.closed) this.send(event);
  }

  private send(event: LlmStreamEvent): void {
    if (this.runners.length === 1) return this.subscriber.next(event);
    if (event.type === 'usage') {
      this.usage = updateUsage(this.usage, event.usage);
      return this.sendUsage(event);
    }
    // An answer that does not say what it cost has cost what the other one did all the same.
    if (event.type === 'stop' && this.usage === undefined) this.sendUsage({ type: 'usage', usage: {} });
    if (!this.subscriber.closed) this.subscriber.next(event);
  }

  private sendUsage(event: LlmStreamEvent & { type: 'usage' }): void {
    const hedged = this.lost();
    if (hedged === undefined) return this.usage && this.subscriber.next(event);
    const usage = this.usage ? addUsage(this.usage, hedged) : hedged;
    this.subscriber.next({ ...event, usage, providerMetadata: { ...event.providerMetadata, hedged } });
  }

  /** What the requests that lost have cost. */
  private lost(): TokenUsage | undefined {
    let sum: TokenUsage | undefined;
    for (const runner of this.runners) {
      if (runner === this.winner) continue;
      // A request that was turned away has cost nothing; one that was left has had its prompt read.
      const prompt = runner.running ? this.usage?.promptTokens : undefined;
      const reported = runner.usage ?? {};
      const { promptTokens = prompt, completionTokens } = reported;
      if (promptTokens === undefined && completionTokens === undefined) continue;
      const cost: TokenUsage = { ...reported, estimated: true };
      if (promptTokens !== undefined) cost.promptTokens = promptTokens;
      cost.totalTokens = (promptTokens ?? 0) + (completionTokens ?? 0);
      sum = sum ? addUsage(sum, cost) : cost;
    }
    return sum;
  }

  private leaveAll(): void {
    for (const { left } of this.runners) left.next();
  }
}

function isProgress(event: LlmStreamEvent): boolean {
  switch (event.type) {
    case 'usage':
      return false;
    case 'text-delta':
    case 'reasoning-delta':
      return event.text !== '';
    default:
      return true;
  }
}
