import type { JsonValue } from './values.js';

/** What may stand there, in words, in the order of the states of the parser; '' where it depends on more. */
export const EXPECTED = [
  'a value',
  'a value or "]"',
  'a key or "}"',
  'a key',
  '":"',
  '',
  'nothing more',
  'the end of a string',
  'an escaped character',
  'a hexadecimal digit',
  'a digit',
];

/** What a character means after a backslash. */
export const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Values that are written as words. */
export const LITERALS: Readonly<Record<string, JsonValue>> = { true: true, false: false, null: null };
