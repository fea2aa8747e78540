import { lastValueFrom, toArray } from 'rxjs';
import {
  assistantMessage,
  InferenceExecutionError,
  toolMessage,
  userMessage,
  type ContentBlock,
  type ContinuationMechanism,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
  type LlmExecutor,
  type MediaSource,
  type RunCursor,
  type StreamResult,
} from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { bedrockConverse } from '../../src/providers/bedrock/index.js';
import { cohereChat } from '../../src/providers/cohere/index.js';
import { geminiGenerateContent, geminiInteractions } from '../../src/providers/google/index.js';
import { ollamaChat } from '../../src/providers/ollama/index.js';
import {
  compatiblePresets,
  openaiChat,
  openaiCompatible,
  openaiResponses,
  type CompatiblePresetName,
} from '../../src/providers/openai/index.js';
import { encodeAnswerBytes, type AnswerScript, type LlmWireName } from '../../src/testing/index.js';
import { readContinuation } from '../../src/testing/server/continuation.js';
import { readRequest } from '../../src/testing/server/readRequest.js';
import { wireEncoder } from '../../src/testing/wire/index.js';
import { fakeFetch, type FakeFetch } from '../helpers/fakeFetch.js';
import { byPrompt, OLDER, SIGNATURE, THOUGHT, USAGE, WHOLE } from './olderEndpoints.js';

/** A provider whose abilities are looked up by asking it. */
export interface Subject {
  /** Name of the factory. */
  factory: string;
  /** The wire format in which it is answered; absent for one that the fault server does not speak. */
  format?: LlmWireName;
  /** For such a one: what it answers, and how a body says that a text is to be continued. */
  own?: OwnWire;
  create: (options: { fetch: FakeFetch; apiKey: string }) => LlmExecutor;
  /** The same with runs in the background, where there are such. */
  background?: (options: { fetch: FakeFetch; apiKey: string }) => LlmExecutor;
  /** Models whose names stand for what models of the vendor can do; the first one is asked where it makes no difference. */
  models: readonly [string, ...string[]];
  /** What is said of how models go on with a text that was cut off, and models that it is said of. */
  continuation: readonly { mechanism: ContinuationMechanism; said: string; models: readonly string[] }[];
}

/** A wire format that only this file speaks. */
export interface OwnWire {
  answer: Uint8Array | string;
  contentType: string;
  mechanism: (body: JsonObject) => ContinuationMechanism | undefined;
}

const CLAUDE = [
  {
    mechanism: 'prefill',
    said: 'Claude up to 4.5',
    models: ['claude-3-haiku-20240307', 'claude-sonnet-4-20250514', 'claude-sonnet-4-5', 'claude-haiku-4-5-20251001'],
  },
  { mechanism: 'prompt', said: '', models: ['claude-opus-4-6', 'claude-sonnet-5', 'claude-mythos-5-1'] },
] as const;

/** The providers of the table, but for the presets. */
export const SUBJECTS: readonly Subject[] = [
  {
    factory: 'openaiChat',
    format: 'openaiChat',
    create: openaiChat,
    models: ['gpt-5'],
    continuation: byPrompt('gpt-5', 'gpt-4o'),
  },
  {
    factory: 'openaiResponses',
    format: 'openaiResponses',
    create: openaiResponses,
    background: (options) => openaiResponses({ ...options, background: true }),
    models: ['gpt-5'],
    continuation: byPrompt('gpt-5', 'gpt-4o'),
  },
  {
    factory: 'anthropicMessages',
    format: 'anthropicMessages',
    create: anthropicMessages,
    models: ['claude-sonnet-4-5', 'claude-opus-4-6'],
    continuation: CLAUDE,
  },
  {
    factory: 'geminiGenerateContent',
    format: 'geminiGenerateContent',
    create: geminiGenerateContent,
    models: ['gemini-2.5-flash', 'gemini-3-flash-preview'],
    continuation: [
      {
        mechanism: 'prefill',
        said: 'up to 3.5 Flash',
        models: ['gemini-2.0-flash', 'gemini-2.5-pro', 'gemini-3-flash-preview', 'gemini-3.1-pro', 'gemini-3.5-flash'],
      },
      { mechanism: 'prompt', said: '', models: ['gemini-3.5-flash-lite', 'gemini-3.6-flash', 'gemini-flash-latest'] },
    ],
  },
  {
    factory: 'geminiInteractions',
    format: 'geminiInteractions',
    create: geminiInteractions,
    background: (options) => geminiInteractions({ ...options, background: true }),
    models: ['gemini-3-flash-preview'],
    continuation: byPrompt('gemini-3-flash-preview', 'gemini-2.5-flash'),
  },
  {
    factory: 'bedrockConverse',
    format: 'bedrockConverse',
    create: bedrockConverse,
    models: ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'amazon.nova-2-lite-v1:0'],
    continuation: [
      {
        mechanism: 'prefill',
        said: 'Claude up to 4.5',
        models: ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'anthropic.claude-3-haiku-20240307-v1:0'],
      },
      {
        mechanism: 'prompt',
        said: '',
        models: ['anthropic.claude-opus-4-6-v1', 'amazon.nova-2-lite-v1:0', 'openai.gpt-oss-120b-1:0'],
      },
    ],
  },
  {
    factory: 'ollamaChat',
    format: 'ollamaChat',
    create: ollamaChat,
    models: ['qwen3', 'gpt-oss:20b'],
    continuation: byPrompt('qwen3', 'llama3.2'),
  },
  {
    factory: 'cohereChat',
    format: 'cohereChat',
    create: cohereChat,
    models: ['command-a-reasoning-08-2025', 'command-a-03-2025'],
    continuation: byPrompt('command-a-reasoning-08-2025', 'command-a-03-2025'),
  },
  ...OLDER,
];

/** Models of the presets: what is prefilled comes first, then what is not. */
const PRESET_MODELS: Record<CompatiblePresetName, { prefill: string[]; said?: string; prompt: string[] }> = {
  azure: { prefill: [], prompt: ['my-deployment'] },
  mistral: { prefill: ['mistral-large-latest'], said: 'not Magistral', prompt: ['magistral-medium-latest'] },
  deepseek: { prefill: ['deepseek-chat'], said: 'not thinking models', prompt: ['deepseek-reasoner'] },
  moonshot: { prefill: ['moonshot-v1-8k', 'kimi-k2-0905-preview'], said: 'not thinking models', prompt: ['kimi-k2.5'] },
  groq: {
    prefill: ['llama-3.3-70b-versatile', 'gemma2-9b-it', 'moonshotai/kimi-k2-instruct'],
    said: 'Llama, Gemma, Kimi',
    prompt: ['qwen/qwen3-32b'],
  },
  xai: { prefill: [], prompt: ['grok-4'] },
  openrouter: {
    prefill: ['anthropic/claude-sonnet-4.5'],
    said: 'Claude up to 4.5',
    prompt: ['openai/gpt-5', 'anthropic/claude-opus-4.6', 'anthropic/claude-3.7-sonnet:thinking'],
  },
  together: { prefill: [], prompt: ['meta-llama/Llama-3.3-70B-Instruct-Turbo'] },
  fireworks: { prefill: [], prompt: ['accounts/fireworks/models/llama-v3p3-70b-instruct'] },
  perplexity: { prefill: [], prompt: ['sonar-pro'] },
  cerebras: { prefill: [], prompt: ['llama-3.3-70b'] },
  vllm: { prefill: ['meta-llama/Llama-3.1-8B-Instruct'], said: 'not thinking models', prompt: ['Qwen/QwQ-32B'] },
  sglang: { prefill: ['meta-llama/Llama-3.1-8B-Instruct'], said: 'not thinking models', prompt: ['Qwen/QwQ-32B'] },
  llamacpp: { prefill: ['qwen3-1.7b'], said: 'not gpt-oss', prompt: ['gpt-oss-20b'] },
  lmstudio: { prefill: [], prompt: ['qwen3-4b'] },
  ollama: { prefill: [], prompt: ['qwen3'] },
};

export const PRESETS = Object.keys(compatiblePresets) as CompatiblePresetName[];

/** The preset as a provider of its own. */
export function presetSubject(preset: CompatiblePresetName): Subject {
  const { prefill, prompt, said = '' } = PRESET_MODELS[preset];
  const models = [...prefill, ...prompt];
  return {
    factory: `openaiCompatible('${preset}')`,
    format: 'openaiChat',
    create: (options) => openaiCompatible(preset, { baseUrl: 'https://llm.example.com/v1', ...options }),
    models: [String(models[0]), ...models.slice(1)],
    continuation: [
      ...(prefill.length > 0 ? [{ mechanism: 'prefill' as const, said, models: prefill }] : []),
      { mechanism: 'prompt', said: '', models: prompt },
    ],
  };
}

/** What a provider can do, found out by asking it. */
export interface Facts {
  /** `declared`: tools are sent and calls come; the rest by what the request may ask of them. */
  tools: ('declared' | 'forced' | 'named' | 'one at a time')[];
  /** How much thinking can be asked for, whether thoughts come, and whether they go back to the model. */
  reasoning: ('levels' | 'budgets' | 'read' | 'sent back')[];
  /** Media of a user message that are sent as bytes. */
  bytes: Medium[];
  /** Media of a user message that are sent as an address. */
  addresses: Medium[];
  structured: ('JSON' | 'JSON schema')[];
  usage: ('input' | 'output' | 'cache reads' | 'cache writes' | 'thinking')[];
  reattach: boolean;
}

export type Medium = (typeof MEDIA)[number];
const MEDIA = ['image', 'document', 'audio', 'video'] as const;
const TYPES: Record<Medium, string> = {
  image: 'image/png',
  document: 'application/pdf',
  audio: 'audio/wav',
  video: 'video/mp4',
};

const TOOL = { id: 'weather', name: 'weather', description: 'Weather', parameters: { type: 'object' } };
const SCHEMA: JsonObject = {
  type: 'object',
  properties: { marbles: { type: 'integer' } },
  required: ['marbles'],
  additionalProperties: false,
};

/** Finds out everything that stands in the table. Throws where something that was asked for is silently left out. */
export async function factsOf(subject: Subject): Promise<Facts> {
  const tools = { tools: [TOOL] };
  const result = await answerOf(subject, WHOLE);
  const ask = (overrides: InferenceOverrides, extra: Partial<InferenceRequest> = {}) =>
    takes(subject, { ...extra, overrides }, extra);
  const schema = { type: 'json-schema', name: 'marbles', schema: SCHEMA } as const;
  return {
    tools: held({
      declared: (await takes(subject, tools, {})) && result.toolCalls[0]?.name === 'weather',
      forced: await ask({ toolChoice: 'required' }, tools),
      named: await ask({ toolChoice: { name: 'weather' } }, { tools: [TOOL, { ...TOOL, name: 'other' }] }),
      'one at a time': await ask({ parallelToolCalls: false }, tools),
    }),
    reasoning: held({
      levels: await ask({ reasoningEffort: 'high' }),
      budgets: await ask({ reasoningEffort: { budget: 2_048 } }),
      read: result.content.some((block) => block.type === 'reasoning' && block.text === THOUGHT),
      'sent back': await sendsBack(subject, result),
    }),
    bytes: await mediaOf(subject, (medium) => ({ type: 'base64', mediaType: TYPES[medium], data: 'TUFSQkxFUw==' })),
    addresses: await mediaOf(subject, (medium) => ({ type: 'url', url: `https://example.com/${TYPES[medium]}` })),
    structured: held({
      JSON: await ask({ responseFormat: { type: 'json' } }),
      'JSON schema': await ask({ responseFormat: schema }),
    }),
    usage: held({
      input: result.usage?.promptTokens === USAGE.promptTokens,
      output: result.usage?.completionTokens === USAGE.completionTokens,
      'cache reads': result.usage?.cacheReadTokens === USAGE.cacheReadTokens,
      'cache writes': result.usage?.cacheCreationTokens === USAGE.cacheCreationTokens,
      thinking: result.usage?.thinkingTokens === USAGE.thinkingTokens,
    }),
    reattach: await reattaches(subject),
  };
}

/** Asks a model to go on, and tells how that was encoded. */
export async function mechanismOf(subject: Subject, model: string): Promise<ContinuationMechanism | undefined> {
  const continuation = { prefix: 'Marbles roll', cancelledTools: [] };
  const { body } = await send(subject, { model, continuation });
  const asked = JSON.parse(String(body)) as JsonObject;
  if (subject.own) return subject.own.mechanism(asked);
  const { messages } = readRequest(formatOf(subject), asked);
  return readContinuation(messages).continuation?.mechanism;
}

function held<Name extends string>(facts: Record<Name, boolean>): Name[] {
  return (Object.keys(facts) as Name[]).filter((name) => facts[name]);
}

/** The media that arrive in the body; one that is neither refused nor sent is an error. */
async function mediaOf(subject: Subject, sourceOf: (medium: Medium) => MediaSource): Promise<Medium[]> {
  const taken: Medium[] = [];
  for (const medium of MEDIA) {
    const source = sourceOf(medium);
    const block: ContentBlock = { type: medium, source };
    const messages = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'see' }, block] }];
    const { body } = await send(subject, { messages });
    if (body === undefined) continue;
    if (!body.includes(source.type === 'url' ? source.url : source.data)) throw leftOut(subject, medium);
    taken.push(medium);
  }
  return taken;
}

/** True when at least one model takes the request and its body says something that it does not say without. */
async function takes(
  subject: Subject,
  extra: Partial<InferenceRequest>,
  without: Partial<InferenceRequest>,
): Promise<boolean> {
  let taken = false;
  for (const model of subject.models) {
    const { body } = await send(subject, { model, ...extra });
    if (body === undefined) continue;
    if (body === (await send(subject, { model, ...without })).body) throw leftOut(subject, extra);
    taken = true;
  }
  return taken;
}

async function sendsBack(subject: Subject, result: StreamResult): Promise<boolean> {
  const [call] = result.toolCalls;
  const messages = [
    userMessage('hello'),
    assistantMessage(result.content),
    toolMessage(String(call?.id), 'sunny', { name: 'weather' }),
  ];
  const { body } = await send(subject, { messages, tools: [TOOL] });
  return body !== undefined && (body.includes(THOUGHT) || body.includes(SIGNATURE));
}

/** Breaks an answer in the middle of a run, and looks whether the rest of the run is asked for. */
async function reattaches({ background, models, ...subject }: Subject): Promise<boolean> {
  if (!background) return false;
  const bytes = encodeAnswerBytes(formatOf(subject), 'Marbles roll along a line.', { background: true });
  const fetch = fakeFetch({ body: bytes.slice(0, -300), end: 'reset' });
  const executor = background({ fetch, apiKey: 'k' });
  const request: InferenceRequest = { model: models[0], messages: [userMessage('hello')] };
  const broken: unknown = await lastValueFrom(executor.executeStream(request).pipe(toArray())).catch(
    (error: unknown) => error,
  );
  const cursor: RunCursor | null | undefined =
    broken instanceof InferenceExecutionError ? broken.snapshot?.cursor : undefined;
  if (!cursor) return false;
  const continuation = { prefix: 'Marbles', cancelledTools: [], mechanism: 'reattach' as const, cursor };
  await lastValueFrom(executor.executeStream({ ...request, continuation }).pipe(toArray())).catch(() => undefined);
  const { url, init } = fetch.requests[1]!;
  return init.method === 'GET' && url.includes(encodeURIComponent(cursor.runId));
}

async function answerOf(subject: Subject, script: AnswerScript): Promise<StreamResult> {
  const { executor, request } = prepare(subject, {}, script);
  return lastValueFrom(executor.execute(request));
}

/** The body of a request; undefined when it is refused before it is sent, as what the vendor lacks has to be. */
async function send(subject: Subject, extra: Partial<InferenceRequest>): Promise<{ body: string | undefined }> {
  const { executor, request, fetch } = prepare(subject, extra, 'Fine.');
  try {
    await lastValueFrom(executor.executeStream(request));
  } catch (error) {
    const refused = error instanceof InferenceExecutionError && error.kind === 'invalid-request';
    if (!refused || fetch.requests.length > 0) throw error;
    return { body: undefined };
  }
  return { body: fetch.requests[0]?.init.body as string };
}

function prepare(subject: Subject, extra: Partial<InferenceRequest>, script: AnswerScript) {
  const { create, models, own } = subject;
  const headers = { 'content-type': own?.contentType ?? wireEncoder(formatOf(subject)).contentType };
  const fetch = fakeFetch({ body: own?.answer ?? encodeAnswerBytes(formatOf(subject), script), headers });
  const executor = create({ fetch, apiKey: 'k' });
  return { fetch, executor, request: { model: models[0], messages: [userMessage('hello')], ...extra } };
}

function formatOf({ format }: Pick<Subject, 'format'>): LlmWireName {
  if (format === undefined) throw new Error('a provider needs a wire format, or one of its own');
  return format;
}

function leftOut({ factory }: Subject, what: unknown): Error {
  return new Error(`${factory} neither sends nor refuses ${JSON.stringify(what)}`);
}
