import type { JsonPath } from './values.js';

/** What kind of fault a {@link PartialJsonError} reports. */
export type PartialJsonFault = 'unexpected-character' | 'unexpected-end' | 'extra-text' | 'too-deep' | 'too-long';

/** Where and why a text stopped being JSON. */
export class PartialJsonError extends Error {
  override readonly name = 'PartialJsonError';

  /**
   * @param fault - What kind of fault it is.
   * @param offset - Where it is, in UTF-16 code units from the beginning of the text.
   * @param path - Path of the value that was being read.
   * @param expected - What could have stood there, in words.
   * @param found - What stood there instead; undefined at the end of the text.
   */
  constructor(
    readonly fault: PartialJsonFault,
    readonly offset: number,
    readonly path: JsonPath,
    readonly expected: string,
    readonly found?: string,
  ) {
    super(`invalid JSON at offset ${offset}${at(path)}: expected ${expected}, found ${found ?? 'the end of the text'}`);
  }
}

function at(path: JsonPath): string {
  return path.length === 0 ? '' : ` (in ${path.map((key) => JSON.stringify(key)).join(' > ')})`;
}
