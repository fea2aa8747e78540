import {
  contentText,
  InferenceExecutionError,
  modelOf,
  type ContentBlock,
  type InferenceRequest,
  type JsonObject,
  type Message,
  type ReasoningEffort,
  type ToolResultBlock,
} from '../../contract/index.js';
import { toJson } from '../shared/requestBody.js';

interface Context {
  model: string;
  /** Thoughts in the history are refused while thinking is off. */
  mayThink: boolean;
}

/** Encodes the conversation (Cohere API reference v2, "Chat with Streaming", `messages`). */
export function encodeMessages(request: InferenceRequest): JsonObject[] {
  const { system, messages, overrides: { reasoningEffort } = {} } = request;
  const context = { model: modelOf(request), mayThink: reasoningEffort === undefined || !isOff(reasoningEffort) };
  const encoded = messages.flatMap((message) => encodeMessage(message, context));
  if (system === undefined) return encoded;
  const prompt = typeof system === 'string' ? system : proseOf(system, 'the system prompt');
  return prompt === '' ? encoded : [{ role: 'system', content: prompt }, ...encoded];
}

function encodeMessage({ role, content }: Message, context: Context): JsonObject[] {
  if (role === 'assistant') return assistantMessage(content, context);
  if (role === 'system') return [{ role, content: proseOf(content, 'a system message') }];
  const results = content.flatMap((block) => (block.type === 'tool-result' ? [toolMessage(block)] : []));
  const parts = content.flatMap(userPart);
  if (parts.length === 0) return results;
  const [first] = parts;
  const text = parts.length === 1 ? first?.['text'] : undefined;
  return [...results, { role: 'user', content: text ?? parts }];
}

function userPart(block: ContentBlock): JsonObject[] {
  switch (block.type) {
    case 'text':
      return block.text === '' ? [] : [{ type: 'text', text: block.text }];
    case 'image': {
      const { source } = block;
      const url = source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
      return [{ type: 'image_url', image_url: { url } }];
    }
    case 'document':
    case 'audio':
    case 'video':
      throw cannotSend(block.type, 'give its text, or pass documents through overrides.providerOptions');
    default:
      return [];
  }
}

function toolMessage({ toolCallId, content, isError }: ToolResultBlock): JsonObject {
  const text = proseOf(content, "a tool's result");
  // There is no mark for a tool that failed: the model has to read it.
  return { role: 'tool', tool_call_id: toolCallId, content: isError ? toJson({ error: text }) : text };
}

/**
 * A turn that calls tools has no text of its own: "either pass thinking content (with thinking enabled) or use 'tool_plan'"
 * (the API's own words). Its plan is not repeated, since newer models refuse it; what another vendor's model said beside its
 * calls takes that place. Citations stand beside the text that they are about.
 */
function assistantMessage(content: readonly ContentBlock[], context: Context): JsonObject[] {
  const text = contentText(content);
  const calls = content.flatMap(toolCall);
  if (calls.length > 0) {
    const thoughts = context.mayThink ? content.map((block) => thoughtsOf(block, context)).join('') : '';
    const asThoughts = context.mayThink && /reasoning|command-a-plus/i.test(context.model);
    const thinking = asThoughts ? [thoughts, text].filter((part) => part.trim() !== '').join('\n\n') : thoughts;
    return [
      {
        role: 'assistant',
        ...(thinking !== '' && { content: [{ type: 'thinking', thinking }] }),
        ...(!asThoughts && text.trim() !== '' && { tool_plan: text }),
        tool_calls: calls,
      },
    ];
  }
  if (text === '') return [];
  const citations = content.flatMap(citation);
  return [{ role: 'assistant', content: text, ...(citations.length > 0 && { citations }) }];
}

function toolCall(block: ContentBlock): JsonObject[] {
  if (block.type === 'image' || block.type === 'document' || block.type === 'audio' || block.type === 'video') {
    throw cannotSend(block.type, 'an assistant turn holds text and calls');
  }
  if (block.type !== 'tool-call') return [];
  const { id, name } = block;
  return [{ id, type: 'function', function: { name, arguments: toJson(block.arguments) } }];
}

/** Thoughts go back whole, to the model that had them: another one may not take any. */
function thoughtsOf(block: ContentBlock, { model }: Context): string {
  if (block.type !== 'reasoning') return '';
  const { provider, complete, model: thinker } = block.providerMetadata ?? {};
  return provider === 'cohere' && complete === true && thinker === model ? block.text : '';
}

function citation(block: ContentBlock): JsonObject[] {
  if (block.type !== 'provider' || block.provider !== 'cohere' || !isObject(block.block)) return [];
  const { citation: told } = block.block;
  return isObject(told) ? [told] : [];
}

/** The pieces of what somebody wrote are paragraphs; Cohere takes one string there. */
function proseOf(content: readonly ContentBlock[], place: string): string {
  const texts = content.flatMap((block) => {
    if (block.type === 'text') return block.text === '' ? [] : [block.text];
    if (block.type === 'provider') return [];
    throw cannotSend(block.type, `${place} holds text`);
  });
  return texts.join('\n\n');
}

function cannotSend(type: ContentBlock['type'], advice: string): InferenceExecutionError {
  return invalid(`cannot send ${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type} block: ${advice}`);
}

/** An `invalid-request`: told before any call. */
export function invalid(detail: string): InferenceExecutionError {
  return new InferenceExecutionError('invalid-request', `cohereChat: ${detail}`);
}

/** True when the model shall not think. */
export function isOff(effort: ReasoningEffort): boolean {
  return effort === 'none' || (typeof effort === 'object' && effort.budget <= 0);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
