/**
 * What is still to be shown of the white space that a reply has at the join, when some was shown already. A reply that
 * says less than was shown, or something else, gives nothing more, except for line breaks.
 */
export function restOfBlank(shown: string, told: string): string {
  if (told.startsWith(shown)) return told.slice(shown.length);
  return '\n'.repeat(Math.max(0, told.split('\n').length - shown.split('\n').length));
}

/**
 * The white space between a text and what follows, where the reply does not tell: a space between two words, nothing
 * within one. Which of the two it is, the words that stand elsewhere in the text tell; when `strict`, both have to.
 */
export function guessBlank(body: string, next: string, strict: boolean): string {
  const last = /[\p{L}\p{M}\p{N}_]*$/u.exec(body.slice(-60))?.[0] ?? '';
  const first = /^[\p{L}\p{M}\p{N}_]*/u.exec(next)?.[0] ?? '';
  if (first === '') return '';
  if (last === '') return !strict && /[\p{L}\p{N}][,;:.!?)\]]$/u.test(body) ? ' ' : '';
  const known = (word: string): boolean =>
    new RegExp(`(?<![\\p{L}\\p{M}\\p{N}_])${word}(?![\\p{L}\\p{M}\\p{N}_])`, 'u').test(
      body.slice(-20_000, -last.length),
    );
  return known(last + first) || !known(last) || (strict && !known(first)) ? '' : ' ';
}
