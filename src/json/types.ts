import type { PartialJsonError } from './PartialJsonError.js';
import type { JsonPath, JsonValue } from './values.js';

/**
 * How far a parser has come: nothing but white space, a value that has begun, a whole value, or text that no
 * continuation can turn into JSON (or that passed a limit).
 */
export type PartialJsonStatus = 'empty' | 'partial' | 'complete' | 'invalid';

/** Options of {@link createPartialJson}. */
export interface PartialJsonOptions {
  /** Deepest nesting of objects and arrays. Defaults to 128. */
  maxDepth?: number;
  /** Longest text, in UTF-16 code units. Defaults to 16,777,216 (16 Mi). */
  maxLength?: number;
  /**
   * What a read of `value` may cost. A snapshot made of plain arrays and objects has to copy each container that is
   * still open, so that its cost grows with their width.
   *
   * With `'amortised'` a new snapshot is made only when the text that came since the last one has paid for the copy,
   * and until then the last one is handed out again: a read costs no more than the deltas did, whatever the size of
   * the document. Arrays of up to 1,000 elements and objects of up to 30 keys are never late. What is wider is late by
   * less than a character for each 20 elements of an array (each 5, beyond 16,000) and 3 characters for each 2 keys of an
   * object (3 for each, beyond 5,000); a complete or invalid text is never late.
   * With `'always'` every read reflects the last character, whatever it costs.
   *
   * Defaults to `'amortised'`.
   */
  freshness?: 'amortised' | 'always';
  /**
   * Called inside `push` and `end` with each value, small or large, at the moment it is complete: once a value, inner
   * values before the ones that hold them, the top-level value last with an empty path. What it throws leaves `push`.
   */
  onValue?: (path: JsonPath, value: JsonValue) => void;
}

/** An incremental parser of one JSON text. Made by {@link createPartialJson}. */
export interface PartialJson {
  /** How far it has come. */
  readonly status: PartialJsonStatus;
  /** Why the status is `'invalid'`; undefined as long as it is not. */
  readonly error: PartialJsonError | undefined;
  /**
   * The best value so far; undefined while nothing can be said. Never changed after it was handed out, and sharing with
   * earlier ones every branch that is the same; do not change it either. Strings that have begun are in it, without half
   * an escape or half a surrogate pair; numbers and literals only once their end is known, keys once their value has begun.
   */
  readonly value: JsonValue | undefined;
  /**
   * The best value so far as one tree that grows in place: the same content as the freshest `value`, read in constant
   * time, but changed by the next `push`. For readers that look at it and let go.
   */
  readonly live: JsonValue | undefined;
  /**
   * Takes the next piece of the text, split anywhere. Bad JSON is no exception: the status becomes `'invalid'`,
   * `value` keeps the best value before the error, and further pieces are ignored.
   */
  push(delta: string): void;
  /**
   * Says that nothing more comes: ends a top-level number, which no other character ends. What is not a whole value by
   * now becomes `'invalid'`.
   */
  end(): void;
}
