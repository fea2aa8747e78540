/** What of a model decides how a request has to look. */
export interface ModelTraits {
  /**
   * How thinking is switched on: `budget` takes a number of tokens, `adaptive` a level of effort, `either` both.
   */
  thinking: 'budget' | 'either' | 'adaptive';
  /** The least thinking that the model can be asked for. */
  leastThinking: 'omit' | 'disabled' | 'between_tools' | 'low-effort';
  /** Tokens of an answer for which nobody named a limit: the API wants one, and every model of the row takes this one. */
  maxTokens: number;
}

/** `claude-sonnet-4-5-20250929`, `claude-3-7-sonnet@20250219`, `us.anthropic.claude-opus-4-6-v1`: the version is two numbers. */
const VERSION = /claude-(?:[a-z]+-)?v?(\d{1,2})(?:[-.](\d{1,2}))?(?![.\d])/i;

/**
 * Tells what a model takes. Sources: Anthropic "Models overview" (output limits), "Adaptive thinking", "Effort", and the
 * migration guides of Opus 4.7, Opus 5, Opus 5.5 and Sonnet 5.5. A Claude without a number that is known is taken for a
 * new one; a model of another maker behind the same API for one of the first that thought, which is what they imitate.
 *
 * @param model - The model's id, with or without a date, alias, or the prefix of a platform.
 */
export function modelTraits(model: string): ModelTraits {
  if (!/claude/i.test(model)) return { thinking: 'budget', leastThinking: 'disabled', maxTokens: 8_192 };
  const found = VERSION.exec(model);
  const version = found ? Number(found[1]) * 100 + Number(found[2] ?? 0) : Infinity;
  if (version < 406) {
    const maxTokens = version < 305 ? 4_096 : version < 307 ? 8_192 : 32_000;
    return { thinking: 'budget', leastThinking: 'omit', maxTokens };
  }
  const leastThinking = leastOf(model, version);
  return { thinking: version === 406 ? 'either' : 'adaptive', leastThinking, maxTokens: 32_000 };
}

/** From 5.5 on, and in all of Fable and Mythos, thinking cannot be switched off; Sonnet 5.5 has a word of its own. */
function leastOf(model: string, version: number): ModelTraits['leastThinking'] {
  if (/fable|mythos/i.test(model)) return 'low-effort';
  if (version < 505 || version === Infinity) return 'disabled';
  if (/sonnet/i.test(model)) return 'between_tools';
  return /opus/i.test(model) ? 'low-effort' : 'disabled';
}
