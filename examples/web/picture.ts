import { describeCause, type LlmStreamEvent, type Seam } from 'rx-llm';
import type { Reconnection } from 'rx-llm/client';

/** A piece of text, at the time at which it came. */
export interface Bead {
  at: number;
  text: string;
  attempt: number;
  /** Characters in all, this piece included. */
  total: number;
  /** How often the answer had been taken back before it came. */
  reset: number;
}

/** One request to the provider, as the application's server saw it. */
export interface Attempt {
  number: number;
  /** When it was sent, by the server's clock. */
  opened: number;
  beads: Bead[];
  /** How it was begun: why the one before it broke, and what was planned. */
  begun?: { cause: string; plan: string; cutAt: number };
  /** When the answer went on; undefined while nothing has come of it. */
  resumed?: number;
  seam?: Seam | null;
  ended?: { at: number; how: 'cut' | 'stop' };
}

/** The page has lost the application's server. */
export interface Loss {
  at: number;
  /** When an event came again. */
  back?: number;
  /** The last event that had come. */
  after: string;
  tries: number;
}

/** A line of what is told beside the picture. */
export interface Note {
  at: number;
  kind: 'cut' | 'seam' | 'loss' | 'end' | 'ask';
  text: string;
}

/** How the answer has ended for the page. */
export interface Ending {
  at: number;
  how: 'stop' | 'error' | 'left';
}

/**
 * What has happened to one answer: what the diagram, the plot and the notes are drawn from. Times are in milliseconds from
 * the moment of asking. What happened at the provider has the time of the server, which knew of it when the page did not;
 * what the page shows has the time at which it came.
 */
export class Picture {
  readonly attempts: Attempt[] = [{ number: 1, opened: 0, beads: [] }];
  readonly losses: Loss[] = [];
  readonly notes: Note[] = [];
  /** Everything that came to the page. */
  readonly shown: Bead[] = [];
  text = '';
  /** How often everything was taken back. */
  resets = 0;
  ending: Ending | undefined;
  /** How far the server's clock is behind the page's. */
  private skew: number | undefined;

  /** Takes in an event that came at the given time. */
  event(event: LlmStreamEvent, at: number): void {
    const told = event.providerMetadata?.['at'];
    const there = typeof told === 'number' ? told : at;
    this.skew ??= Math.max(0, at - there);
    const known = Math.min(there + this.skew, at);
    this.back(at);
    switch (event.type) {
      case 'text-delta':
        return this.bead(event.text, known, at);
      case 'interrupted': {
        const { cause, plan, delay } = event;
        return this.interrupted(describeCause(cause), plan.kind, known, delay);
      }
      case 'resumed':
        return this.resumed(event.seam, known);
      case 'stream-reset':
        this.text = '';
        this.resets++;
        return;
      case 'stop':
        this.current.ended = { at: known, how: 'stop' };
        return this.end('stop', at, `the answer has ended (${event.reason})`);
      default:
        return;
    }
  }

  /** The page's connection has broken. */
  lost({ lastEventId }: Pick<Reconnection, 'lastEventId'>, at: number): void {
    if (this.ending) return;
    const open = this.losses.at(-1);
    if (open && open.back === undefined) {
      open.tries++;
      return;
    }
    const after = lastEventId ?? '0';
    this.losses.push({ at, after, tries: 1 });
    this.note('loss', at, `server gone; the page will come back with Last-Event-ID: ${after}`);
  }

  /** A button was pressed. */
  pressed(fault: string, at: number): void {
    this.note('ask', at, `you: ${fault}`);
  }

  /** The answer has ended for the page. */
  end(how: Ending['how'], at: number, words: string): void {
    if (this.ending) return;
    this.ending = { at, how };
    this.note('end', at, words);
  }

  /** The time up to which there is something to draw. */
  get until(): number {
    const last = this.current;
    const known = Math.max(last.opened, last.beads.at(-1)?.at ?? 0, this.shown.at(-1)?.at ?? 0);
    return Math.max(known, this.ending?.at ?? 0, this.losses.at(-1)?.at ?? 0);
  }

  get current(): Attempt {
    return this.attempts[this.attempts.length - 1] ?? { number: 1, opened: 0, beads: [] };
  }

  /** How many interruptions there were, of both kinds. */
  get interruptions(): number {
    return this.attempts.length - 1 + this.losses.length;
  }

  private bead(text: string, known: number, at: number): void {
    const { number, beads } = this.current;
    this.text += text;
    const bead = { text, attempt: number, total: this.text.length, reset: this.resets };
    beads.push({ ...bead, at: known });
    this.shown.push({ ...bead, at });
  }

  private interrupted(cause: string, plan: string, at: number, delay: number): void {
    this.current.ended = { at, how: 'cut' };
    const number = this.current.number + 1;
    this.attempts.push({ number, opened: at + delay, beads: [], begun: { cause, plan, cutAt: at } });
    const waits = delay > 0 ? `, wait ${seconds(delay)}` : '';
    this.note('cut', at, `${cause} after ${this.text.length} characters · plan: ${plan}${waits}`);
  }

  private resumed(seam: Seam | null, at: number): void {
    const attempt = this.current;
    attempt.resumed = at;
    attempt.seam = seam;
    this.note('seam', at, `attempt ${attempt.number} goes on: ${describeSeam(seam)}`);
  }

  private back(at: number): void {
    const loss = this.losses.at(-1);
    if (!loss || loss.back !== undefined) return;
    loss.back = at;
    this.note('loss', at, `reconnected after ${seconds(at - loss.at)}; what was missed is sent again from the log`);
  }

  private note(kind: Note['kind'], at: number, text: string): void {
    this.notes.push({ kind, at, text });
  }
}

/** How a continuation was joined, in words. */
export function describeSeam(seam: Seam | null): string {
  if (seam === null || seam.method === 'reset') return 'from the beginning';
  const how =
    seam.mechanism === 'prompt' ? 'asked in words' : seam.mechanism === 'prefill' ? 'from a prefix' : 'joined';
  return seam.cut > 0 ? `${how}, ${seam.cut} repeated characters cut` : `${how}, nothing repeated`;
}

/** A time in words. */
export function seconds(time: number): string {
  return `${(time / 1_000).toFixed(1)} s`;
}
