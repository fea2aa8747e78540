import {
  modelOf,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
  type JsonValue,
  type ResponseFormat,
  type ToolChoice,
} from '../../contract/index.js';
import type { WireRequest } from '../../wire/Transport.js';
import type { EncodedContinuation } from '../shared/encodeContinuation.js';
import { requestBody } from '../shared/requestBody.js';
import { textValues } from '../shared/textValues.js';
import { systemTexts } from './contents.js';
import { encodeSteps } from './interactionsSteps.js';
import { thinkingLevel } from './models.js';
import { allTools, choiceOf, someOf } from './settings.js';
import { apiRoot, googleHeaders, type InteractionsOptions } from './options.js';

/** The revision whose events are decoded here (Gemini API, "Interactions API: breaking changes", May 2026). */
const REVISION = '2026-05-20';

/**
 * Encodes a request for the Interactions API: a new interaction, or the way back to one that is running.
 *
 * @param request - The request; a continuation stands in its messages.
 * @param continuation - How it was encoded; with `reattach` there is no body.
 * @param options - Where to, and whether in the background.
 * @param apiKey - The key, `''` when there is none.
 */
export function encodeInteraction(
  request: InferenceRequest,
  continuation: EncodedContinuation | undefined,
  options: InteractionsOptions,
  apiKey: string,
): WireRequest {
  const root = apiRoot(options);
  const cursor = continuation?.cursor;
  if (cursor !== undefined) {
    const after = cursor.after === undefined ? '' : `&last_event_id=${encodeURIComponent(cursor.after)}`;
    const url = `${root}/interactions/${encodeURIComponent(cursor.runId)}?stream=true${after}`;
    return { url, method: 'GET', headers: headers(apiKey, 'text/event-stream') };
  }
  return {
    url: `${root}/interactions`,
    headers: { 'content-type': 'application/json', ...headers(apiKey, 'text/event-stream') },
    body: bodyOf(request, options.background === true),
  };
}

/** Encodes the request that cancels a run in the background. */
export function encodeCancel(runId: string, options: InteractionsOptions, apiKey: string): WireRequest {
  return {
    url: `${apiRoot(options)}/interactions/${encodeURIComponent(runId)}/cancel`,
    headers: { 'content-type': 'application/json', ...headers(apiKey, 'application/json') },
    body: '{}',
  };
}

function headers(apiKey: string, accept: string): Record<string, string> {
  return { accept, 'api-revision': REVISION, ...googleHeaders(apiKey) };
}

function bodyOf(request: InferenceRequest, background: boolean): string {
  const { overrides = {} } = request;
  const { tools: ownTools, ...providerOptions } = overrides.providerOptions ?? {};
  const system = systemTexts(request.system, request.messages, 'geminiInteractions');
  const body = {
    // An agent brings its own model.
    model: 'agent' in providerOptions ? undefined : modelOf(request),
    input: encodeSteps(request),
    system_instruction: system.length > 0 ? system.join('\n\n') : undefined,
    tools: allTools(functions(request), ownTools, overrides),
    response_format: responseFormat(overrides.responseFormat),
    generation_config: generationConfig(request, overrides),
    labels: overrides.metadata && textValues(overrides.metadata),
    stream: true,
    background: background || undefined,
  };
  return requestBody(body, providerOptions);
}

function functions({ tools = [] }: InferenceRequest): JsonValue[] {
  return tools.map(({ name, description, parameters }) => ({ type: 'function', name, description, parameters }));
}

function generationConfig(request: InferenceRequest, overrides: InferenceOverrides): object | undefined {
  const { temperature, topP, maxTokens, stopSequences, seed, reasoningEffort } = overrides;
  const level = thinkingLevel(reasoningEffort, modelOf(request));
  return someOf({
    temperature,
    top_p: topP,
    max_output_tokens: maxTokens,
    stop_sequences: stopSequences,
    seed,
    thinking_level: level,
    thinking_summaries: level === undefined || reasoningEffort === 'none' ? undefined : 'auto',
    tool_choice: toolChoice(choiceOf(request)),
  });
}

function toolChoice(choice: ToolChoice | undefined): JsonValue | undefined {
  if (choice === undefined) return undefined;
  if (typeof choice === 'object') return { allowed_tools: { mode: 'any', tools: [choice.name] } };
  return choice === 'required' ? 'any' : choice;
}

function responseFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  if (format === undefined || format.type === 'text') return undefined;
  const json = { type: 'text', mime_type: 'application/json' };
  return format.type === 'json' ? json : { ...json, schema: format.schema };
}
