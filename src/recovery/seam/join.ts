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
  /**
   * Where the repeat may as well be new text that says the same again, because it is not just what was asked for: how it
   * begins, as it is compared, and whether a line, a sentence or a clause begins there.
   */
  doubt?: { words: string; startsUnit: boolean };
}

/** Length of an anchor, as it is compared, below which a reply may begin with it by chance. */
export const SHORT = 12;
/** How much white space is read at a join, beyond what was shown, before it is decided. */
const BLANK_LIMIT = 64;
const ENDS_UNIT = /[.!?…:;,|。！？；：，、]["'”’)\]*_`]*$/;

/**
 * Joins what follows a repeat. Undefined while more text is needed to tell; `full` says that no more is waited for.
 */
export function joinAfter(repeat: Repeat, after: string, shown: Shown, full: boolean): Verdict | undefined {
  const place = skipMarks(repeat.head, after, shown, full);
  if (place === undefined || 'kind' in place) return place;
  const again = saysAgain(repeat, after, shown, full);
  if (again !== false) return again && AMBIGUOUS;
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

/** Shortest beginning of the repeat that, standing after it once more, tells a text that goes on repeating itself. */
const AGAIN = 4;

/** Tells whether a repeat may be new text: it is a whole line or sentence, or the reply says it again at once. */
function saysAgain({ doubt }: Repeat, after: string, shown: Shown, full: boolean): boolean | undefined {
  if (!doubt) return false;
  const { text } = new FoldedText(after.slice(0, BLANK_LIMIT));
  if (text.length < AGAIN && after.length < BLANK_LIMIT && !full) return undefined;
  return (doubt.startsUnit && endsUnit(shown, after)) || text.startsWith(doubt.words.slice(0, AGAIN));
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
  // The anchor may itself begin with such marks.
  const most = /^[\s,.:;!…–—-]*/.exec(after.slice(start))?.[0].length ?? 0;
  for (let skip = start; skip <= start + most; skip++) {
    const second = repeatedAgain(after.slice(skip), shown.anchor, full);
    if (second === undefined) return undefined;
    if (second < 0) continue;
    const isRepeat = shown.anchorClear && (kind === 'preamble' || shown.anchor.length >= SHORT);
    return isRepeat ? { skip: skip + second, told: true } : AMBIGUOUS;
  }
  return kind === 'preamble' ? endOfPreamble(after, start, shown, full) : endOfMarks(after, start, shown);
}

/** A line break after the marks is theirs in the middle of a sentence, and the answer's where a sentence or a line ends. */
function endOfMarks(after: string, start: number, shown: Shown): Place {
  const blank = /^\s*/.exec(after.slice(start))?.[0] ?? '';
  const told = !blank.includes('\n') || endsUnit(shown, '');
  return told ? { skip: start, told } : { skip: start + blank.length, told };
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
  const wait = !full && blank.length < shown.blank.length + BLANK_LIMIT;
  const next = rest.slice(blank.length);
  if (next === '' && wait) return undefined;
  if (shown.dangling !== '') return { text: next.startsWith(shown.dangling) ? next.slice(1) : rest, added: '' };
  if (told) return { text: restOfBlank(shown.blank, blank) + next, added: '' };
  if (!full && next.length < 24 && /^[\p{L}\p{M}\p{N}_]*$/u.test(next)) return undefined;
  const added = guessBlank(shown, next, false);
  return { text: added + next, added };
}
