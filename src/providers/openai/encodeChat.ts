import {
  modelOf,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonValue,
  type ToolChoice,
} from '../../contract/index.js';
import type { WireRequest } from '../../wire/Transport.js';
import type { EncodedContinuation } from '../shared/encodeContinuation.js';
import { requestBody } from '../shared/requestBody.js';
import { textValues } from '../shared/textValues.js';
import { asksForCall } from '../shared/toolChoice.js';
import { cannotSend, encodeMessages, type ChatObject } from './chatMessages.js';
import type { CompatiblePreset } from './chatPreset.js';
import { effortsOf, effortWord } from './effortWord.js';

/** Where a chat request goes. */
export interface ChatTarget {
  preset: CompatiblePreset;
  /** The caller's own address; it wins over those of the preset. */
  baseUrl?: string | undefined;
  /** The caller's own `api-version`. */
  apiVersion?: string | undefined;
  /** Headers of the factory's own options. */
  headers?: Record<string, string>;
}

/**
 * Encodes a request as Chat Completions. Pure.
 *
 * Of `overrides.providerOptions`, `tools` are put behind the request's own (one of the same name replaces it); everything
 * else goes into the body last. The prompt cache is automatic with these vendors: `enablePromptCache` has nothing to add.
 * `parallelToolCalls` and a `toolChoice` that asks for no call are sent only beside tools, since OpenAI refuses them
 * without. The values of `metadata` go as texts; OpenAI takes it only beside `providerOptions: { store: true }`.
 *
 * @throws InferenceExecutionError `invalid-request` for what the vendor cannot take.
 */
export function encodeChat(
  request: InferenceRequest,
  continuation: EncodedContinuation | undefined,
  apiKey: string,
  target: ChatTarget,
): WireRequest {
  const { preset } = target;
  const model = modelOf(request);
  const messages = encodeMessages(request, model, preset);
  const last = messages.at(-1);
  // Where nothing was shown there is no turn to go on with.
  const prefill = continuation?.note.mechanism === 'prefill' && last?.['role'] === 'assistant';
  const body: ChatObject = { model, messages, stream: true };
  if (preset.streamOptions !== false) body['stream_options'] = { include_usage: true };
  const { tools, ...options } = request.overrides?.providerOptions ?? {};
  addTools(body, request, tools, preset);
  addSettings(body, model, request.overrides ?? {}, preset);
  const { fallbackModels = [] } = request.overrides ?? {};
  // OpenRouter "Model routing": the list is tried in turn, the first one first.
  if (preset.fallbackModels && fallbackModels.length > 0) body['models'] = [...new Set([model, ...fallbackModels])];
  if (prefill) addPrefill(body, last, continuation, preset);
  return {
    url: urlOf(target, model, prefill),
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...authorization(apiKey, preset),
      ...target.headers,
    },
    body: requestBody(body, options),
  };
}

/**
 * False while the model is asked to think: a turn that was cut off has no reasoning before it, and is not taken as the
 * beginning of one (Claude refuses it, DeepSeek and Qwen begin to think in the text).
 */
export function canPrefill({ overrides = {} }: InferenceRequest): boolean {
  const { reasoningEffort = 'none', providerOptions = {} } = overrides;
  const { thinking, reasoning, reasoning_effort: effort = 'none' } = providerOptions;
  const switched =
    typeof thinking === 'object' && thinking !== null && 'type' in thinking ? thinking['type'] : undefined;
  return reasoningEffort === 'none' && effort === 'none' && !reasoning && (switched ?? 'disabled') === 'disabled';
}

function addTools(
  body: ChatObject,
  { tools = [], overrides = {} }: InferenceRequest,
  own: JsonValue | undefined,
  preset: CompatiblePreset,
): void {
  const { toolChoice, parallelToolCalls } = overrides;
  const added = Array.isArray(own) ? own : [];
  const names = added.map(nameOf);
  const functions = tools
    .filter(({ name }) => !names.includes(name))
    .map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } }));
  const all = [...functions, ...added];
  if (all.length === 0) {
    if (!asksForCall(toolChoice)) return;
    throw cannotSend(
      preset,
      'a toolChoice that asks for a call',
      'the request has no tools: add them, or leave it out',
    );
  }
  body['tools'] = all;
  if (toolChoice !== undefined) body['tool_choice'] = toolChoiceOf(toolChoice);
  if (parallelToolCalls !== undefined) body['parallel_tool_calls'] = parallelToolCalls;
}

/** The name of a function, as the vendor writes it. */
function nameOf(tool: JsonValue): unknown {
  return (tool as { function?: { name?: unknown } } | null)?.function?.name;
}

function toolChoiceOf(choice: ToolChoice): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } };
}

function addSettings(body: ChatObject, model: string, overrides: InferenceOverrides, preset: CompatiblePreset): void {
  const { temperature, topP, maxTokens, stopSequences, seed, metadata, responseFormat, reasoningEffort } = overrides;
  const settings: ChatObject = {
    temperature,
    top_p: topP,
    [preset.maxTokens ?? 'max_tokens']: maxTokens,
    stop: stopSequences?.length ? stopSequences : undefined,
    [preset.seed ?? 'seed']: seed,
    metadata: metadata && textValues(metadata),
    response_format: responseFormat && formatOf(responseFormat, preset),
    ...(reasoningEffort !== undefined && effortOf(reasoningEffort, model, preset)),
  };
  for (const [name, value] of Object.entries(settings)) if (value !== undefined) body[name] = value;
}

/** Source: OpenAI guide, "Structured model outputs". */
function formatOf(format: NonNullable<InferenceOverrides['responseFormat']>, preset: CompatiblePreset): ChatObject {
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json') {
    if (preset.jsonObject !== false) return { type: 'json_object' };
    throw cannotSend(preset, 'JSON without a schema', "use responseFormat of type 'json-schema'");
  }
  if (preset.jsonSchema === false) {
    throw cannotSend(
      preset,
      'a JSON schema for the answer',
      "use { type: 'json' } and describe the form in the prompt",
    );
  }
  const { name = 'answer', schema, strict } = format;
  return { type: 'json_schema', json_schema: { name, schema, ...(strict !== undefined && { strict }) } };
}

function effortOf(
  effort: NonNullable<InferenceOverrides['reasoningEffort']>,
  model: string,
  preset: CompatiblePreset,
): ChatObject {
  const reasoning = effortsOf(model, preset)?.byEffort ? 'effort' : (preset.reasoning ?? 'effort');
  if (typeof effort === 'object') {
    if (reasoning === 'reasoning') return { reasoning: { max_tokens: effort.budget } };
    throw cannotSend(preset, 'a reasoning budget in tokens', "use a level, such as 'medium'");
  }
  const level = effortWord(effort, model, preset);
  switch (reasoning) {
    case 'effort':
      return { reasoning_effort: level };
    case 'reasoning':
      return { reasoning: { effort: level } };
    case 'thinking':
    case 'switch':
      if (level === 'none') return { thinking: { type: 'disabled' } };
      return { thinking: { type: 'enabled' }, ...(reasoning === 'thinking' && { reasoning_effort: level }) };
    case 'template':
      if (level === 'none') return { chat_template_kwargs: { enable_thinking: false } };
      return { chat_template_kwargs: { enable_thinking: true, reasoning_effort: level } };
  }
}

/** Marks the trailing assistant turn as one to be continued; sources beside the rows of the continuation table. */
function addPrefill(body: ChatObject, last: ChatObject, { rule }: EncodedContinuation, preset: CompatiblePreset): void {
  if (rule.flag === 'prefix' || rule.flag === 'partial') last[rule.flag] = true;
  if (rule.flag === 'continue_final_message') {
    Object.assign(body, { continue_final_message: true, add_generation_prompt: false });
  }
  Object.assign(body, preset.prefillBody);
}

function urlOf({ preset, baseUrl, apiVersion }: ChatTarget, model: string, prefill: boolean): string {
  const own = (prefill ? preset.prefillBaseUrl : undefined) ?? preset.baseUrl ?? '';
  const base = (baseUrl ?? own).replace(/\/+$/, '');
  // Azure's newer API has OpenAI's own paths below /openai/v1, and no versions.
  const plain = base.endsWith('/openai/v1');
  const path = (plain ? undefined : preset.path) ?? '/chat/completions';
  const version = apiVersion ?? (plain ? undefined : preset.apiVersion);
  const query = version === undefined ? '' : `?api-version=${encodeURIComponent(version)}`;
  return `${base}${path.replace('{model}', encodeURIComponent(model))}${query}`;
}

function authorization(apiKey: string, { keyHeader }: CompatiblePreset): Record<string, string> {
  if (apiKey === '') return {};
  return keyHeader === undefined ? { authorization: `Bearer ${apiKey}` } : { [keyHeader]: apiKey };
}
