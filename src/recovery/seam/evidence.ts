import { FoldedText, weightOf } from './fold.js';
import { startsWithPreamble } from './head.js';
import type { Shown } from './Shown.js';

/** Characters that go on in a sentence but never begin an answer. */
const INNER = /^(?:[,;:!?)\]}%»”’،؛؟。、，；：！？）」』]|\.(?!\.))/;
const JOINED = /^(?:\p{M}|\p{Emoji_Modifier}|\u200d|\ufe0f)/u;
const OPENING =
  /^(?:sure|ok|okay|alright|certainly|of course|sorry|yes|no problem)\b[,!:.;—–-]|^\W?(?:continu|resum|picking up)/i;
/** Characters in common with the last words, or with their beginning, that tell a changed repeat of them. */
const CHANGED_REPEAT = 12;
const CHANGED_START = 5;
const SAME_START = 10;

/**
 * How sure it is, from 0 to 1, that a reply without any repeat goes on exactly where the text ended: by its beginning, which
 * an answer that starts over cannot have. 0 when it might be such an answer.
 */
export function continuationEvidence(folded: FoldedText, shown: Shown): number {
  const reply = folded.raw;
  const first = reply.trimStart();
  if (first === '') return 0.5;
  if (JOINED.test(reply) || (shown.body.endsWith('\u200d') && /^\p{Extended_Pictographic}/u.test(reply))) return 0.95;
  if (folded.text.startsWith(shown.anchor.slice(0, CHANGED_START))) return 0;
  if (startsWithPreamble(first) || startsLike(folded, shown) || repeatsChanged(folded, shown)) return 0;
  if (shown.fenced) return codeEvidence(first, shown);
  if (INNER.test(first)) return 0.85;
  const line = lineEvidence(first, shown);
  if (line > 0) return line;
  if (!/^\p{Ll}/u.test(first) || OPENING.test(first) || !/^[^\p{L}]*\p{Lu}/u.test(shown.body)) return 0;
  return shown.lineEnded || /[.!?…]["'”’)]*$/.test(shown.body) ? 0.6 : 0.8;
}

/** True when the reply begins with the first words of the answer. */
export function startsLike(folded: FoldedText, shown: Shown, least = SAME_START): boolean {
  const start = new FoldedText(shown.body.slice(0, 80)).text;
  let same = 0;
  while (same < start.length && start[same] === folded.text[same]) same++;
  return weightOf(start.slice(0, same)) >= least || (same > 0 && same === start.length);
}

/** True when the beginning of the reply shares a run of characters with the last words, as a repeat with a slip in it does. */
function repeatsChanged(folded: FoldedText, shown: Shown): boolean {
  const last = shown.tail.text.slice(-Math.max(60, shown.anchor.length));
  const head = folded.text.slice(0, 80);
  for (let at = 0; at + CHANGED_REPEAT <= head.length; at++) {
    if (last.includes(head.slice(at, at + CHANGED_REPEAT))) return true;
  }
  return false;
}

/** Inside a code block an answer that starts over is told by its prose or by its fence. */
function codeEvidence(first: string, shown: Shown): number {
  if (/^(?:`{3}|~{3})/.test(first)) return 0;
  if (/^\s*(?:`{3}|~{3})/.test(shown.text)) return 0;
  return /^(?:[\p{Ll}\d_$)\]};,.:=+/<&|?!]|[-*]\S)/u.test(first) && !OPENING.test(first) ? 0.7 : 0;
}

/** A row of the table that the text stands in, or the next item of its list. */
function lineEvidence(first: string, shown: Shown): number {
  const { lastLine } = shown;
  const line = /^[^\n]*(?=\n)/.exec(first)?.[0];
  if (/^\s*\|/.test(lastLine) && !/^\s*\|/.test(shown.text) && line !== undefined) {
    const row = shown.lineEnded ? line : lastLine + line;
    const columns = (text: string): number => text.split('|').length;
    const above = shown.lineEnded ? lastLine : (shown.body.split('\n').at(-2) ?? '');
    return /^\s*\|.*\|\s*$/.test(row) && columns(row) === columns(above) ? 0.8 : 0;
  }
  const number = /^\s*(\d+)([.)]) /.exec(lastLine);
  const next = /^(\d+)([.)]) /.exec(first);
  const follows = number && next && number[2] === next[2] && Number(next[1]) === Number(number[1]) + 1;
  return shown.lineEnded && follows ? 0.8 : 0;
}
