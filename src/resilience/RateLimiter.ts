import { Observable, type SchedulerLike, type Subscription } from 'rxjs';
import { InferenceExecutionError } from '../contract/index.js';
import { SlidingWindow } from './SlidingWindow.js';

/** The limits; Infinity where there is none. */
export interface Limits {
  requestsPerMinute: number;
  tokensPerMinute: number;
  concurrency: number;
  maxQueue: number;
  scheduler: SchedulerLike;
}

/** The leave to make one request. */
export interface Ticket {
  /** The provider has asked to wait: nobody starts before. */
  hold(ms: number): void;
  /** The request is over. Without `tokens` it has cost what was estimated. */
  finish(tokens: number | undefined): void;
}

interface Waiter {
  tokens: number;
  start(ticket: Ticket): void;
  refuse(): void;
}

/** Lets requests start in the order in which they came, as the limits allow. One timer at most is set. */
export class RateLimiter {
  /** How many run. */
  running = 0;
  private readonly queue = new Set<Waiter>();
  private readonly requests: SlidingWindow;
  private readonly tokens: SlidingWindow;
  private heldUntil = -Infinity;
  private timer: Subscription | undefined;
  private draining = false;

  constructor(private readonly limits: Limits) {
    this.requests = new SlidingWindow(limits.requestsPerMinute);
    this.tokens = new SlidingWindow(limits.tokensPerMinute);
  }

  /** How many wait. */
  get waiting(): number {
    return this.queue.size;
  }

  /** Emits the ticket when the request may start, and completes. Unsubscribing before leaves the queue. */
  admit(tokens: number): Observable<Ticket> {
    return new Observable((subscriber) => {
      const waiter: Waiter = {
        tokens,
        start: (ticket) => {
          subscriber.next(ticket);
          subscriber.complete();
        },
        refuse: () => subscriber.error(overflow(this.limits.maxQueue)),
      };
      this.queue.add(waiter);
      this.drain();
      return () => {
        if (this.queue.delete(waiter)) this.drainSoon();
      };
    });
  }

  /** Somebody has left, perhaps with all others, one after the other: nobody starts who is about to leave too. */
  private drainSoon(): void {
    this.wakeAfter(0);
  }

  /** Sets the one timer, or none where nobody waits. */
  private wakeAfter(ms: number): void {
    this.timer?.unsubscribe();
    this.timer = this.queue.size > 0 ? this.limits.scheduler.schedule(() => this.drain(), ms) : undefined;
  }

  private drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.timer?.unsubscribe();
    this.timer = undefined;
    let wait = 0;
    try {
      for (const waiter of this.queue) {
        wait = this.waitOf(waiter);
        if (wait > 0) break;
        this.queue.delete(waiter);
        waiter.start(this.ticket(waiter.tokens));
      }
      // Counted only now: who asks while another one starts may be the next to start.
      for (const waiter of this.surplus()) waiter.refuse();
    } finally {
      this.draining = false;
    }
    if (wait > 0 && wait < Infinity) this.wakeAfter(wait);
  }

  private waitOf({ tokens }: Waiter): number {
    // The end of a running request drains the queue; there is no time to wait for.
    if (this.running >= this.limits.concurrency) return Infinity;
    const now = this.limits.scheduler.now();
    return Math.max(this.heldUntil - now, this.requests.waitFor(1, now), this.tokens.waitFor(tokens, now));
  }

  private ticket(estimate: number): Ticket {
    const { scheduler } = this.limits;
    const now = scheduler.now();
    this.running++;
    this.requests.take(1, now);
    const taken = this.tokens.take(estimate, now);
    return {
      hold: (ms) => (this.heldUntil = Math.max(this.heldUntil, scheduler.now() + ms)),
      finish: (tokens) => {
        this.running--;
        if (tokens !== undefined) this.tokens.correct(taken, tokens, scheduler.now());
        this.drainSoon();
      },
    };
  }

  /** Those who wait beyond the limit of the queue, which are the last to have come. */
  private surplus(): Waiter[] {
    const { maxQueue } = this.limits;
    return this.queue.size > maxQueue ? [...this.queue].slice(maxQueue) : [];
  }
}

function overflow(maxQueue: number): InferenceExecutionError {
  const detail = `${maxQueue} requests wait for the rate limit already; send fewer at a time, or raise maxQueue`;
  return new InferenceExecutionError('rate-limited', detail);
}
