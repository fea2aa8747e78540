import { InferenceExecutionError } from '../../contract/index.js';

/** One item of the input, or a part of one, as it stands in the body. */
export type InputObject = Record<string, unknown>;

/** Makes the error for what the Responses API cannot take. */
export function cannotSend(what: string, advice: string): InferenceExecutionError {
  return new InferenceExecutionError('invalid-request', `openaiResponses cannot send ${what}; ${advice}`);
}

/** An opaque block that is an item; others are what Chat Completions say (citations, pictures). */
export function isItem(block: unknown): block is InputObject {
  return typeof block === 'object' && block !== null && 'type' in block && typeof block.type === 'string';
}
