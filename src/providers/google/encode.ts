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
import { requestBody } from '../shared/requestBody.js';
import { textValues } from '../shared/textValues.js';
import { encodeContents, systemInstruction } from './contents.js';
import { invalid, thinkingConfig } from './models.js';
import { allTools, choiceOf, someOf } from './settings.js';
import { apiRoot, googleHeaders, type GeminiOptions } from './options.js';

/**
 * Encodes a request for `models.streamGenerateContent` (Gemini API reference, "Generating content"; Vertex AI takes the
 * same).
 *
 * @param request - The request; a continuation stands in its messages.
 * @param options - Where to, and which form of the stream.
 * @param apiKey - The key, `''` when there is none.
 */
export function encodeGenerateContent(request: InferenceRequest, options: GeminiOptions, apiKey: string): WireRequest {
  const { overrides = {} } = request;
  const root = apiRoot(options);
  const model = modelOf(request);
  const { tools: ownTools, ...providerOptions } = overrides.providerOptions ?? {};
  const body = {
    contents: encodeContents(request, model),
    systemInstruction: systemInstruction(request),
    tools: allTools(functions(request), ownTools, overrides),
    toolConfig: toolConfig(choiceOf(request)),
    generationConfig: generationConfig(overrides, model),
    labels: labels(overrides.metadata, root),
  };
  const query = options.transport === 'json-array' ? '' : '?alt=sse';
  return {
    url: `${root}/${modelPath(model)}:streamGenerateContent${query}`,
    headers: { 'content-type': 'application/json', ...googleHeaders(apiKey) },
    body: requestBody(body, providerOptions),
  };
}

/** `models/gemini-…`; a name with folders of its own, such as `tunedModels/x` or `endpoints/1`, is taken as it is. */
function modelPath(model: string): string {
  if (model === '' || model.split('/').some((part) => /^\.*$/.test(part))) {
    throw invalid(`${JSON.stringify(model)} is no model of Google`);
  }
  return model.includes('/')
    ? model.split('/').map(encodeURIComponent).join('/')
    : `models/${encodeURIComponent(model)}`;
}

function functions({ tools = [] }: InferenceRequest): JsonValue[] {
  const functionDeclarations = tools.map(({ name, description, parameters }) => ({
    name,
    description,
    // JSON Schema as it is; `parameters` would take a part of OpenAPI 3.0 only.
    parametersJsonSchema: parameters,
  }));
  return functionDeclarations.length > 0 ? [{ functionDeclarations }] : [];
}

function toolConfig(toolChoice: ToolChoice | undefined): JsonObject | undefined {
  if (toolChoice === undefined) return undefined;
  if (typeof toolChoice === 'object') {
    return { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [toolChoice.name] } };
  }
  return { functionCallingConfig: { mode: { auto: 'AUTO', none: 'NONE', required: 'ANY' }[toolChoice] } };
}

function generationConfig(overrides: InferenceOverrides, model: string): object | undefined {
  const { temperature, topP, maxTokens, stopSequences, seed, responseFormat, reasoningEffort } = overrides;
  return someOf({
    temperature,
    topP,
    maxOutputTokens: maxTokens,
    stopSequences,
    seed,
    ...formatFields(responseFormat),
    thinkingConfig: thinkingConfig(reasoningEffort, model),
  });
}

function formatFields(format: ResponseFormat | undefined): JsonObject {
  if (format === undefined || format.type === 'text') return {};
  const json = { responseMimeType: 'application/json' };
  return format.type === 'json' ? json : { ...json, responseJsonSchema: format.schema };
}

/** Vertex AI keeps labels for its bills; the Gemini API has nothing of the kind. */
function labels(metadata: JsonObject | undefined, root: string): JsonObject | undefined {
  if (metadata === undefined) return undefined;
  if (!root.includes('/projects/')) throw invalid('the Gemini API takes no metadata: leave it out, or use Vertex AI');
  return textValues(metadata);
}
