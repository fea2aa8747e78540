import type { Seam, SeamOptions, SeamReport, SeamStep } from './types.js';

/** Longest beginning of the expected repeat that a reply without one may share with it by chance. */
const CHANCE = 24;

/**
 * Joins a reply that goes on exactly: it is appended as it comes, without what it repeats of the prefix (where the vendor
 * repeats it) and of the white space that was shown but not sent.
 */
export class ExactSeam implements Seam {
  decided = false;
  readonly #options: SeamOptions;
  /** What the reply may still repeat of the prefix, and then of the white space after it. */
  #echo = '';
  #blank = '';
  /** How much of the current one has been repeated. */
  #read = 0;
  #cut = 0;

  constructor(options: SeamOptions) {
    this.#options = options;
    const { shown, trimmed = '', echoesPrefix = false, mechanism } = options;
    if (mechanism !== 'prefill') return;
    if (shown.endsWith(trimmed)) this.#blank = trimmed;
    if (echoesPrefix) this.#echo = shown.slice(0, shown.length - this.#blank.length);
  }

  push(text: string): SeamStep {
    if (this.decided || text === '') return { text };
    let index = 0;
    while (this.#echo !== '' && index < text.length) {
      if (text[index] !== this.#echo[this.#read]) return this.#notEchoed(text.slice(index));
      this.#read++;
      index++;
      if (this.#read < this.#echo.length) continue;
      this.#cut = this.#read;
      this.#read = 0;
      this.#echo = '';
    }
    while (this.#read < this.#blank.length && index < text.length && text[index] === this.#blank[this.#read]) {
      this.#read++;
      index++;
    }
    const open = index === text.length && (this.#echo !== '' || this.#read < this.#blank.length);
    return open ? { text: '' } : this.#join(text.slice(index));
  }

  end(): SeamStep {
    if (this.decided) return { text: '' };
    return this.#echo === '' ? this.#join('') : this.#notEchoed('');
  }

  #notEchoed(rest: string): SeamStep {
    const text = this.#echo.slice(0, this.#read) + rest;
    const trimmed = this.#echo.trimStart();
    if (this.#read === 0 && rest !== '' && trimmed !== this.#echo) {
      this.#echo = trimmed;
      return this.push(text);
    }
    const long = this.#read >= CHANCE;
    this.#echo = '';
    this.#read = 0;
    // A long repeat that leaves the prefix is another answer; to append it would show its beginning twice.
    if (long) return this.#report(text, { at: 0, method: 'reset', cut: 0, confidence: 0.5, reason: 'ambiguous' });
    const step = this.push(text);
    return rest === '' && !this.decided ? this.#join(step.text) : step;
  }

  #join(text: string): SeamStep {
    const cut = this.#cut + this.#read;
    return this.#report(text, { at: this.#options.shown.length, method: 'exact', cut, confidence: 1 });
  }

  #report(text: string, report: Omit<SeamReport, 'mechanism'>): SeamStep {
    this.decided = true;
    return { text, report: { mechanism: this.#options.mechanism, ...report } };
  }
}
