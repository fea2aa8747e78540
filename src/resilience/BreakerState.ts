import type { SchedulerLike } from 'rxjs';

/** What a circuit breaker does with requests. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** When a breaker opens and how it closes again. */
export interface BreakerLimits {
  threshold: number;
  cooldown: number;
  halfOpen: number;
  scheduler: SchedulerLike;
}

/** One request that a breaker has let through. Only the first outcome counts. */
export interface Permit {
  /** Something has come: the request is alive. */
  touch(): void;
  /** The answer is whole. */
  succeed(): void;
  /** The model is not well. */
  fail(): void;
  /** The outcome says nothing about the model. */
  release(): void;
}

/** A request that tries out whether a broken model works again. */
interface Probe {
  heardAt: number;
}

/** The state of one breaker. Time is only read, never waited for. */
export class BreakerState {
  private kind: CircuitState = 'closed';
  private failures = 0;
  private openedAt = 0;
  /** Grows with each change of state: the outcome of a request that was let through before one says nothing any more. */
  private generation = 0;
  private readonly probes = new Set<Probe>();

  constructor(private readonly limits: BreakerLimits) {}

  /** The state as it stands now; an open breaker that has cooled down counts as half open. */
  get state(): CircuitState {
    return this.kind === 'open' && this.remaining === 0 ? 'half-open' : this.kind;
  }

  /** Milliseconds until an open breaker has cooled down; 0 when it is not open. */
  get remaining(): number {
    const { cooldown, scheduler } = this.limits;
    return this.kind === 'open' ? Math.max(0, this.openedAt + cooldown - scheduler.now()) : 0;
  }

  /** Whether a request would be let through. Changes nothing. */
  get available(): boolean {
    if (this.state !== 'half-open') return this.state === 'closed';
    return this.kind === 'open' || this.busy < this.limits.halfOpen;
  }

  /** True when forgetting the breaker would change nothing. */
  get isFresh(): boolean {
    return this.kind === 'closed' && this.failures === 0;
  }

  /** Lets a request through, or gives undefined. */
  enter(): Permit | undefined {
    if (!this.available) return undefined;
    if (this.kind === 'open') this.become('half-open');
    if (this.kind === 'closed') return this.permit();
    const probe: Probe = { heardAt: this.limits.scheduler.now() };
    this.probes.add(probe);
    return this.permit(probe);
  }

  /** Counts an outcome. */
  record(outcome: 'success' | 'failure'): void {
    if (this.kind === 'open') return;
    if (outcome === 'success') {
      this.failures = 0;
      if (this.kind === 'half-open') this.become('closed');
      return;
    }
    this.failures++;
    if (this.kind === 'half-open' || this.failures >= this.limits.threshold) {
      this.openedAt = this.limits.scheduler.now();
      this.become('open');
    }
  }

  /** Probes of which something is still to be expected; one that is silent for longer than the cooldown is given up. */
  private get busy(): number {
    const now = this.limits.scheduler.now();
    let busy = 0;
    for (const { heardAt } of this.probes) if (now - heardAt <= this.limits.cooldown) busy++;
    return busy;
  }

  private permit(probe?: Probe): Permit {
    const { generation } = this;
    let settled = false;
    const settle = (outcome?: 'success' | 'failure'): void => {
      if (settled) return;
      settled = true;
      if (probe) this.probes.delete(probe);
      if (outcome && generation === this.generation) this.record(outcome);
    };
    return {
      touch: () => {
        if (probe) probe.heardAt = this.limits.scheduler.now();
      },
      succeed: () => settle('success'),
      fail: () => settle('failure'),
      release: () => settle(),
    };
  }

  private become(kind: CircuitState): void {
    this.kind = kind;
    this.generation++;
    this.probes.clear();
    this.failures = 0;
  }
}
