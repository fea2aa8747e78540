import type { Observable, OperatorFunction } from 'rxjs';
import { describeCause, type JsonValue, type ProviderMetadata, type TokenUsage } from '../contract/index.js';
import type { ConverseEvent } from '../tools/ConverseEvent.js';
import { dataResponse, type DataResponseConfig } from './dataResponse.js';
import { encodeParts, type EncoderConfig, type PartEncoder } from './encodeParts.js';
import type { Aside, FinishReason, PartTracker, Told } from './PartTracker.js';
import type { PublicError } from './publicError.js';
import { resultTextOf, resultValueOf } from './toolText.js';
import type { UiFinishReason, UiMessageChunk, UiProviderMetadata, UiRecovery } from './uiMessageChunk.js';

/** Configuration of {@link toUiMessageStream}. */
export interface UiMessageStreamConfig extends EncoderConfig {
  /** Id of the message. Defaults to one that the client makes. */
  messageId?: string;
  /** True declares the tools `dynamic`, for front ends that do not know them by name. Defaults to false. */
  dynamicTools?: boolean;
  /**
   * True takes back what a reset makes void by `reset-step`, which the AI SDK knows from version 7 on and earlier ones die of.
   * Defaults to false: a `data-recovery` part then stands between what is void and the answer that starts again.
   */
  resetStep?: boolean;
  /** False tells nothing of interruptions, but for a reset. Defaults to true: `data-recovery` parts, that `onData` gets. */
  recovery?: boolean;
  /** Data of one's own for the message, at its start (without the argument) and at its end. */
  messageMetadata?: (end?: { finishReason: UiFinishReason; usage: TokenUsage | undefined }) => unknown;
}

/** The key under which the provider's opaque data of a block travels to the page and back. */
export const METADATA_KEY = 'rxLlm';

const FINISH_REASONS: Record<FinishReason, UiFinishReason> = {
  'end-turn': 'stop',
  'stop-sequence': 'stop',
  'max-tokens': 'length',
  'tool-use': 'tool-calls',
  'max-steps': 'tool-calls',
  suspended: 'tool-calls',
  'content-filter': 'content-filter',
  refusal: 'content-filter',
};

/**
 * Turns events into the parts of the AI SDK's UI message stream, version 1, which `useChat` reads.
 *
 * A recovered answer goes on in the same text part. Calls that recovery cancels, and those that do not arrive whole, become
 * `tool-input-error`. Tool results, failures, denials, progress and questions for approval of `converse` become their
 * parts, and each of its turns a step. The error of the source, and a source that completes without a `stop`, become an
 * `error` part with a stable sentence; then the result completes. Unsubscribing unsubscribes from the source.
 * ```text
 * source  --a--i--r--b--s|          i: interrupted, r: resumed
 *         toUiMessageStream()
 * result  S-(Pta)--i--r--b-(TE)F|   S: start, P: start-step, t: text-start, T: text-end, E: finish-step, F: finish
 * ```
 * @param config - See {@link UiMessageStreamConfig}.
 */
export function toUiMessageStream(config: UiMessageStreamConfig = {}): OperatorFunction<ConverseEvent, UiMessageChunk> {
  return encodeParts(config, (send) => new UiEncoder(config, send));
}

/**
 * Makes the `Response` that a `useChat` front end reads.
 *
 * @example A route of Next.js or Hono
 * ```ts
 * import { withRecovery, type LlmExecutor } from 'rx-llm';
 * import { readUiRequest, uiMessageStreamResponse } from 'rx-llm/server';
 *
 * declare const executor: LlmExecutor;
 *
 * export async function POST(request: Request): Promise<Response> {
 *   const { messages } = readUiRequest(await request.json());
 *   return uiMessageStreamResponse(withRecovery(executor).executeStream({ model: 'gpt-4o', messages }));
 * }
 * ```
 * @param events - The events of an answer or a conversation.
 * @param config - See {@link UiMessageStreamConfig} and {@link DataResponseConfig}.
 */
export function uiMessageStreamResponse(
  events: Observable<ConverseEvent>,
  config: UiMessageStreamConfig & DataResponseConfig = {},
): Response {
  return dataResponse(events.pipe(toUiMessageStream(config)), config, {
    done: '[DONE]',
    headers: { 'x-vercel-ai-ui-message-stream': 'v1' },
  });
}

class UiEncoder implements PartEncoder<UiMessageChunk> {
  constructor(
    private readonly config: UiMessageStreamConfig,
    private readonly send: (chunk: UiMessageChunk) => void,
  ) {}

  begin(): UiMessageChunk[] {
    const { messageId, messageMetadata } = this.config;
    const metadata = messageMetadata && { messageMetadata: messageMetadata() };
    return [{ type: 'start', ...(messageId !== undefined && { messageId }), ...metadata }];
  }

  told(told: Told): void {
    switch (told.type) {
      case 'step-start':
        return this.send({ type: 'start-step' });
      case 'step-end':
        return this.send({ type: 'finish-step' });
      case 'prose-start':
        return this.send({ type: `${told.kind}-start`, id: told.id });
      case 'prose-delta':
        return this.send({ type: `${told.kind}-delta`, id: told.id, delta: told.text });
      case 'prose-end':
        return this.send({ type: `${told.kind}-end`, id: told.id, ...metadataOf(told.metadata) });
      case 'call-start':
        return this.send({ type: 'tool-input-start', toolCallId: told.id, toolName: told.name, ...this.dynamic() });
      case 'call-delta':
        return this.send({ type: 'tool-input-delta', toolCallId: told.id, inputTextDelta: told.delta });
      case 'call-end':
        return this.send({
          ...{ type: 'tool-input-available', toolCallId: told.id, toolName: told.name, input: told.arguments },
          ...this.dynamic(),
          ...metadataOf(told.metadata),
        });
      case 'call-void': {
        const { id, name, args, reason } = told;
        const what = { toolCallId: id, toolName: name, input: args, errorText: reason };
        return this.send({ type: 'tool-input-error', ...what, ...this.dynamic() });
      }
      case 'reset':
        if (this.config.resetStep) this.send({ type: 'reset-step' });
        else this.send({ type: 'data-recovery', data: { event: 'reset', reason: told.reason } });
        return;
      case 'aside':
        return this.aside(told.event);
    }
  }

  finish(tracker: PartTracker): void {
    const { messageMetadata } = this.config;
    const finishReason = FINISH_REASONS[tracker.finish ?? 'end-turn'];
    const metadata = messageMetadata && { messageMetadata: messageMetadata({ finishReason, usage: tracker.usage }) };
    this.send({ type: 'finish', finishReason, ...metadata });
  }

  fail({ message }: PublicError): void {
    this.send({ type: 'error', errorText: message });
  }

  private aside(event: Aside): void {
    switch (event.type) {
      case 'interrupted':
        return this.recovery({
          ...{ event: 'interrupted', reason: describeCause(event.cause) },
          ...{ attempt: event.attempt, delay: event.delay },
        });
      case 'resumed':
        return this.recovery({ event: 'resumed', attempt: event.attempt });
      case 'tool-execution-progress':
        return this.send({
          ...{ type: 'tool-output-available', toolCallId: event.id, output: event.value, preliminary: true },
        });
      case 'tool-execution-result':
        return this.result(event);
      case 'approval-required':
        for (const { id } of event.calls) this.send({ type: 'tool-approval-request', approvalId: id, toolCallId: id });
        return;
      default:
        return;
    }
  }

  private result({ id, status, result }: Extract<Aside, { type: 'tool-execution-result' }>): void {
    if (status === 'denied') return this.send({ type: 'tool-output-denied', toolCallId: id });
    if (status === 'succeeded') {
      return this.send({ type: 'tool-output-available', toolCallId: id, output: resultValueOf(result) });
    }
    this.send({ type: 'tool-output-error', toolCallId: id, errorText: resultTextOf(result) });
  }

  private recovery(data: UiRecovery): void {
    if (this.config.recovery !== false) this.send({ type: 'data-recovery', data, transient: true });
  }

  private dynamic(): { dynamic?: true } {
    return this.config.dynamicTools ? { dynamic: true } : {};
  }
}

/** What the provider wants to see again with the block comes back with the history that the page sends. */
function metadataOf(metadata: ProviderMetadata | undefined): { providerMetadata?: UiProviderMetadata } {
  if (metadata === undefined) return {};
  return { providerMetadata: { [METADATA_KEY]: metadata as Record<string, JsonValue> } };
}
