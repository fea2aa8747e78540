import type { LlmExecutor } from '../../contract/index.js';
import { SSE_MEDIA_TYPE, sseFraming } from '../../wire/sse.js';
import { createProvider } from '../shared/createProvider.js';
import type { ProviderOptions } from '../shared/options.js';
import { OPENAI } from './chatPreset.js';
import { ChatDecoder } from './decodeChat.js';
import { encodeChat } from './encodeChat.js';

/** Options of {@link openaiChat}. */
export interface OpenAIOptions extends ProviderOptions {
  /** Sent as `OpenAI-Organization`. Defaults to not being sent. */
  organization?: string;
  /** Sent as `OpenAI-Project`. Defaults to not being sent. */
  project?: string;
}

/**
 * Makes an executor for OpenAI's Chat Completions.
 *
 * Text, reasoning, tool calls and usage come as they are streamed. A refusal is an opaque block
 * `{ type: 'refusal', refusal }` at the end and the stop reason `refusal`. A stream without a `finish_reason` is
 * `stream-interrupted`, and what the API says in the middle of a stream is an error of its own kind. Unsubscribing aborts
 * the request. A text that was cut off is continued by `prompt`: the models start over behind a trailing assistant turn.
 * The prompt cache works by itself. OpenAI takes `metadata` only beside `providerOptions: { store: true }`.
 *
 * @example Ask a model
 * ```ts
 * import { textDeltas, userMessage } from 'rx-llm';
 * import { openaiChat } from 'rx-llm/openai';
 *
 * declare const apiKey: string;
 * const gpt = openaiChat({ apiKey });
 * gpt
 *   .executeStream({ model: 'gpt-5-mini', messages: [userMessage('Explain marble diagrams.')] })
 *   .pipe(textDeltas())
 *   .subscribe((text) => console.log(text));
 * ```
 * @param options - See {@link OpenAIOptions}.
 */
export function openaiChat(options: OpenAIOptions = {}): LlmExecutor {
  const { baseUrl, organization, project } = options;
  const headers = {
    ...(organization !== undefined && { 'openai-organization': organization }),
    ...(project !== undefined && { 'openai-project': project }),
  };
  const target = { preset: OPENAI, baseUrl, headers };
  return createProvider(
    {
      name: 'openai',
      provider: 'openai',
      encode: (request, continuation, apiKey) => encodeChat(request, continuation, apiKey, target),
      decoder: (request) => new ChatDecoder(request, { provider: 'openai' }),
      framing: sseFraming,
      accepts: SSE_MEDIA_TYPE,
    },
    options,
  );
}
