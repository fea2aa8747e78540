import { endsInHighSurrogate } from '../../internal/wellFormed.js';
import { fold, isClear } from './fold.js';

/** How far before the wanted place an anchor may begin. */
const REACH = 24;
/** Places where an anchor may begin, the best first: a word inside a line and a sentence, a word. */
const STARTS = [/^[^]{0,23}[\p{L}\p{M}\p{N}][^\S\n]+(?=[\p{L}\p{N}]{2})/u, /^[^]{0,23}\s(?=\S)/u];
/** Where no user-perceived character goes on. */
const CHARACTER = /(?<!\u200d)[^\s\p{M}\p{Emoji_Modifier}\u200d]/gu;

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
  const body = (endsInHighSurrogate(shown) ? shown.slice(0, -1) : shown).trim();
  const folded = fold(body);
  let anchor = '';
  for (const length of [40, 64, 96, 136, 200]) {
    anchor = body.slice(startNear(body, body.length - length));
    if (anchor === body || isClear(folded, fold(anchor), 1)) break;
  }
  return anchor;
}

function startNear(body: string, wanted: number): number {
  const from = wanted - REACH;
  if (from < 0) return 0;
  const before = body.slice(from);
  for (const start of STARTS) {
    const found = start.exec(before);
    if (found) return from + found[0].length;
  }
  CHARACTER.lastIndex = wanted;
  return CHARACTER.exec(body)?.index ?? from;
}
