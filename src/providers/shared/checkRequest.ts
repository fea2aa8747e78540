import { InferenceExecutionError, type InferenceRequest } from '../../contract/index.js';
import { excerpt } from '../../internal/excerpt.js';
import { isObject } from '../../internal/isObject.js';

const ROLES = 'system, user, assistant or tool';
const BLOCKS = 'text, image, document, audio, video, reasoning, tool-call, tool-result or provider';

/**
 * Checks what JavaScript and parsed JSON can bring: whatever nobody looks at would be left out of the request, or fail far
 * from where it was given.
 *
 * @throws InferenceExecutionError `invalid-request` that names the place, what is there and what belongs there.
 */
export function checkRequest(request: InferenceRequest): void {
  // Typed, but nobody has checked it.
  const given: unknown = request;
  if (!isObject(given)) throw wrong('the request', 'an object with model and messages', given);
  const { model, messages, overrides } = given;
  const { model: other = model, providerOptions } = isObject(overrides) ? overrides : {};
  const names = isObject(providerOptions) && 'agent' in providerOptions;
  if (typeof other !== 'string' && !names) throw wrong('model', 'the name of a model', other);
  if (!Array.isArray(messages)) throw wrong('messages', 'a list of messages', messages);
  for (const [index, message] of messages.entries()) checkMessage(message, `messages[${index}]`);
}

function checkMessage(message: unknown, at: string): void {
  if (!isObject(message)) throw wrong(at, 'a message', message);
  if (!isOneOf(message['role'], ROLES)) throw wrong(`${at}.role`, ROLES, message['role']);
  checkBlocks(message['content'], `${at}.content`);
}

function checkBlocks(content: unknown, at: string): void {
  if (!Array.isArray(content)) throw wrong(at, 'a list of blocks, as userMessage() makes of a text', content);
  for (const [index, block] of content.entries()) {
    const place = `${at}[${index}]`;
    const { type, text, content: inner } = isObject(block) ? block : {};
    if (!isOneOf(type, BLOCKS)) throw wrong(`${place}.type`, BLOCKS, type);
    if (type === 'text' && typeof text !== 'string') throw wrong(`${place}.text`, 'a text', text);
    if (type === 'tool-result') checkBlocks(inner, `${place}.content`);
  }
}

function isOneOf(value: unknown, words: string): boolean {
  return typeof value === 'string' && words.split(/, | or /).includes(value);
}

function wrong(place: string, expected: string, given: unknown): InferenceExecutionError {
  const shape = Array.isArray(given) ? 'a list' : isObject(given) ? 'an object' : String(given);
  const told = excerpt(typeof given === 'string' ? JSON.stringify(given) : shape, 40);
  return new InferenceExecutionError('invalid-request', `${place} has to be ${expected}, not ${told}`);
}
