import { occursBefore, startsUnit } from './anchorOf.js';
import { weightOf, type FoldedText } from './fold.js';
import type { Shown } from './Shown.js';

/** The end of the shown text that a reply begins with. */
export interface Overlap {
  /** Length in folded units. */
  units: number;
  /** True when it is a repeat beyond doubt; otherwise the answer may as well say the same words twice. */
  sure: boolean;
  /** True when a text that repeats itself may begin there. */
  unit: boolean;
}

/** Lengths from which an overlap is taken for a repeat: where it would otherwise run two words into one, and elsewhere. */
const SURE_WITHIN_WORD = 8;
const SURE = 20;
const WORD = /[\p{L}\p{M}\p{N}_]/u;

/** Finds the longest end of the shown text that the reply repeats from a unit on; null when there is none. */
export function overlapAt(reply: FoldedText, raw: string, from: number, shown: Shown): Overlap | null {
  const text = reply.text.slice(from);
  const tail = shown.tail.text;
  const lengths: number[] = [];
  for (let units = Math.min(text.length, tail.length); units > 0; units--) {
    if (tail.endsWith(text.slice(0, units)) && sameBlank(reply, raw, from, units, shown)) lengths.push(units);
  }
  const [units, second = 0] = lengths;
  if (units === undefined) return null;
  const start = shown.startOf(units);
  const words = text.slice(0, units);
  const periodic = second * 2 >= units;
  const repeated =
    shown.whole.text.indexOf(words) < shown.whole.text.length - units ||
    occursBefore(shown.body, shown.body.slice(start));
  const first = raw.charAt(from === 0 ? 0 : reply.start(from));
  const withinWord = shown.blank === '' && WORD.test(shown.body.slice(-1)) && WORD.test(first);
  const weight = weightOf(words);
  const sure = !periodic && !repeated && weight >= (withinWord && weight === units ? SURE_WITHIN_WORD : SURE);
  return { units, sure, unit: startsUnit(shown.body, start) };
}

/** A short overlap says something only when the reply begins with it, not with white space that the text has not. */
function sameBlank(reply: FoldedText, raw: string, from: number, units: number, shown: Shown): boolean {
  if (units >= SURE_WITHIN_WORD || from > 0 || reply.start(0) === 0) return true;
  return /\s/.test(shown.body.charAt(shown.startOf(units) - 1));
}
