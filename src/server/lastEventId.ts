import { headerOf, type HeadersLike } from '../contract/index.js';

/**
 * Gives the id of the last event that a client has seen, when it reconnects.
 *
 * @param headers - The headers of the request: the platform's, or Node's `request.headers`.
 * @returns The id; undefined on a first request.
 */
export function lastEventId(headers: HeadersLike): string | undefined {
  const id = headerOf(headers, 'last-event-id');
  return id === '' ? undefined : id;
}
