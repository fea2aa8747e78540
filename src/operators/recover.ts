import { asyncScheduler, defer, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { LlmStreamEvent } from '../contract/index.js';
import { streamBackoff } from '../recovery/backoff.js';
import { idleLimitOf } from '../recovery/idleLimits.js';
import { watchProgress } from './idleTimeout.js';
import type { RecoverConfig } from './RecoverConfig.js';
import { RecoveryRun, type RecoverSettings } from './recoveryRun.js';

export type { Interruption, RecoverConfig } from './RecoverConfig.js';

/**
 * Mirrors a model's stream, and goes on when it breaks: the catchError of this library.
 *
 * An interruption (a broken connection, a stall, a 5xx in mid-stream, a stream that ends without a `stop`) is announced by
 * `interrupted`, with what is taken back after it: `tool-call-cancel` for each open call, `stream-reset` for the whole
 * turn. Then the plan is carried out: the text is continued by a request whose `continuation` holds all the text so far;
 * calls that are whole are completed by `tool-call-ready` and a `stop` without asking again; a provider's own run is
 * attached to again; where nothing can be kept, for structured output, and while a tool runs at the provider, the answer
 * starts again. `resumed` says where the answer goes on.
 *
 * Ends at the first `stop`, whatever the source does after it. Errors that must not be recovered pass through; when the
 * budget is spent, the error that broke the answer comes, the same object, with the snapshot of everything that had
 * arrived. A `resubscribe` or `delay` that throws errors the result. Unsubscribing stops the attempt or the wait at once.
 * ```text
 * source       --a--#
 * resubscribe         --b--s|
 *              recover({ delay: 2, … })
 * result       --a--i----(rb)--(s|)      i: interrupted, r: resumed
 * ```
 * @example Survive up to three interruptions
 * ```ts
 * import { recover, textDeltas, userMessage } from 'rx-llm';
 * import { anthropicMessages } from 'rx-llm/anthropic';
 *
 * const claude = anthropicMessages({ apiKey: 'key' });
 * const request = { model: 'claude-sonnet-4-5', messages: [userMessage('Explain marble diagrams.')] };
 *
 * const answer$ = claude.executeStream(request).pipe(
 *   recover({ request, resubscribe: (continuation) => claude.executeStream(continuation), count: 3 }),
 *   textDeltas(),
 * );
 * ```
 * @param config - See {@link RecoverConfig}.
 * @throws TypeError without `request` or `resubscribe` or on other `resets`, RangeError on a negative number.
 */
export function recover(config: RecoverConfig): MonoTypeOperatorFunction<LlmStreamEvent> {
  if (!config?.request || typeof config.resubscribe !== 'function') {
    throw new TypeError('recover: give the request and a resubscribe function');
  }
  const { idleTimeout: idle = idleLimitOf(config.request), scheduler = asyncScheduler, random = Math.random } = config;
  const settings: RecoverSettings = {
    ...config,
    count: config.count ?? 2,
    maxElapsed: config.maxElapsed ?? Infinity,
    watch: watcher(idle, scheduler),
    resets: config.resets ?? 'announce',
    when: config.when ?? (() => true),
    delay: config.delay ?? ((cause, recovery) => Math.round(random() * streamBackoff(cause, recovery - 1))),
    scheduler,
  };
  for (const name of ['count', 'maxElapsed', 'delay'] as const) {
    const value = settings[name];
    if (typeof value !== 'function' && !(value >= 0)) throw new RangeError(`recover: ${name} must be 0 or more`);
  }
  if (!/^(announce|fail)$/.test(settings.resets)) throw new TypeError("recover: resets must be 'announce' or 'fail'");
  return (source) => defer(() => new RecoveryRun(settings).follow(source));
}

function watcher(
  limit: NonNullable<RecoverConfig['idleTimeout']>,
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<LlmStreamEvent> {
  if (limit === false || limit === Infinity) return (source) => source;
  return watchProgress({ ...(typeof limit === 'number' ? { each: limit } : limit), scheduler }, false);
}
