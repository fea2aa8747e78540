import { context, trace } from '@opentelemetry/api';
import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { InferenceExecutionError, type InferenceRequest, type LlmStreamEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { handOn } from './handOn.js';
import { InferenceSpan, type Asked } from './InferenceSpan.js';
import { telemetryOf, type InferenceTelemetryConfig, type Telemetry } from './TelemetryConfig.js';

/** Configuration of {@link traceInference}. */
export interface TraceInferenceConfig extends InferenceTelemetryConfig {
  /** What is asked. */
  request: InferenceRequest;
  /** `gen_ai.provider.name`. */
  provider: string;
}

/**
 * Mirrors an answer, and records one span and the metrics of it by the GenAI conventions.
 *
 * The span starts at the subscription, under the span that is active there, and is itself active while the source is
 * subscribed, so that the spans of HTTP requests stand below it; what the reader of the events starts does not. Put after `recover` it covers all attempts, with an event
 * for each interruption, each resumption and what was taken back. It ends at the `stop`. An error passes through unchanged:
 * the span gets the status `ERROR`, and `error.type` is the error's `kind`; a completion without a stop is
 * `stream-interrupted`. Unsubscribing ends the span with `rx_llm.cancelled` and no status, then unsubscribes from the source.
 * ```text
 * source  --a--i---rb--s|          i: interrupted, r: resumed
 *         traceInference(config)
 * result  --a--i---rb--s|
 * span    ^----e---e---!           e: an event of the span
 * ```
 * @example Trace an answer with its recoveries
 * ```ts
 * import { recover, userMessage, type LlmExecutor } from 'rx-llm';
 * import { traceInference } from 'rx-llm/otel';
 *
 * declare const claude: LlmExecutor;
 * const request = { model: 'claude-sonnet-4-5', messages: [userMessage('Hello')] };
 * const answer$ = claude
 *   .executeStream(request)
 *   .pipe(
 *     recover({ request, resubscribe: (continuation) => claude.executeStream(continuation) }),
 *     traceInference({ request, provider: 'anthropic' }),
 *   );
 * ```
 * @param config - See {@link TraceInferenceConfig}.
 */
export function traceInference(config: TraceInferenceConfig): MonoTypeOperatorFunction<LlmStreamEvent> {
  const { request, provider, operation = 'chat', attributes } = config;
  return spanOver(telemetryOf(config), { provider, operation, ...(attributes && { attributes }) }, request);
}

/** The operator, for those who have read the configuration. */
export function spanOver(
  telemetry: Telemetry,
  asked: Asked,
  request: InferenceRequest,
): MonoTypeOperatorFunction<LlmStreamEvent> {
  return (source) =>
    new Observable((subscriber) => {
      const parent = context.active();
      const inference = new InferenceSpan(telemetry, asked, request, true, parent);
      const watched = source.pipe(
        operate<LlmStreamEvent, LlmStreamEvent>((result) => ({
          next: (event) => {
            inference.push(event);
            result.next(event);
          },
          error: (error) => {
            inference.end({ error });
            result.error(error);
          },
          complete: () => {
            inference.end({ error: new InferenceExecutionError('stream-interrupted') });
            result.complete();
          },
          finalize: () => inference.end('cancelled'),
        })),
        handOn(parent),
      );
      context.with(trace.setSpan(parent, inference.span), () => watched.subscribe(subscriber));
    });
}
