import type { SchedulerLike } from 'rxjs';
import type { InferenceExecutionError } from '../contract/index.js';
import type { FetchLike } from '../wire/Transport.js';

/** Options of `connect`. Times are in milliseconds. */
export interface ConnectOptions {
  /** Where the stream is. A relative one is the page's. */
  url: string | URL;
  /**
   * Sent as JSON, unless it is a string already; the same at each reconnection. With none, the request is a GET. What is no
   * JSON errors as `invalid-request`.
   */
  body?: unknown;
  /** Defaults to `POST` where there is a body, else `GET`. */
  method?: 'POST' | 'GET';
  /** Headers, or a function that gives them at each connection (a token that is renewed, say). Defaults to none. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
  /** Whether cookies go with it, as `fetch` takes it. Defaults to what `fetch` does. */
  credentials?: RequestCredentials;
  /** Defaults to the platform's `fetch`. */
  fetch?: FetchLike;
  /** Goes on after this id: what a reloaded page has kept. Makes the first connection one that reconnects. Defaults to none. */
  lastEventId?: string;
  /** Most reconnections in a row that bring nothing new. Defaults to 5; 0 never reconnects. */
  retries?: number;
  /**
   * Wait before a reconnection, 0 or more, by its number in a row (the first is 1). Defaults to full jitter over 500 · 2^n,
   * up to 8,000, never shorter than a `Retry-After` or the `retry:` of the stream.
   */
  delay?: (reconnection: number) => number;
  /**
   * Longest silence on the socket; heartbeats count. Then the connection is taken for dead. Defaults to 45,000: three
   * heartbeats of `rx-llm/server`. `Infinity` waits for ever.
   */
  livenessTimeout?: number;
  /** Longest event, in characters. Defaults to 10,485,760. */
  maxFrameLength?: number;
  /** Told of each reconnection, before its wait. */
  onReconnect?: (reconnection: Reconnection) => void;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
  /** Gives a number from 0 to 1 for the jitter. Defaults to `Math.random`. */
  random?: () => number;
}

/** A reconnection that is about to be made. */
export interface Reconnection {
  /** Its number in a row; the first is 1. */
  attempt: number;
  /** Wait before it, in milliseconds. */
  delay: number;
  /** What broke the connection. */
  error: InferenceExecutionError;
  /** Where it goes on after; undefined while no event has come. */
  lastEventId: string | undefined;
}
