import { continuationEvidence, startsLike } from './evidence.js';
import { repeatAtEnd, shorterRepeat, slippedRepeat } from './findRepeat.js';
import { Follower } from './Follower.js';
import { FoldedText, pointSize } from './fold.js';
import { AMBIGUOUS, joinAfter, joinBlank, type Repeat, type Verdict } from './join.js';
import { Shown } from './Shown.js';
import type { Seam, SeamOptions, SeamStep } from './types.js';
import { guessBlank } from './whitespace.js';

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
  /** The reply as far as it is held. After a repeat has been followed, only what came after it. */
  #raw = '';
  #folded = new FoldedText();
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
    if (this.#follower && !this.#repeat) return this.#follow(this.#follower, point);
    this.#raw += point;
    if (this.#repeat) return this.#join(this.#repeat, this.#raw.length >= WINDOW * 2);
    const { anchor } = this.#shown;
    const units = this.#folded.text.length;
    this.#folded.push(point, this.#raw.length - point.length);
    // An anchor that ends within this code point may stand before what is left of it.
    if (
      this.#folded.text.length > units &&
      anchor !== '' &&
      this.#folded.text.indexOf(anchor, Math.max(0, units - anchor.length + 1)) >= 0
    ) {
      const found = repeatAtEnd({ raw: this.#raw, folded: this.#folded }, this.#shown);
      if (found && 'kind' in found) return found;
      if (found) return this.#join((this.#repeat = found), false);
      this.#doubtful = true;
    }
    return this.#raw.length >= WINDOW ? this.#settle(false) : undefined;
  }

  #follow(follower: Follower, point: string): Verdict | undefined {
    const found = follower.feed(point);
    if (found === undefined || 'kind' in found) return found;
    this.#repeat = found;
    this.#raw = '';
    return this.#join(found, false);
  }

  #join(repeat: Repeat, full: boolean): Verdict | undefined {
    const after = this.#follower ? this.#raw : this.#raw.slice(repeat.cut);
    return joinAfter(repeat, after, this.#shown, full);
  }

  /** Decides with what is held, because it is enough or because no more will come. */
  #settle(ended: boolean): Verdict | undefined {
    if (this.#repeat) return this.#join(this.#repeat, true);
    if (this.#follower) return AMBIGUOUS;
    const reply = { raw: this.#raw, folded: this.#folded };
    const shown = this.#shown;
    if (shown.anchor === '' || this.#folded.text === '') return this.#plain(1);
    if (ended && shown.anchorUnique && this.#folded.text.length >= 12 && shown.anchor.startsWith(this.#folded.text)) {
      return { kind: 'join', text: '', method: 'anchor', cut: this.#raw.length, confidence: 0.7 };
    }
    const follower = Follower.of(reply, shown);
    if (follower) {
      this.#follower = follower;
      return ended ? AMBIGUOUS : undefined;
    }
    if (this.#doubtful) return AMBIGUOUS;
    const found = slippedRepeat(reply, shown) ?? shorterRepeat(reply, shown);
    if (found && 'kind' in found) return found;
    if (found) return this.#join((this.#repeat = found), ended);
    const evidence = continuationEvidence(reply.raw, reply.folded, shown);
    if (evidence > 0) return this.#plain(evidence);
    return { kind: 'reset', reason: this.#startsAnAnswer() ? 'other-words' : 'ambiguous', confidence: 0.7 };
  }

  #startsAnAnswer(): boolean {
    return startsLike(this.#folded, this.#shown) || /^[\s"'“*_#]*\p{Lu}/u.test(this.#raw);
  }

  #plain(confidence: number): Verdict {
    const { text } = joinBlank(this.#raw, true, this.#shown, true) ?? { text: this.#raw };
    const told = /^\s/.test(this.#raw);
    const added = told || confidence === 1 ? '' : guessBlank(this.#shown, text, true);
    const verdict: Verdict = {
      kind: 'join',
      text: added + text,
      method: 'plain',
      cut: this.#raw.length - text.length,
      confidence,
    };
    return added === '' ? verdict : { ...verdict, mended: added };
  }

  #conclude(verdict: Verdict, rest: string): SeamStep {
    this.decided = true;
    if (verdict.kind === 'reset') {
      const { reason, confidence } = verdict;
      const text = (this.#follower?.replayed ?? '') + (this.#follower && !this.#repeat ? '' : this.#raw) + rest;
      return { text, report: { mechanism: 'prompt', at: 0, method: 'reset', cut: 0, confidence, reason } };
    }
    const { text, method, cut, confidence, mended } = verdict;
    const report = { mechanism: 'prompt' as const, at: this.#shown.text.length, method, cut, confidence };
    return { text: text + rest, report: mended === undefined ? report : { ...report, mended } };
  }
}
