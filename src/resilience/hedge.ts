import {
  asyncScheduler,
  defer,
  from,
  Observable,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs';
import type { LlmStreamEvent } from '../contract/index.js';
import { HedgeRace } from './HedgeRace.js';

/** Configuration for {@link hedge}. Times are in milliseconds. */
export interface HedgeConfig {
  /** How long to wait for the first progress before a second request is made; `Infinity` for never. */
  after: number;
  /** Makes the second request. Defaults to asking the source again. */
  with?: () => ObservableInput<LlmStreamEvent>;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/**
 * Mirrors the source; when its first progress is late, makes a second request and mirrors whichever makes progress first.
 *
 * Progress is everything but usage and empty pieces; what comes before it is held back until the race is decided, so that
 * the events are those of one answer. The loser is unsubscribed at once. What it has cost is added to the usage of the
 * answer: what it had reported, else the prompt tokens that the winner reports; the sum is marked `estimated`, and the
 * added part stands in the event's `providerMetadata.hedged`.
 *
 * A source that errors or completes before `after` is mirrored: asking again is the matter of `retryOpen`. After that a
 * request that fails leaves the answer to the other one; when both fail, the source's error is sent. Unsubscribing stops
 * both requests and the timer. Do not hedge a request that reattaches to a run: the loser would cancel the run that the
 * winner reads. `withHedge` sees to that.
 * ```text
 * source  ------------a--b|
 * with         ---c--s|
 *         hedge({ after: 5, … })
 * result  --------c--s|
 * ```
 * @example Ask again, elsewhere, when the first token takes longer than two seconds
 * ```ts
 * import { hedge, userMessage, type LlmExecutor } from 'rx-llm';
 *
 * declare const near: LlmExecutor;
 * declare const far: LlmExecutor;
 * const request = { model: 'gpt-4o', messages: [userMessage('Hello')] };
 * near.executeStream(request).pipe(hedge({ after: 2_000, with: () => far.executeStream(request) }));
 * ```
 * @param config - The wait in milliseconds, or a {@link HedgeConfig}.
 * @throws RangeError when the wait is negative.
 */
export function hedge(config: number | HedgeConfig): MonoTypeOperatorFunction<LlmStreamEvent> {
  const settings = typeof config === 'number' ? { after: config } : config;
  const { after, with: second, scheduler = asyncScheduler } = settings;
  if (!(after >= 0)) throw new RangeError('hedge: after must be a number of milliseconds, 0 or more');

  return (source) =>
    new Observable((subscriber) => {
      const race = new HedgeRace(subscriber);
      const enterSecond = (): void => race.enter(second ? defer(() => from(second())) : source);
      const timer = after < Infinity ? scheduler.schedule(enterSecond, after) : undefined;
      race.onDecided = () => timer?.unsubscribe();
      subscriber.add(timer);
      race.enter(source);
    });
}
