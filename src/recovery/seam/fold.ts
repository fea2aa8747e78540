/**
 * A text as it is compared: without white space, decomposed, quotation marks and dashes as in ASCII. So a model may wrap
 * lines, curl quotes and compose letters as it likes; what stands at the join itself is looked at in the original.
 *
 * It is folded code unit by code unit, so that it makes no difference in which pieces a text is.
 */
export const fold = (text: string): string => text.replace(/[^!-~]/g, (unit) => plain(unit).replace(/\s/g, ''));

/** Compatibility forms, quotation marks and dashes as in ASCII; white space as it is. */
export const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[“-‟«»「-』‹›]/g, '"')
    .replace(/[‘-‛]/g, "'")
    .replace(/[‐-―−]/g, '-');

/** Length of the longest common end of two texts. */
export function commonEnd(one: string, other: string): number {
  let length = 0;
  while (length < Math.min(one.length, other.length) && one.at(-1 - length) === other.at(-1 - length)) length++;
  return length;
}

/**
 * True when the end of a folded text can be told from everything else that a continuation may begin with: it stands in the
 * text once, does not end as it begins (with at least `shortest` units), nor as the text before it does.
 */
export function isClear(text: string, end: string, shortest: number): boolean {
  const start = text.length - end.length;
  if (text.indexOf(end) < start || commonEnd(text.slice(0, start), end) > (shortest > 2 ? 1 : 0)) return false;
  return !overlapsItself(end, shortest);
}

/** True when a text ends as it begins, with at least `shortest` units. */
export function overlapsItself(text: string, shortest: number): boolean {
  for (let length = text.length - 1; length >= shortest; length--)
    if (text.endsWith(text.slice(0, length))) return true;
  return false;
}
