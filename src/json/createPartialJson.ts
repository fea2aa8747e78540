import { PartialJsonParser } from './PartialJsonParser.js';
import type { PartialJson, PartialJsonOptions } from './types.js';

const DEFAULT_MAX_DEPTH = 128;
/** Longest text, in UTF-16 code units. */
export const DEFAULT_MAX_LENGTH = 16 * 1024 * 1024;

/**
 * Makes a parser that takes a JSON text piece by piece and has the best value so far at any time.
 *
 * A `push` costs time in proportion to its own length, whatever has come before, and so does a read of `value`
 * (amortised, see {@link PartialJsonOptions.freshness}). When the text is complete the value is what `JSON.parse` gives.
 *
 * @example A value at each piece
 * ```ts
 * import { createPartialJson } from 'rx-llm';
 *
 * const json = createPartialJson();
 * json.push('{"city":"Par');
 * console.log(json.value); // => { city: 'Par' }
 * json.push('is","days":[1,2');
 * console.log(json.value); // => { city: 'Paris', days: [ 1 ] }
 * json.push(']}');
 * console.log(json.status); // => complete
 * ```
 * @param options - Limits, freshness and a callback, see {@link PartialJsonOptions}.
 * @returns A parser for one text.
 * @throws RangeError when a limit is not a positive number.
 */
export function createPartialJson(options: PartialJsonOptions = {}): PartialJson {
  const { maxDepth = DEFAULT_MAX_DEPTH, maxLength = DEFAULT_MAX_LENGTH } = options;
  if (!(maxDepth > 0)) throw new RangeError(`createPartialJson: maxDepth must be positive, got ${maxDepth}`);
  if (!(maxLength > 0)) throw new RangeError(`createPartialJson: maxLength must be positive, got ${maxLength}`);

  return new PartialJsonParser(maxDepth, maxLength, options.freshness === 'always', options.onValue);
}
