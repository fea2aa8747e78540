import type { Shown } from './Shown.js';

/**
 * What is still to be shown of the white space that a reply has at the join, when some was shown already. A reply that
 * says less than was shown, or something else, gives nothing more, except for line breaks.
 */
export function restOfBlank(shown: string, told: string): string {
  if (told.startsWith(shown)) return told.slice(shown.length);
  const lines = shown.split('\n');
  const toldLines = told.split('\n');
  const missing = toldLines.length - lines.length;
  if (missing > 0) return '\n' + toldLines.slice(lines.length).join('\n');
  const indent = lines.at(-1) ?? '';
  const toldIndent = toldLines.at(-1) ?? '';
  return missing === 0 && lines.length > 1 && toldIndent.startsWith(indent) ? toldIndent.slice(indent.length) : '';
}

const WITHOUT_SPACES =
  /[\p{Ideographic}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

/**
 * The white space between the text and what follows, where the reply does not tell: a space between two words, nothing
 * within one. Which of the two it is, the words that stand elsewhere in the text tell.
 */
export function guessBlank(shown: Shown, next: string, told: boolean): string {
  if (shown.blank !== '' || shown.dangling !== '') return '';
  const last = /[\p{L}\p{M}\p{N}_]+$/u.exec(shown.body.slice(-60))?.[0] ?? '';
  const first = /^[\p{L}\p{M}\p{N}_]+/u.exec(next)?.[0] ?? '';
  if (first === '' || WITHOUT_SPACES.test(last + first)) return '';
  if (last === '') return !told && /[\p{L}\p{N}][,;:.!?)\]]$/u.test(shown.body) ? ' ' : '';
  const earlier = shown.body.slice(-20_000, -last.length);
  if (hasWord(earlier, last + first) || !hasWord(earlier, last)) return '';
  return !told || hasWord(earlier, first) ? ' ' : '';
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const before = text.charAt(at - 1);
    const after = text.charAt(at + word.length);
    if (!/[\p{L}\p{M}\p{N}_]/u.test(before + after)) return true;
  }
  return false;
}
