const SAME: Record<string, string> = { '…': '...', '’': "'", '‘': "'", '‚': "'", '‛': "'", '′': "'" };
for (const quote of '“”„‟″') SAME[quote] = '"';
for (const dash of '‐‑‒–—―−') SAME[dash] = '-';

/** Length of the code point at an index, in code units; 0 when only its first half is there. */
export function pointSize(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  if (unit < 0xd800 || unit > 0xdbff) return 1;
  if (index + 1 === text.length) return 0;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff ? 2 : 1;
}

/** One code point as it is compared: without white space, decomposed, quotes and dashes as in ASCII. */
export function foldPoint(point: string): string {
  if (point <= '\x7f') return point <= ' ' && /\s/.test(point) ? '' : point;
  if (/\s/.test(point)) return '';
  return SAME[point] ?? point.normalize('NFD');
}

/**
 * A text as it is compared, with the way back to the original. White space counts for nothing, so that a model may wrap
 * lines as it likes; what stands at the join itself is looked at in the original.
 */
export class FoldedText {
  /** The original. */
  raw = '';
  text = '';
  /** For each unit of `text`: where the code point that it came from begins in `raw`. */
  readonly #starts: number[] = [];

  constructor(raw = '') {
    for (let index = 0; index < raw.length;) {
      const size = pointSize(raw, index) || 1;
      this.push(raw.slice(index, index + size));
      index += size;
    }
  }

  /** Appends a code point. */
  push(point: string): void {
    const folded = foldPoint(point);
    for (let unit = 0; unit < folded.length; unit++) this.#starts.push(this.raw.length);
    this.text += folded;
    this.raw += point;
  }

  /** Where the code point of a unit begins in the original. */
  start(unit: number): number {
    return this.#starts[unit] ?? this.end(unit);
  }

  /** Where the original goes on after this many units. */
  end(units: number): number {
    const last = this.#starts[units - 1];
    return last === undefined ? 0 : last + (pointSize(this.raw, last) || 1);
  }

  /** What is left, after this many units, of a code point that folds to several: `.` of an ellipsis cut after two. */
  rest(units: number): string {
    let end = units;
    while (end < this.text.length && this.#starts[end] === this.#starts[units - 1]) end++;
    return this.text.slice(units, end);
  }
}

/** How much a match of this text says, in characters of an alphabet: an ideograph says more than a letter. */
export function weightOf(folded: string): number {
  let weight = 0;
  for (const point of folded)
    weight += /[\p{Ideographic}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(point) ? 2.5 : 1;
  return weight;
}

/** Length of the longest common end of two texts. */
export function commonEnd(one: string, other: string): number {
  let length = 0;
  while (length < one.length && length < other.length && one.at(-1 - length) === other.at(-1 - length)) length++;
  return length;
}
