import { defer, EMPTY, from, NEVER, of, take, throwError, timer, type Observable } from 'rxjs';
import {
  errorFromResponse,
  InferenceExecutionError,
  type InferenceErrorKind,
  type LlmStreamEvent,
} from '../../src/index.js';
import { circuitBreaker } from '../../src/resilience/circuitBreaker.js';
import { retryOpen, type RetryOpenConfig } from '../../src/resilience/retryOpen.js';
import { stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const failure = (kind: InferenceErrorKind = 'provider', retryAfter?: number): InferenceExecutionError =>
  new InferenceExecutionError(kind, 'no', { retryAfter });

/** Plays one source for each subscription, the last one again and again, and counts them. */
function playing(...sources: Observable<LlmStreamEvent>[]) {
  const played = { count: 0 };
  const source = defer(() => sources[Math.min(played.count++, sources.length - 1)]!);
  return { source, played };
}

const failing = (error: unknown): Observable<never> => throwError(() => error);

/** What becomes of sources without time, and how often they were asked. */
function run(sources: Observable<LlmStreamEvent>[], config: RetryOpenConfig = {}) {
  const { source, played } = playing(...sources);
  const events: LlmStreamEvent[] = [];
  let error: unknown;
  source.pipe(retryOpen({ delay: 0, ...config })).subscribe({
    next: (event) => events.push(event),
    error: (e: unknown) => (error = e),
  });
  return { events, error, asked: played.count };
}

describe('retryOpen', () => {
  it('should subscribe again while nothing has come', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions, time }) => {
      const values = { a: text('a'), s: stop() };
      const first = cold('   --#                 ', values, failure());
      const second = cold('       --#            ', values, failure());
      const third = cold('             --a--s|   ', values);
      const delay = time('     ---|              ');
      const firstSubs = '    ^-!                 ';
      const secondSubs = '   -----^-!            ';
      const thirdSubs = '    ----------^-----!   ';
      const expected = '     ------------a--s|   ';

      const result = playing(first, second, third).source.pipe(retryOpen({ count: 2, delay }));

      expectObservable(result).toBe(expected, values);
      expectSubscriptions(first.subscriptions).toBe(firstSubs);
      expectSubscriptions(second.subscriptions).toBe(secondSubs);
      expectSubscriptions(third.subscriptions).toBe(thirdSubs);
    });
  });

  it('should make no further attempt when it is unsubscribed in the wait', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<LlmStreamEvent>('-#', {}, failure());
      const unsub = '                      ---!';

      expectObservable(source.pipe(retryOpen({ delay: 5 })), unsub).toBe('----');
      expectSubscriptions(source.subscriptions).toBe('^!');
    });
  });

  it('should unsubscribe from the running attempt', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a----', { a: text('a') });

      expectObservable(source.pipe(retryOpen()), '---!').toBe('-a--', { a: text('a') });
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it.each([
    ['half of 500 ms · 2^n', failure(), 250, 500],
    ['half of 2,000 ms · 2^n when the provider is overloaded', failure('overloaded'), 1_000, 2_000],
    ['no shorter than it was asked to', failure('rate-limited', 3_000), 3_000, 3_000],
    ['no longer than 60 s, whatever it was asked to (W12)', failure('rate-limited', 3_600_000), 60_000, 60_000],
  ])('should wait with full jitter: %s', (_, error, first, second) => {
    createTestScheduler().run(({ expectObservable }) => {
      const { source } = playing(failing(error), failing(error), of(stop()));
      const expected = `${first}ms ${second}ms (s|)`;

      expectObservable(source.pipe(retryOpen({ random: () => 0.5 }))).toBe(expected, { s: stop() });
    });
  });

  it('should never wait shorter than asked, whatever the delay says', () => {
    createTestScheduler().run(({ expectObservable }) => {
      const hinted = failure('rate-limited', 30);
      const { source } = playing(failing(hinted), of(stop()));
      const another = playing(failing(hinted), of(stop())).source;
      const third = playing(failing(hinted), of(stop())).source;

      expectObservable(source.pipe(retryOpen({ delay: 10 }))).toBe('30ms (s|)', { s: stop() });
      expectObservable(another.pipe(retryOpen({ delay: () => timer(50) }))).toBe('50ms (s|)', { s: stop() });
      expectObservable(third.pipe(retryOpen({ delay: 10, retryAfterCap: 20 }))).toBe('20ms (s|)', { s: stop() });
    });
  });

  it.each<[string, LlmStreamEvent]>([
    ['text', text('a')],
    ['usage', usage(1, 0)],
  ])('should leave a stream to recovery as soon as %s has come', (_, event) => {
    const error = failure();

    expect(run([from(endingIn(error, event))])).toEqual({ events: [event], error, asked: 1 });
  });

  it.each<InferenceErrorKind>([
    'context-overflow',
    'invalid-request',
    'unauthorized',
    'model-not-found',
    'content-filtered',
    'all-models-unavailable',
    'cancelled',
  ])('should pass %s on at once, the same object', (kind) => {
    const error = failure(kind);
    const { error: out, asked } = run([failing(error)]);

    expect(out).toBe(error);
    expect(asked).toBe(1);
  });

  it.each([
    [401, '{"error":{"message":"Failed to generate: bad key"}}', 1],
    [402, '{"error":{"message":"Insufficient balance"}}', 1],
    [422, '{"error":{"message":"could not generate"}}', 1],
    [429, '{"error":{"message":"slow down"}}', 3],
    [503, '', 3],
  ])('should decide by the status and not by words in the body: %d %s (W24)', (status, body, asked) => {
    const error = errorFromResponse({ status, headers: {}, body });

    expect(run([failing(error)])).toMatchObject({ error, asked });
  });

  it('should wrap what is no error of this library, and try again only where the connection broke', () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const bug = new TypeError('x is not a function');

    expect(run([failing(reset)])).toMatchObject({ asked: 3, error: { kind: 'stream-interrupted', cause: reset } });
    expect(run([failing(bug)])).toMatchObject({ asked: 1, error: { kind: 'provider', cause: bug } });
  });

  it('should not wait for a circuit breaker that is open', () => {
    const breaker = circuitBreaker({ threshold: 1, name: 'm' });
    breaker.record('failure');

    expect(run([of(stop()).pipe(breaker)])).toMatchObject({
      asked: 1,
      error: { detail: 'circuit breaker open for model m' },
    });
  });

  it('should send the last error when the retries are spent', () => {
    const last = failure('overloaded');

    expect(run([failing(failure()), failing(failure()), failing(last)]).error).toBe(last);
    expect(run([failing(last)], { count: 0 })).toMatchObject({ error: last, asked: 1 });
  });

  it('should ask `when`, with the number of the retry', () => {
    const asked: number[] = [];
    const { error } = run([failing(failure())], { count: 5, when: (_, retry) => (asked.push(retry), retry < 1) });

    expect(error).toMatchObject({ kind: 'provider' });
    expect(asked).toEqual([0, 1]);
  });

  it('should error when a callback throws, and when a notifier errors or says that nobody will come', () => {
    const thrown = new RangeError('mine');
    const throwing = (): never => {
      throw thrown;
    };

    expect(run([failing(failure())], { delay: throwing }).error).toMatchObject({ cause: thrown });
    expect(run([failing(failure())], { when: throwing }).error).toMatchObject({ cause: thrown });
    expect(run([failing(failure())], { delay: () => failing(thrown) }).error).toMatchObject({ cause: thrown });
    expect(run([failing(failure())], { delay: () => EMPTY })).toMatchObject({ asked: 1, error: { detail: 'no' } });
  });

  it('should pass completion without an event on, and silence', () => {
    createTestScheduler().run(({ expectObservable }) => {
      expectObservable(EMPTY.pipe(retryOpen())).toBe('|');
      expectObservable(NEVER.pipe(retryOpen())).toBe('-');
    });
  });

  it('should stop a synchronous source when enough has been taken', () => {
    let sent = 0;
    function* many(): Generator<LlmStreamEvent> {
      for (; sent < 100; sent++) yield text('x');
    }

    from(many()).pipe(retryOpen(), take(3)).subscribe();

    expect(sent).toBe(2);
  });

  it('should give each subscription a budget of its own', () => {
    const { source, played } = playing(failing(failure()));
    const retried = source.pipe(retryOpen({ count: 1, delay: 0 }));

    retried.subscribe({ error: () => undefined });
    retried.subscribe({ error: () => undefined });

    expect(played.count).toBe(4);
  });

  it.each([-1, NaN])('should throw at the call on %d', (bad) => {
    expect(() => retryOpen(bad)).toThrow(RangeError);
    expect(() => retryOpen({ delay: bad })).toThrow(RangeError);
  });
});

function* endingIn(error: unknown, ...events: LlmStreamEvent[]): Generator<LlmStreamEvent> {
  yield* events;
  throw error;
}
