import type { Observable } from 'rxjs';
import { InferenceExecutionError, type LlmStreamEvent, type RunCursor } from '../../contract/index.js';
import { operate } from '../../internal/operate.js';
import { followLiveRun } from '../../recovery/liveRuns.js';
import type { WireRequest } from '../../wire/Transport.js';
import type { EncodedContinuation } from './encodeContinuation.js';
import type { ProviderOptions } from './options.js';

/** HTTP statuses with which a provider says that a run cannot be attached to (any more). */
const LOST: ReadonlySet<number | undefined> = new Set([400, 404, 409, 410]);

/**
 * Makes the `wrap` of a wire format whose runs live on at the provider, for providers in background mode.
 *
 * Unsubscribing before the end cancels the run at the provider, with a request whose outcome nobody waits for; a broken
 * connection does not, nor does a provider that is too busy to let anybody in, since the run is there to be attached to
 * again. Where recovery is about to do so, the run is cancelled only when recovery is left, too, or gives it up: a stall
 * unsubscribes as a subscriber does who has had enough. A run that is gone errors as `stream-interrupted` with the provider's
 * answer as the `cause`, so that recovery goes on without it. A run whose id has not come yet cannot be cancelled.
 *
 * @param cancelRequest - Makes the request that cancels a run.
 * @param options - The provider's options: `fetch` and `headers`.
 */
export function followRun(cancelRequest: (runId: string, apiKey: string) => WireRequest, options: ProviderOptions) {
  const cancel = canceller(cancelRequest, options);
  return (
    events: Observable<LlmStreamEvent>,
    apiKey: string,
    continuation: EncodedContinuation | undefined,
  ): Observable<LlmStreamEvent> => {
    const attaching = continuation?.note.mechanism === 'reattach';
    return events.pipe(
      operate((subscriber) => {
        let runId: string | undefined;
        let leave: ReturnType<typeof followLiveRun> | undefined;
        let progressed = false;
        let over = false;
        const follow = (cursor: RunCursor): void => {
          runId = cursor.runId;
          leave = followLiveRun(cursor);
        };
        const cancelThis = (): void => {
          if (runId !== undefined) cancel(runId, apiKey);
        };
        /** Tells how the run was left, once. */
        const end = (...how: Parameters<ReturnType<typeof followLiveRun>>): void => {
          over = true;
          leave?.(...how);
          leave = undefined;
        };
        if (attaching && continuation.cursor) follow(continuation.cursor);
        return {
          next: (event: LlmStreamEvent) => {
            progressed = true;
            const cursor = event.providerMetadata?.cursor;
            if (cursor && runId === undefined) follow(cursor);
            if (event.type === 'stop') end();
            subscriber.next(event);
          },
          error: (error) => {
            const known = error instanceof InferenceExecutionError;
            const lost = known && attaching && !progressed && LOST.has(error.status);
            over = true;
            if (lost) end();
            // First the error: whoever wants to follow the run again takes hold of it now.
            subscriber.error(lost ? lostRun(error) : error);
            if (!lost) end(cancelThis);
          },
          complete: () => {
            end();
            subscriber.complete();
          },
          finalize: () => {
            if (!over) end(cancelThis, true);
          },
        };
      }),
    );
  };
}

/** Makes what sends the request that cancels a run. */
function canceller(cancelRequest: (runId: string, apiKey: string) => WireRequest, options: ProviderOptions) {
  return (runId: string, apiKey: string): void => {
    const { url, method = 'POST', headers, body } = cancelRequest(runId, apiKey);
    const { fetch = globalThis.fetch, headers: own } = options;
    const init: RequestInit = { method, headers: { ...headers, ...own }, ...(body !== undefined && { body }) };
    // A page that closes must not take the request with it. Nobody is left to tell how it went.
    new Promise<Response>((resolve) => resolve(fetch(url, { ...init, keepalive: true })))
      .then((response) => response.body?.cancel())
      .catch(() => undefined);
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
