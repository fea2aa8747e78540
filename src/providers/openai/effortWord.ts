import type { ReasoningEffort } from '../../contract/index.js';

/** A level of {@link ReasoningEffort}, without its budgets. */
export type EffortLevel = Exclude<ReasoningEffort, object>;

/** What some models of a vendor call the levels, where that differs from the vendor's other models. */
export interface EffortWords {
  /** The models' names. */
  models: RegExp;
  words: Partial<Record<EffortLevel, string>>;
  /** These are asked by `reasoning_effort`, whatever the preset's `reasoning` says. */
  byEffort?: boolean;
}

/** What is known of a model's levels, where it differs from the vendor's other models. */
export function effortsOf(
  model: string,
  { efforts }: { efforts?: readonly EffortWords[] | undefined },
): EffortWords | undefined {
  return efforts?.find(({ models }) => models.test(model));
}

/** Finds the word that a model takes for a level: nobody but OpenAI is known to have one between `none` and `low`. */
export function effortWord(
  level: EffortLevel,
  model: string,
  vendor: { maxEffort?: string; efforts?: readonly EffortWords[] },
): string {
  const words = { minimal: 'low', max: vendor.maxEffort ?? 'high', ...effortsOf(model, vendor)?.words };
  return words[level] ?? level;
}
