import { InferenceExecutionError, type JsonObject, type ReasoningEffort } from '../../contract/index.js';
import { modelTraits } from '../anthropic/models.js';

/** Who made a model, as far as requests differ. */
export type ModelFamily = 'claude' | 'nova' | 'openai' | 'mistral' | 'other';

const FAMILIES: readonly [RegExp, ModelFamily][] = [
  [/claude/i, 'claude'],
  [/amazon\.nova|\bnova-/i, 'nova'],
  [/openai\./i, 'openai'],
  [/mistral|pixtral|magistral|voxtral/i, 'mistral'],
];

/** Reads the family out of a model id or an ARN; the id of an application's inference profile tells nothing. */
export function familyOf(model: string): ModelFamily {
  return FAMILIES.find(([pattern]) => pattern.test(model))?.[1] ?? 'other';
}

type Level = Exclude<ReasoningEffort, 'none' | { budget: number }>;

/** Budgets in tokens of the levels, for models that know budgets only. The least that Claude takes is 1,024. */
const BUDGETS: Record<Level, number> = { minimal: 1_024, low: 4_096, medium: 8_192, high: 16_384, max: 24_576 };
const LEAST_BUDGET = 1_024;

/** What the levels are called where there are three of them. */
const THREE_LEVELS: Record<Level, string> = { minimal: 'low', low: 'low', medium: 'medium', high: 'high', max: 'high' };

/**
 * Gives the members of `additionalModelRequestFields` that set how much a model thinks. Each family has its own; a model that
 * has none, or whose family cannot be read from its id, is an `invalid-request` for every effort but `none`.
 *
 * Sources: AWS user guide "Extended thinking", "Adaptive thinking" (Claude), Nova 2 user guide "Using reasoning"
 * (`reasoningConfig`), AWS model cards of OpenAI (`reasoning_effort`).
 */
export function reasoningFields(effort: ReasoningEffort, model: string, maxTokens: number | undefined): JsonObject {
  const asked = typeof effort === 'object' && effort.budget <= 0 ? 'none' : effort;
  switch (familyOf(model)) {
    case 'claude':
      return claudeThinking(asked, model, maxTokens);
    case 'nova':
      return novaReasoning(asked, model);
    case 'openai':
      if (typeof asked === 'object') throw lacks(model, 'a budget for reasoning; name a level');
      if (asked !== 'none') return { reasoning_effort: THREE_LEVELS[asked] };
      if (/gpt-oss/i.test(model)) throw lacks(model, 'a way to answer without reasoning; the least is low');
      return { reasoning_effort: 'none' };
    default:
      if (asked === 'none') return {};
      throw lacks(
        model,
        'reasoningEffort as far as its name tells; put its own switch into providerOptions.additionalModelRequestFields',
      );
  }
}

function claudeThinking(effort: ReasoningEffort, model: string, maxTokens: number | undefined): JsonObject {
  const { thinking, leastThinking } = modelTraits(model);
  if (effort === 'none') {
    if (leastThinking === 'omit') return {};
    return leastThinking === 'low-effort'
      ? { output_config: { effort: 'low' } }
      : { thinking: { type: leastThinking } };
  }
  if (typeof effort === 'object') {
    if (thinking === 'adaptive') throw lacks(model, 'a budget for reasoning; name a level');
    return budgeted(effort.budget, maxTokens);
  }
  if (thinking === 'budget') {
    const room = maxTokens === undefined ? Infinity : Math.max(LEAST_BUDGET, Math.floor(maxTokens * 0.8));
    return budgeted(Math.min(BUDGETS[effort], room), maxTokens);
  }
  // From 4.7 on the text of the thoughts is left out unless it is asked for.
  return {
    thinking: { type: 'adaptive', display: 'summarized' },
    output_config: { effort: effort === 'minimal' ? 'low' : effort },
  };
}

/** Thinking counts towards the limit of the answer, so its budget has to be the smaller one. */
function budgeted(tokens: number, maxTokens: number | undefined): JsonObject {
  if (tokens < LEAST_BUDGET || (maxTokens !== undefined && tokens >= maxTokens)) {
    throw invalid(
      `a thinking budget of ${tokens} tokens has to be at least ${LEAST_BUDGET} and less than maxTokens (${maxTokens ?? 'not set'}), which it counts towards`,
    );
  }
  return { thinking: { type: 'enabled', budget_tokens: tokens } };
}

function novaReasoning(effort: ReasoningEffort, model: string): JsonObject {
  if (!/nova-2|nova-premier-2/i.test(model)) {
    if (effort === 'none') return {};
    throw lacks(model, 'reasoning; take a Nova 2 model');
  }
  if (typeof effort === 'object') throw lacks(model, 'a budget for reasoning; name a level');
  if (effort === 'none') return { reasoningConfig: { type: 'disabled' } };
  return { reasoningConfig: { type: 'enabled', maxReasoningEffort: THREE_LEVELS[effort] } };
}

/** An `invalid-request`: told before any call. */
export function invalid(detail: string): InferenceExecutionError {
  return new InferenceExecutionError('invalid-request', `bedrockConverse: ${detail}`);
}

function lacks(model: string, what: string): InferenceExecutionError {
  return invalid(`${model} has no ${what}`);
}
