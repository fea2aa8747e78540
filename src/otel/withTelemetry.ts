import { context, trace } from '@opentelemetry/api';
import { Observable } from 'rxjs';
import type { InferenceRequest, LlmExecutor, StreamResult } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { createExecutor } from '../operators/createExecutor.js';
import { operationOf, providerOf } from './conventions.js';
import { handOn } from './handOn.js';
import { InferenceSpan, type Asked } from './InferenceSpan.js';
import { telemetryOf, type InferenceTelemetryConfig, type Telemetry } from './TelemetryConfig.js';
import { spanOver } from './traceInference.js';

/**
 * Makes an executor whose answers are recorded: one span and the metrics of each, by the OpenTelemetry conventions for
 * generative AI.
 *
 * Put it around everything that retries and recovers, so that one span covers the logical answer, with an event for each
 * interruption and each resumption; put inside, each attempt has a span of its own. See {@link traceInference} for what a
 * stream's span holds; a collected answer has one without the times of its pieces. Each subscription has its own span;
 * answers, errors, completion and unsubscription pass through unchanged.
 *
 * @example
 * ```ts
 * import { withRecovery } from 'rx-llm';
 * import { anthropicMessages } from 'rx-llm/anthropic';
 * import { withTelemetry } from 'rx-llm/otel';
 *
 * const claude = withTelemetry(withRecovery(anthropicMessages({ apiKey: 'your key' }), { count: 3 }));
 * ```
 * @param executor - The executor to ask.
 * @param config - See {@link InferenceTelemetryConfig}.
 */
export function withTelemetry(executor: LlmExecutor, config: InferenceTelemetryConfig = {}): LlmExecutor {
  const { name } = executor;
  const { provider = providerOf(name), operation = operationOf(name), attributes } = config;
  const asked: Asked = { provider, operation, ...(attributes && { attributes }) };
  const telemetry = telemetryOf(config);
  return createExecutor({
    name,
    executeStream: (request) => executor.executeStream(request).pipe(spanOver(telemetry, asked, request)),
    execute: (request) => collected(executor, telemetry, asked, request),
  });
}

function collected(
  executor: LlmExecutor,
  telemetry: Telemetry,
  asked: Asked,
  request: InferenceRequest,
): Observable<StreamResult> {
  return new Observable((subscriber) => {
    const parent = context.active();
    const inference = new InferenceSpan(telemetry, asked, request, false, parent);
    let last: StreamResult | undefined;
    const watched = operate<StreamResult, StreamResult>((answer) => ({
      next: (result) => {
        last = result;
        inference.end('stopped', result);
        answer.next(result);
      },
      error: (error) => {
        inference.end({ error }, last);
        answer.error(error);
      },
      complete: () => {
        inference.end('stopped', last);
        answer.complete();
      },
      finalize: () => inference.end('cancelled', last),
    }));
    context.with(trace.setSpan(parent, inference.span), () =>
      executor.execute(request).pipe(watched, handOn(parent)).subscribe(subscriber),
    );
  });
}
