import { catchError, defer, tap, throwError, type Observable } from 'rxjs';
import { InferenceExecutionError, type InferenceRequest, type LlmExecutor } from '../contract/index.js';
import { createExecutor } from '../operators/createExecutor.js';
import { toInferenceError } from '../recovery/attachSnapshot.js';
import { isRefusal } from './CircuitOpenError.js';
import { retryOpen, type RetryOpenConfig } from './retryOpen.js';

/** Configuration for {@link withRetryOpen}. */
export interface WithRetryOpenConfig extends RetryOpenConfig {
  /**
   * Models to ask in turn when the request's own cannot be had, each with the whole budget. `overrides.fallbackModels` of a
   * request takes the place of this list. Defaults to none.
   */
  fallbackModels?: readonly string[];
}

/** What an executor was made of, for the pool: it must not wait for the retries of a member that it can leave. */
const madeOf = new WeakMap<LlmExecutor, { executor: LlmExecutor; config: WithRetryOpenConfig }>();

/**
 * Makes an executor that asks again when a request cannot be opened, and then asks other models.
 *
 * A model is asked as {@link retryOpen} says. When its budget is spent, or the breaker around it is open, the next one of
 * `fallbackModels` is asked with the same request; an error that no other try can mend ends the chain at once, and so does
 * every error after the first event. The last error is sent; where every model was refused by an open breaker, without one
 * call, `all-models-unavailable`. A run that is to be reattached to is no other model's and has no fallback.
 *
 * @example
 * ```ts
 * import { withRetryOpen, type LlmExecutor } from 'rx-llm';
 *
 * declare const executor: LlmExecutor;
 * const patient = withRetryOpen(executor, { count: 3, fallbackModels: ['gpt-4o-mini'] });
 * ```
 * @param executor - The executor to ask.
 * @param config - The number of retries, or a {@link WithRetryOpenConfig}.
 * @throws RangeError on a negative number.
 */
export function withRetryOpen(executor: LlmExecutor, config: number | WithRetryOpenConfig = {}): LlmExecutor {
  const settings = typeof config === 'number' ? { count: config } : config;
  const patient = makePatient(executor, settings, () => false);
  madeOf.set(patient, { executor, config: settings });
  return patient;
}

/** The executor inside one that {@link withRetryOpen} made, and how it retries; undefined for any other. */
export function retriesOf(executor: LlmExecutor): { executor: LlmExecutor; config: WithRetryOpenConfig } | undefined {
  return madeOf.get(executor);
}

/**
 * The core of {@link withRetryOpen}.
 *
 * @param leaves - Says which errors pass at once, without a retry and without a fallback.
 */
export function makePatient(
  executor: LlmExecutor,
  config: WithRetryOpenConfig,
  leaves: (error: InferenceExecutionError) => boolean,
): LlmExecutor {
  const { when = () => true } = config;
  const retries = { ...config, when: (error: InferenceExecutionError, n: number) => !leaves(error) && when(error, n) };
  retryOpen(retries);
  const inTurn = <T>(request: InferenceRequest, ask: (request: InferenceRequest) => Observable<T>): Observable<T> => {
    const requests = chain(request, config.fallbackModels);
    let called = false;
    const from = (index: number): Observable<T> => {
      let opened = false;
      return defer(() => ask(requests[index] ?? request)).pipe(
        tap({ next: () => (opened = true), error: (error: unknown) => (called ||= !isRefusal(error)) }),
        retryOpen(retries),
        catchError((thrown: unknown) => {
          const error = toInferenceError(thrown);
          const last = index === requests.length - 1;
          if (!last && !opened && error.isRetryable && !leaves(error)) return from(index + 1);
          return throwError(() => (called || requests.length === 1 ? error : unavailable(error)));
        }),
      );
    };
    return from(0);
  };
  return createExecutor({
    name: executor.name,
    execute: (request) => inTurn(request, (asked) => executor.execute(asked)),
    executeStream: (request) => inTurn(request, (asked) => executor.executeStream(asked)),
  });
}

/** The request, and what it becomes for each model that is asked after its own. */
function chain(request: InferenceRequest, models: readonly string[] = []): InferenceRequest[] {
  if (request.continuation?.mechanism === 'reattach') return [request];
  const fallbacks = request.overrides?.fallbackModels ?? models;
  return [request, ...fallbacks.map((model) => ({ ...request, overrides: { ...request.overrides, model } }))];
}

function unavailable(cause: InferenceExecutionError): InferenceExecutionError {
  return new InferenceExecutionError('all-models-unavailable', '', { cause });
}
