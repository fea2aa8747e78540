import type { StopReason } from '../contract/index.js';
import { createPartialJson, type PartialJson, PartialJsonError, type PartialJsonOptions } from '../json/index.js';
import { DEFAULT_MAX_LENGTH } from '../json/createPartialJson.js';

/** Limits on the JSON text that is read. */
export type JsonLimits = Pick<PartialJsonOptions, 'maxDepth' | 'maxLength'>;

const FENCE = '```';
/** The opening of a fence, with a name of the language that is not endless. */
const FENCE_WITH_LANGUAGE = /^`{3}[\w+.-]{0,28}/;

/**
 * The JSON of one answer: its text deltas in, the best value so far out. A code fence around the JSON is overlooked, with
 * or without the name of a language; any other text before or behind the JSON is an error at the end.
 *
 * That the text is no JSON is only told at the end, when it is whole: it says more then, and until then a `stream-reset`
 * may still replace it.
 */
export class AnswerJson {
  /** The raw text so far. */
  text = '';
  /** Why the model stopped, once it has said so. */
  stopReason: StopReason | undefined;
  private readonly parser: PartialJson;
  private readonly maxLength: number;
  /** Beginning of the text, as long as it may become a fence. */
  private lead: string | undefined = '';
  private fenced = false;
  /** What follows the JSON in a fence. */
  private tail: string | undefined;

  constructor(options: PartialJsonOptions) {
    this.parser = createPartialJson(options);
    this.maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH;
  }

  /** The best value so far. */
  get value(): PartialJson['value'] {
    return this.parser.value;
  }

  /** True when a whole JSON value has come. */
  get isWhole(): boolean {
    return this.parser.status === 'complete' || this.isClosed();
  }

  /**
   * Takes the next piece of the text.
   *
   * @returns An error when the text has become too long, which nothing that follows can mend.
   */
  push(piece: string): PartialJsonError | undefined {
    if (this.text.length + piece.length > this.maxLength) {
      const expected = `no more than ${this.maxLength} characters`;
      return new PartialJsonError('too-long', this.maxLength, [], expected, 'more');
    }
    this.text += piece;
    if (this.lead !== undefined) this.readLead(this.lead + piece);
    else if (this.tail !== undefined) this.tail += piece;
    else this.readBody(piece);
    return undefined;
  }

  /** Says that the text has ended; returns why it is no JSON, or undefined when `value` is the whole value. */
  end(): PartialJsonError | undefined {
    if (this.lead !== undefined)
      this.parser.push(this.lead.startsWith(FENCE) ? ' '.repeat(this.lead.length) : this.lead);
    this.lead = undefined;
    if (this.isClosed()) return undefined;
    this.parser.end();
    return this.parser.error;
  }

  private readLead(lead: string): void {
    const text = lead.trimStart();
    // White space stands in for what is overlooked, so that the offsets in errors are those of the raw text.
    this.parser.push(' '.repeat(lead.length - text.length));
    const fence = FENCE_WITH_LANGUAGE.exec(text)?.[0] ?? '';
    const mayBeFence = text.length < FENCE.length ? FENCE.startsWith(text) : fence.length === text.length;
    if (mayBeFence) {
      this.lead = text;
      return;
    }
    this.lead = undefined;
    this.fenced = fence !== '';
    this.parser.push(' '.repeat(fence.length));
    this.readBody(text.slice(fence.length));
  }

  private readBody(piece: string): void {
    this.parser.push(piece);
    const { error } = this.parser;
    if (this.fenced && error?.fault === 'extra-text') this.tail = this.text.slice(error.offset);
  }

  private isClosed(): boolean {
    return this.tail !== undefined && /^`{3}\s*$/.test(this.tail);
  }
}
