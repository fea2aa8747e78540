import { EMPTY, NEVER, of, Subject, take, throwError, type Observable, VirtualTimeScheduler } from 'rxjs';
import {
  CircuitOpenError,
  InferenceExecutionError,
  type InferenceErrorKind,
  type LlmStreamEvent,
} from '../../src/index.js';
import { circuitBreaker, type CircuitBreaker } from '../../src/resilience/circuitBreaker.js';
import { broken, stop, text } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const failure = (kind: InferenceErrorKind = 'provider') => new InferenceExecutionError(kind, 'no');
const refused = (remaining: number, name = 'default') =>
  new InferenceExecutionError('provider', `circuit breaker open for model ${name}`, {
    cause: new CircuitOpenError(name, remaining),
  });

/** Lets a source through the breaker and tells how it went. */
function pass(
  breaker: CircuitBreaker,
  source: Observable<LlmStreamEvent>,
): 'refused' | 'errored' | 'completed' | 'open' {
  let outcome: ReturnType<typeof pass> = 'open';
  source.pipe(breaker).subscribe({
    error: (error: unknown) => (outcome = (error as Error).cause instanceof CircuitOpenError ? 'refused' : 'errored'),
    complete: () => (outcome = 'completed'),
  });
  return outcome;
}

const failing = (kind?: InferenceErrorKind): Observable<never> => throwError(() => failure(kind));
const answer = of(text('a'), stop());

describe('circuitBreaker', () => {
  it('should refuse at once after so many failures in a row, and subscribe no more', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const breaker = circuitBreaker({ threshold: 2, cooldown: 20 });
      const values = { a: text('a'), b: text('b') };
      const first = cold('  --a--#       ', values, failure());
      const second = cold('        --b--# ', values, failure());
      const third = cold('                --a--# ', values);
      const firstSubs = '   ^----!       ';
      const secondSubs = '  -------^----!';

      expectObservable(first.pipe(breaker)).toBe('--a--#', values, failure());
      expectObservable(second.pipe(breaker), '-------^').toBe('---------b--#', values, failure());
      expectObservable(third.pipe(breaker), '--------------^').toBe('--------------#', values, refused(18));
      expectSubscriptions(first.subscriptions).toBe(firstSubs);
      expectSubscriptions(second.subscriptions).toBe(secondSubs);
      expectSubscriptions(third.subscriptions).toBe([]);
    });
  });

  it('should let one through after the cooldown, and close when it succeeds', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const breaker = circuitBreaker({ threshold: 1, cooldown: 5 });
      const values = { a: text('a'), s: stop() };

      expectObservable(cold('#', values, failure()).pipe(breaker)).toBe('#', values, failure());
      expectObservable(cold('--a--s|', values).pipe(breaker), '-----^').toBe('-------a--s|', values);
      expectObservable(cold('a', values).pipe(breaker), '------^').toBe('------#', values, refused(0));
      expectObservable(cold('a', values).pipe(breaker), '-----------^').toBe('-----------a', values);
    });
  });

  it('should open again when the one that was let through fails', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const breaker = circuitBreaker({ threshold: 3, cooldown: 5 });
      for (let i = 0; i < 3; i++) breaker.record('failure');

      expectObservable(cold('-#', {}, failure()).pipe(breaker), '-----^').toBe('------#', {}, failure());
      expectObservable(cold('a').pipe(breaker), '-------^').toBe('-------#', {}, refused(4));
    });
  });

  it('should count a stream that fails in the middle, and forget no failure because it was opened (W25)', () => {
    const breaker = circuitBreaker(2);
    const breaking = new Subject<LlmStreamEvent>();
    breaking.pipe(breaker).subscribe({ error: () => undefined });
    breaking.next(text('a'));
    breaking.error(broken());

    expect(pass(breaker, of(text('cut in silence')))).toBe('completed');
    expect(breaker.state).toBe('open');
  });

  it('should take the stop for success, whatever comes after it (W8)', () => {
    const breaker = circuitBreaker(1);
    const source = new Subject<LlmStreamEvent>();
    source.pipe(breaker).subscribe({ error: () => undefined });
    source.next(stop());
    source.error(broken());

    expect(breaker.state).toBe('closed');
  });

  it('should count only failures in a row', () => {
    const breaker = circuitBreaker(2);

    expect([failing(), answer, failing()].map((source) => pass(breaker, source))).toEqual([
      'errored',
      'completed',
      'errored',
    ]);
    expect(breaker.state).toBe('closed');
  });

  it.each<InferenceErrorKind>(['provider', 'rate-limited', 'overloaded', 'timeout', 'stream-interrupted'])(
    'should count %s',
    (kind) => {
      const breaker = circuitBreaker(1);
      pass(breaker, failing(kind));

      expect(breaker.state).toBe('open');
    },
  );

  it.each<InferenceErrorKind>([
    'context-overflow',
    'invalid-request',
    'unauthorized',
    'model-not-found',
    'content-filtered',
    'all-models-unavailable',
    'cancelled',
  ])('should not count %s, which says nothing about health', (kind) => {
    const breaker = circuitBreaker(1);
    pass(breaker, failing(kind));

    expect(breaker.state).toBe('closed');
  });

  it('should not count a bug, the refusal of another breaker, or an unsubscription', () => {
    const breaker = circuitBreaker(1);
    const other = circuitBreaker(1);
    other.record('failure');
    pass(
      breaker,
      throwError(() => new TypeError('bug')),
    );
    pass(breaker, answer.pipe(other));
    answer.pipe(breaker, take(1)).subscribe();

    expect(breaker.state).toBe('closed');
  });

  it('should count a broken connection that is no error of this library', () => {
    const breaker = circuitBreaker(1);
    pass(
      breaker,
      throwError(() => Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
    );

    expect(breaker.state).toBe('open');
  });

  it.each<[string, (breaker: CircuitBreaker) => unknown]>([
    ['ends in a permanent error', (breaker) => pass(breaker, failing('context-overflow'))],
    ['is unsubscribed', (breaker) => NEVER.pipe(breaker).subscribe().unsubscribe()],
    ['is stopped by take before the stop', (breaker) => answer.pipe(breaker, take(1)).subscribe()],
  ])('should not get stuck half open when a probe %s (W14)', (_, probe) => {
    const breaker = circuitBreaker({ threshold: 1, cooldown: 0 });
    breaker.record('failure');
    probe(breaker);

    expect(breaker.state).toBe('half-open');
    expect(pass(breaker, answer)).toBe('completed');
    expect(breaker.state).toBe('closed');
  });

  it('should give a probe up that is silent for longer than the cooldown, but not one that streams (W14)', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const breaker = circuitBreaker({ threshold: 1, cooldown: 5 });
      breaker.record('failure');
      const values = { a: text('a'), b: text('b') };

      expectObservable(cold('a---a---------', values).pipe(breaker), '-----^').toBe('-----a---a', values);
      expectObservable(cold('b', values).pipe(breaker), '--------------^').toBe('--------------#', values, refused(0));
      expectObservable(cold('b', values).pipe(breaker), '---------------^').toBe('---------------b', values);
    });
  });

  it('should let so many through at a time as it was told to', () => {
    // A clock that stands still: a probe that is silent for longer than the cooldown would make room.
    const breaker = circuitBreaker({ threshold: 1, cooldown: 0, halfOpen: 2, scheduler: new VirtualTimeScheduler() });
    breaker.record('failure');

    expect([1, 2, 3].map(() => pass(breaker, NEVER))).toEqual(['open', 'open', 'refused']);
  });

  it('should not change its mind because of a stream from before', () => {
    const breaker = circuitBreaker({ threshold: 1, cooldown: 60_000 });
    const [slow, slower] = [new Subject<LlmStreamEvent>(), new Subject<LlmStreamEvent>()];
    for (const source of [slow, slower]) source.pipe(breaker).subscribe({ error: () => undefined });
    pass(breaker, failing());
    slow.next(stop());

    expect(breaker.state).toBe('open');

    const cooled = circuitBreaker({ threshold: 1, cooldown: 0 });
    const old = new Subject<LlmStreamEvent>();
    old.pipe(cooled).subscribe({ error: () => undefined });
    pass(cooled, failing());
    pass(cooled, answer);
    old.error(broken());

    expect(cooled.state).toBe('closed');
  });

  it('should share a name with everybody who asks for it, and nothing with other names', () => {
    const breaker = circuitBreaker(1);
    pass(breaker.named('m1'), failing());

    expect(pass(breaker.named('m1'), answer)).toBe('refused');
    expect(pass(breaker.named('m1').named('m2'), answer)).toBe('completed');
    expect(pass(breaker, answer)).toBe('completed');
    const { breakerName, state, available } = breaker.named('m1');
    expect({ breakerName, state, available }).toEqual({ breakerName: 'm1', state: 'open', available: false });
  });

  it('should remember a name that has failed, however many others are asked for', () => {
    const breaker = circuitBreaker(1);
    pass(breaker.named('bad'), failing());
    for (let i = 0; i < 2_000; i++) pass(breaker.named(`m${i}`), answer);

    expect(breaker.named('bad').state).toBe('open');
  });

  it('should tell that it can be asked without taking the probe (W14)', () => {
    const breaker = circuitBreaker({ threshold: 1, cooldown: 0 });
    breaker.record('failure');

    expect([breaker.available, breaker.available, breaker.state]).toEqual([true, true, 'half-open']);
    expect(pass(breaker, answer)).toBe('completed');
  });

  it('should guard collected results, too', () => {
    const breaker = circuitBreaker(1);
    const result = { content: [], toolCalls: [], hasIncompleteToolCalls: false };
    const seen: unknown[] = [];
    of(result)
      .pipe(breaker)
      .subscribe((value) => seen.push(value));

    expect(seen).toEqual([result]);
    expect(breaker.state).toBe('closed');
  });

  it('should take an answer without a stop for a failure, and silence for nothing', () => {
    const breaker = circuitBreaker(1);

    expect([pass(breaker, NEVER), breaker.state]).toEqual(['open', 'closed']);
    expect([pass(breaker, EMPTY), breaker.state]).toEqual(['completed', 'open']);
  });

  it.each([{ threshold: 0 }, { threshold: NaN }, { cooldown: -1 }, { halfOpen: 0 }])(
    'should throw at the call on %j',
    (config) => {
      expect(() => circuitBreaker(config)).toThrow(RangeError);
    },
  );
});
