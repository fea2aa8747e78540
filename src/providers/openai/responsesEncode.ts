import {
  modelOf,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
  type JsonValue,
  type RunCursor,
  type ToolChoice,
} from '../../contract/index.js';
import type { WireRequest } from '../../wire/Transport.js';
import type { EncodedContinuation } from '../shared/encodeContinuation.js';
import { requestBody } from '../shared/requestBody.js';
import { textValues } from '../shared/textValues.js';
import { asksForCall } from '../shared/toolChoice.js';
import { OPENAI } from './chatPreset.js';
import { effortWord } from './effortWord.js';
import { encodeInput, plainText } from './responsesInput.js';
import { cannotSend, type InputObject } from './responsesItem.js';

/** Where a request goes, and how it runs. */
export interface ResponsesTarget {
  /** The address, without a trailing slash. */
  baseUrl: string;
  /** Headers of the factory's own options. */
  headers: Record<string, string>;
  /** The run lives on at OpenAI when nobody listens. */
  background: boolean;
}

/** Models that take `reasoning.encrypted_content`; others answer "Encrypted content is not supported with this model" (400). */
const REASONS = /(?:^|[/:.])(?:o\d|gpt-(?:[5-9]|\d\d|oss)|codex|computer-use|grok)(?!.*-chat)/i;
const ENCRYPTED = 'reasoning.encrypted_content';

/**
 * Encodes a request for the Responses API. Pure. Source: OpenAI API reference, "Create a model response".
 *
 * Of `overrides.providerOptions`, `tools` are put behind the request's own (one of the same name changes it member by member)
 * and `include` is added to ours; everything else goes into the body last, objects member by member.
 *
 * @throws InferenceExecutionError `invalid-request` for what the API cannot take.
 */
export function encodeResponses(
  request: InferenceRequest,
  continuation: EncodedContinuation | undefined,
  apiKey: string,
  target: ResponsesTarget,
): WireRequest {
  const auth = authorization(apiKey, target);
  if (continuation?.note.mechanism === 'reattach' && continuation.cursor)
    return attach(continuation.cursor, auth, target);
  const { overrides = {} } = request;
  const { tools, include, ...options } = overrides.providerOptions ?? {};
  const model = modelOf(request);
  const included = includes(model, overrides, include);
  const body = {
    model,
    ...instructionsOf(request),
    input: encodeInput(request, model),
    stream: true,
    store: target.background,
    ...(target.background && { background: true }),
    ...(included.length > 0 && { include: included }),
    ...toolsOf(request, tools),
    ...settings(model, overrides),
  };
  return {
    url: `${target.baseUrl}/responses`,
    headers: { 'content-type': 'application/json', ...auth },
    body: requestBody(body, options),
  };
}

/** Makes the request that cancels a run in the background. Source: OpenAI API reference, "Cancel a response". */
export function cancelRun(runId: string, apiKey: string, target: ResponsesTarget): WireRequest {
  const { accept: _, ...headers } = authorization(apiKey, target);
  return { url: `${target.baseUrl}/responses/${encodeURIComponent(runId)}/cancel`, method: 'POST', headers };
}

/** Source: OpenAI guide, "Background mode / Streaming a background response". */
function attach(cursor: RunCursor, headers: Record<string, string>, { baseUrl }: ResponsesTarget): WireRequest {
  const { runId, after } = cursor;
  const from = after === undefined ? '' : `&starting_after=${encodeURIComponent(after)}`;
  return { url: `${baseUrl}/responses/${encodeURIComponent(runId)}?stream=true${from}`, method: 'GET', headers };
}

function authorization(apiKey: string, { headers }: ResponsesTarget): Record<string, string> {
  return { accept: 'text/event-stream', ...(apiKey !== '' && { authorization: `Bearer ${apiKey}` }), ...headers };
}

function instructionsOf({ system = '' }: InferenceRequest): InputObject {
  const text = typeof system === 'string' ? system : plainText(system, 'the system prompt');
  return text === '' ? {} : { instructions: text };
}

/** What is not stored has to be carried along: without its encrypted content the reasoning is lost after each turn. */
function includes(model: string, overrides: InferenceOverrides, own: JsonValue | undefined): JsonValue[] {
  const { reasoningEffort, providerOptions } = overrides;
  const reasons = REASONS.test(model) || reasoningEffort !== undefined || providerOptions?.['reasoning'] !== undefined;
  return [...new Set([...(reasons ? [ENCRYPTED] : []), ...(Array.isArray(own) ? own : [])])];
}

function toolsOf({ tools = [], overrides = {} }: InferenceRequest, own: JsonValue | undefined): InputObject {
  const functions = tools.map(({ name, description, parameters }): JsonObject => {
    // Left out, `strict` is true, and the API makes optional parameters required.
    return { type: 'function', name, description, parameters, strict: false };
  });
  const all = mergeTools(functions, Array.isArray(own) ? own : []);
  const { toolChoice, parallelToolCalls } = overrides;
  if (all.length === 0) {
    if (!asksForCall(toolChoice)) return {};
    throw cannotSend('a toolChoice that asks for a call', 'the request has no tools: add them, or leave it out');
  }
  return {
    tools: all,
    ...(toolChoice !== undefined && { tool_choice: toolChoiceOf(toolChoice, all) }),
    ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
  };
}

function mergeTools(functions: readonly JsonObject[], own: readonly JsonValue[]): JsonValue[] {
  const merged: JsonValue[] = [...functions];
  for (const tool of own) {
    const at = functions.findIndex((known) => isNamed(tool, 'function', known['name']));
    if (at >= 0) merged[at] = { ...functions[at], ...(tool as JsonObject) };
    else merged.push(tool);
  }
  return merged;
}

/** A name is that of a function, of a custom tool, or the type of a built-in tool. */
function toolChoiceOf(choice: ToolChoice, tools: readonly JsonValue[]): unknown {
  if (typeof choice === 'string') return choice;
  const { name } = choice;
  if (tools.some((tool) => isNamed(tool, 'function', name))) return { type: 'function', name };
  if (tools.some((tool) => isNamed(tool, 'custom', name))) return { type: 'custom', name };
  const builtIn = tools.some((tool) => isObject(tool) && tool['type'] === name);
  return builtIn ? { type: name } : { type: 'function', name };
}

function isNamed(tool: JsonValue, type: string, name: JsonValue | undefined): boolean {
  return isObject(tool) && tool['type'] === type && tool['name'] === name;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function settings(model: string, overrides: InferenceOverrides): InputObject {
  const { temperature, topP, maxTokens, metadata, reasoningEffort, responseFormat, stopSequences, seed } = overrides;
  if (stopSequences !== undefined && stopSequences.length > 0) {
    throw cannotSend('stop sequences', 'the Responses API has none: leave them out, or use openaiChat');
  }
  if (seed !== undefined) throw cannotSend('a seed', 'the Responses API has none: leave it out, or use openaiChat');
  return {
    temperature,
    top_p: topP,
    max_output_tokens: maxTokens,
    metadata: metadata && textValues(metadata),
    ...(reasoningEffort !== undefined && { reasoning: { effort: effortOf(reasoningEffort, model) } }),
    ...(responseFormat !== undefined && { text: { format: formatOf(responseFormat) } }),
  };
}

function effortOf(effort: NonNullable<InferenceOverrides['reasoningEffort']>, model: string): string {
  if (typeof effort === 'object') throw cannotSend('a reasoning budget in tokens', "use a level, such as 'medium'");
  return effortWord(effort, model, OPENAI);
}

/** Source: OpenAI guide, "Structured model outputs". */
function formatOf(format: NonNullable<InferenceOverrides['responseFormat']>): InputObject {
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json') return { type: 'json_object' };
  const { name = 'answer', schema, strict } = format;
  return { type: 'json_schema', name, schema, ...(strict !== undefined && { strict }) };
}
