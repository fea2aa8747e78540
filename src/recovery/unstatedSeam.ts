import type { Seam, SeamStep } from './seam/index.js';

/** How far back a repeat is looked for, in code units. */
const REACH = 200;
/** Shortest repeat that is cut. */
const LEAST = 6;

/**
 * Joins a continuation of which nobody has said how it was asked for: a stream of the caller's own. It is taken as exact,
 * but for a repeat of the last words that can hardly be anything else: at least two words, at least six characters, words
 * that do not stand in the text before, and that do not overlap with themselves. So "ha ha" and table rules pass.
 *
 * Text is held back only while it may still become such a repeat.
 *
 * @param shown - All the text that the subscriber has been shown.
 */
export function unstatedSeam(shown: string): Seam {
  const tail = shown.slice(-REACH);
  const repeats = candidates(tail);
  let held = '';
  let decided = false;
  const decide = (): SeamStep => {
    decided = true;
    const cut = repeats.find((repeat) => held.startsWith(repeat))?.length ?? 0;
    const confidence = cut > 0 ? 0.8 : 1;
    const method = cut > 0 ? 'overlap' : 'exact';
    return { text: held.slice(cut), report: { at: shown.length, method, cut, confidence } };
  };
  return {
    get decided() {
      return decided;
    },
    push(text) {
      if (decided) return { text };
      held += text;
      const open = repeats.some((repeat) => repeat.length > held.length && repeat.startsWith(held));
      return open ? { text: '' } : decide();
    },
    end: () => (decided ? { text: '' } : decide()),
  };
}

/** Endings of the text that a continuation can only begin with by repeating them; the longest first. */
function candidates(tail: string): string[] {
  const found: string[] = [];
  for (let start = 0; tail.length - start >= LEAST; start++) {
    const ending = tail.slice(start);
    if (!/[\p{L}\p{N}]\s+[\p{L}\p{N}]/u.test(ending)) break;
    const halfOfAPair = /^[\udc00-\udfff]/.test(ending);
    if (!halfOfAPair && !overlapsItself(ending) && tail.indexOf(ending) === start) found.push(ending);
  }
  return found;
}

function overlapsItself(text: string): boolean {
  for (let length = 1; length < text.length; length++) if (text.endsWith(text.slice(0, length))) return true;
  return false;
}
