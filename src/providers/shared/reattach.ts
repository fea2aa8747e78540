import type { Observable } from 'rxjs';
import { InferenceExecutionError, type LlmStreamEvent, type RunCursor } from '../../contract/index.js';
import { operate } from '../../internal/operate.js';
import type { WireRequest } from '../../wire/Transport.js';
import type { EncodedContinuation } from './encodeContinuation.js';
import type { ProviderOptions } from './options.js';

/** HTTP statuses with which a provider says that a run cannot be attached to (any more). */
const LOST: ReadonlySet<number | undefined> = new Set([400, 404, 409, 410]);

/**
 * Makes the `wrap` of a wire format whose runs live on at the provider, for providers in background mode.
 *
 * Unsubscribing before the end cancels the run at the provider, with a request whose outcome nobody waits for; a broken
 * connection does not, since the run is there to be attached to again. A run that cannot be attached to errors as
 * `stream-interrupted` with the provider's answer as the `cause`, so that recovery goes on without it; where the run may
 * still be alive then, it is cancelled. A run whose id has not come yet cannot be cancelled.
 *
 * @param cancelRequest - Makes the request that cancels a run.
 * @param options - The provider's options: `fetch` and `headers`.
 */
export function followRun(cancelRequest: (runId: string, apiKey: string) => WireRequest, options: ProviderOptions) {
  const cancel = (runId: string, apiKey: string): void => {
    const { url, method = 'POST', headers, body } = cancelRequest(runId, apiKey);
    const { fetch = globalThis.fetch, headers: own } = options;
    const init: RequestInit = { method, headers: { ...headers, ...own }, ...(body !== undefined && { body }) };
    // A page that closes must not take the request with it. Nobody is left to tell how it went.
    new Promise<Response>((resolve) => resolve(fetch(url, { ...init, keepalive: true })))
      .then((response) => response.body?.cancel())
      .catch(() => undefined);
  };
  return (
    events: Observable<LlmStreamEvent>,
    apiKey: string,
    continuation: EncodedContinuation | undefined,
  ): Observable<LlmStreamEvent> => {
    const attaching = continuation?.note.mechanism === 'reattach';
    return events.pipe(
      operate((subscriber) => {
        let runId = attaching ? continuation.cursor?.runId : undefined;
        let progressed = false;
        let over = false;
        return {
          next: (event: LlmStreamEvent) => {
            progressed = true;
            runId = event.providerMetadata?.cursor?.runId ?? runId;
            over = event.type === 'stop';
            subscriber.next(event);
          },
          error: (error) => {
            over = true;
            if (!attaching || progressed) return subscriber.error(error);
            if (!(error instanceof InferenceExecutionError)) return subscriber.error(error);
            if (LOST.has(error.status)) return subscriber.error(lostRun(error));
            if (error.isRetryable && runId !== undefined) cancel(runId, apiKey);
            subscriber.error(error);
          },
          complete: () => {
            over = true;
            subscriber.complete();
          },
          finalize: () => {
            if (!over && runId !== undefined) cancel(runId, apiKey);
          },
        };
      }),
    );
  };
}

function lostRun(cause: InferenceExecutionError): InferenceExecutionError {
  return new InferenceExecutionError('stream-interrupted', `the run cannot be attached to: ${cause.detail}`, {
    interruption: { kind: 'connection-reset' },
    status: cause.status,
    cause,
  });
}

/**
 * Makes an event that brings nothing but the cursor, for the moment in which a run has a name and no content yet: an answer
 * that breaks before its first word is attached to all the same.
 */
export function cursorEvent(cursor: RunCursor): LlmStreamEvent {
  // Empty reasoning makes no block, and passes a seam that still waits for the first words.
  return { type: 'reasoning-delta', text: '', providerMetadata: { cursor } };
}
