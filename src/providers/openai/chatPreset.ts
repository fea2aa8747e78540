import type { JsonObject } from '../../contract/index.js';
import type { EffortWords } from './effortWord.js';

/**
 * What a vendor does differently from OpenAI's Chat Completions: plain data, so that a vendor is one object. Everything
 * that is left out is as OpenAI has it.
 */
export interface CompatiblePreset {
  /** Names the executor and the vendor in errors; tells the vendor's opaque data from that of others. */
  name: string;
  /** Where the API lives, without a trailing slash. Left out, `options.baseUrl` must say it. */
  baseUrl?: string;
  /** Path below the base URL, in which `{model}` stands for the model. Defaults to `/chat/completions`. */
  path?: string;
  /** Value of the query parameter `api-version`, where the vendor wants one. */
  apiVersion?: string;
  /** Header that carries the bare key. Left out, the key goes into `Authorization: Bearer`. */
  keyHeader?: string;
  /** The provider whose rows of the continuation table count. Defaults to `name`. */
  continuation?: string;
  /** Base URL of requests that continue a trailing assistant turn, where that is another. */
  prefillBaseUrl?: string;
  /** Members added to the body of requests that continue a trailing assistant turn. */
  prefillBody?: JsonObject;
  /** Role of the system prompt. `by-model` is `developer` for OpenAI's reasoning models. Defaults to `system`. */
  systemRole?: 'system' | 'developer' | 'by-model';
  /** Name of the limit of the answer's tokens. Defaults to `max_tokens`. */
  maxTokens?: 'max_tokens' | 'max_completion_tokens';
  /** False where `stream_options` is refused; such vendors report usage unasked. */
  streamOptions?: boolean;
  /** Name of the seed. Defaults to `seed`. */
  seed?: 'seed' | 'random_seed';
  /** False where only `json_object` is known, so that a JSON schema is an error. */
  jsonSchema?: boolean;
  /** False where JSON is known only with a schema. */
  jsonObject?: boolean;
  /** False where a text has to be one string: several blocks are joined by a blank line. */
  textParts?: boolean;
  /** Media that the vendor takes in user messages beside images. Defaults to documents as `file` and audio. */
  media?: {
    /** Form of a document block, or false. `file-or-url` takes a URL where OpenAI wants the bytes. */
    document?: 'file' | 'file-or-url' | 'document_url' | false;
    /** Form of an audio block, or false. `plain` sends the bytes or the URL as one string. */
    audio?: 'input_audio' | 'plain' | false;
    /** True where a video goes as `video_url`. */
    video?: boolean;
  };
  /**
   * How the reasoning effort is asked for: `reasoning_effort`; OpenRouter's `reasoning` object, which also takes a
   * budget; `thinking: { type }` beside `reasoning_effort`; that alone (`switch`), where a model knows only on and off; or
   * arguments of the chat template. Defaults to `effort`.
   */
  reasoning?: 'effort' | 'reasoning' | 'thinking' | 'switch' | 'template';
  /** The vendor's word for the effort `max`. Defaults to `high`. */
  maxEffort?: string;
  /** What some models call the levels; the first entry that fits counts. Elsewhere `minimal` is `low`. */
  efforts?: readonly EffortWords[];
  /** How reasoning goes back to the vendor that made it. Left out, it does not. */
  reasoningHistory?: {
    /** The member of the assistant message; `content` puts it into the content as parts of type `thinking`. */
    as: 'reasoning_content' | 'reasoning' | 'reasoning_details' | 'content';
    /** True where only turns with tool calls take it. */
    toolTurnsOnly?: boolean;
    /** True where a turn with tool calls has to have the member, be it empty. */
    required?: boolean;
  };
  /** Ids of tool calls that the vendor takes, and the length of the ids that are made where one does not fit. */
  toolCallIds?: { pattern: RegExp; length: number };
  /** Types of opaque content parts that the vendor takes back. Defaults to `['refusal']`. */
  echoes?: readonly string[];
  /** True where the vendor itself tries other models in turn, which go as `models`. Elsewhere `withRetryOpen` does. */
  fallbackModels?: boolean;
  /** True where models write their reasoning between think tags at the beginning of the text. */
  thinkTags?: boolean;
}

/**
 * Source: OpenAI API reference, `reasoning_effort` ("models before gpt-5.1 … do not support none"; "xhigh … all models after
 * gpt-5.1-codex-max"), and the 400s of models that know neither `minimal` nor a level above `high`. Other names are those of
 * deployments, of which nothing is known.
 */
const OPENAI_EFFORTS: readonly EffortWords[] = [
  { models: /^gpt-5(?:-mini|-nano)?(?:-\d{4}-\d\d-\d\d)?$/, words: { none: 'minimal', minimal: 'minimal' } },
  { models: /^gpt-(?:5\.[6-9]|5\.\d\d|[6-9]|\d\d)/, words: { max: 'max' } },
  { models: /^gpt-5\.(?:[2-5]|1-codex-max)/, words: { max: 'xhigh' } },
  { models: /^(?:o\d|gpt-5-)/, words: { none: 'low' } },
];

/** OpenAI's own Chat Completions. Source: OpenAI API reference, "Create chat completion". */
export const OPENAI: CompatiblePreset = {
  name: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  systemRole: 'by-model',
  maxTokens: 'max_completion_tokens',
  efforts: OPENAI_EFFORTS,
  // 400 "string too long. Expected a string with maximum length 40" for an id of another vendor.
  toolCallIds: { pattern: /^[\s\S]{1,40}$/, length: 24 },
};
