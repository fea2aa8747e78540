import {
  contentText,
  type ContentBlock,
  type InferenceRequest,
  type MediaSource,
  type Message,
  type ToolResultBlock,
} from '../../contract/index.js';
import { toolCallIds } from './chatIds.js';
import { cannotSend, isItem, type InputObject } from './responsesItem.js';
import { turnItems } from './responsesTurn.js';
import { PROVIDER } from './responsesWire.js';

/** OpenAI's reasoning models know the system prompt as `developer` ("Reasoning best practices"). */
const DEVELOPER_MODELS = /^(?:o\d|gpt-[5-9]|codex)/i;

/** `call_id` has a maximum length of 64 (OpenAI API reference, "Create a model response"). */
const CALL_IDS = { pattern: /^[\s\S]{1,64}$/, length: 24 };

/**
 * Encodes the messages of a request. Source: OpenAI API reference, "Create a model response / input".
 *
 * @throws InferenceExecutionError `invalid-request` for a block that the API cannot take.
 */
export function encodeInput({ messages }: InferenceRequest, model: string): InputObject[] {
  const idOf = toolCallIds(CALL_IDS);
  const custom = customCalls(messages);
  const systemRole = DEVELOPER_MODELS.test(model) ? 'developer' : 'system';
  return messages.flatMap((message) => {
    switch (message.role) {
      case 'system': {
        const text = plainText(message.content, 'a system message');
        return text === '' ? [] : [{ type: 'message', role: systemRole, content: text }];
      }
      case 'assistant':
        return turnItems(message.content, idOf);
      case 'user':
      case 'tool':
        return userItems(message, idOf, custom);
    }
  });
}

/** The text of blocks that can be nothing but text. */
export function plainText(blocks: readonly ContentBlock[], where: string): string {
  const other = blocks.find((block) => block.type !== 'text');
  if (other) throw cannotSend(`a ${other.type} block in ${where}`, 'only text stands there');
  return blocks
    .map((block) => contentText([block]))
    .filter((text) => text !== '')
    .join('\n\n');
}

/** The calls to custom tools, whose results go back in an item of their own kind. */
function customCalls(messages: readonly Message[]): Set<string> {
  const ids = new Set<string>();
  for (const { content } of messages) {
    for (const block of content) {
      const made = block.type === 'tool-call' ? block.providerMetadata : undefined;
      if (block.type === 'tool-call' && made?.provider === PROVIDER && made['type'] === 'custom_tool_call') {
        ids.add(block.id);
      }
    }
  }
  return ids;
}

/** Results of tools come first, since they answer the turn before. */
function userItems(message: Message, idOf: (id: string) => string, custom: ReadonlySet<string>): InputObject[] {
  const items: InputObject[] = [];
  const parts: InputObject[] = [];
  for (const block of message.content) {
    if (block.type === 'tool-result') {
      const type = custom.has(block.toolCallId) ? 'custom_tool_call_output' : 'function_call_output';
      items.push({ type, call_id: idOf(block.toolCallId), output: outputOf(block) });
    } else if (block.type === 'provider') {
      // The answers to calls of the API's own kinds: `local_shell_call_output`, `mcp_approval_response`.
      if (block.provider === PROVIDER && isItem(block.block)) items.push(block.block);
    } else if (message.role === 'tool') {
      throw cannotSend(`a ${block.type} block in a tool message`, 'a tool message holds tool-result blocks');
    } else {
      parts.push(inputPart(block, 'a user message'));
    }
  }
  if (parts.length > 0) items.push({ type: 'message', role: 'user', content: parts });
  return items;
}

/** There is no flag for a failed call; the model reads it in the text. */
function outputOf({ content, isError }: ToolResultBlock): string | InputObject[] {
  const prefix = isError ? 'Error: ' : '';
  if (content.every((block) => block.type === 'text')) {
    return prefix + content.map((block) => contentText([block])).join('\n');
  }
  const parts = content.map((block) => inputPart(block, 'a tool result'));
  return isError ? [{ type: 'input_text', text: 'Error:' }, ...parts] : parts;
}

function inputPart(block: ContentBlock, where: string): InputObject {
  switch (block.type) {
    case 'text':
      return { type: 'input_text', text: block.text };
    case 'image':
      return { type: 'input_image', image_url: urlOf(block.source) };
    case 'document':
      return { type: 'input_file', ...fileOf(block.source, block.title) };
    case 'audio':
      throw cannotSend('an audio block', 'send a transcript of it, or use openaiChat');
    case 'video':
      throw cannotSend('a video block', 'send frames of it as images');
    default:
      throw cannotSend(`a ${block.type} block in ${where}`, 'it belongs into an assistant message');
  }
}

function fileOf(source: MediaSource, title: string | undefined): InputObject {
  if (source.type === 'url') return { file_url: source.url };
  return { filename: title ?? 'document.pdf', file_data: urlOf(source) };
}

function urlOf(source: MediaSource): string {
  return source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}
