import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { InferenceExecutionError, LlmStreamEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { silenceTimer } from '../internal/silenceTimer.js';
import { Accumulator } from '../recovery/accumulator.js';
import { failWith } from '../recovery/attachSnapshot.js';
import { interrupted } from '../recovery/interrupted.js';

/** Configuration for {@link idleTimeout}. Times are in milliseconds. */
export interface IdleTimeoutConfig {
  /** Longest wait between two events that are progress. */
  each: number;
  /** Longest wait for the first one. Defaults to `each`. */
  first?: number;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/**
 * Mirrors the source until the model makes no progress any more, then errors as `stream-interrupted` with the cause
 * `idle-stall` and the snapshot of what had arrived.
 *
 * Progress is text, reasoning and arguments; pings, usage and empty blocks are not, so that a provider which only keeps the
 * connection open is found out. (Silence on the socket itself is the provider's `livenessTimeout`.) The `stop` event ends
 * the watch. Errors and completion pass through unchanged. The source is unsubscribed when it stalls. One timer serves the
 * whole stream.
 * ```text
 * source  --a--b--------c|
 *         idleTimeout({ each: 4 })
 * result  --a--b---#
 * ```
 * @example Wait long for the first token, little between tokens
 * ```ts
 * import { idleTimeout, userMessage, type LlmExecutor } from 'rx-llm';
 *
 * declare const executor: LlmExecutor;
 * const request = { model: 'gpt-4o', messages: [userMessage('Hello')] };
 * executor.executeStream(request).pipe(idleTimeout({ first: 30_000, each: 5_000 }));
 * ```
 * @param config - The longest wait in milliseconds, or an {@link IdleTimeoutConfig}. `idleLimitOf(request)` gives what is
 * usual for a model.
 * @throws RangeError when a time is not positive.
 */
export function idleTimeout(config: number | IdleTimeoutConfig): MonoTypeOperatorFunction<LlmStreamEvent> {
  const { scheduler = asyncScheduler, ...times } = typeof config === 'number' ? { each: config } : config;
  return watchProgress({ ...times, scheduler }, true);
}

type WatchConfig = Omit<IdleTimeoutConfig, 'scheduler'> & { scheduler: SchedulerLike };

/**
 * The core of {@link idleTimeout}.
 *
 * @param remembers - Whether the error carries what had arrived; `recover` knows that itself.
 */
export function watchProgress(
  { each, first = each, scheduler }: WatchConfig,
  remembers: boolean,
): MonoTypeOperatorFunction<LlmStreamEvent> {
  if (!(each > 0 && first > 0)) throw new RangeError('idleTimeout: times must be positive numbers of milliseconds');

  return operate((subscriber) => {
    const seen = remembers ? new Accumulator() : undefined;
    let limit = first;
    const timer = silenceTimer(scheduler, first, () =>
      subscriber.error(seen ? failWith(stall(limit), seen) : stall(limit)),
    );
    return {
      next: (event) => {
        seen?.push(event);
        if (isProgress(event)) timer.touch((limit = each));
        else if (event.type === 'stop') timer.stop();
        subscriber.next(event);
      },
      finalize: () => timer.stop(),
    };
  });
}

function isProgress(event: LlmStreamEvent): boolean {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return event.text !== '';
    case 'tool-call-delta':
      return event.argsDelta !== '';
    default:
      return false;
  }
}

function stall(limit: number): InferenceExecutionError {
  return interrupted('idle-stall', `no progress for ${limit} ms`);
}
