import { overlapsItself } from './seam/fold.js';
import { untilDecided, type Seam, type SeamStep } from './seam/index.js';

/** How far back a repeat is looked for, in code units. */
const REACH = 200;
/** Shortest repeat that is cut. */
const LEAST = 6;

/**
 * Joins a continuation of which nobody has said how it was asked for: a stream of the caller's own. It is taken as exact,
 * but for a repeat of the last words that can hardly be anything else: at least two words, at least six characters, words
 * that do not stand in the text before, that do not overlap with themselves, and that are no refrain: they begin in the middle
 * of a sentence, and what stands before them does not end as they do. So "ha ha", "Yes we can." and table rules pass.
 *
 * Text is held back only while it may still become such a repeat.
 *
 * @param shown - All the text that the subscriber has been shown.
 */
export function unstatedSeam(shown: string): Seam {
  const tail = shown.slice(-REACH);
  const repeats = candidates(tail);
  let held = '';
  const end = (): SeamStep => {
    const cut = repeats.find((repeat) => held.startsWith(repeat))?.length ?? 0;
    const confidence = cut > 0 ? 0.8 : 1;
    const method = cut > 0 ? 'overlap' : 'exact';
    return { text: held.slice(cut), report: { at: shown.length, method, cut, confidence } };
  };
  return untilDecided({
    push(text) {
      held += text;
      const open = repeats.some((repeat) => repeat.length > held.length && repeat.startsWith(held));
      return open ? undefined : end();
    },
    end,
  });
}

/** Endings of the text that a continuation can only begin with by repeating them; the longest first. */
function candidates(tail: string): string[] {
  const found: string[] = [];
  for (let start = 0; tail.length - start >= LEAST; start++) {
    const ending = tail.slice(start);
    if (!/[\p{L}\p{N}]\s+[\p{L}\p{N}]/u.test(ending)) break;
    const halfOfAPair = /^[\udc00-\udfff]/.test(ending);
    if (halfOfAPair || isRefrain(tail.slice(0, start), ending)) continue;
    if (!overlapsItself(ending, 1) && tail.indexOf(ending) === start) found.push(ending);
  }
  return found;
}

/** True when words can be those that come again in a text that repeats itself. */
function isRefrain(before: string, words: string): boolean {
  if (/(?:^|[\n.!?:;,])\s*$/.test(before)) return true;
  return /[\p{L}\p{N}]\|[\p{L}\p{N}]/u.test(`${before.slice(-1)}|${words}`) || before.endsWith(words.slice(-2));
}
