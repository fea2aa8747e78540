import type { ContentBlock, InferenceRequest } from '../contract/index.js';
import { tokensIn } from '../internal/tokensIn.js';

/** What an image, a document or another medium is taken for; the vendors' figures run from 85 to several thousand. */
const MEDIUM_TOKENS = 1_000;

/** Estimates what a request will cost: its prompt, and the most that the answer may have where that is known. */
export function estimateTokens(request: InferenceRequest): number {
  const { messages, system = [], tools = [], overrides, continuation } = request;
  let text = typeof system === 'string' ? system.length : 0;
  let media = 0;
  const count = (blocks: readonly ContentBlock[]): void => {
    for (const block of blocks) {
      switch (block.type) {
        case 'text':
        case 'reasoning':
          text += block.text.length;
          break;
        case 'tool-call':
          text += block.name.length + JSON.stringify(block.arguments ?? {}).length;
          break;
        case 'tool-result':
          count(block.content);
          break;
        case 'provider':
          text += JSON.stringify(block.block).length;
          break;
        default:
          media++;
      }
    }
  };
  if (typeof system !== 'string') count(system);
  for (const { content } of messages) count(content);
  if (tools.length > 0) text += JSON.stringify(tools).length;
  text += continuation?.prefix.length ?? 0;
  return tokensIn(text) + media * MEDIUM_TOKENS + (overrides?.maxTokens ?? 0);
}
