import { InferenceExecutionError, type JsonObject, type ReasoningEffort } from '../../contract/index.js';

/** An `invalid-request` before any call. */
export function invalid(what: string): InferenceExecutionError {
  return new InferenceExecutionError('invalid-request', what);
}

/** Gemini 1 and 2, and what has no generation in its name because it is older. */
const BEFORE_GEMINI_3 = /(?:^|\/)gemini-(?:[12](?:[.-]|$)|pro(?:-vision)?$|robotics-er-1\.5)/i;

/** True for Gemini 3 and later, aliases such as `gemini-flash-latest` included: an unknown name is a new one. */
export function isGemini3(model: string): boolean {
  return /(?:^|\/)gemini-/i.test(model) && !BEFORE_GEMINI_3.test(model);
}

/** Tokens of thought by level for models that know only budgets (Gemini API, "OpenAI compatibility"). */
const BUDGETS = { none: 0, minimal: 1024, low: 1024, medium: 8192, high: 24_576 } as const;

/** "Gemini thinking": 2.5 Pro takes more than the others, and cannot be told not to think. */
function budgetOf(effort: keyof typeof BUDGETS | 'max', model: string): number {
  const pro = /2\.5-pro/i.test(model);
  if (effort === 'max') return pro ? 32_768 : 24_576;
  return pro && effort === 'none' ? 128 : BUDGETS[effort];
}

/** Levels from Gemini 3 on. It cannot be told not to think at all. */
const LEVELS = {
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  max: 'HIGH',
} as const;

/** Models with a level below LOW; others from Gemini 3 on refuse it ("Thinking level MINIMAL is not supported for this model", 400). */
const MINIMAL = /gemini-3(?:-flash|\.1-flash-lite|\.5-flash(?!-lite))/i;

function levelOf(effort: Exclude<ReasoningEffort, object>, model: string): string {
  if (effort !== 'none' && effort !== 'minimal') return LEVELS[effort];
  return MINIMAL.test(model) || !isGemini3(model) ? 'MINIMAL' : LEVELS.low;
}

/**
 * Encodes how much a model shall think (Gemini API, "Gemini thinking"): a level from Gemini 3 on, a budget before. Where it
 * thinks, summaries of its thoughts are asked for.
 */
export function thinkingConfig(effort: ReasoningEffort | undefined, model: string): JsonObject | undefined {
  if (effort === undefined) return undefined;
  if (typeof effort === 'object') return { thinkingBudget: effort.budget, includeThoughts: effort.budget !== 0 };
  if (isGemini3(model)) return { thinkingLevel: levelOf(effort, model), includeThoughts: effort !== 'none' };
  return { thinkingBudget: budgetOf(effort, model), includeThoughts: effort !== 'none' };
}

/** The level of the Interactions API, which knows no budgets. */
export function thinkingLevel(effort: ReasoningEffort | undefined, model: string): string | undefined {
  if (typeof effort !== 'object') return effort && levelOf(effort, model).toLowerCase();
  throw invalid('geminiInteractions cannot send a reasoning budget: give reasoningEffort a level such as "low"');
}
