import { endsInHighSurrogate } from '../../internal/wellFormed.js';
import { anchorOf, isClear, isRhythmic } from './anchorOf.js';
import { FoldedText } from './fold.js';

/** How much of the end of the text is looked at while a reply is read; all of it only when that has not been enough. */
const TAIL = 1_000;

/** The text that was shown, and what a seam asks about it. */
export class Shown {
  /** The text without its trailing white space. */
  readonly body: string;
  /** The trailing white space. */
  readonly blank: string;
  /** The first half of a surrogate pair that ends the text. */
  readonly dangling: string;
  /** The anchor as it is compared. */
  readonly anchor: string;
  /** False when the anchor stands more than once in the text, or repeats itself. */
  readonly anchorClear: boolean;
  /** The end of `body` as it is compared. */
  readonly tail: FoldedText;
  readonly #tailAt: number;
  #whole: FoldedText | undefined;
  #fenced: boolean | undefined;

  constructor(
    readonly text: string,
    anchor = '',
  ) {
    this.dangling = endsInHighSurrogate(text) ? text.slice(-1) : '';
    const ended = text.slice(0, text.length - this.dangling.length);
    this.body = ended.trimEnd();
    this.blank = ended.slice(this.body.length);
    this.#tailAt = Math.max(0, this.body.length - TAIL);
    if (/[\udc00-\udfff]/.test(this.body.charAt(this.#tailAt))) this.#tailAt++;
    this.tail = new FoldedText(this.body.slice(this.#tailAt));
    const given = new FoldedText(anchor).text;
    const usable = given !== '' && this.tail.text.endsWith(given);
    const words = usable ? anchor.trim() : anchorOf(text);
    this.anchor = usable ? given : new FoldedText(words).text;
    this.anchorClear = isClear(this.body, this.body.length - words.length);
  }

  /** All of `body` as it is compared. */
  get whole(): FoldedText {
    return (this.#whole ??= new FoldedText(this.body));
  }

  /** True when the tail is the whole text. */
  get short(): boolean {
    return this.#tailAt === 0;
  }

  /** Where the last `units` of the folded text begin in `body`. */
  startOf(units: number): number {
    return this.#tailAt + this.tail.start(this.tail.text.length - units);
  }

  /** True when a reply that begins with the last `units` may be something else than a repeat of all of them. */
  isRhythmic(units: number): boolean {
    const { text } = this.tail;
    return isRhythmic(text.slice(0, -units), text.slice(-units), 1);
  }

  /** True when the text ends inside a fenced code block. */
  get fenced(): boolean {
    return (this.#fenced ??= endsInFence(this.text));
  }

  /** The line that the text ends in, without the line break that may end it. */
  get lastLine(): string {
    return this.body.slice(this.body.lastIndexOf('\n') + 1);
  }

  /** True when the last line has been ended. */
  get lineEnded(): boolean {
    return this.blank.includes('\n');
  }
}

function endsInFence(text: string): boolean {
  let open = '';
  for (const [, fence = '', info = ''] of text.matchAll(/^[ \t>]*(`{3,}|~{3,})([^\n]*)$/gm)) {
    if (open === '') open = fence;
    else if (fence.startsWith(open) && info.trim() === '') open = '';
  }
  return open !== '';
}
