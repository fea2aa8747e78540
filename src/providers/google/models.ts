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

/** Largest budgets ("Gemini thinking"): 2.5 Pro takes more than the others. */
function largestBudget(model: string): number {
  return /2\.5-pro/i.test(model) ? 32_768 : 24_576;
}

/** Levels from Gemini 3 on. It cannot be told not to think at all, so `none` is the least. */
const LEVELS = {
  none: 'MINIMAL',
  minimal: 'MINIMAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  max: 'HIGH',
} as const;

/**
 * Encodes how much a model shall think (Gemini API, "Gemini thinking"): a level from Gemini 3 on, a budget before. Where it
 * thinks, summaries of its thoughts are asked for.
 */
export function thinkingConfig(effort: ReasoningEffort | undefined, model: string): JsonObject | undefined {
  if (effort === undefined) return undefined;
  if (typeof effort === 'object') return { thinkingBudget: effort.budget, includeThoughts: effort.budget !== 0 };
  if (isGemini3(model)) return { thinkingLevel: LEVELS[effort], includeThoughts: effort !== 'none' };
  const thinkingBudget = effort === 'max' ? largestBudget(model) : BUDGETS[effort];
  return { thinkingBudget, includeThoughts: thinkingBudget !== 0 };
}

/** The level of the Interactions API, which knows no budgets. */
export function thinkingLevel(effort: ReasoningEffort | undefined): string | undefined {
  if (typeof effort !== 'object') return effort && LEVELS[effort].toLowerCase();
  throw invalid('geminiInteractions cannot send a reasoning budget: give reasoningEffort a level such as "low"');
}
