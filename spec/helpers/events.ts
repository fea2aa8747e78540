import {
  InferenceExecutionError,
  type InferenceRequest,
  type InterruptCause,
  type LlmStreamEvent,
  type StopReason,
} from '../../src/index.js';

/** Events by the letters that marbles use. */
export const text = (value: string): LlmStreamEvent => ({ type: 'text-delta', text: value });
export const reasoning = (value: string): LlmStreamEvent => ({ type: 'reasoning-delta', text: value });
export const start = (id: string, name: string): LlmStreamEvent => ({ type: 'tool-call-start', id, name });
export const args = (id: string, argsDelta: string): LlmStreamEvent => ({ type: 'tool-call-delta', id, argsDelta });
export const close = (id?: string): LlmStreamEvent => ({
  type: 'content-block-stop',
  ...(id === undefined ? {} : { id }),
});
export const usage = (promptTokens: number, completionTokens: number): LlmStreamEvent => ({
  type: 'usage',
  usage: { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens },
});
export const stop = (reason: StopReason = 'end-turn'): LlmStreamEvent => ({ type: 'stop', reason });

export const RESET: InterruptCause = { kind: 'connection-reset' };

/** The error of a broken stream; a new one each time. */
export function broken(interruption: InterruptCause = RESET): InferenceExecutionError {
  return new InferenceExecutionError('stream-interrupted', '', { interruption });
}

export const request: InferenceRequest = {
  model: 'test-model',
  messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
};
