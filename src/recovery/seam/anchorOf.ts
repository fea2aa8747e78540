import { endsInHighSurrogate } from '../../internal/wellFormed.js';
import { commonEnd, pointSize } from './fold.js';

/** Lengths that are tried in turn, in code units: the usual one, then longer ones for a tail that repeats itself. */
const LENGTHS = [40, 64, 96, 136, 200];
/** How far before the wanted place an anchor may begin, to begin with a word. */
const REACH = 24;

/**
 * Picks the last words of a text, for a model to begin its continuation with.
 *
 * They are about 40 characters, or up to 200 (and a word) where the end of the text stands in it more than once, so that
 * the repeat cannot be taken for anything else. They begin with a word, inside a line or a sentence where that is possible:
 * a text that repeats itself does so from the beginning of a line. They end where the text ends, without its trailing white
 * space.
 *
 * @param shown - The text so far.
 * @returns A part of `shown`; empty when that is blank.
 */
export function anchorOf(shown: string): string {
  const body = (endsInHighSurrogate(shown) ? shown.slice(0, -1) : shown).trimEnd();
  const first = body.length - body.trimStart().length;
  let longest = first;
  for (const length of LENGTHS) {
    const starts = startsNear(body, Math.max(first, body.length - length), first);
    const clear = starts.find((start) => start === first || isClear(body, start, 1));
    if (clear !== undefined) return body.slice(clear);
    longest = starts[0] ?? longest;
  }
  return body.slice(longest);
}

/** True when the text from a place on can be told from everything else that a continuation may begin with. */
export function isClear(body: string, start: number, shortest = 3): boolean {
  const end = body.slice(start);
  return (
    !(start > 0 && body.lastIndexOf(end, start - 1) >= 0) && !isRhythmic(body.slice(0, start).trimEnd(), end, shortest)
  );
}

/**
 * True when an end of a text may well be followed by the same words, or be only the later part of them: when it ends as it
 * begins, or the text before it ends in the same way. A reply that begins with it is then no clear repeat of it.
 */
export function isRhythmic(before: string, end: string, shortest: number): boolean {
  return commonEnd(before, end) >= 2 || endsAsItBegins(end, shortest);
}

/** True when a text ends with at least the first `shortest` units of itself. */
export function endsAsItBegins(text: string, shortest: number): boolean {
  for (let length = text.length - 1; length >= shortest; length--) {
    if (text.endsWith(text.slice(0, length))) return true;
  }
  return false;
}

/** True when a line, a sentence or a clause begins here: where a text that repeats itself legitimately would begin. */
export function startsUnit(text: string, index: number): boolean {
  const before = text.slice(Math.max(0, index - 40), index);
  return (
    /(?:^|[\n\r.!?…:;,|>。！？；：，、])[^\S\n\r]*(?:[-+•][^\S\n\r]+)?["'“‘(*_`]*$/.test(before) &&
    (index <= 40 || before.trim() !== '')
  );
}

/** Places before the wanted one where an anchor may begin, the best first. */
function startsNear(body: string, wanted: number, first: number): number[] {
  const best: number[] = [];
  const words: number[] = [];
  for (let index = wanted; index > first && index > wanted - REACH; index--) {
    if (!/\S/.test(body.charAt(index)) || /\S/.test(body.charAt(index - 1))) continue;
    const inside = !startsUnit(body, index) && /[\p{L}\p{N}]/u.test(body.slice(index, index + 2));
    (inside ? best : words).push(index);
  }
  if (best.length + words.length > 0) return [...best, ...words];
  if (wanted - first < REACH) return [first];
  let start = graphemeStart(body, wanted);
  // A mark before the anchor could not be told from one that the model puts around it.
  while (start > first && /["'“”‘’«»„`*_>「『]/.test(body.charAt(start - 1))) start--;
  return [start];
}

/** Where the user-perceived character at an index begins, or the next one that is not white space. */
function graphemeStart(body: string, index: number): number {
  const next = index + body.slice(index).search(/\S/);
  const from = codePointStart(body, Math.max(0, next - 64));
  // Some edge runtimes come without the data for this.
  if (!('Segmenter' in Intl)) return codePointStart(body, next);
  const found = new Intl.Segmenter().segment(body.slice(from, next + 32)).containing(next - from);
  return from + (found?.index ?? 0);
}

function codePointStart(body: string, index: number): number {
  return index > 0 && pointSize(body, index - 1) === 2 ? index - 1 : index;
}
