import {
  InferenceExecutionError,
  modelOf,
  type ContentBlock,
  type InferenceRequest,
  type JsonObject,
} from '../../contract/index.js';
import type { WireRequest } from '../../wire/Transport.js';
import { refuseOverrides, type OldEndpoint } from '../shared/onePrompt.js';
import { requestBody } from '../shared/requestBody.js';
import { DEFAULT_BASE_URL, responseFormat } from './encode.js';

const ENDPOINT: OldEndpoint = {
  factory: 'cohereChatV1',
  instead: 'cohereChat',
  takes: ['maxTokens', 'temperature', 'topP', 'stopSequences', 'seed', 'responseFormat'],
  joins: 'dialogue',
};

const ROLES = { user: 'USER', assistant: 'CHATBOT', system: 'SYSTEM', tool: 'TOOL' } as const;

/** Encodes a request for Cohere's `POST /v1/chat` (Cohere API reference v1, "Chat with Streaming"). */
export function encodeCohereV1(request: InferenceRequest, apiKey: string, baseUrl = DEFAULT_BASE_URL): WireRequest {
  const body = { model: modelOf(request), stream: true, ...bodyV1(request) };
  return {
    url: `${baseUrl.replace(/\/+$/, '')}/v1/chat`,
    headers: {
      'content-type': 'application/json',
      accept: 'application/stream+json',
      ...(apiKey !== '' && { authorization: `Bearer ${apiKey}` }),
    },
    body: requestBody(body, request.overrides?.providerOptions),
  };
}

/** The body but for the model, as Bedrock takes it for Command R as well. */
export function bodyV1(request: InferenceRequest): object {
  refuseOverrides(request, ENDPOINT);
  const { system, messages, overrides = {} } = request;
  const turns: JsonObject[] = messages.map(({ role, content }) => ({ role: ROLES[role], message: textOf(content) }));
  const last = turns.at(-1);
  if (last?.['role'] !== 'USER') throw invalid('the last message has to be one of the user');
  const format = responseFormat(overrides);
  const { json_schema: schema } = format ?? {};
  return {
    message: last['message'],
    chat_history: turns.length > 1 ? turns.slice(0, -1) : undefined,
    preamble: system === undefined ? undefined : typeof system === 'string' ? system : textOf(system),
    response_format: format && { type: 'json_object', ...(schema !== undefined && { schema }) },
    max_tokens: overrides.maxTokens,
    temperature: overrides.temperature,
    p: overrides.topP,
    stop_sequences: overrides.stopSequences,
    seed: overrides.seed,
  };
}

function textOf(content: readonly ContentBlock[]): string {
  return content
    .flatMap((block) => {
      if (block.type === 'text') return [block.text];
      if (block.type === 'reasoning' || block.type === 'provider') return [];
      throw invalid(`cannot send a block of type ${JSON.stringify(block.type)}`);
    })
    .join('\n\n');
}

function invalid(detail: string): InferenceExecutionError {
  return new InferenceExecutionError('invalid-request', `cohereChatV1: ${detail}; write it as text, or use cohereChat`);
}
