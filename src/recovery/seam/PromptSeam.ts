import { repeatAtEnd } from './findRepeat.js';
import { Follower } from './Follower.js';
import { FoldedText, pointSize } from './fold.js';
import { AMBIGUOUS, joinAfter, SHORT, type Repeat, type Verdict } from './join.js';
import { settle } from './settle.js';
import { Shown } from './Shown.js';
import type { Seam, SeamOptions, SeamStep } from './types.js';

/** How much of a reply is held back, in code units, before the seam decides without having found a repeat. */
const WINDOW = 240;
const NOTHING: SeamStep = { text: '' };

/**
 * Joins the reply of a model that was asked in words to go on. It reads code point by code point and decides as soon as
 * what it has read decides, so that the pieces in which the reply arrives make no difference.
 */
export class PromptSeam implements Seam {
  decided = false;
  readonly #shown: Shown;
  /** The reply up to a repeat. */
  readonly #reply = new FoldedText();
  /** What came after the repeat. */
  #after = '';
  /** The first half of a surrogate pair whose other half has not arrived. */
  #pending = '';
  #repeat: Repeat | undefined;
  #follower: Follower | undefined;
  /** An anchor was found behind words that may belong to the answer. */
  #doubtful = false;

  constructor(options: SeamOptions) {
    this.#shown = new Shown(options.shown, options.anchor);
  }

  push(text: string): SeamStep {
    if (this.decided) return { text };
    const input = this.#pending + text;
    this.#pending = '';
    for (let index = 0; index < input.length;) {
      const size = pointSize(input, index);
      if (size === 0) {
        this.#pending = input.slice(index);
        break;
      }
      const verdict = this.#feed(input.slice(index, index + size));
      index += size;
      if (verdict) return this.#conclude(verdict, input.slice(index));
    }
    return NOTHING;
  }

  end(): SeamStep {
    if (this.decided) return NOTHING;
    const pending = this.#pending;
    this.#pending = '';
    const verdict = (pending === '' ? undefined : this.#feed(pending)) ?? this.#settle(true);
    return this.#conclude(verdict ?? AMBIGUOUS, '');
  }

  #feed(point: string): Verdict | undefined {
    if (this.#repeat) {
      this.#after += point;
      return this.#join(this.#after.length >= WINDOW + this.#shown.blank.length);
    }
    if (this.#follower) return this.#found(this.#follower.feed(point));
    const reply = this.#reply;
    const { anchor } = this.#shown;
    const units = reply.text.length;
    reply.push(point);
    // An anchor that ends within this code point may stand before what is left of it.
    const from = Math.max(0, units - anchor.length + 1);
    if (reply.text.length > units && anchor.length >= SHORT && reply.text.indexOf(anchor, from) >= 0) {
      const found = repeatAtEnd(reply, this.#shown);
      if (found) return this.#found(found);
      this.#doubtful = true;
    }
    return reply.raw.length >= WINDOW ? this.#settle(false) : undefined;
  }

  #found(found: Verdict | Repeat | undefined, full = false): Verdict | undefined {
    if (found === undefined || 'kind' in found) return found;
    this.#repeat = found;
    if (!this.#follower) this.#after = this.#reply.raw.slice(found.cut);
    return this.#join(full);
  }

  #join(full: boolean): Verdict | undefined {
    return this.#repeat && joinAfter(this.#repeat, this.#after, this.#shown, full);
  }

  /** Decides with what is held, because it is enough or because no more will come. */
  #settle(ended: boolean): Verdict | undefined {
    if (this.#repeat) return this.#join(true);
    if (this.#follower) return AMBIGUOUS;
    const found = settle(this.#reply, this.#shown, ended, this.#doubtful);
    if (!(found instanceof Follower)) return this.#found(found, ended);
    this.#follower = found;
    return undefined;
  }

  /** All that the reply has said. */
  get #said(): string {
    if (!this.#follower) return this.#reply.raw.slice(0, this.#repeat?.cut) + this.#after;
    return this.#follower.replayed + (this.#repeat?.carry ?? '') + this.#after;
  }

  #conclude(verdict: Verdict, rest: string): SeamStep {
    this.decided = true;
    if (verdict.kind === 'reset') {
      const { reason, confidence } = verdict;
      const text = this.#said + rest;
      return { text, report: { mechanism: 'prompt', at: 0, method: 'reset', cut: 0, confidence, reason } };
    }
    const { text, method, cut, confidence, mended } = verdict;
    const report = { mechanism: 'prompt' as const, at: this.#shown.text.length, method, cut, confidence };
    return { text: text + rest, report: mended === undefined ? report : { ...report, mended } };
  }
}
