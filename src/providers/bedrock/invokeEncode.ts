import {
  InferenceExecutionError,
  modelOf,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
} from '../../contract/index.js';
import type { WireRequest } from '../../wire/Transport.js';
import { bodyOf as claudeBody } from '../anthropic/encode.js';
import { canPrefill as canPrefillClaude } from '../anthropic/settings.js';
import { bodyV1 } from '../cohere/encodeV1.js';
import { onePrompt, type OldEndpoint } from '../shared/onePrompt.js';
import { requestBody } from '../shared/requestBody.js';
import { converseBody, modelUrl } from './encode.js';

/** A model that takes one text: what its members are called. */
interface TextModel {
  model: RegExp;
  prompt: string;
  /** Object in which the settings stand; absent where they stand beside the prompt. */
  settings?: string;
  maxTokens: string;
  topP: string;
  /** Absent where there are none. */
  stopSequences?: string;
}

/** AWS user guide, "Inference request parameters and response fields for foundation models". */
const TEXT_MODELS: readonly TextModel[] = [
  {
    model: /titan-t/i,
    prompt: 'inputText',
    settings: 'textGenerationConfig',
    maxTokens: 'maxTokenCount',
    topP: 'topP',
    stopSequences: 'stopSequences',
  },
  { model: /llama/i, prompt: 'prompt', maxTokens: 'max_gen_len', topP: 'top_p' },
  {
    model: /mistral-7b|mixtral|mistral-(?:small|large)-2402/i,
    prompt: 'prompt',
    maxTokens: 'max_tokens',
    topP: 'top_p',
    stopSequences: 'stop',
  },
  {
    model: /command-(?:light-)?text/i,
    prompt: 'prompt',
    maxTokens: 'max_tokens',
    topP: 'p',
    stopSequences: 'stop_sequences',
  },
];

/** Encodes a request for `InvokeModelWithResponseStream` (AWS API reference, Amazon Bedrock Runtime). */
export function encodeInvoke(
  request: InferenceRequest,
  isContinuation: boolean,
  baseUrl: string,
  headers: Readonly<Record<string, string>>,
): WireRequest {
  const model = modelOf(request);
  return {
    url: modelUrl(baseUrl, model, 'invoke-with-response-stream'),
    headers: { 'content-type': 'application/json', accept: 'application/vnd.amazon.eventstream', ...headers },
    body: bodyFor(request, model, isContinuation),
  };
}

/** As with the API whose format the model takes. */
export function canPrefillInvoke(request: InferenceRequest): boolean {
  return !/claude/i.test(modelOf(request)) || canPrefillClaude(request);
}

function bodyFor(request: InferenceRequest, model: string, isContinuation: boolean): string {
  const { overrides: { providerOptions } = {} } = request;
  if (/claude/i.test(model)) return requestBody(claude(request, isContinuation));
  if (/\bnova-/i.test(model)) return nova(request, model);
  if (/command-r/i.test(model)) return requestBody(bodyV1(request), providerOptions);
  const text = TEXT_MODELS.find((known) => known.model.test(model));
  if (text) return requestBody(textBody(request, text, isContinuation), providerOptions);
  throw invalid(`the format that ${JSON.stringify(model)} takes is not known here`);
}

/** AWS user guide, "Anthropic Claude Messages API": the model stands in the address, and there are no addresses of media. */
function claude(request: InferenceRequest, isContinuation: boolean): object {
  for (const { content } of request.messages) {
    for (const block of content) {
      if ('source' in block && block.source.type === 'url')
        throw invalid(`${block.type} blocks have to be given as bytes`);
    }
  }
  const { model: _model, stream: _stream, ...body } = claudeBody(request, isContinuation);
  return { anthropic_version: 'bedrock-2023-05-31', ...body };
}

/** Amazon Nova user guide, "Using the Invoke API": Converse without documents, and reasoning among the settings. */
function nova(request: InferenceRequest, model: string): string {
  const { metadata, responseFormat } = request.overrides ?? {};
  if (metadata !== undefined) throw invalid('Nova takes no metadata');
  if (responseFormat !== undefined && responseFormat.type !== 'text') throw invalid('Nova has no response format');
  if (request.messages.some(({ content }) => content.some(({ type }) => type === 'document'))) {
    throw invalid('Nova takes no document blocks');
  }
  const { body, options } = converseBody(request, model);
  const { additionalModelRequestFields: fields, inferenceConfig, ...rest } = body;
  const config = { ...(inferenceConfig as JsonObject | undefined), ...(fields as JsonObject | undefined) };
  const settings = Object.keys(config).length > 0 ? { inferenceConfig: config } : {};
  return requestBody({ schemaVersion: 'messages-v1', ...rest, ...settings }, options);
}

function textBody(request: InferenceRequest, model: TextModel, isContinuation: boolean): object {
  const takes: (keyof InferenceOverrides)[] = ['maxTokens', 'temperature', 'topP'];
  if (model.stopSequences !== undefined) takes.push('stopSequences');
  const endpoint: OldEndpoint = { factory: 'bedrockInvoke', instead: 'bedrockConverse', takes, joins: 'end' };
  const { system, prompt } = onePrompt(request, endpoint, isContinuation);
  const { maxTokens, temperature, topP, stopSequences } = request.overrides ?? {};
  const settings = {
    [model.maxTokens]: maxTokens,
    temperature,
    [model.topP]: topP,
    ...(model.stopSequences !== undefined && { [model.stopSequences]: stopSequences }),
  };
  return {
    [model.prompt]: system === '' ? prompt : `${system}\n\n${prompt}`,
    ...(model.settings === undefined ? settings : { [model.settings]: settings }),
    // Command gives the whole answer at once unless it is told to stream.
    ...(model.topP === 'p' && { stream: true }),
  };
}

function invalid(detail: string): InferenceExecutionError {
  return new InferenceExecutionError('invalid-request', `bedrockInvoke: ${detail}; use bedrockConverse`);
}
