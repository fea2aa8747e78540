import { asyncScheduler, Observable, type SchedulerLike, type Subscription } from 'rxjs';
import type { InferenceRequest, LlmExecutor, LlmStreamEvent } from '../contract/index.js';
import { createExecutor } from '../operators/createExecutor.js';

/** One step of a scripted attempt. */
export type ScriptStep =
  | LlmStreamEvent
  /** Waits so many milliseconds. */
  | { delay: number }
  /** Ends the attempt with this error. */
  | Error
  | { error: unknown }
  /** Ends nothing and says nothing more. */
  | 'silence'
  | { hang: true };

/** What one attempt does; lists in it are taken as the steps that they hold. */
export type ScriptedAttempt = readonly (ScriptStep | readonly ScriptStep[])[];

/** Options of {@link scriptedExecutor}. */
export interface ScriptedExecutorOptions {
  /** Defaults to `scripted`. */
  name?: string;
  /** Measures the delays. Defaults to `asyncScheduler`, whose time is virtual inside `testScheduler.run`. */
  scheduler?: SchedulerLike;
}

/** What became of one subscription. */
export interface ScriptedSubscription {
  readonly request: InferenceRequest;
  /** `unsubscribed`: the subscriber left before the attempt had ended. */
  state: 'open' | 'completed' | 'errored' | 'unsubscribed';
}

/** An executor that plays a script. */
export interface ScriptedExecutor extends LlmExecutor {
  /** The requests, one for each subscription. */
  readonly requests: readonly InferenceRequest[];
  /** The subscriptions in the same order. */
  readonly subscriptions: readonly ScriptedSubscription[];
  /** How many subscriptions are open. */
  readonly open: number;
  /** How many were unsubscribed before their attempt had ended. */
  readonly unsubscribed: number;
}

/**
 * Makes an executor that plays a script: the n-th subscription gets the n-th attempt, and every further one the last.
 *
 * Steps are played to the letter. An attempt that ends in no error completes, so that one without a `stop` is a stream that
 * was cut in silence. Without delays everything is sent synchronously at the subscription. An error step becomes an error
 * notification; unsubscribing ends the attempt and its timers.
 *
 * @example A stream that breaks once
 * ```ts
 * import { cut, scriptedExecutor, stop, text } from 'rx-llm/testing';
 *
 * const executor = scriptedExecutor([
 *   [text('Hello, '), { delay: 20 }, cut()],
 *   [text('world.'), stop()],
 * ]);
 * ```
 * @param attempts - What each attempt does, or a function that gives it.
 * @param options - See {@link ScriptedExecutorOptions}.
 */
export function scriptedExecutor(
  attempts: readonly ScriptedAttempt[] | ((request: InferenceRequest, attempt: number) => ScriptedAttempt),
  options: ScriptedExecutorOptions = {},
): ScriptedExecutor {
  if (typeof attempts !== 'function' && attempts.length === 0) {
    throw new TypeError('scriptedExecutor: give at least one attempt; [] is one that completes at once');
  }
  const { name = 'scripted', scheduler = asyncScheduler } = options;
  const subscriptions: ScriptedSubscription[] = [];
  const count = (state: ScriptedSubscription['state']): number =>
    subscriptions.filter((subscription) => subscription.state === state).length;
  const executor = createExecutor({
    name,
    executeStream: (request) =>
      new Observable<LlmStreamEvent>((subscriber) => {
        const log: ScriptedSubscription = { request, state: 'open' };
        const index = subscriptions.push(log) - 1;
        const attempt =
          typeof attempts === 'function'
            ? attempts(request, index + 1)
            : attempts[Math.min(index, attempts.length - 1)];
        subscriber.add(() => {
          if (log.state === 'open') log.state = 'unsubscribed';
        });
        return play((attempt ?? []).flat(), scheduler, {
          next: (event) => {
            subscriber.next(event);
            return !subscriber.closed;
          },
          error: (error) => {
            log.state = 'errored';
            subscriber.error(error);
          },
          complete: () => {
            log.state = 'completed';
            subscriber.complete();
          },
        });
      }),
  });
  return {
    ...executor,
    subscriptions,
    get requests() {
      return subscriptions.map(({ request }) => request);
    },
    get open() {
      return count('open');
    },
    get unsubscribed() {
      return count('unsubscribed');
    },
  };
}

interface Player {
  /** False when nobody listens any more. */
  next(event: LlmStreamEvent): boolean;
  error(error: unknown): void;
  complete(): void;
}

/** Plays steps; returns how to stop. */
function play(steps: readonly ScriptStep[], scheduler: SchedulerLike, player: Player): () => void {
  let timer: Subscription | undefined;
  let at = 0;
  const run = (): void => {
    while (at < steps.length) {
      const step = steps[at++];
      if (step === undefined || step === 'silence' || 'hang' in step) return;
      if (step instanceof Error) return player.error(step);
      if ('error' in step) return player.error(step.error);
      if ('delay' in step && !('type' in step)) {
        timer = scheduler.schedule(run, step.delay);
        return;
      }
      if (!player.next(step)) return;
    }
    player.complete();
  };
  run();
  return () => timer?.unsubscribe();
}
