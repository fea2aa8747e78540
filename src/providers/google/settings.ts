import type { InferenceOverrides, InferenceRequest, JsonValue, ToolChoice } from '../../contract/index.js';
import { asksForCall } from '../shared/toolChoice.js';
import { invalid } from './models.js';

/**
 * Puts the caller's own tools (search, code execution, MCP servers) behind the request's functions.
 *
 * @throws An `invalid-request` when a call is demanded and there is no tool, and for what neither API can be told.
 */
export function allTools(
  functions: readonly JsonValue[],
  own: JsonValue | undefined,
  { toolChoice, parallelToolCalls }: InferenceOverrides,
): JsonValue[] | undefined {
  if (parallelToolCalls === false) {
    throw invalid('Gemini cannot be told to make one call at a time: leave parallelToolCalls out');
  }
  const tools = [...functions, ...(Array.isArray(own) ? own : own === undefined ? [] : [own])];
  if (tools.length > 0) return tools;
  if (asksForCall(toolChoice)) {
    throw invalid('toolChoice asks for a call, but the request has no tools');
  }
  return undefined;
}

/** A group of settings, or nothing when none is set. */
export function someOf<T extends object>(settings: T): T | undefined {
  return Object.values(settings).some((value) => value !== undefined) ? settings : undefined;
}

/** The choice that is sent: Google refuses any where no function is declared, and without one there is nothing to choose. */
export function choiceOf({ tools = [], overrides }: InferenceRequest): ToolChoice | undefined {
  const choice = overrides?.toolChoice;
  return tools.length === 0 && (choice === 'auto' || choice === 'none') ? undefined : choice;
}
