import { ExactSeam } from './ExactSeam.js';
import { PromptSeam } from './PromptSeam.js';
import type { Seam, SeamOptions } from './types.js';
import { untilDecided } from './untilDecided.js';

/**
 * Makes the seam between the text that was shown and one continuation of it.
 *
 * An exact continuation (`reattach`, `prefill`) is appended at once. That of a model that was asked in words (`prompt`) is
 * held back, at most about 240 characters of it, until it is clear where it joins: the repeated anchor is cut with whatever
 * precedes it, a shorter or longer repeat is cut where it can be nothing else, an answer that starts over word for word is
 * skipped up to where the text ended. What cannot be joined without the risk of losing or doubling words ends in a report
 * with the method `reset`: its text begins a new answer, which has to be announced.
 *
 * How the continuation is split into pieces makes no difference. A seam serves one continuation.
 */
export function createSeam(options: SeamOptions): Seam {
  return untilDecided(options.mechanism === 'prompt' ? new PromptSeam(options) : new ExactSeam(options));
}
