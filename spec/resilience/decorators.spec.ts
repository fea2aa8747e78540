import { of, VirtualTimeScheduler } from 'rxjs';
import {
  collect,
  createExecutor,
  InferenceExecutionError,
  resultText,
  type InferenceErrorKind,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
} from '../../src/index.js';
import { scriptedExecutor } from '../../src/testing/index.js';
import { circuitBreaker } from '../../src/resilience/circuitBreaker.js';
import { rateLimit } from '../../src/resilience/rateLimit.js';
import { withCircuitBreaker } from '../../src/resilience/withCircuitBreaker.js';
import { withContinueOnMaxTokens } from '../../src/resilience/withContinueOnMaxTokens.js';
import { withRateLimit } from '../../src/resilience/withRateLimit.js';
import { withRetryOpen } from '../../src/resilience/withRetryOpen.js';
import { request, stop, text } from '../helpers/events.js';

const failure = (kind: InferenceErrorKind = 'provider') => new InferenceExecutionError(kind, 'no');
const OK = [text('ok'), stop()];

/** What becomes of a request: the text, or the kind of the error. */
function outcomeOf(executor: LlmExecutor, asking: InferenceRequest = request): string {
  let outcome = 'open';
  executor
    .executeStream(asking)
    .pipe(collect())
    .subscribe({
      next: (result) => (outcome = resultText(result)),
      error: (error: unknown) => {
        const { kind, detail } = error as InferenceExecutionError;
        outcome = `${kind}: ${detail}`;
      },
    });
  return outcome;
}

const modelsOf = (requests: readonly InferenceRequest[]): string[] =>
  requests.map(({ model, overrides }) => overrides?.model ?? model);

describe('withRetryOpen', () => {
  it('should retry, then ask the next model, with the whole budget for each', () => {
    const executor = scriptedExecutor([[failure()], [failure()], [failure()], [failure()], OK]);

    expect(outcomeOf(withRetryOpen(executor, { count: 1, delay: 0, fallbackModels: ['m2', 'm3'] }))).toBe('ok');
    expect(modelsOf(executor.requests)).toEqual(['test-model', 'test-model', 'm2', 'm2', 'm3']);
  });

  it('should take the list of the request in place of its own', () => {
    const executor = scriptedExecutor([[failure()], OK]);
    const asking = { ...request, overrides: { temperature: 0, fallbackModels: ['m9'] } };
    outcomeOf(withRetryOpen(executor, { count: 0, fallbackModels: ['m2'] }), asking);

    expect(modelsOf(executor.requests)).toEqual(['test-model', 'm9']);
    expect(executor.requests[1]!.overrides).toMatchObject({ temperature: 0 });
  });

  it.each<[string, Parameters<typeof scriptedExecutor>[0], string]>([
    ['a permanent error', [[failure('unauthorized')], OK], 'unauthorized: no'],
    ['an error after the first event', [[text('x'), failure()], OK], 'provider: no'],
  ])('should end the chain at %s', (_, attempts, outcome) => {
    const executor = scriptedExecutor(attempts);

    expect(outcomeOf(withRetryOpen(executor, { count: 2, delay: 0, fallbackModels: ['m2'] }))).toBe(outcome);
    expect(executor.requests).toHaveLength(1);
  });

  it('should have no other model attach to a run', () => {
    const executor = scriptedExecutor([[failure()]]);
    const cursor = { provider: 'p', runId: 'r' };
    const continuation = { prefix: 'x', cancelledTools: [], mechanism: 'reattach' as const, cursor };
    outcomeOf(withRetryOpen(executor, { count: 0, fallbackModels: ['m2'] }), { ...request, continuation });

    expect(modelsOf(executor.requests)).toEqual(['test-model']);
  });

  it('should pass a model by whose breaker is open, and say when all are', () => {
    const executor = scriptedExecutor([OK]);
    const breaker = circuitBreaker(1);
    const model = withRetryOpen(withCircuitBreaker(executor, breaker), { fallbackModels: ['m2'] });
    breaker.named('test-model').record('failure');

    expect(outcomeOf(model)).toBe('ok');
    expect(modelsOf(executor.requests)).toEqual(['m2']);
    breaker.named('m2').record('failure');
    expect(outcomeOf(model)).toBe('all-models-unavailable: ');
  });

  it('should retry collected answers, too', () => {
    let asked = 0;
    const result = { content: [], toolCalls: [], hasIncompleteToolCalls: false };
    const executor = createExecutor({
      name: 'unary',
      execute: () => {
        if (asked++ === 0) throw failure();
        return of(result);
      },
    });
    const results: unknown[] = [];
    withRetryOpen(executor, { delay: 0 })
      .execute(request)
      .subscribe((value) => results.push(value));

    expect(results).toEqual([result]);
  });

  it('should throw at the call on a negative count', () => {
    expect(() => withRetryOpen(scriptedExecutor([OK]), -1)).toThrow(RangeError);
  });
});

describe('withCircuitBreaker', () => {
  it('should error as InferenceExecutionError when the key function throws', () => {
    const cause = new RangeError('mine');
    const key = (): string => {
      throw cause;
    };
    const errors: unknown[] = [];
    const executor = withCircuitBreaker(scriptedExecutor([OK]), { key });
    executor.executeStream(request).subscribe({ error: (error: unknown) => errors.push(error) });
    executor.execute(request).subscribe({ error: (error: unknown) => errors.push(error) });

    expect(errors).toEqual([expect.any(InferenceExecutionError), expect.any(InferenceExecutionError)]);
    expect(errors).toMatchObject([{ cause }, { cause }]);
  });

  it('should have a breaker for each model, and share it with other executors', () => {
    const breaker = circuitBreaker(1);
    const one = withCircuitBreaker(scriptedExecutor([[failure()]]), breaker);
    const other = withCircuitBreaker(scriptedExecutor([OK]), { breaker });
    outcomeOf(one);

    expect(outcomeOf(other)).toBe('provider: circuit breaker open for model test-model');
    expect(outcomeOf(other, { ...request, overrides: { model: 'm2' } })).toBe('ok');
  });

  it('should have limits and keys of its own', () => {
    const model = withCircuitBreaker(scriptedExecutor([[failure()]]), { threshold: 1, key: () => 'all' });
    outcomeOf(model);

    expect(outcomeOf(model, { ...request, model: 'm2' })).toBe('provider: circuit breaker open for model all');
  });

  it('should guard collected answers, too', () => {
    const model = withCircuitBreaker(scriptedExecutor([[failure()], OK]), { threshold: 1 });
    const kinds: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      model
        .execute(request)
        .subscribe({ error: (error: unknown) => kinds.push((error as InferenceExecutionError).detail) });
    }

    expect(kinds).toEqual(['no', 'circuit breaker open for model test-model']);
  });
});

describe('withRateLimit', () => {
  it('should share its limits with other executors, for streams and collected answers', () => {
    const scheduler = new VirtualTimeScheduler();
    const limit = rateLimit({ concurrency: 1, scheduler });
    const [slow, quick] = [scriptedExecutor([['silence']]), scriptedExecutor([OK])];
    const running = withRateLimit(slow, limit).executeStream(request).subscribe();
    const waiting = withRateLimit(quick, limit).execute(request).subscribe();

    expect([quick.requests.length, limit.waiting]).toEqual([0, 1]);
    running.unsubscribe();
    scheduler.flush();
    expect([quick.requests.length, waiting.closed]).toEqual([1, true]);
  });

  it('should have limits of its own', () => {
    const executor = scriptedExecutor([['silence']]);
    const model = withRateLimit(executor, { tokensPerMinute: 10, estimate: () => 6 });
    const open = [1, 2].map(() => model.executeStream(request).subscribe());

    expect(executor.requests).toHaveLength(1);
    for (const subscription of open) subscription.unsubscribe();
  });
});

describe('withContinueOnMaxTokens', () => {
  it('should go on so often', () => {
    const part: LlmStreamEvent[] = [text('x'), stop('max-tokens')];
    const count = (config?: number | { count: number }): number => {
      const executor = scriptedExecutor((_, attempt) => [{ ...text(`${attempt} `) }, part[1]!]);
      outcomeOf(withContinueOnMaxTokens(executor, config));
      return executor.requests.length;
    };

    expect([count(), count(0), count({ count: 4 })]).toEqual([3, 1, 5]);
    expect(() => count(-1)).toThrow(RangeError);
  });
});
