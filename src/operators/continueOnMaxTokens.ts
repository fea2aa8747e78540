import { defer, type MonoTypeOperatorFunction } from 'rxjs';
import type { LlmStreamEvent } from '../contract/index.js';
import { LimitRun, type ContinueOnMaxTokensConfig } from './limitRun.js';

export type { ContinueOnMaxTokensConfig } from './limitRun.js';

/**
 * Mirrors a model's stream, and asks for the rest when the model was stopped by the limit of its output.
 *
 * A `stop` with the reason `max-tokens` is held back when there is text, or a call that was cut. Open calls are announced
 * as cancelled, the rest is asked for by the same continuation as after an interruption, joined at the same seam, and
 * announced by `resumed`. The usage of all parts adds up in the `usage` events. A call that was cut before there was any
 * text leaves nothing to go on from: `stream-reset`, and the answer starts again. When some calls are whole and others
 * were cut, nothing is asked: the open ones are cancelled, the whole ones completed by `tool-call-ready`, and the turn
 * stops for its tools.
 *
 * The stop passes as it came when there is nothing to continue (no text, or whole calls only), when the answer is JSON by
 * `responseFormat` (models that are held to a format begin anew), when a part brings nothing new, when the rest does not fit
 * the text, when the budget is spent, or when the request for the rest is refused for good before its first event: the
 * answer is then what it would have been without this operator. Other errors get the snapshot
 * of all parts. A `resubscribe` that throws errors the result. Unsubscribing stops the running part.
 *
 * Stands inside `recover`, which then knows the text of all parts.
 * ```text
 * source       --a--m|                  m: stop with max-tokens
 * resubscribe       --b--s|
 *              continueOnMaxTokens(…)
 * result       --a----(rb)--(s|)        r: resumed
 * ```
 * @example Recovered and continued
 * ```ts
 * import {
 *   continueOnMaxTokens,
 *   recover,
 *   textDeltas,
 *   userMessage,
 *   type InferenceRequest,
 *   type LlmExecutor,
 * } from 'rx-llm';
 *
 * declare const executor: LlmExecutor;
 * const request = { model: 'gpt-4o', messages: [userMessage('Write a novel.')], overrides: { maxTokens: 1_000 } };
 *
 * const whole = (asked: InferenceRequest) =>
 *   executor.executeStream(asked).pipe(
 *     continueOnMaxTokens({ request: asked, resubscribe: (rest) => executor.executeStream(rest), count: 5 }),
 *   );
 * whole(request).pipe(recover({ request, resubscribe: whole }), textDeltas());
 * ```
 * @param config - See {@link ContinueOnMaxTokensConfig}.
 * @throws TypeError without `request` or `resubscribe`, RangeError when `count` is negative.
 */
export function continueOnMaxTokens(config: ContinueOnMaxTokensConfig): MonoTypeOperatorFunction<LlmStreamEvent> {
  const { request, resubscribe, count = 2 } = config ?? {};
  if (typeof request !== 'object' || typeof resubscribe !== 'function') {
    throw new TypeError('continueOnMaxTokens: give the request and a resubscribe function');
  }
  if (!(count >= 0)) throw new RangeError('continueOnMaxTokens: count must be 0 or more');
  return (source) => defer(() => new LimitRun({ request, resubscribe, count }).follow(source));
}
