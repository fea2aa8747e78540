import { pointSize } from './fold.js';

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
  const body = shown.replace(/[\ud800-\udbff]$/, '').trimEnd();
  const first = body.length - body.trimStart().length;
  let anchor = '';
  for (const length of LENGTHS) {
    const start = startNear(body, Math.max(first, body.length - length), first);
    anchor = body.slice(start);
    if (start === first || !occursBefore(body, anchor)) break;
  }
  return anchor;
}

/** True when the end of a text stands in it a second time. */
export function occursBefore(body: string, end: string): boolean {
  const start = body.length - end.length - 1;
  return start >= 0 && body.lastIndexOf(end, start) >= 0;
}

/** True when a line, a sentence or a clause begins here: where a text that repeats itself legitimately would begin. */
export function startsUnit(text: string, index: number): boolean {
  const before = text.slice(Math.max(0, index - 40), index);
  return (
    /(?:^|[\n\r.!?…:;,|>。！？；：，、])[^\S\n\r]*["'“‘(*_`]*$/.test(before) && (index <= 40 || before.trim() !== '')
  );
}

function startNear(body: string, wanted: number, first: number): number {
  let word = -1;
  for (let index = wanted; index > first && index > wanted - REACH; index--) {
    if (!/\S/.test(body.charAt(index)) || /\S/.test(body.charAt(index - 1))) continue;
    if (!startsUnit(body, index)) return index;
    if (word < 0) word = index;
  }
  if (word >= 0) return word;
  if (wanted - first < REACH) return first;
  return graphemeStart(body, wanted);
}

/** The last place at or before `index` where a user-perceived character begins that is not white space. */
function graphemeStart(body: string, index: number): number {
  let from = Math.max(0, index - 64);
  if (/[\udc00-\udfff]/.test(body.charAt(from))) from++;
  let start = from;
  for (const { index: offset, segment } of graphemes(body.slice(from, index + 32))) {
    if (from + offset > index) break;
    if (segment.trim() !== '') start = from + offset;
  }
  return start;
}

function graphemes(text: string): Iterable<{ index: number; segment: string }> {
  // Some edge runtimes come without the data for this.
  if (typeof Intl !== 'undefined' && 'Segmenter' in Intl) return new Intl.Segmenter().segment(text);
  const joined = /^[\p{M}\u200d\ufe0f\u{1f3fb}-\u{1f3ff}]/u;
  const found: { index: number; segment: string }[] = [];
  for (let index = 0; index < text.length;) {
    const segment = text.slice(index, index + (pointSize(text, index) || 1));
    const last = found.at(-1);
    if (last && (joined.test(segment) || last.segment.endsWith('\u200d'))) last.segment += segment;
    else found.push({ index, segment });
    index += segment.length;
  }
  return found;
}
