import { context, trace } from '@opentelemetry/api';
import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import type { ToldEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import { ConversationSpan } from './ConversationSpan.js';
import { handOn } from './handOn.js';
import { telemetryOf, type TelemetryConfig } from './TelemetryConfig.js';

/** Configuration of {@link traceConversation}. */
export interface TraceConversationConfig extends TelemetryConfig {
  /** `gen_ai.agent.name`, also in the name of the span. Defaults to none. */
  agent?: string;
  /** `gen_ai.conversation.id`. Defaults to none. */
  conversationId?: string;
}

/**
 * Mirrors what `converse` tells, and records a span of the conversation with a span below it for each tool that runs.
 *
 * The span `invoke_agent` starts at the subscription and is active while the source is subscribed, so that the spans of
 * {@link withTelemetry} and those of the tools' own code stand below it. An `execute_tool` span runs from `tool-execution-start` to the result of the call; a
 * call that is not run is an event. Errors and completion pass through; an error gives the span the status `ERROR`.
 * Unsubscribing ends all open spans with `rx_llm.cancelled` and no status, then unsubscribes from the source.
 * ```text
 * source  --S--b---r--S--(t E|)    S: step-start, b: tool-execution-start, r: its result, E: conversation-end
 *         traceConversation()
 * result  --S--b---r--S--(t E|)
 * agent   ^--------------!
 * tool         ^---!
 * ```
 * @example Trace a conversation, its answers and its tools
 * ```ts
 * import { converse, userMessage, type AnyTool, type LlmExecutor } from 'rx-llm';
 * import { traceConversation, withTelemetry } from 'rx-llm/otel';
 *
 * declare const model: LlmExecutor;
 * declare const tools: AnyTool[];
 * const request = { model: 'gpt-4o', messages: [userMessage('Book a table.')] };
 * const talk$ = converse(withTelemetry(model), request, { tools }).pipe(traceConversation({ agent: 'concierge' }));
 * ```
 * @param config - See {@link TraceConversationConfig}.
 */
export function traceConversation<T extends ToldEvent>(
  config: TraceConversationConfig = {},
): MonoTypeOperatorFunction<T> {
  const telemetry = telemetryOf(config);
  const { agent, conversationId } = config;
  return (source) =>
    new Observable((subscriber) => {
      const parent = context.active();
      const conversation = new ConversationSpan(telemetry, { agent, conversationId }, parent);
      const watched = source.pipe(
        operate<T, T>((result) => ({
          next: (event) => {
            conversation.push(event);
            result.next(event);
          },
          error: (error) => {
            conversation.end({ error });
            result.error(error);
          },
          complete: () => {
            conversation.end('completed');
            result.complete();
          },
          finalize: () => conversation.end('cancelled'),
        })),
        handOn(parent),
      );
      context.with(trace.setSpan(parent, conversation.span), () => watched.subscribe(subscriber));
    });
}
