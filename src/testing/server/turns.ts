import type { JsonObject, JsonValue } from '../../contract/index.js';
import type { AskedMessage } from './types.js';

/** OpenAI's turns, and those of everyone who took them over: Ollama, Cohere, Mistral and many more. */
export function chatTurn(value: JsonValue): AskedMessage {
  const turn = record(value);
  const role = turn['role'] === 'developer' ? 'system' : roleOf(turn['role']);
  const id = text(turn['tool_call_id']);
  const toolCalls = list(turn['tool_calls']).map((call) => {
    const { id: callId, function: fn } = record(call);
    return { id: text(callId), name: text(record(fn)['name']), arguments: argumentsOf(record(fn)['arguments']) };
  });
  // Cohere's turns with calls have their text in the plan.
  const said = textOf(turn['content']) || text(turn['tool_plan']);
  return { role, text: said, toolCalls, ...(id !== '' && { toolCallId: id }) };
}

/** A user turn of Anthropic may hold results of tools before its text: each becomes a turn of its own. */
export function anthropicTurn(value: JsonValue): AskedMessage[] {
  const turn = record(value);
  const blocks = list(turn['content']).map(record);
  const results = blocks
    .filter((block) => block['type'] === 'tool_result')
    .map((block) => toolTurn(block['tool_use_id'], block['content']));
  const calls = blocks
    .filter((block) => block['type'] === 'tool_use')
    .map((block) => ({ id: text(block['id']), name: text(block['name']), arguments: argumentsOf(block['input']) }));
  return withResults(results, { role: roleOf(turn['role']), text: textOf(turn['content']), toolCalls: calls });
}

/** Bedrock's turns: blocks are objects with one member that names their kind. */
export function bedrockTurn(value: JsonValue): AskedMessage[] {
  const turn = record(value);
  const blocks = list(turn['content']).map(record);
  const results = blocks.flatMap((block) => {
    if (block['toolResult'] === undefined) return [];
    const result = record(block['toolResult']);
    return [toolTurn(result['toolUseId'], result['content'])];
  });
  const calls = blocks.flatMap((block) => {
    if (block['toolUse'] === undefined) return [];
    const call = record(block['toolUse']);
    return [{ id: text(call['toolUseId']), name: text(call['name']), arguments: argumentsOf(call['input']) }];
  });
  return withResults(results, { role: roleOf(turn['role']), text: textOf(turn['content']), toolCalls: calls });
}

/** Gemini's contents: parts, of which thoughts are no text of the answer. */
export function geminiTurn(value: JsonValue): AskedMessage[] {
  const turn = record(value);
  const parts = list(turn['parts']).map(record);
  const results = parts.flatMap((part) => {
    const result = record(part['functionResponse'] ?? part['function_response']);
    if (result['name'] === undefined) return [];
    return [toolTurn(result['id'] ?? result['name'], JSON.stringify(result['response'] ?? {}))];
  });
  const calls = parts.flatMap((part) => {
    const call = record(part['functionCall'] ?? part['function_call']);
    if (call['name'] === undefined) return [];
    return [{ id: text(call['id']), name: text(call['name']), arguments: argumentsOf(call['args']) }];
  });
  const words = parts.filter((part) => part['thought'] !== true);
  return withResults(results, { role: roleOf(turn['role']), text: textOf(words), toolCalls: calls });
}

/** An input of OpenAI Responses: a text, or items, of which calls stand beside the messages. */
export function responsesTurns(input: JsonValue | undefined): AskedMessage[] {
  if (typeof input === 'string') return [userTurn(input)];
  const turns: AskedMessage[] = [];
  for (const item of list(input).map(record)) {
    if (item['type'] === 'function_call') {
      const call = { id: text(item['call_id']), name: text(item['name']), arguments: argumentsOf(item['arguments']) };
      addCall(turns, call);
    } else if (item['type'] === 'function_call_output') turns.push(toolTurn(item['call_id'], item['output']));
    else if (item['role'] !== undefined) turns.push(chatTurn(item));
  }
  return turns;
}

/** An input of Gemini Interactions: a text, contents of the user, or steps. */
export function interactionTurns(input: JsonValue | undefined): AskedMessage[] {
  if (typeof input === 'string') return [userTurn(input)];
  const turns: AskedMessage[] = [];
  for (const step of (Array.isArray(input) ? input : [input ?? {}]).map(record)) {
    const { type } = step;
    if (type === 'function_call') {
      addCall(turns, { id: text(step['id']), name: text(step['name']), arguments: argumentsOf(step['arguments']) });
    } else if (type === 'function_result') turns.push(toolTurn(step['call_id'], step['result']));
    else if (type === 'model_output' || step['role'] === 'model') {
      turns.push({ role: 'assistant', text: textOf(step['content']), toolCalls: [] });
    } else if (type === 'user_input' || step['role'] !== undefined) turns.push(userTurn(textOf(step['content'])));
    else if (type === 'text') turns.push(userTurn(text(step['text'])));
  }
  return turns;
}

/** A system prompt that stands outside the turns. */
export function systemTurns(value: JsonValue | undefined): AskedMessage[] {
  const words = textOf(value);
  return words === '' ? [] : [{ role: 'system', text: words, toolCalls: [] }];
}

function userTurn(words: string): AskedMessage {
  return { role: 'user', text: words, toolCalls: [] };
}

function toolTurn(id: JsonValue | undefined, content: JsonValue | undefined): AskedMessage {
  return { role: 'tool', text: textOf(content), toolCalls: [], toolCallId: text(id) };
}

function addCall(turns: AskedMessage[], call: AskedMessage['toolCalls'][number]): void {
  const last = turns.at(-1);
  if (last?.role === 'assistant') last.toolCalls.push(call);
  else turns.push({ role: 'assistant', text: '', toolCalls: [call] });
}

/** A turn that holds nothing but results of tools is no turn of the user. */
function withResults(results: AskedMessage[], own: AskedMessage): AskedMessage[] {
  return results.length > 0 && own.text === '' && own.toolCalls.length === 0 ? results : [...results, own];
}

function roleOf(value: JsonValue | undefined): AskedMessage['role'] {
  if (value === 'model') return 'assistant';
  return value === 'system' || value === 'assistant' || value === 'tool' ? value : 'user';
}

/** The text of a content: a string, or the text members of its parts. */
export function textOf(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  const parts = Array.isArray(content) ? content : [content ?? {}];
  return parts.map((part) => (typeof part === 'string' ? part : text(record(part)['text']))).join('');
}

function argumentsOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? {});
}

export function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function list(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

export function record(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
