import type { SchedulerLike } from 'rxjs';
import type { FetchLike } from '../../wire/Transport.js';
import type { ContinuationMechanism } from '../../contract/index.js';
import type { ContinuationRule } from './continuationTable.js';

/** Options that every provider factory takes. */
export interface ProviderOptions {
  /** The key, or a function that gives it for each request. It never stands in an error. */
  apiKey?: string | (() => string | Promise<string>);
  /** Where the API lives, without a trailing slash. Defaults to the vendor's own address. */
  baseUrl?: string;
  /** Headers added to each request; one of the same name wins over ours. */
  headers?: Record<string, string>;
  /** A `fetch` of one's own: a proxy agent, a test. Defaults to the platform's. */
  fetch?: FetchLike;
  /**
   * Longest silence on the socket in milliseconds, which any byte ends, comments and pings included. Defaults to 60,000;
   * `Infinity` switches it off; the factory throws a RangeError on what is not more than 0.
   */
  livenessTimeout?: number;
  /**
   * How models continue a text that was cut off: one mechanism for all of them, or rules that are asked before those of
   * this library.
   */
  continuation?: ContinuationMechanism | readonly ContinuationRule[];
  /**
   * Longest event in characters (bytes for binary formats). Defaults to 16 Mi; a longer one is a `provider` error.
   */
  maxFrameLength?: number;
  /**
   * Longest answer in characters of its text, reasoning, arguments and opaque blocks. Defaults to 64 Mi; a longer one is a
   * `provider` error.
   */
  maxAnswerLength?: number;
  /** Gives the time for the timeouts. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}
