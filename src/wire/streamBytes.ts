import { Observable } from 'rxjs';
import { InferenceExecutionError } from '../contract/index.js';
import { redact } from './redact.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import { interrupted } from '../recovery/interrupted.js';
import { isStream, responseError } from './httpErrors.js';
import { silenceTimer } from '../internal/silenceTimer.js';
import type { TransportOptions, WireRequest } from './Transport.js';

/**
 * Sends a request and emits the bytes of the answer as they come.
 *
 * Cold: each subscription sends its own request. Completes when the body has ended, whatever it held. Errors with an
 * {@link InferenceExecutionError}: an HTTP status other than 2xx, a media type that is no stream and an empty answer by
 * their own kinds, a broken socket and a silence longer than `livenessTimeout` as `stream-interrupted`. Unsubscribing
 * aborts the request and cancels the reader at once, also while a read is pending.
 *
 * @param makeRequest - Makes the request at each subscription; may wait for a key.
 * @param options - See {@link TransportOptions}.
 */
export function streamBytes(request: WireRequest, options: TransportOptions): Observable<Uint8Array> {
  return new Observable((subscriber) => {
    const { fetch = globalThis.fetch, secrets } = options;
    const abort = new AbortController();
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

    const fail = (error: unknown): void => {
      if (subscriber.closed) return;
      subscriber.error(redact(toInferenceError(error), secrets));
    };
    let onSilence = (): void => fail(interrupted('idle-stall', `no byte for ${options.livenessTimeout} ms`));
    const liveness = silenceTimer(options.scheduler, options.livenessTimeout, () => onSilence());
    subscriber.add(() => {
      liveness.stop();
      abort.abort();
      // The reader rejects when its stream has broken already; there is nobody left to tell.
      reader?.cancel().catch(() => undefined);
    });

    const onChunk = ({ done, value }: ReadableStreamReadResult<Uint8Array>): void => {
      if (subscriber.closed) return;
      if (done) return subscriber.complete();
      liveness.touch();
      subscriber.next(value);
      // One promise for each chunk, none for each event: the loop goes on only while somebody listens.
      if (!subscriber.closed) reader?.read().then(onChunk, fail);
    };
    const onResponse = async (response: Response): Promise<void> => {
      liveness.touch();
      if (!isStream(response, options.accepts)) {
        // What the status says stays true when the words that explain it do not come.
        const enough = new Promise<void>((resolve) => subscriber.add((onSilence = resolve)));
        return fail(await responseError(response, enough));
      }
      if (subscriber.closed) return void response.body?.cancel().catch(() => undefined);
      if (!response.body) return fail(new InferenceExecutionError('provider', `the answer has no body`));
      reader = response.body.getReader();
      reader.read().then(onChunk, fail);
    };

    const { url, method = 'POST', headers, body } = request;
    const init: RequestInit = { method, headers, signal: abort.signal, ...(body !== undefined && { body }) };
    // A fetch of the caller's own may throw before it returns a promise.
    new Promise<Response>((resolve) => resolve(fetch(url, init))).then(onResponse).catch(fail);
  });
}
