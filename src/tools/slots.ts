import { Observable } from 'rxjs';

/** Lets so many run at a time; who comes later waits for a free place, in order. */
export class Slots {
  private readonly waiting = new Set<() => void>();

  /** @param free - How many may run at a time. */
  constructor(private free: number) {}

  /** Mirrors `work`, which is subscribed as soon as there is room. Unsubscribing gives the place up. */
  run<T>(work: Observable<T>): Observable<T> {
    return new Observable((subscriber) => {
      const begin = (): void => {
        this.waiting.delete(begin);
        this.free--;
        // The place is free only when nothing of the work is left, so it is given back by the work's own finalization.
        const running = work.subscribe(subscriber);
        running.add(() => this.leave());
      };
      if (this.free > 0) return begin();
      this.waiting.add(begin);
      subscriber.add(() => this.waiting.delete(begin));
    });
  }

  /** Lets nobody begin who waits: for a teardown, where each place that is given back would let the next one begin. */
  close(): void {
    this.waiting.clear();
  }

  private leave(): void {
    this.free++;
    const [next] = this.waiting;
    next?.();
  }
}
