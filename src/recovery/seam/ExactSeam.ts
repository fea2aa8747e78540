import type { SeamOptions, SeamReport, SeamStep } from './types.js';
import type { Joiner } from './untilDecided.js';

/** Longest beginning of the expected repeat that a reply without one may share with it by chance. */
const CHANCE = 24;

/**
 * Joins a reply that goes on exactly: it is appended as it comes, without what it repeats of the prefix (where the vendor
 * repeats it) and of the white space that was shown but not sent.
 */
export class ExactSeam implements Joiner {
  readonly #options: SeamOptions;
  /** What the reply may still repeat: perhaps the prefix, and the white space that was not sent. */
  #expected: string;
  readonly #blank: string;
  #read = 0;

  constructor(options: SeamOptions) {
    const { shown, trimmed = '', echoesPrefix, mechanism } = options;
    this.#options = options;
    this.#blank = mechanism === 'prefill' && shown.endsWith(trimmed) ? trimmed : '';
    this.#expected = mechanism === 'prefill' && echoesPrefix ? shown : this.#blank;
  }

  push(text: string): SeamStep | undefined {
    if (text === '') return undefined;
    // A vendor that repeats the prefix may leave out the white space that it begins with.
    if (this.#read === 0 && text.trimStart() === text) this.#expected = this.#expected.trimStart();
    let index = 0;
    while (index < text.length && text[index] === this.#expected[this.#read]) {
      index++;
      this.#read++;
    }
    return index === text.length && this.#read < this.#expected.length ? undefined : this.#join(text.slice(index));
  }

  end(): SeamStep | undefined {
    return this.#join('') ?? this.#join('');
  }

  #join(rest: string): SeamStep | undefined {
    const read = this.#read;
    const told = this.#expected.slice(0, read) + rest;
    const leaves = read < this.#expected.length - this.#blank.length;
    if (leaves && read < CHANCE) {
      this.#expected = this.#blank;
      this.#read = 0;
      return this.push(told);
    }
    const { mechanism, shown } = this.#options;
    // A long repeat that leaves the prefix is another answer; to append it would show its beginning twice.
    const report: SeamReport = leaves
      ? { mechanism, at: 0, method: 'reset', cut: 0, confidence: 0.5, reason: 'ambiguous' }
      : { mechanism, at: shown.length, method: 'exact', cut: read, confidence: 1 };
    return { text: leaves ? told : rest, report };
  }
}
