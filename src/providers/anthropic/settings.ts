import {
  InferenceExecutionError,
  modelOf,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
  type ReasoningEffort,
} from '../../contract/index.js';
import { isObject } from '../../internal/isObject.js';
import { modelTraits, type ModelTraits } from './models.js';

/** Members of a request body. */
export type WireObject = Record<string, unknown>;

/** Shortest budget that the API takes (Anthropic "Extended thinking"). */
const LEAST_BUDGET = 1_024;
/** Room that is left for the answer beside a budget that somebody named without naming a limit. */
const ANSWER_ROOM = 4_096;

type Level = Exclude<ReasoningEffort, 'none' | { budget: number }>;

/** What a level means to a model that takes a number of tokens; all of them leave room below 32,000. */
const BUDGETS: Record<Level, number> = { minimal: 1_024, low: 4_096, medium: 8_192, high: 16_384, max: 24_576 };

/** What a level is called where a model takes levels (Anthropic "Effort"); there is none below `low`. */
const EFFORTS: Record<Level, string> = { minimal: 'low', low: 'low', medium: 'medium', high: 'high', max: 'max' };

/**
 * Encodes everything but the conversation and the tools. Throws an `invalid-request` for what the API does not have.
 *
 * @returns Members of the body, `max_tokens` always among them; what was not asked for is undefined.
 */
export function encodeSettings(request: InferenceRequest): WireObject {
  const { overrides = {} } = request;
  refuseMissing(overrides);
  const { temperature, topP, stopSequences, responseFormat, metadata } = overrides;
  const { output_config: effort, ...thinking } = thinkingSettings(modelOf(request), overrides);
  const format = responseFormat?.type === 'json-schema' && {
    format: { type: 'json_schema', schema: responseFormat.schema },
  };
  return {
    ...thinking,
    temperature,
    top_p: topP,
    stop_sequences: stopSequences?.length ? stopSequences : undefined,
    metadata: metadata && userOf(metadata),
    output_config: effort || format ? { ...(effort as WireObject | undefined), ...format } : undefined,
  };
}

/**
 * True when a trailing assistant turn can be continued: not while the model thinks, since its turn would have to begin
 * with a thinking block, and not under a schema (Anthropic "Extended thinking", "Structured outputs").
 */
export function canPrefill({ overrides = {} }: Pick<InferenceRequest, 'overrides'>): boolean {
  const { reasoningEffort, responseFormat, providerOptions = {} } = overrides;
  const own = providerOptions['thinking'];
  const thinks = isObject(own) ? own['type'] !== 'disabled' : reasoningEffort !== undefined && !isOff(reasoningEffort);
  const config = providerOptions['output_config'];
  return !thinks && responseFormat?.type !== 'json-schema' && !(isObject(config) && config['format']);
}

/**
 * Encodes which tool has to be used. Without tools the API refuses every choice, also those that then mean nothing.
 *
 * @param hasTools - Whether the request has tools, the server's own among them.
 */
export function encodeToolChoice(overrides: InferenceOverrides, hasTools: boolean): WireObject | undefined {
  const { toolChoice, parallelToolCalls } = overrides;
  const choice =
    typeof toolChoice === 'object' ? { type: 'tool', name: toolChoice.name } : { type: CHOICES[toolChoice ?? 'auto'] };
  const single = parallelToolCalls === false && choice.type !== 'none';
  if (hasTools) {
    if (single) return { ...choice, disable_parallel_tool_use: true };
    return toolChoice && choice;
  }
  if (choice.type === 'auto' || choice.type === 'none') return undefined;
  throw invalid(`toolChoice ${JSON.stringify(toolChoice)} needs tools, and the request has none`);
}

const CHOICES = { none: 'none', auto: 'auto', required: 'any' };

function refuseMissing({ seed, responseFormat }: InferenceOverrides): void {
  if (seed !== undefined) throw invalid('the API has no seed; leave overrides.seed out');
  if (responseFormat?.type === 'json') {
    throw invalid("there is no JSON mode without a schema; use responseFormat of type 'json-schema'");
  }
}

function thinkingSettings(model: string, { reasoningEffort, maxTokens }: InferenceOverrides): WireObject {
  const traits = modelTraits(model);
  const limit = { max_tokens: maxTokens ?? traits.maxTokens };
  if (reasoningEffort === undefined) return limit;
  if (reasoningEffort === 'none' || isOff(reasoningEffort)) return { ...limit, ...leastThinking(traits) };
  const budget = typeof reasoningEffort === 'object' ? reasoningEffort.budget : BUDGETS[reasoningEffort];
  const named = typeof reasoningEffort === 'object';
  if (traits.thinking === 'adaptive' || (traits.thinking === 'either' && !named)) {
    const effort = named ? effortFor(budget) : EFFORTS[reasoningEffort];
    // From 4.7 on the text of the thoughts is left out unless it is asked for.
    return { ...limit, thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort } };
  }
  if (named) return withBudget(budget, maxTokens ?? Math.max(limit.max_tokens, budget + ANSWER_ROOM));
  const room = Math.max(LEAST_BUDGET, Math.floor(limit.max_tokens * 0.8));
  return withBudget(Math.min(budget, room), limit.max_tokens);
}

/** Thinking counts towards the limit of the answer, so its budget has to be the smaller one. */
function withBudget(budget: number, maxTokens: number): WireObject {
  if (budget >= maxTokens) {
    throw invalid(
      `a thinking budget of ${budget} tokens does not fit into maxTokens (${maxTokens}), which it counts towards; raise maxTokens or lower it`,
    );
  }
  return { max_tokens: maxTokens, thinking: { type: 'enabled', budget_tokens: budget } };
}

function leastThinking({ leastThinking }: ModelTraits): WireObject {
  if (leastThinking === 'omit') return {};
  return leastThinking === 'low-effort' ? { output_config: { effort: 'low' } } : { thinking: { type: leastThinking } };
}

function effortFor(budget: number): string {
  if (budget <= 2_048) return 'low';
  if (budget <= 8_192) return 'medium';
  return budget <= 32_768 ? 'high' : 'max';
}

function isOff(effort: ReasoningEffort): boolean {
  return effort === 'none' || (typeof effort === 'object' && effort.budget <= 0);
}

/** The API logs the user's id and nothing else. */
function userOf(metadata: JsonObject): WireObject {
  const { user_id, userId, ...others } = metadata;
  const [other] = Object.keys(others);
  if (other !== undefined) throw invalid(`metadata may hold user_id only, not ${JSON.stringify(other)}`);
  const user = user_id ?? userId;
  return user === undefined ? {} : { user_id: user };
}

/** The error for what the Messages API cannot take. */
export function invalid(detail: string): InferenceExecutionError {
  return new InferenceExecutionError('invalid-request', `anthropicMessages: ${detail}`);
}
