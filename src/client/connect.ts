import { asyncScheduler, Observable } from 'rxjs';
import type { LlmStreamEvent } from '../contract/index.js';
import { Connection } from './Connection.js';
import type { ConnectOptions } from './ConnectOptions.js';

/**
 * Reads a stream of `rx-llm/server`, in a browser or anywhere else where there is `fetch`: the same events, as an
 * Observable.
 *
 * Cold: each subscription makes its own request. When the connection breaks in the middle of a stream that can be gone on
 * with (the server says so in its first event, a server of another kind by sending ids), the same request is sent again
 * with `Last-Event-ID`, after a backoff; events that had come already are dropped by their id. Reconnections that bring
 * something new do not count against `retries`.
 *
 * Completes when the server says that the stream has ended. When the connection breaks for good after the end of an answer
 * (`stop`) or of a conversation (`conversation-end`, `conversation-suspended`), that is no failure either. The server's
 * error event, an answer that is no stream, and a connection that broke for good error as `InferenceExecutionError` of their
 * kind, with the snapshot of what had arrived. Unsubscribing aborts the request or the wait at once, and so stops the model on
 * the server, unless the run is durable there.
 * ```text
 * 1st connection   --a--b--#
 * 2nd connection             --b--c--(E|)      E: the server's end
 * connect          --a--b-------c--|
 * ```
 * @example Show an answer as it comes
 * ```ts
 * import { accumulate, resultText } from 'rx-llm';
 * import { connect } from 'rx-llm/client';
 *
 * const answer$ = connect({ url: '/api/chat', body: { runId: crypto.randomUUID(), text: 'Hello' } });
 * answer$.pipe(accumulate()).subscribe((result) => console.log(resultText(result)));
 * ```
 * @param options - See {@link ConnectOptions}.
 * @throws TypeError without a url or with a `delay` that is no function, RangeError on a number that makes no sense.
 */
export function connect<E extends { type: string } = LlmStreamEvent>(options: ConnectOptions): Observable<E> {
  const { url, retries = 5, livenessTimeout = 45_000, maxFrameLength = 10 * 1024 * 1024 } = options ?? {};
  if (url === undefined || String(url) === '') throw new TypeError('connect: give the url of the stream');
  if (!(retries >= 0)) throw new RangeError('connect: retries must be 0 or more');
  if (!(livenessTimeout > 0))
    throw new RangeError('connect: livenessTimeout must be a positive number of milliseconds');
  if (!(maxFrameLength > 0)) throw new RangeError('connect: maxFrameLength must be a positive number of characters');
  if (options.delay !== undefined && typeof options.delay !== 'function')
    throw new TypeError('connect: delay must be a function that gives milliseconds');
  const { scheduler = asyncScheduler, random = Math.random } = options;
  const settings = { ...options, retries, livenessTimeout, maxFrameLength, scheduler, random };
  return new Observable<E>((subscriber) => {
    const connection = new Connection(settings, subscriber);
    subscriber.add(() => connection.close());
    connection.open();
  });
}
