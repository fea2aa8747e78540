import {
  contentText,
  InferenceExecutionError,
  modelOf,
  type ContentBlock,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
  type JsonValue,
  type MediaSource,
  type Message,
  type ReasoningEffort,
  type ToolDescriptor,
} from '../../contract/index.js';
import type { WireRequest } from '../../wire/Transport.js';
import { onePrompt, type OldEndpoint } from '../shared/onePrompt.js';
import { requestBody } from '../shared/requestBody.js';

const DEFAULT_BASE_URL = 'http://127.0.0.1:11434';

/** A message as Ollama takes it (Ollama API reference, "Generate a chat message"; `api/types.go`, `Message`). */
interface WireMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  thinking?: string;
  images?: string[];
  tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: JsonObject } }[];
  tool_name?: string;
  tool_call_id?: string;
}

/** Encodes a request for Ollama's `POST /api/chat`. */
export function encodeOllama(request: InferenceRequest, apiKey: string, baseUrl = DEFAULT_BASE_URL): WireRequest {
  const { overrides = {} } = request;
  const model = modelOf(request);
  refuseMissing(overrides);
  const tools = overrides.toolChoice === 'none' ? [] : (request.tools ?? []);
  const body = {
    model,
    messages: encodeMessages(request),
    stream: true,
    tools: tools.length > 0 ? tools.map(encodeTool) : undefined,
    think: overrides.reasoningEffort === undefined ? undefined : think(overrides.reasoningEffort, model),
    format: format(overrides),
    options: modelOptions(overrides),
  };
  return wireRequest('chat', body, overrides, apiKey, baseUrl);
}

const GENERATE: OldEndpoint = {
  factory: 'ollamaGenerate',
  instead: 'ollamaChat',
  takes: ['maxTokens', 'temperature', 'topP', 'stopSequences', 'seed', 'reasoningEffort', 'responseFormat'],
  joins: 'dialogue',
  images: true,
};

/** Encodes a request for Ollama's `POST /api/generate` (Ollama API reference, "Generate a response"). */
export function encodeGenerate(
  request: InferenceRequest,
  isContinuation: boolean,
  apiKey: string,
  baseUrl = DEFAULT_BASE_URL,
): WireRequest {
  const { overrides = {} } = request;
  const model = modelOf(request);
  const { system, prompt, images } = onePrompt(request, GENERATE, isContinuation);
  const body = {
    model,
    prompt,
    system: system === '' ? undefined : system,
    images: images.length > 0 ? imagesOf(images) : undefined,
    stream: true,
    think: overrides.reasoningEffort === undefined ? undefined : think(overrides.reasoningEffort, model),
    format: format(overrides),
    options: modelOptions(overrides),
  };
  return wireRequest('generate', body, overrides, apiKey, baseUrl);
}

function wireRequest(
  endpoint: string,
  body: object,
  { providerOptions }: InferenceOverrides,
  apiKey: string,
  baseUrl: string,
): WireRequest {
  return {
    url: `${baseUrl.replace(/\/+$/, '')}/api/${endpoint}`,
    headers: { 'content-type': 'application/json', ...(apiKey !== '' && { authorization: `Bearer ${apiKey}` }) },
    body: requestBody(body, providerOptions),
  };
}

function refuseMissing({ toolChoice, parallelToolCalls, metadata }: InferenceOverrides): void {
  if (toolChoice === 'required' || typeof toolChoice === 'object') {
    throw invalid('Ollama cannot force a tool; leave toolChoice out and say so in the prompt');
  }
  if (parallelToolCalls === false)
    throw invalid('Ollama has no switch for parallel tool calls; leave parallelToolCalls out');
  if (metadata !== undefined) throw invalid('Ollama takes no metadata; leave overrides.metadata out');
}

/** gpt-oss knows three levels and no way to stop thinking; any other model is only told whether to think (Ollama "Thinking"). */
function think(effort: ReasoningEffort, model: string): boolean | string {
  if (typeof effort === 'object') {
    if (effort.budget <= 0) return false;
    throw invalid('Ollama has no budget for reasoning; name a level');
  }
  if (effort === 'none') return false;
  if (!/gpt-oss/i.test(model)) return true;
  if (effort === 'minimal') return 'low';
  return effort === 'max' ? 'high' : effort;
}

function format({ responseFormat }: InferenceOverrides): JsonValue | undefined {
  if (responseFormat === undefined || responseFormat.type === 'text') return undefined;
  return responseFormat.type === 'json' ? 'json' : responseFormat.schema;
}

function modelOptions({
  maxTokens,
  temperature,
  topP,
  stopSequences,
  seed,
}: InferenceOverrides): JsonObject | undefined {
  const options: JsonObject = {};
  if (maxTokens !== undefined) options['num_predict'] = maxTokens;
  if (temperature !== undefined) options['temperature'] = temperature;
  if (topP !== undefined) options['top_p'] = topP;
  if (stopSequences !== undefined) options['stop'] = stopSequences;
  if (seed !== undefined) options['seed'] = seed;
  return Object.keys(options).length > 0 ? options : undefined;
}

function encodeTool({ name, description, parameters }: ToolDescriptor): JsonObject {
  return { type: 'function', function: { name, description, parameters: { type: 'object', ...parameters } } };
}

function encodeMessages({ system, messages }: InferenceRequest): WireMessage[] {
  const names = new Map<string, string>();
  for (const { content } of messages) {
    for (const block of content) if (block.type === 'tool-call') names.set(block.id, block.name);
  }
  const encoded = messages.flatMap((message) => encodeMessage(message, names));
  if (system === undefined) return encoded;
  const prompt = typeof system === 'string' ? system : proseOf(system);
  return prompt === '' ? encoded : [{ role: 'system', content: prompt }, ...encoded];
}

function encodeMessage({ role, content }: Message, names: ReadonlyMap<string, string>): WireMessage[] {
  if (role === 'assistant') return assistantMessage(content);
  const results = content.flatMap((block) => (block.type === 'tool-result' ? [toolMessage(block, names)] : []));
  const rest = content.filter((block) => block.type !== 'tool-result');
  if (rest.length === 0 && results.length > 0) return results;
  const images = imagesOf(rest);
  const text = proseOf(rest);
  const message = { role: role === 'tool' ? 'user' : role, content: text, ...(images.length > 0 && { images }) };
  return [...results, message];
}

function toolMessage(
  block: Extract<ContentBlock, { type: 'tool-result' }>,
  names: ReadonlyMap<string, string>,
): WireMessage {
  const { toolCallId, content, isError } = block;
  const name = block.name ?? names.get(toolCallId);
  const images = imagesOf(content);
  const text = proseOf(content);
  return {
    role: 'tool',
    // There is no mark for a tool that failed: the model has to read it.
    content: isError ? `Error: ${text}` : text,
    ...(name !== undefined && { tool_name: name }),
    tool_call_id: toolCallId,
    ...(images.length > 0 && { images }),
  };
}

function assistantMessage(content: readonly ContentBlock[]): WireMessage[] {
  const message: WireMessage = { role: 'assistant', content: contentText(content) };
  const thinking = content.map(thoughts).join('');
  if (thinking !== '') message.thinking = thinking;
  const calls = content.flatMap((block) => {
    if (block.type !== 'tool-call') return [];
    const args = isObject(block.arguments) ? block.arguments : { value: block.arguments };
    return [{ id: block.id, type: 'function' as const, function: { name: block.name, arguments: args } }];
  });
  if (calls.length > 0) message.tool_calls = calls;
  const images = imagesOf(content);
  if (images.length > 0) message.images = images;
  return message.content === '' && thinking === '' && calls.length === 0 && images.length === 0 ? [] : [message];
}

/** Thoughts are shown to a model again when Ollama sent them, and whole (Ollama "Tool calling": the turn goes back with its thinking). */
function thoughts(block: ContentBlock): string {
  if (block.type !== 'reasoning') return '';
  const { provider, complete } = block.providerMetadata ?? {};
  return provider === 'ollama' && complete === true ? block.text : '';
}

/** The pieces of what somebody wrote are paragraphs; Ollama takes one string. */
function proseOf(content: readonly ContentBlock[]): string {
  return content.flatMap((block) => (block.type === 'text' && block.text !== '' ? [block.text] : [])).join('\n\n');
}

function imagesOf(content: readonly ContentBlock[]): string[] {
  return content.flatMap((block) => {
    if (block.type === 'image') return [base64Of(block.source)];
    if (block.type === 'document' || block.type === 'audio' || block.type === 'video') {
      throw invalid(
        `cannot send ${block.type === 'audio' ? 'an' : 'a'} ${block.type} block: Ollama takes text and images; give its text`,
      );
    }
    return [];
  });
}

function base64Of(source: MediaSource): string {
  if (source.type === 'base64') return source.data;
  const data = /^data:[^,]*;base64,(.*)$/s.exec(source.url);
  if (data) return String(data[1]);
  throw invalid('cannot send an image block by its address: Ollama loads nothing; give the bytes as base64');
}

function invalid(detail: string): InferenceExecutionError {
  return new InferenceExecutionError('invalid-request', `ollamaChat: ${detail}`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
