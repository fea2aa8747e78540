import { concatMap, defer, from, interval, map, take, type Observable } from 'rxjs';
import type { LlmStreamEvent } from '../../src/index.ts';

/** How much is done. */
export interface Load {
  runs: number;
  /** Events of each run. */
  events: number;
  /** Readers of each run. */
  readers: number;
  /** Milliseconds between two events of a run; 0 gives them in bursts of 50, as fast as they are taken. */
  every: number;
}

/** What was measured. */
export interface Figures {
  name: string;
  seconds: number;
  /** Milliseconds from the provider's event to a reader's. */
  p50: number;
  p99: number;
  /** Events that no reader got, or that one got twice or out of order. */
  wrong: number;
  /** Bytes of Redis that the runs take, the mean of all. */
  bytesPerRun: number;
  /** Commands that Redis carried out, for each run. */
  commandsPerRun: number;
}

const WORDS = 'a stream that is cut waits and goes on from where it had stopped so that nothing is lost'.split(' ');

/** When each event left the provider, and when it reached the readers. */
export class Clock {
  readonly #sent: Float64Array[];
  readonly #times: number[] = [];
  readonly #next: number[];
  #wrong = 0;

  constructor(private readonly load: Load) {
    this.#sent = Array.from({ length: load.runs }, () => new Float64Array(load.events));
    this.#next = Array.from({ length: load.runs * load.readers }, () => 0);
  }

  /** The events of a run as its provider gives them. */
  provider(run: number): Observable<LlmStreamEvent> {
    const { events, every } = this.load;
    const give = (index: number): LlmStreamEvent => {
      this.#sent[run]![index] = performance.now();
      return { type: 'text-delta', text: ` ${WORDS[index % WORDS.length]} ${index}` };
    };
    if (every > 0) return interval(every).pipe(take(events), map(give));
    const bursts = Math.ceil(events / 50);
    const burst = (number: number): Observable<number> =>
      from(Array.from({ length: Math.min(50, events - number * 50) }, (_, index) => number * 50 + index));
    return defer(() => interval(0).pipe(take(bursts), concatMap(burst), map(give)));
  }

  /** A reader has got an event; its text says which. */
  arrived(run: number, reader: number, text: string): void {
    const index = Number(text.slice(text.lastIndexOf(' ') + 1));
    const place = run * this.load.readers + reader;
    if (index !== this.#next[place]) this.#wrong++;
    this.#next[place] = index + 1;
    this.#times.push(performance.now() - this.#sent[run]![index]!);
  }

  figures(): Pick<Figures, 'p50' | 'p99' | 'wrong'> {
    const { runs, events, readers } = this.load;
    const sorted = Float64Array.from(this.#times).sort();
    const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? NaN;
    const missing = runs * events * readers - sorted.length;
    return { p50: at(0.5), p99: at(0.99), wrong: this.#wrong + Math.abs(missing) };
  }
}
