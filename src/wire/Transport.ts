import type { SchedulerLike } from 'rxjs';

/** What `fetch` is, as far as this library uses it. */
export type FetchLike = (input: string, init: RequestInit) => Promise<Response>;

/** One HTTP request, encoded. */
export interface WireRequest {
  url: string;
  /** Defaults to `POST`. */
  method?: 'POST' | 'GET' | 'DELETE';
  headers: Record<string, string>;
  body?: string;
}

/** How bytes are fetched. */
export interface TransportOptions {
  /** Defaults to the platform's `fetch`. */
  fetch?: FetchLike;
  /**
   * Longest silence on the socket in milliseconds, from the request to the first byte and between any two bytes; comments
   * and pings count. `Infinity` switches it off.
   */
  livenessTimeout: number;
  scheduler: SchedulerLike;
  /** Media types that are a stream of this wire format; any other is an error whose body goes into the message. */
  accepts: RegExp;
  /** Texts that must never stand in an error: the API key. */
  secrets: readonly string[];
}
