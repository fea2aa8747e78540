import { startsUnit } from './anchorOf.js';
import { beginnings } from './findRepeat.js';
import { foldPoint, type FoldedText } from './fold.js';
import type { Head } from './head.js';
import { AMBIGUOUS, type Repeat, type Verdict } from './join.js';
import type { Shown } from './Shown.js';

/** Fewest characters in a row that make a reply a repeat of an earlier part of the text. */
const FEWEST = 24;
/** Most places that are followed at once. */
const MOST = 8;
/** Longest white space within a repeat. */
const BLANK_LIMIT = 240;

/** Follows a reply that repeats a long part of the text word for word, by its position alone. */
export class Follower {
  /** White space that was read after the last character of the repeat. */
  #gap = '';
  #origin: number;

  private constructor(
    private readonly shown: Shown,
    private readonly head: Head,
    /** The reply before the repeat. */
    private readonly before: string,
    /** How long the reply is so far. */
    private length: number,
    /** Where in the folded text the repeat may have begun. */
    private origins: number[],
    /** How much of the folded text has been repeated. */
    private read: number,
  ) {
    this.#origin = origins[0] ?? 0;
  }

  /** Starts to follow when the reply, from a place where a repeat may begin, stands in the text. */
  static of(reply: FoldedText, shown: Shown): Follower | null {
    const { text } = shown.whole;
    for (const { from, head } of beginnings(reply, shown)) {
      const words = reply.text.slice(from);
      if (words.length < FEWEST) break;
      const origins: number[] = [];
      for (let at = text.indexOf(words); at >= 0 && origins.length <= MOST; at = text.indexOf(words, at + 1)) {
        origins.push(at);
      }
      if (origins.length === 0) continue;
      if (origins.length > MOST) return null;
      const follower = new Follower(
        shown,
        head,
        reply.raw.slice(0, reply.start(from)),
        reply.raw.length,
        origins,
        words.length,
      );
      follower.#gap = reply.raw.slice(reply.end(reply.text.length));
      return follower;
    }
    return null;
  }

  /** What has been read, in the words of the shown text, for a new answer. */
  get replayed(): string {
    const { whole, body } = this.shown;
    return this.before + body.slice(whole.start(this.#origin), whole.end(this.#origin + this.read)) + this.#gap;
  }

  /** Reads on: the whole repeat when it has reached the end of the text, a reset when it has left it. */
  feed(point: string): Repeat | Verdict | undefined {
    this.length += point.length;
    const folded = foldPoint(point);
    if (folded === '') {
      this.#gap += point;
      return this.#gap.length > BLANK_LIMIT ? { kind: 'reset', reason: 'other-words', confidence: 0.5 } : undefined;
    }
    const { text } = this.shown.whole;
    let read = this.read;
    let origins = this.origins;
    for (let unit = 0; unit < folded.length; unit++) {
      origins = origins.filter((origin) => text[origin + read] === folded[unit]);
      read++;
      if (origins.length === 0) return this.#left(point);
      if (!origins.some((origin) => origin + read === text.length)) continue;
      [this.#origin = 0] = origins;
      this.#advance(read, origins);
      return origins.length > 1 ? AMBIGUOUS : this.#reached(folded.slice(unit + 1));
    }
    this.#advance(read, origins);
    return undefined;
  }

  #advance(read: number, origins: number[]): void {
    this.read = read;
    this.origins = origins;
    this.#gap = '';
    [this.#origin = 0] = origins;
  }

  #left(point: string): Verdict {
    this.#gap += point;
    const started = this.#origin === 0;
    return { kind: 'reset', reason: started ? 'other-words' : 'ambiguous', confidence: started ? 0.9 : 0.5 };
  }

  #reached(carry: string): Repeat {
    const isWhole = this.#origin === 0;
    const { head, length: cut } = this;
    const start = this.shown.whole.start(this.#origin);
    const words = this.shown.whole.text.slice(this.#origin);
    const doubt = { words, startsUnit: startsUnit(this.shown.body, start) };
    const repeat: Repeat = {
      method: isWhole ? 'restart-skipped' : 'anchor',
      confidence: isWhole ? 0.97 : 0.95,
      head,
      cut,
      carry,
    };
    return isWhole || words.length === this.shown.anchor.length ? repeat : { ...repeat, doubt };
  }
}
