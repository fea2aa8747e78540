import type {
  ContentBlock,
  InferenceRequest,
  JsonObject,
  Message,
  ToolCallBlock,
  ToolResultBlock,
} from '../../contract/index.js';
import { ABOUT_THE_ANSWER, GOOGLE } from './decode.js';
import { isMedia, locate, type MediaBlock } from './media.js';
import { invalid, isGemini3 } from './models.js';

/** A turn of the conversation (Gemini API, `Content`). */
export interface Content {
  role: 'user' | 'model';
  parts: JsonObject[];
}

/**
 * Stands in for a thought signature that does not exist (Gemini API, "Thought signatures"): Gemini 3 refuses calls without
 * one, and those that another model made have none.
 */
const NO_SIGNATURE = 'skip_thought_signature_validator';

/** What is known of the call that a result answers. */
interface KnownCall {
  name: string;
  /** The id that Google gave to it; it gets no other. */
  wireId: string | undefined;
}

/** Encodes the turns; system messages are left to {@link systemInstruction}. */
export function encodeContents({ messages }: InferenceRequest, model: string): Content[] {
  const calls = new Map<string, KnownCall>();
  const contents: Content[] = [];
  let before: Message['role'] | undefined;
  for (const { role, content } of messages) {
    if (role === 'system') continue;
    const parts = role === 'assistant' ? modelParts(content, model, calls) : userParts(content, model, calls);
    const last = contents.at(-1);
    // All results of one turn stand in one turn: Google counts them against the calls.
    if (role === 'tool' && before === 'tool' && last) last.parts.push(...parts);
    else if (parts.length > 0) contents.push({ role: role === 'assistant' ? 'model' : 'user', parts });
    if (parts.length > 0) before = role;
  }
  return contents;
}

/** Encodes `system` and the system messages, wherever they stand: Google knows no system turns. */
export function systemInstruction({ system, messages }: InferenceRequest): { parts: JsonObject[] } | undefined {
  const parts = systemTexts(system, messages, 'geminiGenerateContent').map((text) => ({ text }));
  return parts.length > 0 ? { parts } : undefined;
}

/** The texts of `system` and of the system messages, in their order; no Google model takes anything else there. */
export function systemTexts(
  system: InferenceRequest['system'],
  messages: readonly Message[],
  sender: string,
): string[] {
  const own: ContentBlock[] = typeof system === 'string' ? [{ type: 'text', text: system }] : (system ?? []);
  const blocks = [...own, ...messages.filter(({ role }) => role === 'system').flatMap(({ content }) => content)];
  return blocks.flatMap((block) => {
    if (block.type === 'text') return block.text === '' ? [] : [block.text];
    throw invalid(`${sender} cannot send ${an(block)} in the system prompt: put it into a user message`);
  });
}

/** Names a block in an error. */
export function an({ type }: ContentBlock): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type} block`;
}

function userParts(blocks: readonly ContentBlock[], model: string, calls: Map<string, KnownCall>): JsonObject[] {
  return blocks.flatMap((block) => {
    if (block.type === 'text') return block.text === '' ? [] : [{ text: block.text }];
    if (block.type === 'tool-result') return resultParts(block, model, calls);
    if (block.type === 'provider') return providerPart(block);
    if (isMedia(block)) return [mediaPart(block)];
    throw invalid(`geminiGenerateContent cannot send ${an(block)} of the user: it belongs into an assistant message`);
  });
}

function modelParts(blocks: readonly ContentBlock[], model: string, calls: Map<string, KnownCall>): JsonObject[] {
  // Of parallel calls only the first is signed.
  let needsSignature = isGemini3(model);
  return blocks.flatMap((block): JsonObject[] => {
    switch (block.type) {
      case 'text':
        return signedText({}, block.text, signatureOf(block), block.providerMetadata?.['signaturePart']);
      case 'reasoning': {
        // A summary without its signature says nothing to Google, one of another vendor's is not for its eyes.
        if (block.signature === undefined || block.providerMetadata?.provider !== GOOGLE) return [];
        return signedText({ thought: true }, block.text, block.signature, block.providerMetadata['signaturePart']);
      }
      case 'tool-call': {
        const part = callPart(block, calls, needsSignature);
        needsSignature = false;
        return [part];
      }
      case 'provider':
        return providerPart(block);
      case 'tool-result':
        throw invalid('geminiGenerateContent cannot send a tool-result block of the assistant: use a tool message');
      default:
        return [mediaPart(block)];
    }
  });
}

/** A signature that came on an empty part of its own goes back on one. */
function signedText(kind: JsonObject, text: string, signature: string | undefined, own: unknown): JsonObject[] {
  if (signature === undefined) return text === '' ? [] : [{ ...kind, text }];
  if (own !== 'own' || text === '') return [{ ...kind, text, thoughtSignature: signature }];
  return [
    { ...kind, text },
    { ...kind, text: '', thoughtSignature: signature },
  ];
}

function signatureOf({ providerMetadata }: Extract<ContentBlock, { type: 'text' | 'tool-call' }>): string | undefined {
  return providerMetadata?.provider === GOOGLE ? providerMetadata.signature : undefined;
}

function callPart(block: ToolCallBlock, calls: Map<string, KnownCall>, needsSignature: boolean): JsonObject {
  const { id, name, arguments: args, providerMetadata } = block;
  const wireId = providerMetadata?.provider === GOOGLE ? providerMetadata.id : undefined;
  calls.set(id, { name, wireId });
  const signature = signatureOf(block) ?? (needsSignature ? NO_SIGNATURE : undefined);
  return {
    functionCall: { ...(wireId !== undefined && { id: wireId }), name, args: isObject(args) ? args : {} },
    ...(signature !== undefined && { thoughtSignature: signature }),
  };
}

/** Results are matched by name, and by id where Google gave one (Gemini API, `FunctionResponse`). */
function resultParts(block: ToolResultBlock, model: string, calls: Map<string, KnownCall>): JsonObject[] {
  const call = calls.get(block.toolCallId);
  const name = call?.name ?? block.name;
  if (name === undefined) {
    throw invalid(
      `geminiGenerateContent matches results by name, and no message before this one has a call ${JSON.stringify(block.toolCallId)}: give the tool-result block a name`,
    );
  }
  const texts: string[] = [];
  const media: JsonObject[] = [];
  for (const item of block.content) {
    if (item.type === 'text') texts.push(item.text);
    else if (isMedia(item)) media.push(mediaPart(item));
    else throw invalid(`geminiGenerateContent cannot send ${an(item)} in a tool result: give it as text or media`);
  }
  const response = { [block.isError ? 'error' : 'output']: texts.join('\n') };
  // From Gemini 3 on media are part of the response, before they stand beside it.
  const inside = isGemini3(model) && media.length > 0;
  const functionResponse = {
    ...(call?.wireId !== undefined && { id: call.wireId }),
    name,
    response,
    ...(inside && { parts: media }),
  };
  return [{ functionResponse }, ...(inside ? [] : media)];
}

function mediaPart(block: MediaBlock): JsonObject {
  const found = locate(block);
  if ('data' in found) return { inlineData: { mimeType: found.mediaType, data: found.data } };
  const { uri, mediaType } = found;
  return { fileData: { ...(mediaType !== undefined && { mimeType: mediaType }), fileUri: uri } };
}

/** Parts that were not understood go back as they came; another vendor's, and what is only about the answer, do not. */
function providerPart({ provider, block }: Extract<ContentBlock, { type: 'provider' }>): JsonObject[] {
  if (provider !== GOOGLE || !isObject(block) || ABOUT_THE_ANSWER.some((name) => name in block)) return [];
  return [block];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
