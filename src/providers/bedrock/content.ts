import type {
  ContentBlock,
  InferenceRequest,
  JsonObject,
  Message,
  ReasoningBlock,
  ToolResultBlock,
} from '../../contract/index.js';
import { DocumentNames, mediaBlock } from './media.js';
import { familyOf, invalid, type ModelFamily } from './models.js';
import { toolUseId } from './toolIds.js';

/** A turn as Converse takes it. */
export interface WireMessage {
  role: 'user' | 'assistant';
  content: JsonObject[];
}

/** The conversation as Converse takes it. */
export interface Conversation {
  system: JsonObject[];
  messages: WireMessage[];
  /** Names of the tools that were called in it. */
  calledTools: ReadonlySet<string>;
}

interface Context {
  family: ModelFamily;
  documents: DocumentNames;
  calledTools: Set<string>;
}

/**
 * Encodes the turns of a request (AWS API reference, `Message`, `ContentBlock`).
 *
 * System messages join the system prompt, wherever they stand. Turns of the same side become one: roles have to alternate, and
 * all results of a turn's calls have to stand in the turn after it. Blank text is left out, since Bedrock refuses it.
 */
export function encodeConversation(request: InferenceRequest, model: string): Conversation {
  const context: Context = { family: familyOf(model), documents: new DocumentNames(), calledTools: new Set() };
  const { system = [] } = request;
  const conversation = {
    system: systemBlocks(typeof system === 'string' ? [{ type: 'text', text: system }] : system),
    messages: [] as WireMessage[],
    calledTools: context.calledTools,
  };
  for (const message of request.messages) {
    if (message.role === 'system') conversation.system.push(...systemBlocks(message.content));
    else addTurn(conversation.messages, message, context);
  }
  if (context.family === 'claude') conversation.messages = tidy(conversation.messages);
  if (conversation.messages.length === 0) throw invalid('there has to be a message that is not blank');
  return conversation;
}

function systemBlocks(blocks: readonly ContentBlock[]): JsonObject[] {
  return blocks.flatMap((block) => {
    if (block.type === 'text') return textBlock(block.text);
    if (block.type === 'provider') return ownBlock(block.provider, block.block);
    throw invalid(`the system prompt takes text, and no ${block.type} block`);
  });
}

function addTurn(messages: WireMessage[], message: Message, context: Context): void {
  const role = message.role === 'assistant' ? 'assistant' : 'user';
  const last = messages.at(-1);
  const content = last?.role === role ? last.content : [];
  for (const block of message.content) {
    const citations = citationsOf(block);
    if (citations) addCitations(content, citations);
    else content.push(...encodeBlock(block, context));
  }
  if (content.length > 0 && content !== last?.content) messages.push({ role, content });
}

/**
 * Claude refuses an assistant turn that ends in its thoughts, such as one that was cut off there, and wants the results of
 * tools before what else the user says (Anthropic "Extended thinking", "How to implement tool use").
 */
function tidy(messages: readonly WireMessage[]): WireMessage[] {
  const kept: WireMessage[] = [];
  for (const { role, content } of messages) {
    const isResult = (block: JsonObject): boolean => 'toolResult' in block;
    const tidied =
      role === 'user'
        ? [...content.filter(isResult), ...content.filter((block) => !isResult(block))]
        : content.slice(0, content.findLastIndex((block) => !('reasoningContent' in block)) + 1);
    const last = kept.at(-1);
    if (last?.role === role) last.content.push(...tidied);
    else if (tidied.length > 0) kept.push({ role, content: tidied });
  }
  return kept;
}

function encodeBlock(block: ContentBlock, context: Context): JsonObject[] {
  switch (block.type) {
    case 'text':
      return textBlock(block.text);
    case 'image':
    case 'audio':
    case 'video':
      return [mediaBlock(block.type, block.source)];
    case 'document':
      return [context.documents.encode(block)];
    case 'reasoning':
      return reasoningBlock(block, context.family);
    case 'tool-call': {
      context.calledTools.add(block.name);
      const input = isObject(block.arguments) ? block.arguments : { value: block.arguments };
      return [{ toolUse: { toolUseId: toolUseId(block.id, context.family), name: block.name, input } }];
    }
    case 'tool-result':
      return [toolResult(block, context)];
    case 'provider':
      return ownBlock(block.provider, block.block);
  }
}

function textBlock(text: string): JsonObject[] {
  return text.trim() === '' ? [] : [{ text }];
}

function ownBlock(provider: string, block: unknown): JsonObject[] {
  return provider === 'bedrock' && isObject(block) ? [block] : [];
}

/**
 * Reasoning goes back only whole (with its signature, or encrypted) and only to the family of the model that made it: nobody
 * else can read it, and an edited signature is refused.
 */
function reasoningBlock(
  { text, signature, encrypted, providerMetadata }: ReasoningBlock,
  family: ModelFamily,
): JsonObject[] {
  if (providerMetadata?.provider !== 'bedrock') return [];
  const { model } = providerMetadata;
  if (typeof model === 'string' && familyOf(model) !== family) return [];
  if (signature !== undefined) return [{ reasoningContent: { reasoningText: { text, signature } } }];
  if (encrypted !== undefined) return [{ reasoningContent: { redactedContent: encrypted } }];
  return [];
}

function toolResult({ toolCallId, content, isError = false }: ToolResultBlock, context: Context): JsonObject {
  const blocks = content.flatMap((block) => {
    if (
      block.type === 'audio' ||
      block.type === 'tool-call' ||
      block.type === 'tool-result' ||
      block.type === 'reasoning'
    ) {
      throw invalid(
        `cannot send a ${block.type} block in a tool's result; Bedrock takes text, images, documents and video there`,
      );
    }
    return encodeBlock(block, context);
  });
  // Only these two know a status (AWS API reference, `ToolResultBlock`); any other model has to read it.
  const knowsStatus = context.family === 'claude' || context.family === 'nova';
  if (isError && !knowsStatus) blocks.unshift({ text: 'The tool failed:' });
  if (blocks.length === 0) blocks.push({ text: '(no output)' });
  return {
    toolResult: {
      toolUseId: toolUseId(toolCallId, context.family),
      content: blocks,
      ...(isError && knowsStatus && { status: 'error' }),
    },
  };
}

function citationsOf(block: ContentBlock): JsonObject | undefined {
  if (block.type !== 'provider' || block.provider !== 'bedrock' || !isObject(block.block)) return undefined;
  const citations = block.block['citationsContent'];
  return isObject(citations) ? citations : undefined;
}

/** Cited text comes to us twice, as the text that was streamed and in its block of citations; Bedrock gets it once. */
function addCitations(content: JsonObject[], citations: JsonObject): void {
  const parts = citations['content'];
  const cited = Array.isArray(parts) ? parts.map(textOf).join('') : '';
  const before = content.at(-1)?.['text'];
  if (cited !== '' && typeof before === 'string' && before.endsWith(cited)) {
    content.pop();
    content.push(...textBlock(before.slice(0, before.length - cited.length)));
  }
  content.push({ citationsContent: citations });
}

function textOf(part: unknown): string {
  const text = isObject(part) ? part['text'] : undefined;
  return typeof text === 'string' ? text : '';
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
