import type {
  InferenceOverrides,
  InferenceRequest,
  ReasoningEffort,
  ResponseFormat,
  ToolChoice,
  ToolDescriptor,
} from '../contract/index.js';
import { badBody, listIn, numberIn, objectIn, schemaIn, textIn } from './readBody.js';
import { readOpenAiMessages } from './readOpenAiMessages.js';

/** What a Chat Completions request asks for. */
export interface OpenAiChatRequest {
  request: InferenceRequest;
  /** Whether the answer is streamed. */
  stream: boolean;
  /** Whether the stream ends with the tokens. */
  includeUsage: boolean;
}

/**
 * Reads the body of a request to OpenAI's Chat Completions API: messages with images, audio, files and tool results, tools,
 * and the settings that this library knows. Members that it does not know are left out.
 *
 * @param body - The parsed body.
 * @throws InferenceExecutionError `invalid-request` that says what is wrong and where; also for what would change the
 * form of the answer and is not supported: `n` above 1, `logprobs`, audio answers, custom tools.
 */
export function readOpenAiRequest(body: unknown): OpenAiChatRequest {
  const read = objectIn(body, '');
  const { stream, stream_options: options, n } = read;
  if (n !== undefined && n !== null && n !== 1) throw badBody('n', 'only one answer can be asked for at a time');
  if (read['logprobs'] === true) throw badBody('logprobs', 'are not supported');
  if (Array.isArray(read['modalities']) && read['modalities'].some((modality) => modality !== 'text')) {
    throw badBody('modalities', 'only "text" is supported');
  }
  const { tools } = read;
  const descriptors = tools === undefined || tools === null ? [] : listIn(tools, 'tools').map(toolIn);
  const overrides = overridesIn(read);
  const request: InferenceRequest = {
    model: textIn(read['model'], 'model'),
    messages: readOpenAiMessages(read['messages'], 'messages'),
    ...(descriptors.length > 0 && { tools: descriptors }),
    ...(Object.keys(overrides).length > 0 && { overrides }),
  };
  const includeUsage = options === undefined || options === null ? undefined : objectIn(options, 'stream_options');
  return { request, stream: stream === true, includeUsage: includeUsage?.['include_usage'] === true };
}

function toolIn(value: unknown, index: number): ToolDescriptor {
  const where = `tools[${index}]`;
  const { type, function: described } = objectIn(value, where);
  if (type !== 'function') throw badBody(`${where}.type`, `${JSON.stringify(type)} is not supported; use "function"`);
  const { name, description, parameters } = objectIn(described, `${where}.function`);
  const called = textIn(name, `${where}.function.name`);
  return {
    id: called,
    name: called,
    description: typeof description === 'string' ? description : '',
    parameters: schemaIn(parameters, `${where}.function.parameters`),
  };
}

function overridesIn(read: Record<string, unknown>): InferenceOverrides {
  const settings: Record<keyof InferenceOverrides, unknown> = {
    ...NONE,
    temperature: numberIn(read['temperature'], 'temperature'),
    topP: numberIn(read['top_p'], 'top_p'),
    maxTokens:
      numberIn(read['max_completion_tokens'], 'max_completion_tokens') ?? numberIn(read['max_tokens'], 'max_tokens'),
    seed: numberIn(read['seed'], 'seed'),
    reasoningEffort: effortIn(read['reasoning_effort']),
    toolChoice: choiceIn(read['tool_choice']),
    parallelToolCalls: read['parallel_tool_calls'] === false ? false : undefined,
    responseFormat: formatIn(read['response_format']),
    stopSequences: stopIn(read['stop']),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** What this API has no word for. */
const NONE = { model: undefined, fallbackModels: undefined, metadata: undefined, providerOptions: undefined };

const EFFORTS: Record<string, ReasoningEffort> = {
  none: 'none',
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'max',
};

function effortIn(value: unknown): ReasoningEffort | undefined {
  if (value === undefined || value === null) return undefined;
  const effort = typeof value === 'string' && Object.hasOwn(EFFORTS, value) ? EFFORTS[value] : undefined;
  if (effort === undefined) throw badBody('reasoning_effort', `use one of ${Object.keys(EFFORTS).join(', ')}`);
  return effort;
}

function choiceIn(value: unknown): ToolChoice | undefined {
  if (value === undefined || value === null) return undefined;
  if (value === 'auto' || value === 'none' || value === 'required') return value;
  if (typeof value === 'string') throw badBody('tool_choice', 'use "auto", "none", "required" or a function');
  const { type, function: called } = objectIn(value, 'tool_choice');
  if (type !== 'function') throw badBody('tool_choice.type', 'only "function" is supported');
  return { name: textIn(objectIn(called, 'tool_choice.function')['name'], 'tool_choice.function.name') };
}

function formatIn(value: unknown): ResponseFormat | undefined {
  if (value === undefined || value === null) return undefined;
  const { type, json_schema: described } = objectIn(value, 'response_format');
  if (type === 'text') return { type: 'text' };
  if (type === 'json_object') return { type: 'json' };
  if (type !== 'json_schema') throw badBody('response_format.type', 'use "text", "json_object" or "json_schema"');
  const { name, schema, strict } = objectIn(described, 'response_format.json_schema');
  return {
    type: 'json-schema',
    schema: schemaIn(schema, 'response_format.json_schema.schema'),
    ...(typeof name === 'string' && { name }),
    ...(typeof strict === 'boolean' && { strict }),
  };
}

function stopIn(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return [value];
  return listIn(value, 'stop').map((text, index) => textIn(text, `stop[${index}]`));
}
