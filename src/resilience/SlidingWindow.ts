/** The span of a limit "per minute", in milliseconds. */
const SPAN = 60_000;

/** One amount, and when it was taken. */
export interface Taken {
  at: number;
  amount: number;
}

/** What has been taken of a limit in the last 60 s. */
export class SlidingWindow {
  private entries: Taken[] = [];
  /** Entries before it have expired. */
  private first = 0;
  private total = 0;

  /** @param limit - Most that may be taken in any 60 s. */
  constructor(private readonly limit: number) {}

  /** Milliseconds until so much can be taken. What is more than the limit can be taken when nothing else has been. */
  waitFor(amount: number, now: number): number {
    this.expire(now);
    let left = this.total + amount - this.limit;
    let wait = 0;
    for (let i = this.first; left > 0; i++) {
      const entry = this.entries[i];
      if (entry === undefined) break;
      left -= entry.amount;
      wait = entry.at + SPAN - now;
    }
    return wait;
  }

  take(amount: number, now: number): Taken {
    const entry = { at: now, amount };
    // Without a limit nobody asks, and nothing would ever expire.
    if (this.limit === Infinity) return entry;
    this.entries.push(entry);
    this.total += amount;
    return entry;
  }

  /** Says what an entry really was. What it was less is given back, what it was more is taken now. */
  correct(entry: Taken, amount: number, now: number): void {
    this.expire(now);
    if (amount > entry.amount) {
      this.take(amount - entry.amount, now);
      return;
    }
    // What has expired has been given back already.
    if (entry.at + SPAN > now) this.total -= entry.amount - amount;
    entry.amount = amount;
  }

  private expire(now: number): void {
    for (let entry; (entry = this.entries[this.first]) && entry.at + SPAN <= now; this.first++) {
      this.total -= entry.amount;
    }
    // Copied only when half of it is dead, so that each entry is moved a constant number of times.
    if (this.first * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
  }
}
