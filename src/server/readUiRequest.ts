import type {
  ContentBlock,
  JsonValue,
  MediaSource,
  Message,
  ProviderMetadata,
  ToolResultBlock,
} from '../contract/index.js';
import type { ToolDecision } from '../tools/ConversationState.js';
import { badBody, dataUrl, listIn, objectIn, textIn } from './readBody.js';
import { METADATA_KEY } from './toUiMessageStream.js';

/** What a `useChat` front end posts. */
export interface UiChatRequest {
  /** Id of the chat. */
  id: string | undefined;
  /** Why it posts: a new message, or another answer to the last one. */
  trigger: 'submit-message' | 'regenerate-message' | undefined;
  /** The message that is answered again; set with `regenerate-message`. */
  messageId: string | undefined;
  /** The conversation. Calls that have no result yet stand at the end of its last message. */
  messages: Message[];
  /** What the user has said about calls that wait, for `resumeConversation`. */
  decisions: Record<string, ToolDecision>;
}

/**
 * Reads the body that `useChat` of the AI SDK posts (versions 5 to 7).
 *
 * Text, reasoning (with what the provider wants to see again), files, and tool calls with their results become messages.
 * Calls that have no result and are not waiting for one (cancelled, failed before they were whole) are left out, so that
 * the model can be asked; data and source parts are the page's own. What the page says is the user's word: check it before
 * it is believed.
 *
 * @param body - The parsed body.
 * @throws InferenceExecutionError `invalid-request` that says what is wrong and where.
 */
export function readUiRequest(body: unknown): UiChatRequest {
  const { id, trigger, messageId, messages } = objectIn(body, '');
  const decisions: Record<string, ToolDecision> = {};
  const read = listIn(messages, 'messages').flatMap((value, index) => {
    const where = `messages[${index}]`;
    const message = objectIn(value, where);
    const parts = listIn(message['parts'], `${where}.parts`).map((part, i) => objectIn(part, `${where}.parts[${i}]`));
    switch (message['role']) {
      case 'system':
      case 'user':
        return [{ role: message['role'], content: contentOf(parts, where) }];
      case 'assistant':
        return assistantMessages(parts, where, decisions);
      default:
        throw badBody(`${where}.role`, `${JSON.stringify(message['role'])} is none of system, user, assistant`);
    }
  });
  return {
    id: typeof id === 'string' ? id : undefined,
    trigger: trigger === 'submit-message' || trigger === 'regenerate-message' ? trigger : undefined,
    messageId: typeof messageId === 'string' ? messageId : undefined,
    messages: read.filter(({ content }) => content.length > 0),
    decisions,
  };
}

type Part = Record<string, unknown>;

/** One assistant message for each step, and the results of its tools after it. */
function assistantMessages(parts: Part[], where: string, decisions: Record<string, ToolDecision>): Message[] {
  const messages: Message[] = [];
  let step: Part[] = [];
  const flush = (): void => {
    const results: ToolResultBlock[] = [];
    const content = step.flatMap((part) => {
      if (!isTool(part)) return blocksOf(part, where);
      return toolBlocks(part, where, results, decisions);
    });
    if (content.length > 0) messages.push({ role: 'assistant', content });
    if (results.length > 0) messages.push({ role: 'tool', content: results });
    step = [];
  };
  for (const part of parts) {
    if (part['type'] === 'step-start') flush();
    else if (isReset(part)) step = step.filter(isAnswered);
    else step.push(part);
  }
  flush();
  return messages;
}

/** True where what the step has shown was taken back: the model has started over. */
function isReset({ type, data }: Part): boolean {
  return type === 'data-recovery' && typeof data === 'object' && (data as Part | null)?.['event'] === 'reset';
}

/** True for a call that has run: that it has is true whatever was taken back. */
function isAnswered(part: Part): boolean {
  return isTool(part) && answerOf(part) !== undefined;
}

function contentOf(parts: Part[], where: string): ContentBlock[] {
  return parts.flatMap((part) => blocksOf(part, where));
}

function blocksOf(part: Part, where: string): ContentBlock[] {
  const { type, text } = part;
  switch (type) {
    case 'text':
      return typeof text === 'string' && text !== '' ? [{ type, text, ...metadataOf(part['providerMetadata']) }] : [];
    case 'reasoning': {
      const { signature, encrypted, ...rest } = metadataOf(part['providerMetadata']).providerMetadata ?? {};
      // Reasoning without its signature is nothing that a provider takes back.
      if (signature === undefined && encrypted === undefined) return [];
      return [
        {
          ...{ type, text: typeof text === 'string' ? text : '', providerMetadata: rest },
          ...(signature !== undefined && { signature }),
          ...(encrypted !== undefined && { encrypted }),
        },
      ];
    }
    case 'file':
      return [fileBlock(part, where)];
    default:
      return [];
  }
}

function fileBlock(part: Part, where: string): ContentBlock {
  const mediaType = textIn(part['mediaType'], `${where}: mediaType of a file`);
  const url = textIn(part['url'], `${where}: url of a file`);
  const inline = dataUrl(url);
  const source: MediaSource = inline ? { type: 'base64', mediaType, data: inline.data } : { type: 'url', url };
  const [kind] = mediaType.split('/');
  if (kind === 'image' || kind === 'audio' || kind === 'video') return { type: kind, source };
  return { type: 'document', source, ...(typeof part['filename'] === 'string' && { title: part['filename'] }) };
}

function isTool({ type }: Part): boolean {
  return typeof type === 'string' && (type.startsWith('tool-') || type === 'dynamic-tool');
}

function toolBlocks(
  part: Part,
  where: string,
  results: ToolResultBlock[],
  decisions: Record<string, ToolDecision>,
): ContentBlock[] {
  const { type, state, input } = part;
  const id = textIn(part['toolCallId'], `${where}: toolCallId of a tool part`);
  const name = type === 'dynamic-tool' ? textIn(part['toolName'], `${where}: toolName`) : String(type).slice(5);
  const answer = answerOf(part);
  if (answer) results.push({ type: 'tool-result', toolCallId: id, name, ...answer });
  const { approved, reason } = approvalOf(part);
  if (approved !== undefined && !answer) {
    decisions[id] = approved ? 'approve' : typeof reason === 'string' ? { deny: reason } : 'deny';
  }
  const waits = state === 'approval-requested' || state === 'approval-responded' || state === 'input-available';
  // A call that never was whole has no input, and cannot be shown to a model again.
  if (!answer && !waits) return [];
  if (input === undefined) {
    results.splice(
      results.findIndex(({ toolCallId }) => toolCallId === id),
      answer ? 1 : 0,
    );
    return [];
  }
  return [{ type: 'tool-call', id, name, arguments: input as JsonValue, ...metadataOf(part['callProviderMetadata']) }];
}

function answerOf(part: Part): Pick<ToolResultBlock, 'content' | 'isError'> | undefined {
  switch (part['state']) {
    case 'output-available':
      return { content: [{ type: 'text', text: wordsOf(part['output']) }] };
    case 'output-error':
      return { content: [{ type: 'text', text: wordsOf(part['errorText']) }], isError: true };
    case 'output-denied': {
      const { reason } = approvalOf(part);
      const words = typeof reason === 'string' ? `denied by the user: ${reason}` : 'denied by the user';
      return { content: [{ type: 'text', text: words }], isError: true };
    }
    default:
      return undefined;
  }
}

function approvalOf({ approval }: Part): { approved?: boolean; reason?: unknown } {
  if (typeof approval !== 'object' || approval === null) return {};
  const { approved, reason } = approval as Part;
  return { ...(typeof approved === 'boolean' && { approved }), reason };
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '(no output)');
}

function metadataOf(value: unknown): { providerMetadata?: ProviderMetadata } {
  if (typeof value !== 'object' || value === null || !(METADATA_KEY in value)) return {};
  const metadata: unknown = value[METADATA_KEY];
  return typeof metadata === 'object' && metadata !== null ? { providerMetadata: { ...metadata } } : {};
}
