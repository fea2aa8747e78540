import { continuationEvidence, startsLike } from './evidence.js';
import { beginnings, endOfPreamble, shorterRepeat, slippedRepeat } from './findRepeat.js';
import { Follower } from './Follower.js';
import { FoldedText } from './fold.js';
import { startsWithPreamble } from './head.js';
import { AMBIGUOUS, joinBlank, SHORT, type Repeat, type Verdict } from './join.js';
import { overlapAt } from './overlap.js';
import type { Shown } from './Shown.js';
import { guessBlank } from './whitespace.js';

/** Shortest beginning of an anchor after which a reply may end. */
const PARTIAL = 12;
/** How much of the first answer a reply has to begin with to be another answer to the same request. */
const SAME_ANSWER = 48;

/**
 * Decides on a reply in which the anchor has not been found, when it has been held for as long as it is held, or ended.
 * Gives a verdict, a repeat to join after, or what follows a longer one.
 */
export function settle(
  reply: FoldedText,
  shown: Shown,
  ended: boolean,
  doubtful: boolean,
): Verdict | Repeat | Follower {
  const { raw, text } = reply;
  if (text === '') return plainJoin(raw, shown, 0.5);
  if (shown.anchor === '') return plainJoin(raw, shown, 1);
  if (ended && shown.anchorClear && text.length >= PARTIAL && shown.anchor.startsWith(text)) {
    return { kind: 'join', text: '', method: 'anchor', cut: raw.length, confidence: 0.7 };
  }
  const short = shown.anchor.length < SHORT && /[\p{L}\p{N}]/u.test(shown.anchor) && shortRepeat(reply, shown);
  if (short) return short;
  const follower = Follower.of(reply, shown);
  if (follower) return follower;
  if (doubtful) return AMBIGUOUS;
  return slippedRepeat(reply, shown) ?? shorterRepeat(reply, shown) ?? withoutRepeat(reply, shown);
}

/** Finds a short anchor where nothing else can be meant: at the very beginning, closed in marks, after a preamble. */
function shortRepeat(reply: FoldedText, shown: Shown): Repeat | null {
  for (const { from, head } of beginnings(reply, shown)) {
    if (!reply.text.startsWith(shown.anchor, from)) continue;
    const end = from + shown.anchor.length;
    const cut = reply.end(end);
    const plain = from === 0 ? !startsWithPreamble(reply.raw) : head.kind === 'preamble' && !head.closer;
    const onLine = from > 0 && /\n\s*$/.test(reply.raw.slice(0, reply.start(from)));
    if (plain || onLine || head.closer?.test(reply.raw.slice(cut)))
      return { method: 'anchor', confidence: 0.8, head, cut, carry: reply.rest(end) };
  }
  return null;
}

function withoutRepeat(reply: FoldedText, shown: Shown): Verdict {
  const { raw } = reply;
  const evidence = continuationEvidence(reply, shown);
  if (evidence > 0) return plainJoin(raw, shown, evidence);
  const start = shown.fenced ? 0 : endOfPreamble(reply, shown);
  if (start > 0) {
    const rest = new FoldedText(raw.slice(start));
    const sure = overlapAt(rest, 0, shown) ? 0 : continuationEvidence(rest, shown);
    if (sure > 0) return plainJoin(raw, shown, sure * 0.9, start);
  }
  // Only the words of the first answer tell a second one: a continuation, too, may begin with a capital or a preamble.
  return {
    kind: 'reset',
    reason: startsLike(reply, shown, SAME_ANSWER) ? 'other-words' : 'ambiguous',
    confidence: 0.7,
  };
}

/** Joins without a repeat, behind a preamble when `from` is not 0. */
function plainJoin(reply: string, shown: Shown, confidence: number, from = 0): Verdict {
  const raw = reply.slice(from);
  const joined = joinBlank(raw, from === 0, shown, true) ?? { text: raw, added: '' };
  const told = from > 0 || confidence === 1 || /^\s/.test(raw);
  const added = told ? joined.added : guessBlank(shown, joined.text, true);
  const text = told ? joined.text : added + joined.text;
  const cut = reply.length - (text.length - added.length);
  const verdict: Verdict = { kind: 'join', text, method: 'plain', cut, confidence };
  return added === '' ? verdict : { ...verdict, mended: added };
}
