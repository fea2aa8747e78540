import { modelOf, type InferenceRequest, type JsonObject, type ToolDescriptor } from '../../contract/index.js';
import { isObject } from '../../internal/isObject.js';
import { toWellFormed } from '../../internal/wellFormed.js';
import type { WireRequest } from '../../wire/Transport.js';
import { encodeConversation, type WireConversation } from './messages.js';
import { encodeSettings, encodeToolChoice, type WireObject } from './settings.js';

/** What of the options goes into a request. */
export interface EncodeOptions {
  baseUrl?: string | undefined;
  version?: string | undefined;
  betas?: readonly string[] | undefined;
  dangerouslyExposeKeyInBrowser?: boolean | undefined;
}

/** Most marks that a request may have (Anthropic "Prompt caching"). */
const MAX_CACHE_MARKS = 4;

/**
 * Encodes a request for `POST /v1/messages` (Anthropic "Create a Message").
 *
 * @param isContinuation - The last turn has been made by a continuation.
 */
export function encodeRequest(
  request: InferenceRequest,
  isContinuation: boolean,
  apiKey: string,
  options: EncodeOptions,
): WireRequest {
  return {
    url: endpoint(options.baseUrl ?? 'https://api.anthropic.com'),
    headers: headersOf(apiKey, options),
    // A lone surrogate is answered with 400, and with it every later request that has it in its history.
    body: JSON.stringify(bodyOf(request, isContinuation), wellFormed),
  };
}

function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? toWellFormed(value) : value;
}

/** People give the address with and without the version. */
function endpoint(baseUrl: string): string {
  const root = baseUrl.replace(/\/+$/, '');
  return root.endsWith('/v1') ? `${root}/messages` : `${root}/v1/messages`;
}

function headersOf(apiKey: string, options: EncodeOptions): Record<string, string> {
  const { version = '2023-06-01', betas = [], dangerouslyExposeKeyInBrowser } = options;
  const headers: Record<string, string> = { 'content-type': 'application/json', 'anthropic-version': version };
  if (apiKey !== '') headers['x-api-key'] = apiKey;
  if (betas.length > 0) headers['anthropic-beta'] = betas.join(',');
  if (dangerouslyExposeKeyInBrowser) headers['anthropic-dangerous-direct-browser-access'] = 'true';
  return headers;
}

/** The body but for its last touch, as Bedrock takes it too. */
export function bodyOf(request: InferenceRequest, isContinuation: boolean): WireObject {
  const { overrides = {}, enablePromptCache } = request;
  const { providerOptions = {} } = overrides;
  const { system, messages } = encodeConversation(request, isContinuation);
  const tools: WireObject[] = (request.tools ?? []).map(encodeTool);
  if (enablePromptCache) markForCache(tools, { system, messages }, providerOptions);

  const { tools: ownTools, output_config: ownConfig } = providerOptions;
  const { output_config: config, thinking, ...settings } = encodeSettings(request);
  // What a caller asks for in the API's own words replaces ours, but for two: server tools stand beside the tools of the
  // request, and the members of `output_config` beside the effort and the format.
  return {
    model: modelOf(request),
    ...settings,
    thinking: isBudget(thinking) && isMidTurn(messages) ? undefined : thinking,
    stream: true,
    messages,
    system: system.length > 0 ? system : undefined,
    tool_choice: encodeToolChoice(overrides, tools.length > 0 || ownTools !== undefined),
    ...providerOptions,
    tools: Array.isArray(ownTools) ? [...tools, ...ownTools] : (ownTools ?? (tools.length > 0 ? tools : undefined)),
    output_config: isObject(ownConfig)
      ? { ...(config as WireObject | undefined), ...ownConfig }
      : (ownConfig ?? config),
  };
}

/** Thinking as models up to 4.5 know it. */
function isBudget(thinking: unknown): boolean {
  return isObject(thinking) && thinking['type'] === 'enabled';
}

/**
 * True where tools have answered a turn that begins with no thoughts, such as another vendor's: "Expected `thinking` or
 * `redacted_thinking`, but found `tool_use` … To avoid this requirement, disable `thinking`" (400).
 */
function isMidTurn(messages: WireConversation['messages']): boolean {
  const [turn, answer] = messages.slice(-2);
  if (turn?.role !== 'assistant' || !answer?.content.some(({ type }) => type === 'tool_result')) return false;
  return !/thinking/.test(String(turn.content[0]?.['type']));
}

function encodeTool({ name, description, parameters }: ToolDescriptor): WireObject {
  return { name, ...(description && { description }), input_schema: { type: 'object', ...parameters } };
}

/**
 * Marks the stable beginning of the prompt: the tools, the system prompt, and the conversation up to the user's last turn.
 * Marks that the caller has set count; nothing is marked beyond the limit.
 */
function markForCache(tools: WireObject[], { system, messages }: WireConversation, options: JsonObject): void {
  const turn = messages.findLast(({ role }) => role === 'user')?.content ?? [];
  const given = [options, ...tools, ...system, ...messages.flatMap(({ content }) => content)];
  let room = MAX_CACHE_MARKS - given.filter((block) => 'cache_control' in block).length;
  for (const blocks of [turn, system, tools]) {
    const last = blocks.at(-1);
    if (last === undefined || 'cache_control' in last || room-- <= 0) continue;
    blocks[blocks.length - 1] = { ...last, cache_control: { type: 'ephemeral' } };
  }
}
