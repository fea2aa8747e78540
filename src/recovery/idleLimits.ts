import { modelOf, type InferenceRequest } from '../contract/index.js';

/** Longest silence before a stream counts as stalled, in milliseconds. */
export const IDLE_TIMEOUT = 60_000;

/**
 * Models that think before they speak: OpenAI's o-series and gpt-5, DeepSeek's reasoner and R1, QwQ, Magistral, Grok's and
 * others' `-reasoning`, and every id that says `thinking`. The id may carry a vendor's or a region's prefix.
 */
const REASONING_MODEL =
  /thinking|reasoning|reasoner|(?:^|[/.:])(?:o[1-9](?![0-9])|gpt-[5-9]|qwq|magistral|deepseek-r)/i;

/**
 * Says how long a model may be silent before its stream counts as stalled: 60 s, and twice that for a model that reasons,
 * by its name or because the request asks for reasoning.
 *
 * @param request - The request; only the model and the overrides matter.
 * @returns Milliseconds.
 */
export function idleLimitOf(request: Pick<InferenceRequest, 'model' | 'overrides'>): number {
  const effort = request.overrides?.reasoningEffort;
  const reasons = effort === undefined || effort === null ? REASONING_MODEL.test(modelOf(request)) : effort !== 'none';
  return reasons ? 2 * IDLE_TIMEOUT : IDLE_TIMEOUT;
}
