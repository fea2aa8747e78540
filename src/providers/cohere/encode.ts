import {
  modelOf,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
  type ReasoningEffort,
  type ToolDescriptor,
} from '../../contract/index.js';
import type { WireRequest } from '../../wire/Transport.js';
import { requestBody } from '../shared/requestBody.js';
import { asksForCall } from '../shared/toolChoice.js';
import { encodeMessages, invalid, isOff } from './messages.js';

export const DEFAULT_BASE_URL = 'https://api.cohere.com';

/** Budgets in tokens of the levels: Cohere knows budgets only, and `max` is to think without one. */
const BUDGETS = { minimal: 1_024, low: 4_096, medium: 8_192, high: 16_384, max: undefined } as const;

/** Encodes a request for Cohere's `POST /v2/chat` (Cohere API reference v2, "Chat with Streaming"). */
export function encodeCohere(request: InferenceRequest, apiKey: string, baseUrl = DEFAULT_BASE_URL): WireRequest {
  const { overrides = {} } = request;
  const { maxTokens, temperature, topP, stopSequences, seed, reasoningEffort, toolChoice } = overrides;
  refuseMissing(overrides);
  const tools = chosenTools(request);
  const forced = toolChoice === 'required' || typeof toolChoice === 'object';
  const body = {
    model: modelOf(request),
    messages: encodeMessages(request),
    stream: true,
    tools: tools.length > 0 ? tools.map(encodeTool) : undefined,
    tool_choice: forced ? 'REQUIRED' : toolChoice === 'none' && tools.length > 0 ? 'NONE' : undefined,
    response_format: responseFormat(overrides),
    thinking: reasoningEffort === undefined ? undefined : thinking(reasoningEffort),
    max_tokens: maxTokens,
    temperature,
    p: topP,
    stop_sequences: stopSequences,
    seed,
  };
  return {
    url: `${baseUrl.replace(/\/+$/, '')}/v2/chat`,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(apiKey !== '' && { authorization: `Bearer ${apiKey}` }),
    },
    body: requestBody(body, overrides.providerOptions),
  };
}

function refuseMissing({ parallelToolCalls, metadata }: InferenceOverrides): void {
  if (parallelToolCalls === false)
    throw invalid('Cohere has no switch for parallel tool calls; leave parallelToolCalls out');
  if (metadata !== undefined) throw invalid('Cohere takes no metadata; leave overrides.metadata out');
}

/** Cohere can force some tool, but not one of several: the one that has to be used is then the only one that it is told of. */
function chosenTools({ tools = [], overrides: { toolChoice } = {} }: InferenceRequest): readonly ToolDescriptor[] {
  const chosen = typeof toolChoice === 'object' ? tools.filter(({ name }) => name === toolChoice.name) : tools;
  if (chosen.length > 0 || !asksForCall(toolChoice)) return chosen;
  throw invalid(`toolChoice ${JSON.stringify(toolChoice)} asks for a tool that the request does not have`);
}

function encodeTool({ name, description, parameters }: ToolDescriptor): JsonObject {
  return { type: 'function', function: { name, description, parameters: { type: 'object', ...parameters } } };
}

/** JSON mode, with or without a schema. */
export function responseFormat({ responseFormat: format }: InferenceOverrides): JsonObject | undefined {
  if (format === undefined || format.type === 'text') return undefined;
  return { type: 'json_object', ...(format.type === 'json-schema' && { json_schema: format.schema }) };
}

function thinking(effort: ReasoningEffort): JsonObject {
  if (isOff(effort)) return { type: 'disabled' };
  const budget = typeof effort === 'object' ? effort.budget : effort === 'none' ? undefined : BUDGETS[effort];
  return { type: 'enabled', ...(budget !== undefined && { token_budget: budget }) };
}
