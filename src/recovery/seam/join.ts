import type { SeamReport } from './types.js';
import { FoldedText } from './fold.js';
import type { Head } from './head.js';
import type { Shown } from './Shown.js';
import { guessBlank, restOfBlank } from './whitespace.js';

/** What a seam decided. A reset shows everything that the reply has said. */
export type Verdict =
  | (Pick<SeamReport, 'method' | 'confidence' | 'mended' | 'cut'> & { kind: 'join'; text: string })
  | { kind: 'reset'; reason: 'other-words' | 'ambiguous'; confidence: number };

export const AMBIGUOUS: Verdict = { kind: 'reset', reason: 'ambiguous', confidence: 0.5 };

/** Words at the end of the shown text that a reply has been found to repeat. */
export interface Repeat {
  method: 'anchor' | 'overlap' | 'restart-skipped';
  confidence: number;
  /** What stands before the repeat. */
  head: Head;
  /** How long the reply is up to the end of the repeat. */
  cut: number;
  /** What is left of a code point that the repeat ends within. */
  carry: string;
  /** True when the repeat, taken as new text, would begin where a text begins to repeat itself. */
  unit: boolean;
}

/** Longest white space that is read at a join before it is decided. */
const BLANK_LIMIT = 64;
const ENDS_UNIT = /[.!?…:;,|。！？；：，、]["'”’)\]*_`]*$/;

/**
 * Joins what follows a repeat. Undefined while more text is needed to tell; `full` says that no more is waited for.
 */
export function joinAfter(repeat: Repeat, after: string, shown: Shown, full: boolean): Verdict | undefined {
  const place = skipMarks(repeat.head, after, shown, full);
  if (place === undefined || 'kind' in place) return place;
  if (repeat.unit) {
    if (after === '' && !full) return undefined;
    if (endsUnit(shown, after)) return AMBIGUOUS;
  }
  const rest = after.slice(place.skip);
  const joined =
    repeat.carry !== '' ? { text: repeat.carry + rest, added: repeat.carry } : joinBlank(rest, place.told, shown, full);
  if (joined === undefined) return undefined;
  const { text, added } = joined;
  const { method, confidence } = repeat;
  const cut = repeat.cut + after.length - (text.length - added.length);
  const verdict: Verdict = { kind: 'join', text, method, cut, confidence: place.told ? confidence : confidence * 0.9 };
  return added !== '' && added !== repeat.carry ? { ...verdict, mended: added } : verdict;
}

/** True when the shown text ends where a line, a sentence or a clause ends. */
export function endsUnit(shown: Shown, after: string): boolean {
  return shown.lineEnded || /^[ \t]*\n/.test(after) || ENDS_UNIT.test(shown.body.slice(-20));
}

interface Place {
  /** Where the text goes on. */
  skip: number;
  /** False when the white space before it belongs to the marks that were skipped. */
  told: boolean;
}

/** Skips what closes the marks around the repeat, the rest of the preamble, and a second repeat after it. */
function skipMarks(head: Head, after: string, shown: Shown, full: boolean): Place | Verdict | undefined {
  const { closer, closerSpan, kind } = head;
  const closed = closer?.exec(after);
  if (closer && !closed && !full && after.length < closerSpan) return undefined;
  if (!closed) {
    if (kind !== 'preamble') return { skip: 0, told: true };
    // Said once as a part of the preamble and once more as asked, or a text that says it twice: nothing tells.
    const second = repeatedAgain(after, shown.anchor, full);
    if (second === undefined) return undefined;
    return second >= 0 ? AMBIGUOUS : { skip: 0, told: true };
  }
  const start = closed[0].length;
  const marks = /^[\s,.:;!…–—-]*/.exec(after.slice(start))?.[0].length ?? 0;
  const second = repeatedAgain(after.slice(start + marks), shown.anchor, full);
  if (second === undefined) return undefined;
  if (second >= 0) return { skip: start + marks + second, told: true };
  return kind === 'preamble' ? endOfPreamble(after, start, shown, full) : endOfMarks(after, start);
}

function endOfMarks(after: string, start: number): Place {
  const blank = /^\s*/.exec(after.slice(start))?.[0] ?? '';
  return blank.includes('\n') ? { skip: start + blank.length, told: false } : { skip: start, told: true };
}

function endOfPreamble(after: string, start: number, shown: Shown, full: boolean): Place | Verdict | undefined {
  const line = /^[,.:;!…]*[ \t]*\n\s*/.exec(after.slice(start))?.[0];
  if (line !== undefined) return { skip: start + line.length, told: false };
  // `From "…", here is the rest:` may be followed by the words once more; without them, its end is not known.
  const folded = new FoldedText(after);
  const again = folded.text.indexOf(shown.anchor);
  if (again >= 0) return { skip: folded.end(again + shown.anchor.length), told: true };
  return full ? AMBIGUOUS : undefined;
}

/** Where a second repeat ends, -1 when there is none, undefined while there may be one. */
function repeatedAgain(text: string, anchor: string, full: boolean): number | undefined {
  const folded = new FoldedText(text);
  if (folded.text.startsWith(anchor)) return folded.end(anchor.length);
  if (!anchor.startsWith(folded.text)) return -1;
  if (!full) return undefined;
  return folded.text.length > anchor.length / 2 ? text.length : -1;
}

/** Joins at white space: `told` when the white space of the reply is that of the answer. */
export function joinBlank(
  rest: string,
  told: boolean,
  shown: Shown,
  full: boolean,
): { text: string; added: string } | undefined {
  if (told && shown.blank === '' && shown.dangling === '') return { text: rest, added: '' };
  const blank = /^\s*/.exec(rest)?.[0] ?? '';
  const wait = !full && blank.length < BLANK_LIMIT;
  const next = rest.slice(blank.length);
  if (next === '' && wait) return undefined;
  if (shown.dangling !== '') return { text: next.startsWith(shown.dangling) ? next.slice(1) : rest, added: '' };
  if (told) return { text: restOfBlank(shown.blank, blank) + next, added: '' };
  if (!full && next.length < 24 && /^[\p{L}\p{M}\p{N}_]*$/u.test(next)) return undefined;
  const added = guessBlank(shown, next, false);
  return { text: added + next, added };
}
