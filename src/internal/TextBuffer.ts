/** Pieces that are chained up before they are joined. */
const PIECES = 48;

/**
 * A text that grows by small pieces, in constant time for each.
 *
 * Engines chain appended strings up and copy them only when somebody reads them. A long chain is a great many small objects,
 * and those are what makes a collector slow; so a few dozen pieces at a time are made into one string.
 */
export class TextBuffer {
  private head = '';
  private tail = '';
  private pieces = 0;

  constructor(text = '') {
    this.tail = text;
  }

  /** The whole text. */
  get text(): string {
    return this.head + this.tail;
  }

  /** Length of the whole text in UTF-16 code units. */
  get length(): number {
    return this.head.length + this.tail.length;
  }

  append(text: string): void {
    this.tail += text;
    if (++this.pieces < PIECES) return;
    // Reading a character makes the engines join what is chained up.
    this.tail.charCodeAt(0);
    this.head += this.tail;
    this.tail = '';
    this.pieces = 0;
  }
}
