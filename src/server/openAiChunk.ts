import type { TokenUsage } from '../contract/index.js';
import type { FinishReason } from './PartTracker.js';

/** Why a completion ended, in the words of OpenAI's Chat Completions. */
export type OpenAiFinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** A call in a completion. */
export interface OpenAiToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

/** Tokens of a completion. */
export interface OpenAiUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens: number };
  completion_tokens_details?: { reasoning_tokens: number };
}

/** What a chunk adds to the message. */
export interface OpenAiDelta {
  role?: 'assistant';
  content?: string;
  /** Not OpenAI's own: what DeepSeek, vLLM and others call the reasoning. */
  reasoning_content?: string;
  tool_calls?: (OpenAiToolCall & { index: number })[];
}

/** One chunk of a streamed completion. Source: OpenAI's API reference, "The chat completion chunk object". */
export interface OpenAiChunk {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  choices: { index: 0; delta: OpenAiDelta; logprobs: null; finish_reason: OpenAiFinishReason | null }[];
  usage?: OpenAiUsage | null;
}

/** The error object, as a body or as a chunk. */
export interface OpenAiError {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** A whole completion. Source: OpenAI's API reference, "The chat completion object". */
export interface OpenAiCompletion {
  id: string;
  object: 'chat.completion';
  created: number;
  model: string;
  choices: {
    index: 0;
    message: {
      role: 'assistant';
      content: string | null;
      refusal: null;
      reasoning_content?: string;
      tool_calls?: OpenAiToolCall[];
    };
    logprobs: null;
    finish_reason: OpenAiFinishReason;
  }[];
  usage?: OpenAiUsage;
}

/** How a stream ended, in OpenAI's words. */
export function openAiFinishReason(reason: FinishReason): OpenAiFinishReason {
  switch (reason) {
    case 'tool-use':
    case 'suspended':
      return 'tool_calls';
    case 'max-tokens':
    case 'max-steps':
      return 'length';
    case 'content-filter':
    case 'refusal':
      return 'content_filter';
    default:
      return 'stop';
  }
}

/** Tokens in OpenAI's words; what is not known counts as 0, since its clients expect a number. */
export function openAiUsage(usage: TokenUsage): OpenAiUsage {
  const { promptTokens = 0, completionTokens = 0, cacheReadTokens, thinkingTokens } = usage;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: usage.totalTokens ?? promptTokens + completionTokens,
    ...(cacheReadTokens !== undefined && { prompt_tokens_details: { cached_tokens: cacheReadTokens } }),
    ...(thinkingTokens !== undefined && { completion_tokens_details: { reasoning_tokens: thinkingTokens } }),
  };
}
