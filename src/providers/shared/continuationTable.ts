import type { ContinuationMechanism } from '../../contract/index.js';

/** How the models of one pattern continue a text that was cut off. */
export interface ContinuationRule {
  /** Provider that the rule is for; any when left out. */
  provider?: string;
  /** Matched against the model's id. */
  model: RegExp;
  mechanism: ContinuationMechanism;
  /** Vendor's flag for a trailing assistant turn that is to be continued. */
  flag?: 'prefix' | 'partial' | 'continue_final_message';
  /** The vendor repeats the prefix in its reply; it is cut off again. */
  echoesPrefix?: boolean;
  /** The vendor refuses a prefix that ends in white space: it is sent without, and joined with it. */
  trimsTrailing?: boolean;
}

/**
 * What is known of the models, first match wins. A model that no rule matches is asked by `prompt`, which every model
 * understands.
 */
export const CONTINUATION_RULES: readonly ContinuationRule[] = [
  // Anthropic "Migrating to Claude 4.6": a trailing assistant turn is refused with 400 from 4.6 on, and by every 5.x.
  // Up to 4.5 it is continued literally; "final assistant content cannot end with trailing whitespace".
  {
    provider: 'anthropic',
    model: /claude-(?:[12]|instant|3|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:$|[^0-9.]|-\d{8}))(?!.*4[-.][6-9])/i,
    mechanism: 'prefill',
    trimsTrailing: true,
  },
];

/** Finds the rule for a model: the caller's own rules first. */
export function continuationRule(
  provider: string,
  model: string,
  own: ContinuationMechanism | readonly ContinuationRule[] | undefined,
): ContinuationRule {
  if (typeof own === 'string') return { model: /^/, mechanism: own };
  const matches = (rule: ContinuationRule): boolean =>
    (rule.provider === undefined || rule.provider === provider) && rule.model.test(model);
  return own?.find(matches) ?? CONTINUATION_RULES.find(matches) ?? { model: /^/, mechanism: 'prompt' };
}

/**
 * Tells how a model continues a text that was cut off, by the table of this library.
 *
 * @param provider - `anthropic`, `openai`, `google`, …
 * @param model - The model's id.
 */
export function continuationMechanism(provider: string, model: string): ContinuationMechanism {
  return continuationRule(provider, model, undefined).mechanism;
}
