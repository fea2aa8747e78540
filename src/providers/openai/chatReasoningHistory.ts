import type { ContentBlock, ReasoningBlock } from '../../contract/index.js';
import type { CompatiblePreset } from './chatPreset.js';

/** What of an assistant turn's reasoning goes back: members of the message, or parts of its content. */
export interface EncodedReasoning {
  members?: Record<string, unknown>;
  parts?: Record<string, unknown>[];
}

/**
 * Encodes the reasoning of an assistant turn for the vendor that made it.
 *
 * Reasoning of another vendor is dropped, and so is reasoning that was cut off: what is neither signed nor encrypted counts
 * as whole only where something of the answer comes after it.
 */
export function reasoningOf(
  content: readonly ContentBlock[],
  preset: CompatiblePreset,
  hasCalls: boolean,
): EncodedReasoning {
  const { name, reasoningHistory: rule } = preset;
  if (rule === undefined || (rule.toolTurnsOnly && !hasCalls)) return {};
  const blocks = content.filter((block, i): block is ReasoningBlock => {
    if (block.type !== 'reasoning' || block.providerMetadata?.provider !== name) return false;
    return isSealed(block) || isFollowed(content, i, block);
  });
  if (rule.as === 'reasoning_details') {
    return blocks.length === 0 ? {} : { members: { reasoning_details: blocks.map(detailOf) } };
  }
  const texts = blocks.map((block) => block.text).filter((text) => text !== '');
  if (rule.as === 'content') {
    return { parts: texts.map((text) => ({ type: 'thinking', thinking: [{ type: 'text', text }] })) };
  }
  if (texts.length === 0 && !(rule.required && hasCalls)) return {};
  return { members: { [rule.as]: texts.join('') } };
}

function isSealed(block: ReasoningBlock): boolean {
  return block.signature !== undefined || block.encrypted !== undefined;
}

function isFollowed(content: readonly ContentBlock[], at: number, block: ReasoningBlock): boolean {
  // Claude signs its reasoning: without the signature it was cut off, whatever a gateway has put after it.
  const format = detailIn(block)?.['format'];
  if (typeof format === 'string' && format.startsWith('anthropic')) return false;
  return content.slice(at + 1).some(({ type }) => type === 'text' || type === 'tool-call' || type === 'reasoning');
}

/** OpenRouter's `reasoning_details` entry that a block was made from (see {@link ChatReasoning}). */
function detailOf(block: ReasoningBlock): Record<string, unknown> {
  const { text, signature, encrypted } = block;
  const detail = detailIn(block) ?? { type: encrypted === undefined ? 'reasoning.text' : 'reasoning.encrypted' };
  return {
    ...detail,
    ...(text !== '' && (detail['type'] === 'reasoning.summary' ? { summary: text } : { text })),
    ...(encrypted !== undefined && { data: encrypted }),
    ...(signature !== undefined && { signature }),
  };
}

function detailIn(block: ReasoningBlock): Record<string, unknown> | undefined {
  const detail = block.providerMetadata?.['detail'];
  return typeof detail === 'object' && detail !== null ? (detail as Record<string, unknown>) : undefined;
}
