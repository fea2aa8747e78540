import { modelOf, type InferenceRequest, type LlmExecutor } from '../../contract/index.js';
import { SSE_MEDIA_TYPE, sseFraming } from '../../wire/sse.js';
import type { WireRequest } from '../../wire/Transport.js';
import { COMPLETIONS_RULES } from '../shared/continuationTable.js';
import { createProvider } from '../shared/createProvider.js';
import { onePrompt, type OldEndpoint } from '../shared/onePrompt.js';
import type { ProviderOptions } from '../shared/options.js';
import { requestBody } from '../shared/requestBody.js';
import { ChatDecoder } from './decodeChat.js';

const ENDPOINT: OldEndpoint = {
  factory: 'openaiCompletions',
  instead: 'openaiChat',
  takes: ['maxTokens', 'temperature', 'topP', 'stopSequences', 'seed'],
  joins: 'end',
};

/**
 * Makes an executor for the older `/v1/completions`, which goes on with a text (OpenAI API reference, "Completions
 * (legacy)"); vLLM, llama.cpp, Together, Fireworks and others serve it for models without a chat template.
 *
 * The system prompt and the one message of the user are the prompt, with a blank line between them; a text that was cut off
 * is continued literally behind it. A conversation, tools, media, reasoning and a response format are an `invalid-request`;
 * `suffix`, `logprobs` and the rest of the API go through `overrides.providerOptions`. Of several choices the first is read.
 * The API gives 16 tokens unless `maxTokens` says otherwise.
 *
 * @example Go on with a sentence
 * ```ts
 * import { textDeltas, userMessage } from 'rx-llm';
 * import { openaiCompletions } from 'rx-llm/openai';
 *
 * openaiCompletions({ apiKey: 'sk-…' })
 *   .executeStream({
 *     model: 'gpt-3.5-turbo-instruct',
 *     messages: [userMessage('A marble diagram is')],
 *     overrides: { maxTokens: 200 },
 *   })
 *   .pipe(textDeltas())
 *   .subscribe((text) => console.log(text));
 * ```
 * @param options - The options that every provider factory takes. `baseUrl` defaults to `https://api.openai.com/v1`.
 */
export function openaiCompletions(options: ProviderOptions = {}): LlmExecutor {
  return createProvider(
    {
      name: 'openai-completions',
      provider: 'openai-completions',
      rules: COMPLETIONS_RULES,
      encode: (request, continuation, apiKey) =>
        encodeCompletions(request, continuation !== undefined, apiKey, options.baseUrl),
      decoder: (request) => new ChatDecoder(request, { provider: 'openai' }),
      framing: sseFraming,
      accepts: SSE_MEDIA_TYPE,
    },
    options,
  );
}

function encodeCompletions(
  request: InferenceRequest,
  isContinuation: boolean,
  apiKey: string,
  baseUrl = 'https://api.openai.com/v1',
): WireRequest {
  const { overrides = {} } = request;
  const { system, prompt } = onePrompt(request, ENDPOINT, isContinuation);
  const body = {
    model: modelOf(request),
    prompt: system === '' ? prompt : `${system}\n\n${prompt}`,
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: overrides.maxTokens,
    temperature: overrides.temperature,
    top_p: overrides.topP,
    stop: overrides.stopSequences?.length ? overrides.stopSequences : undefined,
    seed: overrides.seed,
  };
  return {
    url: `${baseUrl.replace(/\/+$/, '')}/completions`,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(apiKey !== '' && { authorization: `Bearer ${apiKey}` }),
    },
    body: requestBody(body, overrides.providerOptions),
  };
}
