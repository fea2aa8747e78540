import type { Shown } from './Shown.js';

/**
 * What stands before the words that a reply repeats. `none`: nothing; `marks`: quotation marks, an ellipsis and the like;
 * `preamble`: words about the continuation; `other`: words that may belong to the answer.
 */
export interface Head {
  kind: 'none' | 'marks' | 'preamble' | 'other';
  /** Matches what closes the marks that stand directly before the words, when there are any. */
  closer?: RegExp;
  /** How long a text `closer` needs to be sure. */
  closerSpan: number;
}

/** Longest text that is taken for words about the continuation. */
const LONGEST = 220;
const QUOTES: Record<string, string> = { '“': '”', '‘': '’', '«': '»', '„': '[“”]', '「': '」', '『': '』', '‹': '›' };

export const MARKS = /^(?:[\s"'“”‘’«»„`*_>~#…\-–—「『]|\.{3})*$/;
const FENCE = /(?:^|\n)[ \t]*(?:`{3,}|~{3,})[^\n`]*\n[ \t]*$/;
const TAG = /<([\w-]+)>\s*$/;
const BLOCK_QUOTE = /(?:^|\n)[ \t]*>[ \t]*$/;

/** Words about going on, in the languages that models are asked in most. */
export const ABOUT =
  /continu|resum|pick(?:ing|ed)?\b.{0,20}\bup|left off|(?:cut|broke|got) off|connection|dropped|last (?:message|words)|interrupt|apolog|\bsorry\b|the rest\b|reconnect|where (?:i|we|you|it|that|things)\b|carry(?:ing)? on|fortsetz|weiter|\bsuite\b|repren|reprise|sigo|seguir|segue|prosseg|kontynu|продолж|继续|繼續|接着|接著|続[きけ]|계속|이어서|متابعة|أواصل|أكمل|נמשיך|ממשיך|המשך/i;
const OPENING =
  /^(?:sure|of course|certainly|absolutely|ok(?:ay)?|alright|all right|no problem|got it|understood|here(?:'s|’s| is| it is| you go| goes)|happy to|gladly)\b(?=.{0,60}$)/i;

/** Tells what the beginning of a reply is, before words that it repeats. */
export function headOf(raw: string, shown: Shown): Head {
  if (raw.trim() === '') return { kind: 'none', closerSpan: 0 };
  const { words, closer, closerSpan } = unwrap(raw, shown);
  const kind = MARKS.test(words) ? 'marks' : isPreamble(words, closer !== undefined) ? 'preamble' : 'other';
  return closer ? { kind, closer, closerSpan } : { kind, closerSpan };
}

/** Takes off what wraps the repeated words: a fence, a tag, a block quote, quotation marks, emphasis. */
function unwrap(raw: string, shown: Shown): { words: string; closer?: RegExp; closerSpan: number } {
  const fence = FENCE.exec(raw);
  if (fence) {
    const words = raw.slice(0, fence.index);
    return shown.fenced
      ? { words, closerSpan: 0 }
      : { words, closer: /^[ \t]*\n?[ \t]*(?:`{3,}|~{3,})(?=\n|$)/, closerSpan: 12 };
  }
  const tag = TAG.exec(raw);
  if (tag) {
    const name = tag[1] ?? '';
    return { words: raw.slice(0, tag.index), closer: new RegExp(`^\\s*</${name}>`), closerSpan: name.length + 6 };
  }
  const block = BLOCK_QUOTE.exec(raw);
  if (block && !/^\s*>/.test(shown.lastLine))
    return { words: raw.slice(0, block.index), closer: /^[ \t]*(?=\n)/, closerSpan: 4 };
  const open = /(["'“‘«„「『‹]|`+|\*{1,3}|_{1,3})(?:…|\.{3})?\s*$/.exec(raw);
  if (!open) return { words: raw, closerSpan: 0 };
  const mark = open[1] ?? '';
  const close = QUOTES[mark] ?? mark.replaceAll('*', '\\*');
  return { words: raw.slice(0, open.index), closer: new RegExp(`^(?:…|\\.{3})?${close}`), closerSpan: mark.length + 4 };
}

/** True for words about the continuation and nothing else, that end as such words do. `quotes`: a quotation follows. */
export function isPreamble(words: string, quotes = false): boolean {
  if (words.length > LONGEST || !/^[\s"'“‘(*_#>…—–-]*\p{L}[^?]*$/u.test(words)) return false;
  if (!quotes && !/[:：.!。！…)\]—–-][\s*_"'”’]*$|\n\s*$/.test(words)) return false;
  const sentences = words.split(/[.!…:;：。！](?=\s|\*|$)|[。！：]|\n/).map((part) => part.trim());
  return sentences.every((part) => part === '' || (part.length <= 120 && !/^\p{Ll}/u.test(part) && isAbout(part)));
}

/** True for a reply that begins with words about the continuation, or with a tag around what follows. */
export function startsWithPreamble(reply: string): boolean {
  if (/^\s*<[\w-]+>/.test(reply)) return true;
  const sentence = /^.*?(?:[.!…:：。！](?=\s|\*)|[。！：]|$)/m.exec(reply)?.[0] ?? '';
  return isPreamble(sentence) || isPreamble(`${sentence}:`);
}

function isAbout(sentence: string): boolean {
  return ABOUT.test(sentence) || OPENING.test(sentence.replace(/^[*_#>"'“‘([—–-]+/, ''));
}
