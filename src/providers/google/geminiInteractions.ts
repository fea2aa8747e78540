import type { LlmExecutor } from '../../contract/index.js';
import { SSE_MEDIA_TYPE, sseFraming } from '../../wire/sse.js';
import { INTERACTIONS_RULES } from '../shared/continuationTable.js';
import { createProvider } from '../shared/createProvider.js';
import { followRun } from '../shared/reattach.js';
import { InteractionsDecoder } from './interactionsDecode.js';
import { encodeCancel, encodeInteraction } from './interactionsEncode.js';
import type { InteractionsOptions } from './options.js';

/**
 * Makes an executor of Google's Interactions API.
 *
 * With `background: true` an interaction lives on at Google when the connection breaks: events carry a cursor, and a request
 * whose continuation holds one attaches to the run after the last event that has come, without a token generated twice. A run
 * that is gone (404, 410) errors as `stream-interrupted`, so that `recover` goes on from the text instead. Unsubscribing
 * before the end cancels the run at Google; so does a `recover` whose idle timeout gives an attempt up, so give it one that
 * is longer than the silences of the agent.
 *
 * Steps of tools that run at Google come as `provider-block` events and go back with the history; citations come the same
 * way and stay. Usage counts what such tools gave back to the model as input. The `stop` event has the interaction's id in its
 * metadata, for `providerOptions.previous_interaction_id`.
 *
 * Of a request: `system` and system messages are the system instruction; `providerOptions` are merged into the body,
 * `generation_config` member by member, `tools` behind the request's own; an `agent` there replaces the model. `metadata` is
 * sent as labels. The title of a document is not sent, and `enablePromptCache` needs nothing. Reasoning budgets and
 * `parallelToolCalls: false` are refused, since the API has nothing for them.
 *
 * @example Survive a dropped connection without asking again
 * ```ts
 * import { recover, textDeltas, userMessage } from 'rx-llm';
 * import { geminiInteractions } from 'rx-llm/google';
 *
 * const gemini = geminiInteractions({ apiKey: 'key', background: true });
 * const request = { model: 'gemini-3-flash-preview', messages: [userMessage('Explain marble diagrams.')] };
 * const answer$ = gemini
 *   .executeStream(request)
 *   .pipe(recover({ request, resubscribe: (continuation) => gemini.executeStream(continuation) }), textDeltas());
 * ```
 * @param options - See {@link InteractionsOptions}.
 */
export function geminiInteractions(options: InteractionsOptions = {}): LlmExecutor {
  const background = options.background === true;
  return createProvider(
    {
      name: 'google-interactions',
      provider: 'google-interactions',
      rules: INTERACTIONS_RULES,
      reattaches: 'google',
      encode: (request, continuation, apiKey) => encodeInteraction(request, continuation, options, apiKey),
      decoder: (_request, continuation) => new InteractionsDecoder({ background, cursor: continuation?.cursor }),
      framing: sseFraming,
      accepts: SSE_MEDIA_TYPE,
      wrap: followRun((runId, apiKey) => encodeCancel(runId, options, apiKey), options),
    },
    options,
  );
}
