import type { ContentBlock } from './content.js';
import type { Continuation } from './continuation.js';
import type { JsonObject } from './json.js';
import type { Message } from './message.js';
import type { ToolDescriptor } from './tool.js';

/** How much a reasoning model shall think: a level, or a budget in tokens. */
export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'max' | { budget: number };

/** Which tool the model has to use. */
export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };

/** The form of the answer. */
export type ResponseFormat =
  { type: 'text' } | { type: 'json' } | { type: 'json-schema'; name?: string; schema: JsonObject; strict?: boolean };

/** Settings of one request. A field that is left out keeps the provider's default. */
export interface InferenceOverrides {
  /** The model to ask instead of `request.model`. */
  model?: string;
  /** Sampling temperature. */
  temperature?: number;
  /** Most tokens that the answer may have. */
  maxTokens?: number;
  /** Nucleus sampling. */
  topP?: number;
  reasoningEffort?: ReasoningEffort;
  /** Models to try in turn when the first is not to be had. */
  fallbackModels?: string[];
  toolChoice?: ToolChoice;
  /** False forbids several calls in one turn. */
  parallelToolCalls?: boolean;
  responseFormat?: ResponseFormat;
  /** Strings at which the model stops. */
  stopSequences?: string[];
  seed?: number;
  /** Data for the vendor's own logs. */
  metadata?: JsonObject;
  /** Members merged into the vendor's request body as they are. */
  providerOptions?: JsonObject;
}

/** What is asked of a model. Plain JSON. */
export interface InferenceRequest {
  model: string;
  messages: Message[];
  tools?: ToolDescriptor[];
  /** The system prompt, as text or content blocks. */
  system?: string | ContentBlock[];
  overrides?: InferenceOverrides;
  /** Marks the stable beginning of the prompt for the vendor's cache, where it wants a mark. */
  enablePromptCache?: boolean;
  /** Set by recovery, encoded by the provider; the messages are never edited. */
  continuation?: Continuation;
}

/**
 * Merges overrides field by field: a field that `over` sets wins, one that it leaves out keeps the value of `base`.
 */
export function mergeOverrides(base: InferenceOverrides = {}, over: InferenceOverrides = {}): InferenceOverrides {
  const set = Object.entries(over).filter(([, value]) => value !== undefined && value !== null);
  return { ...base, ...Object.fromEntries(set) };
}

/** The model that a request is for: the override's, else its own. */
export function modelOf(request: Pick<InferenceRequest, 'model' | 'overrides'>): string {
  return request.overrides?.model ?? request.model;
}
