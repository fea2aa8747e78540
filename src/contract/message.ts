import type { ContentBlock } from './content.js';
import type { JsonObject } from './json.js';

/** Who speaks in a {@link Message}. */
export type Role = 'system' | 'user' | 'assistant' | 'tool';

/** One turn of a conversation. */
export interface Message {
  role: Role;
  content: ContentBlock[];
  /** An id of one's own; no provider sees it. */
  id?: string;
  /** Data of one's own; no provider sees it. */
  metadata?: JsonObject;
}

function blocks(content: string | ContentBlock[]): ContentBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** Makes a system message from text or content blocks. */
export function systemMessage(content: string | ContentBlock[]): Message {
  return { role: 'system', content: blocks(content) };
}

/** Makes a user message from text or content blocks. */
export function userMessage(content: string | ContentBlock[]): Message {
  return { role: 'user', content: blocks(content) };
}

/**
 * Makes an assistant message from text or content blocks; the `content` of a {@link StreamResult} fits as it is.
 */
export function assistantMessage(content: string | ContentBlock[]): Message {
  return { role: 'assistant', content: blocks(content) };
}

/**
 * Makes the message that answers one tool call.
 *
 * @param toolCallId - Id of the call.
 * @param content - What the tool returned, as text or content blocks.
 * @param options - `isError` marks a failed call, `name` is the tool's name for providers that match by name.
 */
export function toolMessage(
  toolCallId: string,
  content: string | ContentBlock[],
  options: { isError?: boolean; name?: string } = {},
): Message {
  return { role: 'tool', content: [{ type: 'tool-result', toolCallId, content: blocks(content), ...options }] };
}
