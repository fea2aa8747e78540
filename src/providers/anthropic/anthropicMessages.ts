import type { LlmExecutor } from '../../contract/index.js';
import { sseFraming, SSE_MEDIA_TYPE, type SseFrame } from '../../wire/sse.js';
import { ANTHROPIC_RULES } from '../shared/continuationTable.js';
import { createProvider } from '../shared/createProvider.js';
import type { ProviderOptions } from '../shared/options.js';
import { PROVIDER } from './blocks.js';
import { anthropicDecoder } from './decode.js';
import { encodeRequest } from './encode.js';
import { canPrefill } from './settings.js';

/** Options of {@link anthropicMessages}. */
export interface AnthropicOptions extends ProviderOptions {
  /** The `anthropic-version` of the API. Defaults to `2023-06-01`. */
  version?: string;
  /** Features in beta that are switched on, for the `anthropic-beta` header. Defaults to none. */
  betas?: readonly string[];
  /**
   * Lets the API answer a browser, by its opt-in header for direct access. Everybody who opens the page can then read and
   * use the key. Defaults to false.
   */
  dangerouslyExposeKeyInBrowser?: boolean;
}

/**
 * Makes an executor of Anthropic's Messages API, and of what others serve in its form.
 *
 * Everything of the contract is encoded, but for what the API lacks, which is an `invalid-request` before any call: audio,
 * video, a seed, JSON mode without a schema, metadata beside `user_id`. `overrides.providerOptions` goes into the body as
 * it is; its `tools` (web search, code execution) stand beside the request's, and its `output_config` is added to ours.
 *
 * - `maxTokens`, which the API wants, defaults to 32,000; to 8,192 for Claude 3.5 and for other makers' models, and to
 *   4,096 for older ones.
 * - `reasoningEffort` is a thinking budget up to Claude 4.5 (1,024 tokens for `minimal`, 4,096, 8,192, 16,384, and 24,576
 *   for `max`, or four fifths of `maxTokens` where that is less), and adaptive thinking with an effort from 4.6 on, where a
 *   budget becomes an effort too (4.6 itself still takes both). `none` is the least that the model can be asked for: models
 *   that cannot stop thinking (Fable, Mythos, Opus from 5.5 on) get the effort `low`.
 * - Thinking goes back with its signature, redacted thinking, server tools and citations as they came. An answer that
 *   stopped for `pause_turn` (in the `stop` event's metadata) goes on when its content is sent as the last message.
 * - System messages are part of the system prompt, wherever they stand. Turns without anything in them are left out.
 *
 * @example
 * ```ts
 * import { collect, resultText, userMessage } from 'rx-llm';
 * import { anthropicMessages } from 'rx-llm/anthropic';
 *
 * const claude = anthropicMessages({ apiKey: async () => 'sk-ant-…' });
 * const request = { model: 'claude-sonnet-4-5', messages: [userMessage('Explain marble diagrams.')] };
 * claude
 *   .executeStream(request)
 *   .pipe(collect())
 *   .subscribe((result) => console.log(resultText(result)));
 * ```
 * @param options - See {@link AnthropicOptions}. The address defaults to `https://api.anthropic.com`.
 */
export function anthropicMessages(options: AnthropicOptions = {}): LlmExecutor {
  return createProvider<SseFrame>(
    {
      name: 'anthropic',
      provider: PROVIDER,
      rules: ANTHROPIC_RULES,
      encode: (request, continuation, apiKey) => encodeRequest(request, continuation !== undefined, apiKey, options),
      decoder: anthropicDecoder,
      canPrefill,
      framing: sseFraming,
      accepts: SSE_MEDIA_TYPE,
    },
    options,
  );
}
