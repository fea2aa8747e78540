import { plain } from './fold.js';

/** What stands before the words that a reply repeats. */
export interface Head {
  /** `marks`: quotation marks, an ellipsis and the like; `preamble`: words about the continuation. */
  kind: 'none' | 'marks' | 'preamble';
  /** What closes the marks that stand directly before the words, as it is compared. */
  close: string;
  /** True when the white space after the words may be that of the marks. */
  wraps: boolean;
}

/** A tag, a fence, a Markdown quote, quotation marks or emphasis, or an ellipsis, directly before the words. */
const OPEN = /<([\w-]+)>$|(?:(`{3,}|~{3,})\w*\n|(["'`*_]+)(?:\.{3})?|(?:^|\n)(>)|\.{3})?\s*$/;
const MARKS = /^[\s"'`*_>~#.-]*$/;

/** Words about going on, in the languages that models are asked in most. */
const ABOUT =
  /continu|resum|pick.*up|left off|cut.?off|last (message|words)|connect|interrupt|apolog|\bsorry\b|\b(rest|remainder)\b|^\W*(sure|of course|certainly|absolutely|ok|alright|right|no problem|got it|here('s| is| it is| (you|we) go)).{0,60}$|^\W*(thank(s| you)( for .{0,40})?|understood|noted)\W*$|weiter|repren|segu|продолж|[继繼]|続/i;

/** Tells what the beginning of a reply is, before words that it repeats; undefined when they may belong to the answer. */
export function headOf(raw: string, fenced: boolean): Head | undefined {
  const text = plain(raw);
  const [open = '', tag, fence, quote, block] = OPEN.exec(text) ?? [];
  const words = text.slice(0, text.length - open.length);
  const close = tag === undefined ? (quote ?? (fenced ? '' : (fence ?? ''))) : `</${tag}>`;
  const kind = text.trim() === '' ? 'none' : MARKS.test(words) ? 'marks' : 'preamble';
  // An ellipsis may end the preamble as well as stand before the words.
  if (kind === 'preamble' && !isPreamble(text) && !isPreamble(words, close !== '')) return undefined;
  return { kind, close, wraps: (quote ?? block) !== undefined };
}

/** True for words about the continuation and nothing else, that end as such words do. `quotes`: a quotation follows. */
export function isPreamble(text: string, quotes = false): boolean {
  return (
    text.length < 220 &&
    /^[\s"'(*_#>.-]*\p{L}/u.test(text) &&
    (quotes || /[:.!。)\]-][\s*_"']*$|\n\s*$/.test(text)) &&
    text
      .split(/[.!:;。]+(?:[\s*)]|$)|[。:]|\n/)
      .every((part) => !/\p{L}/u.test(part) || (!/^\s*\p{Ll}/u.test(part) && ABOUT.test(part)))
  );
}

/** True for a reply that begins with words about the continuation, or with a tag around what follows. */
export function startsWithPreamble(reply: string): boolean {
  return /^\s*<[\w-]+>/.test(reply) || isPreamble(`${/^.*?(?:[.!:。](?=\s|\*)|$)/m.exec(plain(reply))?.[0] ?? ''}:`);
}
