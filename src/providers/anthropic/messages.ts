import type { ContentBlock, InferenceRequest, Message } from '../../contract/index.js';
import { encodeInputs, encodeOutputs } from './blocks.js';
import { invalid, type WireObject } from './settings.js';

/** One turn on the wire. */
export interface WireMessage {
  role: 'user' | 'assistant';
  content: WireObject[];
}

/** A conversation on the wire. */
export interface WireConversation {
  system: WireObject[];
  messages: WireMessage[];
}

/**
 * Encodes the conversation (Anthropic "Messages"): system messages go into the system prompt, wherever they stand; the
 * results of tools become the user's turn, in front of what else it says; turns of the same side are joined.
 *
 * @param isContinuation - The last turn has been made by a continuation, which knows what it has trimmed.
 */
export function encodeConversation({ system, messages }: InferenceRequest, isContinuation: boolean): WireConversation {
  const prompts = [systemBlocks(system), ...messages.filter(isSystem).map(({ content }) => content)];
  const turns = joinTurns(messages.filter((message) => !isSystem(message)).map(encodeTurn));
  const kept = joinTurns(turns.map(tidy));
  const last = kept.at(-1);
  if (last === undefined) throw invalid('a request needs at least one message with something in it');
  if (last.role === 'assistant' && !isContinuation) trimEnd(last.content);
  return {
    system: encodeInputs(prompts.flat(), 'system'),
    messages: kept,
  };
}

function isSystem({ role }: Message): boolean {
  return role === 'system';
}

function systemBlocks(system: InferenceRequest['system']): ContentBlock[] {
  return typeof system === 'string' ? [{ type: 'text', text: system }] : (system ?? []);
}

function encodeTurn({ role, content }: Message): WireMessage {
  return role === 'assistant'
    ? { role, content: encodeOutputs(content) }
    : { role: 'user', content: encodeInputs(content, 'user') };
}

function joinTurns(turns: WireMessage[]): WireMessage[] {
  const joined: WireMessage[] = [];
  for (const { role, content } of turns) {
    if (content.length === 0) continue;
    const last = joined.at(-1);
    if (last?.role === role) last.content.push(...content);
    else joined.push({ role, content: [...content] });
  }
  return joined;
}

/**
 * "tool_result blocks must come first", and "The final block in an assistant message cannot be `thinking`": a turn that
 * was cut off while the model thought has nothing after its thoughts.
 */
function tidy({ role, content }: WireMessage): WireMessage {
  if (role === 'assistant') {
    const end = content.findLastIndex(({ type }) => type !== 'thinking' && type !== 'redacted_thinking');
    return { role, content: content.slice(0, end + 1) };
  }
  const isResult = ({ type }: WireObject): boolean => type === 'tool_result';
  return { role, content: [...content.filter(isResult), ...content.filter((block) => !isResult(block))] };
}

/** "final assistant content cannot end with trailing whitespace" */
function trimEnd(content: WireObject[]): void {
  const last = content.at(-1);
  if (last?.['type'] !== 'text') return;
  content[content.length - 1] = { ...last, text: String(last['text']).trimEnd() };
}
