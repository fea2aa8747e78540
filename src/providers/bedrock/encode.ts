import {
  modelOf,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
  type ToolDescriptor,
} from '../../contract/index.js';
import type { WireRequest } from '../../wire/Transport.js';
import { requestBody } from '../shared/requestBody.js';
import { textValues } from '../shared/textValues.js';
import { asksForCall } from '../shared/toolChoice.js';
import { encodeConversation, type Conversation } from './content.js';
import { familyOf, invalid, reasoningFields, type ModelFamily } from './models.js';

const CACHE_POINT: JsonObject = { cachePoint: { type: 'default' } };

/**
 * Encodes a request for `ConverseStream` (AWS API reference, Amazon Bedrock Runtime).
 *
 * @param request - The request; a continuation stands in its messages.
 * @param baseUrl - Where the API lives, without a trailing slash.
 * @param headers - Headers that belong to the request, so that they are there when it is signed.
 */
export function encodeBedrock(
  request: InferenceRequest,
  baseUrl: string,
  headers: Readonly<Record<string, string>>,
): WireRequest {
  const model = modelOf(request);
  const { body, options } = converseBody(request, model);
  return {
    url: modelUrl(baseUrl, model, 'converse-stream'),
    headers: { 'content-type': 'application/json', accept: 'application/vnd.amazon.eventstream', ...headers },
    body: requestBody(body, options),
  };
}

/** Address of an operation on a model. */
export function modelUrl(baseUrl: string, model: string, operation: string): string {
  if (model === '' || /^\.+$/.test(model)) throw invalid(`${JSON.stringify(model)} is no model of Bedrock`);
  return `${baseUrl}/model/${encodeURIComponent(model)}/${operation}`;
}

/** The body of `ConverseStream`, and what the caller adds to it. */
export function converseBody(
  request: InferenceRequest,
  model: string,
): { body: Record<string, unknown>; options: JsonObject | undefined } {
  const { overrides = {} } = request;
  if (overrides.seed !== undefined) throw invalid('Bedrock has no seed: leave it out');
  const conversation = encodeConversation(request, model);
  const family = familyOf(model);
  const marks = request.enablePromptCache === true && (family === 'claude' || family === 'nova');
  if (marks) markTurn(conversation, family);
  // Nova takes no mark among its tools (AWS user guide "Prompt caching").
  const config = toolConfig(request, conversation, marks && family === 'claude');
  const body = {
    messages: conversation.messages,
    system: system(conversation, marks),
    inferenceConfig: inferenceConfiguration(overrides),
    toolConfig: config,
    outputConfig: outputConfig(overrides),
    requestMetadata: requestMetadata(overrides.metadata),
    additionalModelRequestFields: modelFields(request, model, conversation),
  };
  return { body, options: withAllTools(overrides.providerOptions, config) };
}

function inferenceConfiguration({
  maxTokens,
  temperature,
  topP,
  stopSequences,
}: InferenceOverrides): JsonObject | undefined {
  const config: JsonObject = {};
  if (maxTokens !== undefined) config['maxTokens'] = maxTokens;
  if (temperature !== undefined) config['temperature'] = temperature;
  if (topP !== undefined) config['topP'] = topP;
  if (stopSequences !== undefined) config['stopSequences'] = stopSequences;
  return filled(config);
}

/** Marks the conversation up to the last turn of the user; Nova takes no mark after the results of tools. */
function markTurn({ messages }: Conversation, family: ModelFamily): void {
  const turn = messages.findLast(({ role }) => role === 'user');
  const results = turn?.content.some((block) => 'toolResult' in block) ?? false;
  if (!(results && family === 'nova')) turn?.content.push(CACHE_POINT);
}

function system({ system: blocks }: Conversation, cached: boolean): JsonObject[] | undefined {
  if (blocks.length === 0) return undefined;
  return cached ? [...blocks, CACHE_POINT] : blocks;
}

function toolConfig(request: InferenceRequest, conversation: Conversation, cached: boolean): JsonObject | undefined {
  const { tools = [], overrides = {} } = request;
  const { toolChoice } = overrides;
  if (toolChoice === 'none') {
    if (conversation.calledTools.size === 0) return undefined;
    throw invalid(
      'Bedrock cannot forbid tools once the conversation holds calls: leave toolChoice out, or end the request with an instruction',
    );
  }
  const specs = [...tools.map(toolSpec), ...ownTools(overrides.providerOptions)];
  // Bedrock refuses calls in the history of a request without tools, so those that were called stay known.
  if (specs.length === 0) for (const name of conversation.calledTools) specs.push(formerTool(name));
  if (specs.length === 0) {
    if (!asksForCall(toolChoice)) return undefined;
    throw invalid('toolChoice asks for a tool, but the request has none');
  }
  const config: JsonObject = { tools: cached ? [...specs, CACHE_POINT] : specs };
  if (toolChoice === 'required') config['toolChoice'] = { any: {} };
  else if (typeof toolChoice === 'object') config['toolChoice'] = { tool: { name: toolChoice.name } };
  return config;
}

/** Tools in Converse's own words (`systemTool`), which stand beside those of the request. */
function ownTools({ toolConfig: config }: JsonObject = {}): JsonObject[] {
  const tools = isObject(config) ? config['tools'] : undefined;
  return Array.isArray(tools) ? tools.filter(isObject) : [];
}

/** The caller's `toolConfig` wins over ours, but for the tools, which have been put together. */
function withAllTools(options: JsonObject = {}, config: JsonObject | undefined): JsonObject {
  const { toolConfig: own } = options;
  return isObject(own) && config ? { ...options, toolConfig: { ...own, tools: config['tools'] ?? [] } } : options;
}

function toolSpec({ name, description, parameters }: ToolDescriptor): JsonObject {
  return {
    toolSpec: {
      name,
      ...(description !== '' && { description }),
      inputSchema: { json: { type: 'object', ...parameters } },
    },
  };
}

function formerTool(name: string): JsonObject {
  const description = 'Not to be had any more: do not call it.';
  return { toolSpec: { name, description, inputSchema: { json: { type: 'object' } } } };
}

function outputConfig({ responseFormat }: InferenceOverrides): JsonObject | undefined {
  if (responseFormat === undefined || responseFormat.type === 'text') return undefined;
  if (responseFormat.type === 'json') {
    throw invalid('Bedrock has no JSON mode without a schema: give responseFormat of the type json-schema');
  }
  const { name = 'response', schema } = responseFormat;
  return { textFormat: { type: 'json_schema', structure: { jsonSchema: { name, schema: JSON.stringify(schema) } } } };
}

/** Its values have to be texts. */
function requestMetadata(metadata: JsonObject | undefined): JsonObject | undefined {
  return metadata && filled(textValues(metadata));
}

/** What only the model behind Converse understands. */
function modelFields(
  { overrides = {}, tools = [] }: InferenceRequest,
  model: string,
  conversation: Conversation,
): JsonObject | undefined {
  const { reasoningEffort, parallelToolCalls, toolChoice, maxTokens } = overrides;
  const fields = reasoningEffort === undefined ? {} : reasoningFields(reasoningEffort, model, maxTokens);
  const { thinking } = fields;
  if (isObject(thinking) && thinking['type'] === 'enabled' && isMidTurn(conversation)) delete fields['thinking'];
  if (parallelToolCalls === false && tools.length > 0) {
    if (familyOf(model) !== 'claude')
      throw invalid(`${model} on Bedrock has no switch for parallel tool calls: leave parallelToolCalls out`);
    // The type is refused beside a toolChoice of Converse's own, and missed without one.
    const forced = toolChoice === 'required' || typeof toolChoice === 'object';
    fields['tool_choice'] = { ...(!forced && { type: 'auto' }), disable_parallel_tool_use: true };
  }
  return filled(fields);
}

/**
 * True where tools have answered a turn that begins with no thoughts, such as another vendor's: Claude up to 4.5 refuses it
 * while it shall think.
 */
function isMidTurn({ messages }: Conversation): boolean {
  const [turn, answer] = messages.slice(-2);
  if (turn?.role !== 'assistant' || !answer?.content.some((block) => 'toolResult' in block)) return false;
  return !('reasoningContent' in (turn.content[0] ?? {}));
}

function filled(object: JsonObject): JsonObject | undefined {
  return Object.keys(object).length > 0 ? object : undefined;
}

/**
 * True when a trailing assistant turn can be continued: not while Claude thinks, since its turn would have to begin with
 * reasoning, and not under a schema (AWS user guide "Extended thinking", "Structured outputs").
 */
export function canPrefill({ overrides = {} }: Pick<InferenceRequest, 'overrides'>): boolean {
  const { reasoningEffort = 'none', responseFormat, providerOptions = {} } = overrides;
  const { additionalModelRequestFields: fields, outputConfig: output } = providerOptions;
  const own = isObject(fields) ? (fields['thinking'] ?? fields['reasoning_config']) : undefined;
  const off = reasoningEffort === 'none' || (typeof reasoningEffort === 'object' && reasoningEffort.budget <= 0);
  const thinks = isObject(own) ? own['type'] !== 'disabled' : !off;
  return !thinks && responseFormat?.type !== 'json-schema' && !(isObject(output) && output['textFormat'] !== undefined);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
