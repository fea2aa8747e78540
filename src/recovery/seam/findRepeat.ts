import { endsAsItBegins, startsUnit } from './anchorOf.js';
import { commonEnd, weightOf, type FoldedText } from './fold.js';
import { ABOUT, headOf, MARKS, startsWithPreamble, type Head } from './head.js';
import { AMBIGUOUS, type Repeat, type Verdict } from './join.js';
import { overlapAt } from './overlap.js';
import type { Shown } from './Shown.js';

/** Judges an anchor that ends where the reply ends now. Null when what stands before it may belong to the answer. */
export function repeatAtEnd(reply: FoldedText, shown: Shown): Repeat | Verdict | null {
  const { anchor, tail } = shown;
  const end = reply.text.lastIndexOf(anchor) + anchor.length;
  const before = reply.text.slice(0, end - anchor.length);
  let longer = commonEnd(before, tail.text.slice(0, -anchor.length));
  // Marks just before the words are the model's: an anchor begins with those that stand before it in the text.
  if (longer < 3 && MARKS.test(before.slice(before.length - longer))) longer = 0;
  for (const more of new Set([longer, 0])) {
    const from = before.length - more;
    const head = headOf(from === 0 ? '' : reply.raw.slice(0, reply.start(from)), shown);
    if (head.kind === 'other') continue;
    const units = more + anchor.length;
    const isWhole = shown.short && units === tail.text.length;
    // A text that repeats itself for longer than an anchor can be: only a reply that does just as asked is clear.
    if (!shown.anchorClear && head.kind === 'none' && reply.start(0) > 0) return AMBIGUOUS;
    // The reply may repeat less than it seems to, and then say the same once more.
    if (more > 0 && !isWhole && endsAsItBegins(tail.text.slice(-units), 2)) return AMBIGUOUS;
    return repeatOf(reply, end, units, head, shown, more > 0 && isWhole);
  }
  return null;
}

function repeatOf(reply: FoldedText, end: number, units: number, head: Head, shown: Shown, restarts: boolean): Repeat {
  const asked = units === shown.anchor.length;
  const sure = asked && shown.anchorClear ? 0.99 : 0.95;
  const repeat: Repeat = {
    method: restarts ? 'restart-skipped' : 'anchor',
    confidence: head.kind === 'none' ? sure : 0.9,
    head,
    cut: reply.end(end),
    carry: reply.rest(end),
  };
  if (asked || restarts) return repeat;
  const doubt = { words: shown.tail.text.slice(-units), startsUnit: startsUnit(shown.body, shown.startOf(units)) };
  return { ...repeat, doubt };
}

/** How marks and a preamble end, directly before the words that they stand before. */
const ENDS: Partial<Record<Head['kind'], RegExp>> = {
  marks: /(?:\S|\n\s*|> )$/,
  preamble: /[\n"'“‘«„`*_>「『…]\s*$|[:：]\s+$/,
};

/** Places in a reply where a repeat may begin: its start, and what follows marks or a preamble. */
export function beginnings(reply: FoldedText, shown: Shown): { from: number; head: Head }[] {
  const found: { from: number; head: Head }[] = [{ from: 0, head: headOf('', shown) }];
  for (let from = 1; from < reply.text.length; from++) {
    const start = reply.start(from);
    const before = reply.raw.slice(0, start);
    if (reply.start(from - 1) === start || !/[\s"'“‘«„`*_>「『….]$/.test(before)) continue;
    const head = headOf(before, shown);
    if (ENDS[head.kind]?.test(before)) found.push({ from, head });
  }
  return found;
}

/** Where a reply goes on after words that say that it does, when they are a paragraph of their own; otherwise 0. */
export function endOfPreamble(reply: FoldedText, shown: Shown): number {
  for (const { from, head } of beginnings(reply, shown)) {
    const start = reply.start(from);
    const words = reply.raw.slice(0, start);
    if (head.kind !== 'preamble' || !/(?:\n|\S: )\s*$/.test(words)) continue;
    // A heading or a first line may be about continuing something, too.
    return ABOUT.test(words) && /^[^#]*[:：…!.][\s*_)\]]*$/.test(words) ? start : 0;
  }
  return 0;
}

/** Finds an end of the shown text that the reply repeats and that is shorter than the anchor. */
export function shorterRepeat(reply: FoldedText, shown: Shown): Repeat | Verdict | null {
  let doubtful = false;
  for (const { from, head } of beginnings(reply, shown)) {
    const overlap = overlapAt(reply, from, shown);
    if (!overlap) continue;
    const { units, sure, doubt } = overlap;
    if (sure && (from > 0 || !startsWithPreamble(reply.raw))) {
      const end = from + units;
      return { method: 'overlap', confidence: 0.85, head, cut: reply.end(end), carry: reply.rest(end), doubt };
    }
    doubtful ||= from === 0;
    // More than a quotation mark that happens to stand at both ends: what follows marks is no better.
    if (units > 1) break;
  }
  return doubtful ? AMBIGUOUS : null;
}

/** Fewest characters that must agree at both ends of an anchor that was repeated with a slip. */
const SAME_HEAD = 8;
const SAME_END = 16;

/** Finds the anchor where the model repeated it with a slip or a correction in the middle. */
export function slippedRepeat(reply: FoldedText, shown: Shown): Repeat | null {
  const { anchor } = shown;
  const inner = anchor.length - SAME_END;
  if (weightOf(anchor) < SAME_HEAD + SAME_END || !reply.text.startsWith(anchor.slice(0, SAME_HEAD))) return null;
  const end = anchor.slice(inner);
  const slips = Math.max(2, Math.floor(anchor.length / 12));
  const at = reply.text.indexOf(end, inner - slips);
  if (at < 0 || at > inner + slips || shown.tail.text.indexOf(end) !== shown.tail.text.length - SAME_END) return null;
  if (distance(reply.text.slice(0, at), anchor.slice(0, inner)) > slips) return null;
  const units = at + SAME_END;
  const head: Head = { kind: 'none', closerSpan: 0 };
  return { method: 'anchor', confidence: 0.85, head, cut: reply.end(units), carry: reply.rest(units) };
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
