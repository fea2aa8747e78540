import type {
  ContentBlock,
  MediaSource,
  Message,
  ProviderMetadata,
  ToolCallBlock,
  ToolDescriptor,
} from '../contract/index.js';
import { badBody, listIn, objectIn, schemaIn, textIn } from './readBody.js';

/** What an AG-UI front end posts. */
export interface AgUiInput {
  threadId: string;
  runId: string;
  messages: Message[];
  /** The tools that the front end runs itself. */
  tools: ToolDescriptor[];
  /** What the front end tells of its surroundings. */
  context: { description: string; value: string }[];
  state: unknown;
  forwardedProps: unknown;
  /** Answers to the interrupts of an earlier run. */
  resume: { interruptId: string; status: 'resolved' | 'cancelled'; payload: unknown }[];
}

/**
 * Reads the `RunAgentInput` that an AG-UI front end posts (CopilotKit, TanStack AI and others).
 *
 * Calls whose arguments are no JSON were cancelled while they came: they are left out, with what was said about them.
 * Activity messages are the front end's own.
 *
 * @param body - The parsed body.
 * @throws InferenceExecutionError `invalid-request` that says what is wrong and where.
 */
export function readAgUiInput(body: unknown): AgUiInput {
  const read = objectIn(body, '');
  return {
    threadId: textIn(read['threadId'], 'threadId'),
    runId: textIn(read['runId'], 'runId'),
    messages: messagesIn(listIn(read['messages'], 'messages')),
    tools: listIn(read['tools'] ?? [], 'tools').map(toolIn),
    context: listIn(read['context'] ?? [], 'context').map((value, index) => {
      const { description, value: text } = objectIn(value, `context[${index}]`);
      return { description: String(description), value: String(text) };
    }),
    state: read['state'],
    forwardedProps: read['forwardedProps'],
    resume: listIn(read['resume'] ?? [], 'resume').map((value, index) => {
      const { interruptId, status, payload } = objectIn(value, `resume[${index}]`);
      const id = textIn(interruptId, `resume[${index}].interruptId`);
      return { interruptId: id, status: status === 'cancelled' ? 'cancelled' : 'resolved', payload };
    }),
  };
}

function messagesIn(list: unknown[]): Message[] {
  const dropped = new Set<string>();
  return list
    .flatMap((value, index) => messageIn(objectIn(value, `messages[${index}]`), `messages[${index}]`, dropped))
    .filter(({ content }) => content.length > 0);
}

function messageIn(message: Record<string, unknown>, where: string, dropped: Set<string>): Message[] {
  const { role, content } = message;
  switch (role) {
    case 'system':
    case 'developer':
      return [{ role: 'system', content: contentIn(content, `${where}.content`) }];
    case 'user':
      return [{ role, content: contentIn(content, `${where}.content`) }];
    case 'assistant': {
      const calls = listIn(message['toolCalls'] ?? [], `${where}.toolCalls`);
      const said = typeof content === 'string' && content !== '' ? contentIn(content, where) : [];
      const asked = calls.flatMap((call, i) => callIn(objectIn(call, `${where}.toolCalls[${i}]`), where, dropped));
      return [{ role, content: [...said, ...asked] }];
    }
    case 'reasoning':
      return reasoningIn(message);
    case 'tool': {
      const toolCallId = textIn(message['toolCallId'], `${where}.toolCallId`);
      if (dropped.has(toolCallId)) return [];
      const isError = typeof message['error'] === 'string';
      const result = { type: 'tool-result' as const, toolCallId, content: contentIn(content, `${where}.content`) };
      return [{ role, content: [{ ...result, ...(isError && { isError }) }] }];
    }
    case 'activity':
      return [];
    default:
      throw badBody(`${where}.role`, `${JSON.stringify(role)} is no role of AG-UI`);
  }
}

/** Reasoning is of use only with what its provider wants to see again. */
function reasoningIn({ content, encryptedValue }: Record<string, unknown>): Message[] {
  const metadata = metadataIn(encryptedValue);
  if (metadata?.signature === undefined && metadata?.encrypted === undefined) return [];
  const { signature, encrypted, ...providerMetadata } = metadata;
  const opaque = { ...(signature !== undefined && { signature }), ...(encrypted !== undefined && { encrypted }) };
  const text = typeof content === 'string' ? content : '';
  return [{ role: 'assistant', content: [{ type: 'reasoning', text, providerMetadata, ...opaque }] }];
}

function callIn(call: Record<string, unknown>, where: string, dropped: Set<string>): ToolCallBlock[] {
  const id = textIn(call['id'], `${where}: id of a call`);
  const { name, arguments: json } = objectIn(call['function'], `${where}: function of a call`);
  const providerMetadata = metadataIn(call['encryptedValue']);
  try {
    const args = JSON.parse(String(json)) as ToolCallBlock['arguments'];
    const called = textIn(name, `${where}: name of a call`);
    return [{ type: 'tool-call', id, name: called, arguments: args, ...(providerMetadata && { providerMetadata }) }];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    dropped.add(id);
    return [];
  }
}

function contentIn(value: unknown, where: string): ContentBlock[] {
  if (typeof value === 'string') return value === '' ? [] : [{ type: 'text', text: value }];
  return listIn(value, where).map((item, index) => {
    const part = objectIn(item, `${where}[${index}]`);
    const { type, text } = part;
    switch (type) {
      case 'text':
        return { type, text: typeof text === 'string' ? text : '' };
      case 'image':
      case 'audio':
      case 'video':
      case 'document':
        return { type, source: sourceIn(objectIn(part['source'], `${where}[${index}].source`), where) };
      default:
        throw badBody(`${where}[${index}].type`, `${JSON.stringify(type)} is not supported`);
    }
  });
}

function sourceIn({ type, value, mimeType }: Record<string, unknown>, where: string): MediaSource {
  const text = textIn(value, `${where}: value of a source`);
  if (type === 'url') return { type: 'url', url: text };
  if (type !== 'data') throw badBody(where, `sources of the type ${JSON.stringify(type)} are not supported`);
  return { type: 'base64', mediaType: textIn(mimeType, `${where}: mimeType of a source`), data: text };
}

function toolIn(value: unknown, index: number): ToolDescriptor {
  const { name, description, parameters } = objectIn(value, `tools[${index}]`);
  const called = textIn(name, `tools[${index}].name`);
  const words = typeof description === 'string' ? description : '';
  return { id: called, name: called, description: words, parameters: schemaIn(parameters, `tools[${index}]`) };
}

function metadataIn(encryptedValue: unknown): ProviderMetadata | undefined {
  if (typeof encryptedValue !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(encryptedValue);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
