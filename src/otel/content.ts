import { contentText, type ContentBlock, type InferenceRequest, type JsonValue } from '../contract/index.js';
import type { Message, StreamResult } from '../contract/index.js';

/*
 * What was said, as the conventions write it down (semantic-conventions-genai, docs/gen-ai: the JSON schemas of input and
 * output messages, of system instructions and of tool definitions). Attributes hold text, so all of it is JSON text.
 */

type Part = { type: string } & Record<string, unknown>;

/** `gen_ai.system_instructions`; undefined when there are none. */
export function systemInstructions({ system }: InferenceRequest): string | undefined {
  if (system === undefined || system.length === 0) return undefined;
  return JSON.stringify(typeof system === 'string' ? [{ type: 'text', content: system }] : system.flatMap(partsOf));
}

/** `gen_ai.input.messages`. */
export function inputMessages(messages: readonly Message[]): string {
  return JSON.stringify(messages.map(({ role, content }) => ({ role, parts: content.flatMap(partsOf) })));
}

/** `gen_ai.output.messages`. */
export function outputMessages({ content }: StreamResult, finishReason: string): string {
  return JSON.stringify([{ role: 'assistant', parts: content.flatMap(partsOf), finish_reason: finishReason }]);
}

/** `gen_ai.tool.definitions`; undefined when there are none. */
export function toolDefinitions({ tools = [] }: InferenceRequest): string | undefined {
  if (tools.length === 0) return undefined;
  return JSON.stringify(
    tools.map(({ name, description, parameters }) => ({ type: 'function', name, description, parameters })),
  );
}

/** The content of a tool's result: text as it is, anything else as its parts. */
export function toolResult(content: readonly ContentBlock[]): string {
  return content.every(({ type }) => type === 'text') ? contentText(content) : JSON.stringify(content.flatMap(partsOf));
}

function partsOf(block: ContentBlock): Part[] {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', content: block.text }];
    case 'reasoning':
      return block.text === '' ? [] : [{ type: 'reasoning', content: block.text }];
    case 'tool-call':
      return [{ type: 'tool_call', id: block.id, name: block.name, arguments: block.arguments satisfies JsonValue }];
    case 'tool-result':
      return [{ type: 'tool_call_response', id: block.toolCallId, response: toolResult(block.content) }];
    case 'provider':
      // Opaque, often encrypted, and of no use to who reads a trace.
      return [];
    default:
      return [mediaOf(block)];
  }
}

/** Media without their bytes, and without the query of their address, which may be a signature. */
function mediaOf({ type, source }: Extract<ContentBlock, { source: unknown }>): Part {
  if (source.type === 'base64') return { type: 'blob', modality: type, mime_type: source.mediaType };
  return {
    type: 'uri',
    modality: type,
    uri: source.url.startsWith('data:') ? 'data:' : source.url.split(/[?#]/, 1)[0],
  };
}
