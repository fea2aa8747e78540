import type { ContentBlock, DocumentBlock, ImageBlock, JsonValue, ToolResultBlock } from '../../contract/index.js';
import { isObject } from '../../internal/isObject.js';
import { invalid, type WireObject } from './settings.js';

/** Name under which opaque data of this wire format is kept. */
export const PROVIDER = 'anthropic';

const IMAGE_TYPE = /^image\/(?:jpeg|png|gif|webp)$/i;
const TEXT_TYPE = /^text\//i;

/**
 * Encodes a block of a user's turn, of the system prompt or of a tool's result (Anthropic "Messages": content blocks).
 *
 * @param where - What holds the block, for the error: `user`, `system`, `tool result`.
 * @returns Undefined for what is left out: blank text, which the API refuses, and what belongs to another provider.
 */
function encodeInput(block: ContentBlock, where: string): WireObject | undefined {
  const { type } = block;
  if (type === 'text') return encodeText(block.text);
  if (type === 'reasoning') return undefined;
  if (type === 'provider') return own(block);
  if (type === 'image' && where !== 'system') return { type, source: imageSource(block.source) };
  if (type === 'document' && where !== 'system') {
    return { type, source: documentSource(block.source), title: block.title };
  }
  if (type === 'tool-result' && where === 'user') return encodeToolResult(block);
  throw unsupported(block, where);
}

/** Encodes the blocks of one place, see {@link encodeInput}. */
export function encodeInputs(content: readonly ContentBlock[], where: string): WireObject[] {
  return content.map((block) => encodeInput(block, where)).filter((block) => block !== undefined);
}

/**
 * Encodes a block of the model's own turn. Opaque data goes back verbatim, and only to the provider that it came from;
 * thinking goes back only when it is whole, which its signature shows (Anthropic "Extended thinking").
 */
function encodeOutput(block: ContentBlock): WireObject | undefined {
  const { type } = block;
  if (type === 'provider') return own(block);
  if (type !== 'text' && type !== 'reasoning' && type !== 'tool-call') throw unsupported(block, 'assistant');
  const { provider, citations, caller } = block.providerMetadata ?? {};
  const isOurs = provider === PROVIDER;
  if (type === 'text') return encodeText(block.text, isOurs && citations);
  if (type === 'tool-call') {
    return {
      type: 'tool_use',
      id: toolUseId(block.id),
      name: block.name,
      input: inputOf(block.arguments),
      caller: isOurs && isObject(caller) ? caller : undefined,
    };
  }
  if (!isOurs && provider !== undefined) return undefined;
  const { text: thinking, encrypted: data, signature } = block;
  if (data !== undefined) return { type: 'redacted_thinking', data };
  return signature ? { type: 'thinking', thinking, signature } : undefined;
}

/** Encodes the blocks of the model's own turn, see {@link encodeOutput}. */
export function encodeOutputs(content: readonly ContentBlock[]): WireObject[] {
  return content.map(encodeOutput).filter((block) => block !== undefined);
}

/** "text content blocks must contain non-whitespace text" */
function encodeText(text: string, citations?: unknown): WireObject | undefined {
  return text.trim() === '' ? undefined : { type: 'text', text, ...(Array.isArray(citations) && { citations }) };
}

function encodeToolResult({ toolCallId, content, isError }: ToolResultBlock): WireObject {
  const blocks = encodeInputs(content, 'tool result');
  return {
    type: 'tool_result',
    tool_use_id: toolUseId(toolCallId),
    content: blocks.length > 0 ? blocks : undefined,
    is_error: isError || undefined,
  };
}

function imageSource(source: ImageBlock['source']): WireObject {
  if (source.type === 'url') return { type: 'url', url: source.url };
  const { type, mediaType: media_type, data } = source;
  if (IMAGE_TYPE.test(media_type)) return { type, media_type, data };
  throw invalid(`an image block cannot be ${media_type}; convert it to JPEG, PNG, GIF or WebP`);
}

function documentSource(source: DocumentBlock['source']): WireObject {
  if (source.type === 'url') return { type: 'url', url: source.url };
  const { mediaType, data } = source;
  if (/^application\/pdf$/i.test(mediaType)) return { type: 'base64', media_type: 'application/pdf', data };
  // The API knows one kind of text, and takes it as text.
  if (TEXT_TYPE.test(mediaType)) return { type: 'text', media_type: 'text/plain', data: decodeText(data) };
  throw invalid(`a document block cannot be ${mediaType}; convert it to PDF or text`);
}

function decodeText(base64: string): string {
  let binary: string;
  try {
    binary = atob(base64);
  } catch {
    throw invalid('the data of a document block is not base64');
  }
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

function own({ provider, block }: { provider: string; block: JsonValue }): WireObject | undefined {
  return provider === PROVIDER && isObject(block) ? block : undefined;
}

/** Arguments that another vendor's model gave may be any JSON value; here they have to be an object. */
function inputOf(args: JsonValue): WireObject {
  if (isObject(args)) return args;
  return args === null ? {} : { value: args };
}

/** Ids have to match this pattern and have at most 64 characters (Anthropic "Tool use": `tool_use.id`). */
const TOOL_USE_ID = /^[\w-]{1,64}$/;

/** Makes an id that came from another vendor valid: the same id for a call and its result, in every turn. */
export function toolUseId(id: string): string {
  if (TOOL_USE_ID.test(id)) return id;
  // FNV-1a over code units: ids that differ only in what is replaced or cut off must stay apart.
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193) >>> 0;
  return `${id.replace(/[^\w-]/g, '_').slice(0, 48)}_${hash.toString(16)}`;
}

function unsupported(block: ContentBlock, where: string): Error {
  const instead =
    block.type === 'audio' || block.type === 'video' ? 'send a transcript, or ask another provider' : 'leave it out';
  return invalid(`a block of type ${JSON.stringify(block.type)} cannot be sent as ${where} content; ${instead}`);
}
