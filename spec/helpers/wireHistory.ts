import type { JsonObject, JsonValue, Message } from '../../src/index.js';

/**
 * Says what a provider would refuse in the history of a request, in words; nothing when it is valid. One function for each
 * wire, and one for messages as this library holds them.
 */

/** Anthropic "Messages": turns alternate and begin with the user; each `tool_use` is answered in the turn right after it. */
export function anthropicFaults(body: JsonObject): string[] {
  const turns = list(body['messages']).map(object);
  const faults = turns.length === 0 ? ['no messages'] : [];
  let open: string[] = [];
  turns.forEach((turn, index) => {
    const { role } = turn;
    const say = (what: string): void => void faults.push(`message ${index} (${word(role)}): ${what}`);
    if (role !== (index % 2 === 0 ? 'user' : 'assistant')) say('roles do not alternate from the user on');
    const blocks = list(turn['content']).map(object);
    if (blocks.length === 0) say('empty content');
    if (blocks.some(({ type, text: words }) => type === 'text' && !word(words).trim())) say('blank text');
    const results = blocks.filter(({ type }) => type === 'tool_result');
    if (results.some((block, at) => blocks[at] !== block)) say('a tool_result after something else');
    const ids = results.map(({ tool_use_id: id }) => word(id));
    if (ids.join() !== open.join()) say(`answers ${ids.join() || 'nothing'}, asked for ${open.join() || 'nothing'}`);
    const uses = blocks.filter(({ type }) => type === 'tool_use');
    if (uses.some(({ id, input }) => !/^[\w-]{1,64}$/.test(word(id)) || !isObject(input))) say('a bad tool_use');
    if (role === 'user' && uses.length > 0) say('tool_use of the user');
    open = uses.map(({ id }) => word(id));
    if (new Set(open).size < open.length) say('the same id twice');
    const last = blocks.at(-1);
    const isPrefill = role === 'assistant' && index === turns.length - 1;
    if (isPrefill && (last?.['type'] !== 'text' || /\s$/.test(word(last['text'])))) say('no valid prefill');
  });
  return faults;
}

/** OpenAI "Chat Completions": the calls of an assistant message are answered by the messages right after it, each once. */
export function openaiChatFaults(body: JsonObject): string[] {
  const turns = list(body['messages']).map(object);
  const faults = turns.length === 0 ? ['no messages'] : [];
  let open: string[] = [];
  turns.forEach((turn, index) => {
    const { role, content } = turn;
    const say = (what: string): void => void faults.push(`message ${index} (${word(role)}): ${what}`);
    if (role === 'tool') {
      const id = word(turn['tool_call_id']);
      if (!open.includes(id)) say(`answers ${id}, which is not open`);
      open = open.filter((other) => other !== id);
      if (content === '' || content === null) say('empty content');
      return;
    }
    if (open.length > 0) say(`no answer to ${open.join()}`);
    const calls = list(turn['tool_calls']).map(object);
    if (role === 'assistant' ? !content && calls.length === 0 : !content) say('empty content');
    if (calls.some((call) => !isJson(object(call['function'])['arguments']))) say('arguments that are no JSON');
    open = calls.map(({ id }) => word(id));
    if (new Set(open).size < open.length) say('the same id twice');
  });
  if (open.length > 0) faults.push(`no answer to ${open.join()}`);
  return faults;
}

/** Messages of this library: calls are answered right after their message, in their order; nothing is empty. */
export function messageFaults(messages: readonly Message[]): string[] {
  const faults: string[] = [];
  let open: string[] = [];
  messages.forEach(({ role, content }, index) => {
    const say = (what: string): void => void faults.push(`message ${index} (${role}): ${what}`);
    if (content.length === 0) say('empty content');
    if (role === 'tool') {
      const ids = content.map((block) => (block.type === 'tool-result' ? block.toolCallId : block.type));
      if (ids.join() !== open.splice(0, ids.length).join()) say(`answers ${ids.join()} out of order`);
      if (content.some((block) => block.type === 'tool-result' && block.content.length === 0)) say('empty result');
      return;
    }
    if (open.length > 0) say(`no answer to ${open.join()}`);
    open = content.flatMap((block) => (block.type === 'tool-call' ? [block.id] : []));
    if (open.length > 0 && role !== 'assistant') say('calls of somebody else');
    if (role === 'assistant' && messages[index - 1]?.role === 'assistant') say('a second turn of the assistant');
  });
  if (open.length > 0) faults.push(`no answer to ${open.join()}`);
  return faults;
}

function list(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function object(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** A text; nothing else is one. */
function word(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function isJson(value: JsonValue | undefined): boolean {
  try {
    return typeof value === 'string' && isObject(JSON.parse(value) as JsonValue);
  } catch {
    return false;
  }
}
