import { assistantMessage, type ContentBlock, type Message, type ToolResultBlock } from '../contract/index.js';

/** The messages that a turn adds to the conversation: what the model said, and the results in the order of the calls. */
export function turnMessages(content: ContentBlock[], results: readonly ToolResultBlock[]): Message[] {
  const messages: Message[] = results.map((block) => ({ role: 'tool', content: [block] }));
  // Providers refuse an assistant turn without content.
  return content.some(says) ? [assistantMessage(content), ...messages] : messages;
}

function says(block: ContentBlock): boolean {
  return block.type !== 'text' || block.text.trim() !== '';
}
