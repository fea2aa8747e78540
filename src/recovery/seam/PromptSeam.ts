import { endsInHighSurrogate } from '../../internal/wellFormed.js';
import { anchorOf } from './anchorOf.js';
import { commonEnd, fold, isClear, overlapsItself, plain } from './fold.js';
import { headOf, isPreamble, startsWithPreamble, type Head } from './head.js';
import type { SeamOptions, SeamReport, SeamStep } from './types.js';
import type { Joiner } from './untilDecided.js';
import { guessBlank, restOfBlank } from './whitespace.js';

/** How much of a reply is held back, in code units, beside the anchor, before the seam decides without having found it. */
const WINDOW = 190;
/** Length of an anchor, as it is compared, below which a reply may begin with it by chance. */
const SHORT = 12;
/** Shortest part of a reply that can be followed through the text. */
const FEWEST = 24;
/** Where a line, a sentence or a clause begins: there a text that repeats itself does so. */
const BREAK = /(?:^|[\n.!?:;,|>。、])["')\]*_`]*\s*(?:[-+•]\s+)?["'(*_`]*$/;
/** An empty line before whatever follows. */
const EMPTY_LINE = /^[^\S\n]*\n[^\S\n]*\n/;

/**
 * Joins the reply of a model that was asked in words to go on. It reads unit by unit and decides as soon as
 * what it has read decides, so that the pieces in which the reply arrives make no difference.
 */
export class PromptSeam implements Joiner {
  /** Length of the shown text. */
  readonly #at: number;
  /** The shown text without its trailing white space, that white space, and half a surrogate pair that ends it. */
  readonly #body: string;
  readonly #blank: string;
  readonly #dangling: string;
  readonly #fenced: boolean;
  /** `#body` and the anchor, as they are compared. */
  readonly #whole: string;
  readonly #anchor: string;
  /** False when the anchor stands more than once in the text, or repeats itself. */
  readonly #clear: boolean;
  /** The reply, as it came and as it is compared, and where in the former each unit of the latter stands. */
  #raw = '';
  #text = '';
  readonly #starts: number[] = [];
  /** From which unit on the reply repeats a long part of the text, and where in the text the next unit stands. */
  #from = 0;
  #next = 0;

  constructor({ shown, anchor = '' }: SeamOptions) {
    this.#at = shown.length;
    this.#dangling = endsInHighSurrogate(shown) ? shown.slice(-1) : '';
    const ended = shown.slice(0, shown.length - this.#dangling.length);
    this.#body = ended.trimEnd();
    this.#blank = ended.slice(this.#body.length);
    this.#fenced = (shown.match(/^[ \t>]*(?:```|~~~)/gm)?.length ?? 0) % 2 > 0;
    this.#whole = fold(this.#body);
    const given = fold(anchor);
    this.#anchor = given !== '' && this.#whole.endsWith(given) ? given : fold(anchorOf(shown));
    this.#clear = isClear(this.#whole, this.#anchor, 3);
  }

  push(text: string): SeamStep | undefined {
    for (let index = 0; index < text.length;) {
      const step = this.#feed(text.charAt(index++));
      if (step) return { ...step, text: step.text + text.slice(index) };
    }
    return undefined;
  }

  end(): SeamStep {
    return this.#decide(true) ?? this.#reset();
  }

  #feed(unit: string): SeamStep | undefined {
    const folded = fold(unit);
    for (const _ of folded) this.#starts.push(this.#raw.length);
    this.#raw += unit;
    this.#text += folded;
    if (this.#next > 0 && this.#next < this.#whole.length) {
      const expected = this.#whole.slice(this.#next, (this.#next += folded.length));
      if (!folded.startsWith(expected) || this.#raw.length > 2 * this.#at + WINDOW) return this.#reset();
      if (this.#next < this.#whole.length) return undefined;
    }
    return this.#decide(false);
  }

  /** Decides when there is enough to decide on, or nothing more to come. */
  #decide(ended: boolean): SeamStep | undefined {
    const text = this.#text;
    const anchor = this.#anchor;
    if (anchor === '') return this.#join(0, true, ended, 'plain', 1);
    const short = anchor.length < SHORT;
    const full = ended || this.#raw.length >= WINDOW + anchor.length;
    if (short && !full) return undefined;
    const first = this.#next > 0 ? text.length - anchor.length - WINDOW : 0;
    for (let at = text.indexOf(anchor, first); at >= 0; at = text.indexOf(anchor, at + 1)) {
      let more = commonEnd(text.slice(0, at), this.#whole.slice(0, -anchor.length));
      // Marks just before the words are the model's: an anchor begins with those that stand before it in the text.
      if (more < 3 && /^[\W_]*$/.test(text.slice(at - more, at))) more = 0;
      for (const begin of new Set([at - more, at])) {
        const before = begin === 0 ? '' : this.#raw.slice(0, this.#starts[begin]);
        const head = headOf(before, this.#fenced);
        if (!head || (short && !this.#isAlone(head, before, at + anchor.length))) continue;
        return this.#joinAfter(head, begin, at + anchor.length, ended);
      }
    }
    if (!full) return undefined;
    return this.#next > 0 ? this.#reset() : this.#settle(ended);
  }

  /** True when a few characters cannot stand there by chance: at the very beginning, in marks, on a line of their own. */
  #isAlone({ kind, close, wraps }: Head, before: string, end: number): boolean {
    if (kind === 'none') return !startsWithPreamble(this.#raw);
    return /[\n:]\s*$/.test(before) || (close === '' ? wraps : this.#text.startsWith(close, end));
  }

  /** Joins what follows a repeat. Undefined while more text is needed to tell. */
  #joinAfter({ kind, close, wraps }: Head, begin: number, end: number, ended: boolean): SeamStep | undefined {
    const text = this.#text;
    const anchor = this.#anchor;
    const full = ended || this.#raw.length - this.#end(end) >= WINDOW + anchor.length;
    const units = end - begin;
    const restarts = units === this.#whole.length;
    if (!restarts) {
      // A text that repeats itself for longer than an anchor can be: only a reply that does just as asked is clear.
      const clear = this.#clear || kind !== 'none' || this.#starts[0] === 0;
      if (!clear || (units > anchor.length && !this.#isRepeat(begin, end))) return this.#reset();
    }
    let told = true;
    if (kind === 'none' && this.#clear) {
      const rest = text.slice(end, end + anchor.length);
      const apart = anchor.length >= SHORT || /\s/.test(this.#raw.charAt(this.#end(end)));
      // Words that stand once in the text and twice in the reply: said to begin with, and once more to go on, or a refrain.
      // A few letters come twice in a word, too.
      if (rest === anchor && apart) return this.#reset();
      if (!full && anchor.startsWith(rest) && (apart || rest === '')) return undefined;
    }
    if (kind !== 'none') {
      let rest = text.slice(end);
      const closes = close !== '' && rest.startsWith(close);
      if (closes) rest = rest.slice(close.length);
      if (!full && (anchor.startsWith(rest) || (!closes && close.startsWith(rest)))) return undefined;
      const again = rest.slice(0, anchor.length + 60).indexOf(anchor);
      const quoted = closes && kind === 'preamble';
      if (quoted && again < 0 && !full) return undefined;
      // The words come once more after a quotation; a fence may be the model's or that of a block in the answer.
      if (quoted ? again < 0 : closes ? /^(?:```|~~~)/.test(close) : again === 0) return this.#reset();
      // Nor can one tell whose they are where the text goes round in circles.
      if ((quoted || again === 0) && this.#circles(quoted)) return this.#reset();
      if (quoted || again === 0) rest = rest.slice(again + anchor.length);
      end = text.length - rest.length;
      told = !wraps || quoted || !EMPTY_LINE.test(this.#raw.slice(this.#end(end)));
    }
    const method = restarts && units > anchor.length ? 'restart-skipped' : 'anchor';
    return this.#join(end, told, full, method, kind === 'none' ? 0.99 : 0.9);
  }

  /** True when the anchor may come again in what follows it in the text: directly, or `soon`. */
  #circles(soon: boolean): boolean {
    const anchor = this.#anchor;
    const twice = anchor + anchor;
    if (this.#whole.includes(twice)) return true;
    return soon ? overlapsItself(anchor, anchor.length / 2) : twice.indexOf(anchor, 1) < anchor.length;
  }

  /** Decides without the anchor. Undefined when the reply repeats a long part of the text. */
  #settle(ended: boolean): SeamStep | undefined {
    const raw = this.#raw;
    const text = this.#text;
    const anchor = this.#anchor;
    if (text === '') return this.#join(0, true, true, 'plain', 0.5);
    if (ended && this.#clear && text.length >= SHORT && anchor.startsWith(text)) {
      return this.#join(text.length, true, true, 'anchor', 0.7);
    }
    const preamble = startsWithPreamble(raw);
    for (const begin of [0, ...(preamble ? this.#endsOfPreamble() : [])]) {
      const words = text.slice(begin);
      const at = words.length < FEWEST || ended ? -1 : this.#whole.indexOf(words);
      if (at >= 0 && at === this.#whole.lastIndexOf(words)) {
        this.#from = begin;
        this.#next = at + words.length;
        return undefined;
      }
      if (at >= 0 || (anchor.length >= SHORT && text.includes(anchor))) break;
      if (begin === 0 && preamble) continue;
      let units = Math.min(anchor.length - 1, words.length);
      while (units > 0 && !words.startsWith(anchor.slice(-units))) units--;
      if (units > 0)
        return this.#isRepeat(begin, begin + units)
          ? this.#join(begin + units, true, true, 'overlap', 0.85)
          : this.#reset();
      if (begin > 0 && (this.#fenced || !/\n\s*$/.test(raw.slice(0, this.#starts[begin])))) continue;
      if (this.#goesOn(raw.slice(this.#starts[begin]))) return this.#join(begin, begin === 0, true, 'plain', 0.7);
      break;
    }
    return this.#reset();
  }

  /** Places in the reply behind words that say that it goes on. */
  #endsOfPreamble(): number[] {
    return [...this.#raw.matchAll(/(?:\n|[:.]\s)\s*(?=\S)/g)]
      .map(({ index, 0: blank }) => index + blank.length)
      .filter((end) => isPreamble(plain(this.#raw.slice(0, end))))
      .map((end) => this.#starts.indexOf(end));
  }

  /** True when words that the reply repeats can hardly be new text that says the same again. */
  #isRepeat(begin: number, end: number): boolean {
    const words = this.#text.slice(begin, end);
    const unit = this.#unitBefore(words.length);
    const short = words.length < this.#anchor.length;
    if (
      !isClear(this.#whole, words, short ? 1 : 2) ||
      (unit !== undefined && this.#endsUnit(this.#raw.slice(this.#end(end))))
    )
      return false;
    // A mark that joins items stands before each of them, also before one that is said twice.
    if (short && /^[\p{P}\p{S}]/u.test(words) && !unit?.includes('\n')) return false;
    const joinsWords = begin === 0 && /^\w\w/.test(this.#body.slice(-1) + this.#blank + this.#raw);
    return words.length >= (unit !== undefined || joinsWords ? 12 : 20);
  }

  /** What ends a line, a sentence or a clause before the last `units` of the text. */
  #unitBefore(units: number): string | undefined {
    let start = this.#body.length;
    for (let left = units; left > 0; left -= fold(this.#body.charAt(start)).length) start--;
    return BREAK.exec(plain(this.#body.slice(0, start).slice(-40)))?.[0];
  }

  /** True when one ends where the text ends, with the white space of what comes `after` it. */
  #endsUnit(after: string): boolean {
    return BREAK.test(plain(this.#body.slice(-40) + this.#blank + after.slice(0, after.search(/\S|$/))));
  }

  /** True when a reply that repeats nothing begins as an answer that starts over cannot begin. */
  #goesOn(reply: string): boolean {
    if (/^[\p{M}\p{Emoji_Modifier}\u200d]/u.test(reply)) return true;
    const head = fold(reply.slice(0, 80));
    if (head.startsWith(this.#anchor.slice(0, 5))) return false;
    const last = this.#whole.slice(-Math.max(60, this.#anchor.length));
    for (let at = 0; at + 12 <= head.length; at++) if (last.includes(head.slice(at, at + 12))) return false;
    return (
      /^[,;:!?)\]}%،؛؟。、]|^\.(?!\.)/.test(plain(reply)) ||
      (/^\p{Ll}/u.test(reply) && /^\P{L}*\p{Lu}/u.test(this.#body))
    );
  }

  /** Where the reply goes on after this many units. */
  #end(units: number): number {
    return (this.#starts[units - 1] ?? -1) + 1;
  }

  /** Shows the reply from a unit on. `told`: its white space is the answer's, and no empty line after marks. */
  #join(
    end: number,
    told: boolean,
    full: boolean,
    method: SeamReport['method'],
    confidence: number,
  ): SeamStep | undefined {
    let next = end;
    while (end > 0 && next < this.#text.length && this.#starts[next] === this.#starts[end - 1]) next++;
    // What is left of a code point that the repeat ends within: `.` of an ellipsis.
    let added = this.#text.slice(end, next);
    let text = this.#raw.slice(this.#end(end));
    if (added === '' && (!told || this.#blank + this.#dangling !== '')) {
      const rest = text.trimStart();
      let blank = text.slice(0, text.length - rest.length);
      const line = told ? '' : method === 'plain' ? blank : (EMPTY_LINE.exec(blank)?.[0] ?? '');
      const splits = !told && (method === 'plain' || !this.#endsUnit('') || /[\p{Ps}\p{Pi}]$/u.test(this.#body));
      if (!full && rest.length < (splits ? 24 : 1) && blank.length < this.#blank.length + 64) return undefined;
      const own = blank.slice(line.length);
      // An empty line after marks is theirs within a sentence, beside a space, before line breaks, at the very end.
      const apart = own === ' ' || this.#blank === ' ' || (own.startsWith('\n') && !this.#fenced);
      if (splits || apart || rest === '') blank = own;
      text = restOfBlank(this.#blank, blank) + rest;
      if (splits && this.#blank === '' && blank === '') added = guessBlank(this.#body, rest, false);
      if (this.#dangling !== '' && text.startsWith(this.#dangling)) text = text.slice(1);
    } else if (method === 'plain' && added === '') {
      added = guessBlank(this.#body, text, true);
    }
    const cut = this.#raw.length - text.length;
    const report: SeamReport = { mechanism: 'prompt', at: this.#at, method, cut, confidence };
    if (added !== '' && next === end) report.mended = added;
    return { text: added + text, report };
  }

  /** Gives up joining: the reply is all of a new answer, or of no use. */
  #reset(): SeamStep {
    const head = this.#text.slice(this.#from, this.#from + 48);
    const reason = head.length === 48 && this.#whole.lastIndexOf(head) === 0 ? 'other-words' : 'ambiguous';
    return {
      text: this.#raw,
      report: { mechanism: 'prompt', at: 0, method: 'reset', cut: 0, confidence: 0.7, reason },
    };
  }
}
