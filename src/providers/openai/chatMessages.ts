import {
  contentText,
  InferenceExecutionError,
  type ContentBlock,
  type InferenceRequest,
  type MediaSource,
  type Message,
  type ToolCallBlock,
  type ToolResultBlock,
} from '../../contract/index.js';
import { toJson } from '../shared/requestBody.js';
import { toolCallIds } from './chatIds.js';
import type { CompatiblePreset } from './chatPreset.js';
import { reasoningOf } from './chatReasoningHistory.js';

/** One message or content part as it stands in the body. */
export type ChatObject = Record<string, unknown>;

/** Makes the error for what a vendor cannot take. */
export function cannotSend(preset: CompatiblePreset, what: string, advice: string): InferenceExecutionError {
  return new InferenceExecutionError('invalid-request', `${preset.name} chat cannot send ${what}; ${advice}`);
}

/** OpenAI's reasoning models know the system prompt as `developer` ("Reasoning best practices"); others refuse the word. */
const DEVELOPER_MODELS = /^(?:o\d|gpt-[5-9]|codex)/i;

/**
 * Encodes the system prompt and the messages of a request. Source: OpenAI API reference, "Create chat completion".
 *
 * @throws InferenceExecutionError `invalid-request` for a block that the vendor cannot take.
 */
export function encodeMessages(request: InferenceRequest, model: string, preset: CompatiblePreset): ChatObject[] {
  const { systemRole = 'system' } = preset;
  const role = systemRole === 'by-model' ? (DEVELOPER_MODELS.test(model) ? 'developer' : 'system') : systemRole;
  const idOf = toolCallIds(preset.toolCallIds);
  const messages: ChatObject[] = [];
  const { system } = request;
  if (system !== undefined && system.length > 0) {
    const content = typeof system === 'string' ? system : textOnly(system, 'the system prompt', preset);
    messages.push({ role, content });
  }
  for (const message of request.messages) {
    switch (message.role) {
      case 'system':
        messages.push({ role, content: textOnly(message.content, 'a system message', preset) });
        break;
      case 'assistant':
        pushAssistant(messages, message, preset, idOf);
        break;
      case 'user':
      case 'tool':
        pushUser(messages, message, preset, idOf);
        break;
    }
  }
  return messages;
}

/** Results of tools are messages of their own; they come first, since they answer the turn before. */
function pushUser(out: ChatObject[], message: Message, preset: CompatiblePreset, idOf: (id: string) => string): void {
  const rest: ContentBlock[] = [];
  for (const block of message.content) {
    if (block.type === 'tool-result') out.push(toolMessageOf(block, preset, idOf));
    else rest.push(block);
  }
  if (rest.length === 0) return;
  if (message.role === 'tool') {
    throw cannotSend(preset, `${aBlock(rest[0])} in a tool message`, 'a tool message holds tool-result blocks');
  }
  const { textParts = true } = preset;
  if (rest.every((block) => block.type === 'text')) {
    out.push({ role: 'user', content: textOnly(rest, 'a user message', preset) });
  } else if (!textParts) {
    const medium = rest.find((block) => block.type !== 'text');
    throw cannotSend(preset, aBlock(medium), 'its models read text only');
  } else {
    out.push({ role: 'user', content: rest.map((block) => userPart(block, preset)) });
  }
}

/** There is no flag for a failed call; the model reads it in the text. */
function toolMessageOf(block: ToolResultBlock, preset: CompatiblePreset, idOf: (id: string) => string): ChatObject {
  const medium = block.content.find((part) => part.type !== 'text');
  if (medium) {
    throw cannotSend(
      preset,
      `${aBlock(medium)} inside a tool result`,
      'give the model text, or put the block into a user message after the result',
    );
  }
  const text = block.content.map((part) => contentText([part])).join('\n');
  return { role: 'tool', tool_call_id: idOf(block.toolCallId), content: block.isError ? `Error: ${text}` : text };
}

function pushAssistant(
  out: ChatObject[],
  message: Message,
  preset: CompatiblePreset,
  idOf: (id: string) => string,
): void {
  const calls: ChatObject[] = [];
  const parts: ChatObject[] = [];
  const { echoes = ['refusal'] } = preset;
  for (const block of message.content) {
    if (block.type === 'text') pushText(parts, block.text);
    else if (block.type === 'tool-call') calls.push(callOf(block, preset, idOf));
    else if (block.type === 'provider') {
      // An opaque block of another vendor, or one that this vendor tells but does not take (citations).
      if (block.provider === preset.name && isPart(block.block, echoes)) parts.push(block.block);
    } else if (block.type !== 'reasoning') {
      throw cannotSend(preset, `${aBlock(block)} in an assistant message`, 'put it into a user message');
    }
  }
  const reasoning = reasoningOf(message.content, preset, calls.length > 0);
  if (reasoning.parts) parts.unshift(...reasoning.parts);
  // Of a turn with nothing but foreign reasoning nothing is left; an empty one is refused.
  if (parts.length === 0 && calls.length === 0) return;
  const plain = parts.length === 1 && parts[0]?.['type'] === 'text' ? parts[0]['text'] : undefined;
  out.push({
    role: 'assistant',
    content: plain ?? (parts.length > 0 ? parts : null),
    ...reasoning.members,
    ...(calls.length > 0 && { tool_calls: calls }),
  });
}

/** Text that was interrupted by a call or by reasoning is one text again: that is what the subscriber has seen. */
function pushText(parts: ChatObject[], text: string): void {
  if (text === '') return;
  const last = parts.at(-1);
  if (last?.['type'] === 'text') last['text'] = `${String(last['text'])}${text}`;
  else parts.push({ type: 'text', text });
}

function isPart(block: unknown, types: readonly string[]): block is ChatObject {
  if (typeof block !== 'object' || block === null || !('type' in block)) return false;
  return typeof block.type === 'string' && types.includes(block.type);
}

function callOf(block: ToolCallBlock, preset: CompatiblePreset, idOf: (id: string) => string): ChatObject {
  const { id, name, providerMetadata } = block;
  const call = { id: idOf(id), type: 'function', function: { name, arguments: toJson(block.arguments ?? {}) } };
  // Gemini's thought signature, where it is spoken to in this format.
  const extra = providerMetadata?.provider === preset.name ? providerMetadata['extra_content'] : undefined;
  return extra === undefined ? call : { ...call, extra_content: extra };
}

function textOnly(blocks: readonly ContentBlock[], where: string, preset: CompatiblePreset): string | ChatObject[] {
  const other = blocks.find((block) => block.type !== 'text');
  if (other) throw cannotSend(preset, `${aBlock(other)} in ${where}`, 'only text stands there');
  const texts = blocks.map((block) => contentText([block])).filter((text) => text !== '');
  if (texts.length > 1 && preset.textParts !== false) return texts.map((text) => ({ type: 'text', text }));
  return texts.join('\n\n');
}

function userPart(block: ContentBlock, preset: CompatiblePreset): ChatObject {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text };
    case 'image':
      return { type: 'image_url', image_url: { url: urlOf(block.source) } };
    case 'document':
      return documentPart(block.source, block.title, preset);
    case 'audio':
      return audioPart(block.source, preset);
    case 'video':
      if (preset.media?.video) return { type: 'video_url', video_url: { url: urlOf(block.source) } };
      throw cannotSend(preset, 'a video block', 'send frames of it as images');
    default:
      throw cannotSend(preset, `${aBlock(block)} in a user message`, 'it belongs into an assistant message');
  }
}

function documentPart(source: MediaSource, title: string | undefined, preset: CompatiblePreset): ChatObject {
  const { document = 'file' } = preset.media ?? {};
  if (document === false) throw cannotSend(preset, 'a document block', 'send its text, or its pages as images');
  if (document === 'document_url') {
    return { type: 'document_url', document_url: urlOf(source), ...(title !== undefined && { document_name: title }) };
  }
  if (source.type === 'url' && document !== 'file-or-url') {
    throw cannotSend(preset, 'a document by its URL', 'send the bytes as base64');
  }
  return { type: 'file', file: { filename: title ?? 'document.pdf', file_data: urlOf(source) } };
}

function audioPart(source: MediaSource, preset: CompatiblePreset): ChatObject {
  const { audio = 'input_audio' } = preset.media ?? {};
  if (audio === false) throw cannotSend(preset, 'an audio block', 'send a transcript of it');
  if (audio === 'plain') return { type: 'input_audio', input_audio: source.type === 'url' ? source.url : source.data };
  if (source.type === 'url') throw cannotSend(preset, 'audio by its URL', 'send the bytes as base64');
  return { type: 'input_audio', input_audio: { data: source.data, format: audioFormat(source.mediaType) } };
}

/** `audio/mpeg` is `mp3` and `audio/x-wav` is `wav`; the rest goes by its own name. */
function audioFormat(mediaType: string): string {
  const subtype = mediaType.replace(/^audio\//, '').replace(/;.*$/, '');
  if (/^(?:mpeg|mp3|mpeg3)$/.test(subtype)) return 'mp3';
  return subtype.replace(/^(?:x-|vnd\.)?(?:pn-)?/, '').replace(/^wave$/, 'wav');
}

function urlOf(source: MediaSource): string {
  return source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}

function aBlock(block: ContentBlock | undefined): string {
  const type = block?.type ?? 'missing';
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type} block`;
}
