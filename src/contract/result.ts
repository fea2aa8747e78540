import { contentText, type ContentBlock, type ProviderMetadata } from './content.js';
import type { ToolCall } from './tool.js';
import type { TokenUsage } from './usage.js';

/** Why the model stopped. */
export type StopReason = 'end-turn' | 'max-tokens' | 'tool-use' | 'stop-sequence' | 'content-filter' | 'refusal';

/** An answer, so far or whole. Immutable: what did not change between two results is the same object in both. */
export interface StreamResult {
  /** The blocks in the order in which they came. */
  content: ContentBlock[];
  /** The calls that may be run. */
  toolCalls: ToolCall[];
  /** Tokens of all attempts together. */
  usage?: TokenUsage;
  /** Why the model stopped; absent while it has not. */
  stopReason?: StopReason;
  /** True while a call is open and, at the end, when a call was dropped because its arguments are not whole. */
  hasIncompleteToolCalls: boolean;
  /** What the provider says of the answer as a whole: its id, its model, its own word for the stop. */
  providerMetadata?: ProviderMetadata;
  /** Calls that recovery cancelled and that did not come again, by name. */
  cancelledTools?: { id: string; name: string }[];
}

/** The text of a result: its text blocks joined without a separator. */
export function resultText(result: Pick<StreamResult, 'content'>): string {
  return contentText(result.content);
}

/** True when the model waits for the results of tools. */
export function needsTools(result: Pick<StreamResult, 'toolCalls'>): boolean {
  return result.toolCalls.length > 0;
}

/**
 * True when an answer was cut off by the token limit and is worth continuing: a call was cut, or there is text and no call.
 */
export function needsTruncationRecovery(result: StreamResult): boolean {
  if (result.stopReason !== 'max-tokens') return false;
  return result.hasIncompleteToolCalls || (result.toolCalls.length === 0 && resultText(result) !== '');
}
