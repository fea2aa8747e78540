import { startsUnit } from './anchorOf.js';
import { weightOf, type FoldedText } from './fold.js';
import type { Shown } from './Shown.js';

/** The end of the shown text that a reply begins with. */
export interface Overlap {
  /** Length in folded units. */
  units: number;
  /** True when it is a repeat beyond doubt; otherwise the answer may as well say the same words twice. */
  sure: boolean;
  doubt: { words: string; startsUnit: boolean };
}

/**
 * Lengths from which an overlap is taken for a repeat: where it would otherwise run two words into one or begin a sentence
 * within another, and elsewhere.
 */
const SURE_AT_BREAK = 12;
const SURE = 20;

/** Finds the longest end of the shown text that the reply repeats from a unit on; null when there is none. */
export function overlapAt(reply: FoldedText, from: number, shown: Shown): Overlap | null {
  const text = reply.text.slice(from);
  const tail = shown.tail.text;
  let units = Math.min(text.length, tail.length);
  while (units > 0 && !(tail.endsWith(text.slice(0, units)) && sameBlank(reply, from, units, shown))) units--;
  if (units === 0) return null;
  const start = shown.startOf(units);
  const words = text.slice(0, units);
  const { whole } = shown;
  const repeated = whole.text.indexOf(words) < whole.text.length - units;
  const ends = shown.body.slice(-1) + reply.raw.charAt(0);
  const withinWord = from === 0 && shown.blank === '' && /^[\p{L}\p{M}\p{N}]{2}/u.test(ends);
  const weight = weightOf(words);
  const doubt = { words, startsUnit: startsUnit(shown.body, start) };
  const enough = (withinWord && weight === units) || doubt.startsUnit ? SURE_AT_BREAK : SURE;
  // A mark that joins items stands before each of them, also before one that is said twice.
  const joins = /^[\p{P}\p{S}]/u.test(words) && !/\n\s*$/.test(shown.body.slice(0, start));
  return { units, sure: !joins && !shown.isRhythmic(units) && !repeated && weight >= enough, doubt };
}

/** A short overlap says something only when the reply begins with it, not with white space that the text has not. */
function sameBlank(reply: FoldedText, from: number, units: number, shown: Shown): boolean {
  if (units >= SURE || from > 0 || reply.start(0) === 0) return true;
  return /\s/.test(shown.body.charAt(shown.startOf(units) - 1));
}
