import { startsUnit } from './anchorOf.js';
import { commonEnd, weightOf, type FoldedText } from './fold.js';
import { headOf, type Head } from './head.js';
import { AMBIGUOUS, type Repeat, type Verdict } from './join.js';
import { overlapAt } from './overlap.js';
import type { Shown } from './Shown.js';

/** What a reply begins with, while it is held back. */
export interface Reply {
  raw: string;
  folded: FoldedText;
}

/** Judges an anchor that ends where the reply ends now. Null when what stands before it may belong to the answer. */
export function repeatAtEnd({ raw, folded }: Reply, shown: Shown): Repeat | Verdict | null {
  const length = folded.text.lastIndexOf(shown.anchor) + shown.anchor.length;
  const before = folded.text.slice(0, length - shown.anchor.length);
  const longer = commonEnd(before, shown.tail.text.slice(0, -shown.anchor.length));
  const heads = longer === 0 ? [0] : [longer, 0];
  for (const units of heads) {
    const from = before.length - units;
    const head = headOf(from === 0 ? '' : raw.slice(0, folded.start(from)), shown);
    if (head.kind === 'other') continue;
    // A text that repeats itself for longer than an anchor can be: only a reply that does just as asked is clear.
    if (!shown.anchorUnique && (units > 0 || head.kind !== 'none' || folded.start(0) > 0)) return AMBIGUOUS;
    return repeatOf({ raw, folded }, length, units + shown.anchor.length, head, shown);
  }
  return null;
}

function repeatOf({ folded }: Reply, end: number, units: number, head: Head, shown: Shown): Repeat {
  const start = shown.startOf(units);
  const isWhole = shown.short && units === shown.tail.text.length;
  const asked = units === shown.anchor.length;
  return {
    method: isWhole && !asked ? 'restart-skipped' : 'anchor',
    confidence: head.kind === 'none' ? (asked && shown.anchorUnique ? 0.99 : 0.95) : 0.9,
    head,
    cut: folded.end(end),
    carry: folded.rest(end),
    unit: !asked && !isWhole && head.kind !== 'preamble' && startsUnit(shown.body, start),
  };
}

/** Places in a reply where a repeat may begin: its start, and what follows marks or a preamble. */
export function beginnings({ raw, folded }: Reply, shown: Shown): { from: number; head: Head }[] {
  const found: { from: number; head: Head }[] = [{ from: 0, head: headOf('', shown) }];
  for (let from = 1; from < folded.text.length; from++) {
    const start = folded.start(from);
    if (folded.start(from - 1) === start || !/[\s"'“‘«„`*_>「『….]$/.test(raw.slice(0, start))) continue;
    const head = headOf(raw.slice(0, start), shown);
    if (
      head.kind === 'marks' ||
      (head.kind === 'preamble' && /[\n"'“‘«„`*_>「『]\s*$|[:：…]\s+$/.test(raw.slice(0, start)))
    ) {
      found.push({ from, head });
    }
  }
  return found;
}

/** Finds an end of the shown text that the reply repeats and that is shorter than the anchor. */
export function shorterRepeat(reply: Reply, shown: Shown): Repeat | Verdict | null {
  let doubtful = false;
  for (const { from, head } of beginnings(reply, shown)) {
    const overlap = overlapAt(reply.folded, reply.raw, from, shown);
    if (!overlap) continue;
    const { units, sure, unit } = overlap;
    if (sure) {
      const end = from + units;
      const { folded } = reply;
      return { method: 'overlap', confidence: 0.85, head, cut: folded.end(end), carry: folded.rest(end), unit };
    }
    if (from === 0) doubtful = true;
  }
  return doubtful ? AMBIGUOUS : null;
}

/** Fewest characters that must agree at both ends of an anchor that was repeated with a slip. */
const SAME_HEAD = 8;
const SAME_END = 16;

/** Finds the anchor where the model repeated it with a slip or a correction in the middle. */
export function slippedRepeat({ folded }: Reply, shown: Shown): Repeat | null {
  const { anchor } = shown;
  const inner = anchor.length - SAME_END;
  if (weightOf(anchor) < SAME_HEAD + SAME_END || !folded.text.startsWith(anchor.slice(0, SAME_HEAD))) return null;
  const end = anchor.slice(inner);
  const slips = Math.max(2, Math.floor(anchor.length / 12));
  const at = folded.text.indexOf(end, inner - slips);
  if (at < 0 || at > inner + slips || shown.tail.text.indexOf(end) !== shown.tail.text.length - SAME_END) return null;
  if (distance(folded.text.slice(0, at), anchor.slice(0, inner)) > slips) return null;
  const units = at + SAME_END;
  const head: Head = { kind: 'none', closerSpan: 0 };
  return { method: 'anchor', confidence: 0.85, head, cut: folded.end(units), carry: folded.rest(units), unit: false };
}

/** Number of insertions, removals and replacements between two short texts. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
