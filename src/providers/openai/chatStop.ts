import { errorInStream, type StopReason } from '../../contract/index.js';
import type { ChatChoice } from './chatChunk.js';

/**
 * The vendors' finish reasons. Sources: OpenAI, Mistral (`model_length`), DeepSeek (`insufficient_system_resource`), Z.AI
 * (`sensitive`, `network_error`, `model_context_window_exceeded`), Together (`eos`), vLLM and SGLang (`abort`), OpenRouter
 * (`error`); gateways that pass on Anthropic's and Google's words.
 */
const REASONS: Record<string, StopReason | 'error'> = {
  stop: 'end-turn',
  eos: 'end-turn',
  end_turn: 'end-turn',
  length: 'max-tokens',
  max_tokens: 'max-tokens',
  model_length: 'max-tokens',
  model_context_window_exceeded: 'max-tokens',
  tool_calls: 'tool-use',
  tool_use: 'tool-use',
  function_call: 'tool-use',
  stop_sequence: 'stop-sequence',
  content_filter: 'content-filter',
  sensitive: 'content-filter',
  safety: 'content-filter',
  refusal: 'refusal',
  error: 'error',
  abort: 'error',
  network_error: 'error',
};

/**
 * Gives a finish reason its name in the contract, or `error`. A word that is not known ends the turn.
 *
 * @throws InferenceExecutionError `overloaded` where DeepSeek has no resources to go on.
 */
export function stopReasonOf(word: unknown, choice: ChatChoice): StopReason | 'error' {
  // SGLang's native form is an object.
  const name = typeof word === 'object' && word !== null && 'type' in word ? String(word.type) : String(word);
  if (name === 'insufficient_system_resource') {
    throw errorInStream({ type: 'overloaded', message: 'the provider has no resources to go on' });
  }
  const reason = REASONS[name.toLowerCase()] ?? 'end-turn';
  if (reason !== 'end-turn') return reason;
  // A number there is the id of the end-of-text token.
  const met = choice.stop_reason ?? choice.matched_stop;
  return typeof met === 'string' && met !== '' ? 'stop-sequence' : reason;
}
