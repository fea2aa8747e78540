import type { LlmExecutor, RunCursor } from '../../contract/index.js';
import { SSE_MEDIA_TYPE, sseFraming } from '../../wire/sse.js';
import { createProvider } from '../shared/createProvider.js';
import type { EncodedContinuation } from '../shared/encodeContinuation.js';
import { followRun } from '../shared/reattach.js';
import type { OpenAIOptions } from './openaiChat.js';
import { ResponsesDecoder } from './responsesDecode.js';
import { cancelRun, encodeResponses, type ResponsesTarget } from './responsesEncode.js';
import { RunDecoder } from './responsesRun.js';
import { PROVIDER } from './responsesWire.js';

/** Options of {@link openaiResponses}. */
export interface OpenAIResponsesOptions extends OpenAIOptions {
  /**
   * Runs the answer in the background, so that one whose connection breaks lives on at OpenAI and is attached to again, from
   * the event after the last one that has come. OpenAI stores such an answer for some minutes at least; its first word takes
   * longer. Unsubscribing cancels the run at OpenAI. Defaults to false: the answer ends with the connection, and nothing of
   * it is stored.
   */
  background?: boolean;
}

const BASE_URL = 'https://api.openai.com/v1';

/**
 * Makes an executor for OpenAI's Responses API, and for the vendors that speak it (`baseUrl`).
 *
 * Text, summaries of the reasoning (ask for them by `providerOptions: { reasoning: { summary: 'auto' } }`), calls and usage
 * come as they are streamed. Built-in tools are asked for by `providerOptions.tools`; what they did comes in `provider-block`
 * events, verbatim, as does a refusal, as `{ type: 'refusal', refusal }` with the stop reason `refusal`. A custom tool's input
 * is a string. Calls to tools that the API knows by itself (`local_shell`, `apply_patch`, an MCP approval) are opaque blocks
 * too; answer them with an opaque block in a user message. Citations are the `annotations` in the metadata of their text.
 *
 * Nothing is stored at OpenAI (`store: false`): reasoning is carried along by the caller, encrypted, in the blocks of the
 * result, and a turn goes back to the model in its order, as the API wants it. `previous_response_id`, `conversation` and all
 * else goes through `providerOptions`; with `store: true` there, the `stop` event has the response's id in its metadata. Tools
 * are not `strict` unless `providerOptions.tools` says so for one of the same name. The prompt cache works by itself. Stop
 * sequences, a seed, a reasoning budget in tokens, audio and video are refused, since the API has nothing for them.
 *
 * A stream without `response.completed` or `response.incomplete` is `stream-interrupted`; `response.failed` and `error` are
 * errors of their own kinds. Unsubscribing aborts the request. A text that was cut off is continued by `prompt`; with
 * `background`, every event has the cursor of the run, `recover` follows the run from there, and what was received stays as it
 * is. A run that is gone by then (404, 410) is left behind, and the text is continued by `prompt`. A subscriber who leaves
 * before the run has told its id leaves it running, and one whose connection broke may still attach to it, so it is not
 * cancelled then.
 *
 * @example An answer that outlives its connection
 * ```ts
 * import { recover, textDeltas, userMessage } from 'rx-llm';
 * import { openaiResponses } from 'rx-llm/openai';
 *
 * declare const apiKey: string;
 * const gpt = openaiResponses({ apiKey, background: true });
 * const request = { model: 'gpt-5', messages: [userMessage('Explain marble diagrams.')] };
 * gpt
 *   .executeStream(request)
 *   .pipe(recover({ request, resubscribe: (continuation) => gpt.executeStream(continuation) }), textDeltas())
 *   .subscribe((text) => console.log(text));
 * ```
 * @param options - See {@link OpenAIResponsesOptions}.
 */
export function openaiResponses(options: OpenAIResponsesOptions = {}): LlmExecutor {
  const { baseUrl = BASE_URL, organization, project, background = false } = options;
  const target: ResponsesTarget = {
    baseUrl: baseUrl.replace(/\/+$/, ''),
    headers: {
      ...(organization !== undefined && { 'openai-organization': organization }),
      ...(project !== undefined && { 'openai-project': project }),
    },
    background,
  };
  const follow = followRun((runId, apiKey) => cancelRun(runId, apiKey, target), options);
  return createProvider(
    {
      name: PROVIDER,
      provider: PROVIDER,
      reattaches: PROVIDER,
      encode: (request, continuation, apiKey) => encodeResponses(request, continuation, apiKey, target),
      decoder: (request, continuation) => {
        const cursor = cursorOf(continuation);
        // Without a place the run is told from its beginning.
        const state = cursor?.after === undefined ? undefined : (cursor.state ?? {});
        const decoder = new ResponsesDecoder(request, state);
        return background || cursor ? new RunDecoder(decoder, cursor) : decoder;
      },
      framing: sseFraming,
      accepts: SSE_MEDIA_TYPE,
      wrap: (events, apiKey, continuation) =>
        background || cursorOf(continuation) ? follow(events, apiKey, continuation) : events,
    },
    options,
  );
}

function cursorOf(continuation: EncodedContinuation | undefined): RunCursor | undefined {
  return continuation?.note.mechanism === 'reattach' ? continuation.cursor : undefined;
}
