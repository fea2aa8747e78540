import type { Observable, OperatorFunction } from 'rxjs';
import { describeCause, type JsonValue, type ProviderMetadata, type TokenUsage } from '../contract/index.js';
import type { ConverseEvent } from '../tools/ConverseEvent.js';
import type { AgUiEvent, AgUiInterrupt, AgUiUsage } from './agUiEvent.js';
import { dataResponse, type DataResponseConfig } from './dataResponse.js';
import { encodeParts, type EncoderConfig, type PartEncoder } from './encodeParts.js';
import { openAiFinishReason } from './openAiChunk.js';
import type { Aside, PartTracker, Prose, Told } from './PartTracker.js';
import type { PublicError } from './publicError.js';
import { resultTextOf } from './toolText.js';

/** Configuration of {@link toAgUi}: what the `RunAgentInput` says. */
export interface AgUiConfig extends EncoderConfig {
  /** The conversation, as the client names it. */
  threadId: string;
  /** This run of it, as the client names it. */
  runId: string;
}

/**
 * Turns events into those of AG-UI 1.0, which CopilotKit, TanStack AI and other front ends read; in the order that
 * `verifyEvents` of `@ag-ui/client` wants.
 *
 * A recovered answer goes on in the same message. What AG-UI has no event for is told by `CUSTOM`: `rx-llm.interrupted`,
 * `rx-llm.resumed`, `rx-llm.stream-reset` with the ids of the messages and calls that are void, and
 * `rx-llm.tool-call-cancel`, after which the call ends in a `TOOL_CALL_RESULT` that says so: nobody has to run it. The turns
 * of `converse` become steps, what waits for somebody an `interrupt` outcome. The error of the source, and a source that
 * completes without a `stop`, become `RUN_ERROR` with a stable sentence; then the result completes. Unsubscribing
 * unsubscribes from the source.
 * ```text
 * source  ---a------b--(s|)
 *         toAgUi(config)
 * result  R--(Ma)---b--(ER|)      R: run started, finished, M, E: message start, end
 * ```
 * @param config - See {@link AgUiConfig}.
 */
export function toAgUi(config: AgUiConfig): OperatorFunction<ConverseEvent, AgUiEvent> {
  if (!config?.threadId || !config.runId) throw new TypeError('toAgUi: give the threadId and the runId of the run');
  return encodeParts(config, (send) => new AgUiEncoder(config, send));
}

/**
 * Makes the `Response` that an AG-UI front end reads.
 *
 * @example An agent behind CopilotKit or TanStack AI
 * ```ts
 * import { withRecovery, type LlmExecutor } from 'rx-llm';
 * import { agUiResponse, readAgUiInput } from 'rx-llm/server';
 *
 * declare const executor: LlmExecutor;
 *
 * export async function POST(request: Request): Promise<Response> {
 *   const { threadId, runId, messages, tools } = readAgUiInput(await request.json());
 *   const events$ = withRecovery(executor).executeStream({ model: 'gpt-4o', messages, tools });
 *   return agUiResponse(events$, { threadId, runId });
 * }
 * ```
 * @param events - The events of an answer or a conversation.
 * @param config - See {@link AgUiConfig} and {@link DataResponseConfig}.
 */
export function agUiResponse(events: Observable<ConverseEvent>, config: AgUiConfig & DataResponseConfig): Response {
  return dataResponse(events.pipe(toAgUi(config)), config);
}

class AgUiEncoder implements PartEncoder<AgUiEvent> {
  private steps = 0;
  private results = 0;
  /** Calls that are open, and whether any of their arguments have been sent. */
  private readonly calls = new Map<string, boolean>();
  /** The message that the calls of the step belong to. */
  private parent = '';
  /** What a reset of the step would make void. */
  private shown: string[] = [];
  private interrupts: AgUiInterrupt[] = [];

  constructor(
    private readonly config: AgUiConfig,
    private readonly send: (event: AgUiEvent) => void,
  ) {}

  begin(): AgUiEvent[] {
    const { threadId, runId } = this.config;
    return [{ type: 'RUN_STARTED', threadId, runId }];
  }

  told(told: Told): void {
    switch (told.type) {
      case 'step-start':
        this.shown = [];
        this.parent = this.idOf(`calls-${++this.steps}`);
        return this.send({ type: 'STEP_STARTED', stepName: `step-${this.steps}` });
      case 'step-end':
        return this.send({ type: 'STEP_FINISHED', stepName: `step-${this.steps}` });
      case 'prose-start':
        return this.proseStart(told.kind, this.idOf(told.id));
      case 'prose-delta': {
        const type = told.kind === 'text' ? 'TEXT_MESSAGE_CONTENT' : 'REASONING_MESSAGE_CONTENT';
        return this.send({ type, messageId: this.idOf(told.id), delta: told.text });
      }
      case 'prose-end':
        return this.proseEnd(told.kind, this.idOf(told.id), told.metadata);
      case 'call-start':
        return this.callStart(told.id, told.name);
      case 'call-delta':
        this.calls.set(told.id, true);
        return this.send({ type: 'TOOL_CALL_ARGS', toolCallId: told.id, delta: told.delta });
      case 'call-end':
        return this.callEnd(told.id, told.name, told.arguments, told.metadata);
      case 'call-void':
        return this.callVoid(told.id, told.name, told.reason);
      case 'reset':
        this.custom('stream-reset', { reason: told.reason, void: this.shown });
        this.shown = [];
        return;
      case 'aside':
        return this.aside(told.event);
    }
  }

  finish(tracker: PartTracker): void {
    const { threadId, runId } = this.config;
    const { interrupts } = this;
    const { usage } = tracker;
    this.send({
      ...{ type: 'RUN_FINISHED', threadId, runId },
      outcome: interrupts.length > 0 ? { type: 'interrupt', interrupts } : { type: 'success' },
      ...(usage && { usage: [usageOf(usage)] }),
      metadata: { tanstack: { finishReason: openAiFinishReason(tracker.finish ?? 'end-turn') } },
    });
  }

  fail({ message, kind }: PublicError): void {
    this.send({ type: 'RUN_ERROR', message, code: kind });
  }

  private proseStart(kind: Prose, messageId: string): void {
    this.shown.push(messageId);
    if (kind === 'text') {
      this.parent = messageId;
      return this.send({ type: 'TEXT_MESSAGE_START', messageId, role: 'assistant' });
    }
    this.send({ type: 'REASONING_START', messageId });
    this.send({ type: 'REASONING_MESSAGE_START', messageId, role: 'reasoning' });
  }

  private proseEnd(kind: Prose, messageId: string, metadata: ProviderMetadata | undefined): void {
    if (kind === 'text') return this.send({ type: 'TEXT_MESSAGE_END', messageId });
    this.send({ type: 'REASONING_MESSAGE_END', messageId });
    if (metadata) this.encrypted('message', messageId, metadata);
    this.send({ type: 'REASONING_END', messageId });
  }

  private callStart(toolCallId: string, toolCallName: string): void {
    this.calls.set(toolCallId, false);
    this.shown.push(toolCallId);
    this.send({ type: 'TOOL_CALL_START', toolCallId, toolCallName, parentMessageId: this.parent });
  }

  private callEnd(toolCallId: string, name: string, args: JsonValue, metadata: ProviderMetadata | undefined): void {
    if (!this.calls.has(toolCallId)) this.callStart(toolCallId, name);
    if (!this.calls.get(toolCallId)) this.send({ type: 'TOOL_CALL_ARGS', toolCallId, delta: JSON.stringify(args) });
    this.calls.delete(toolCallId);
    if (metadata) this.encrypted('tool-call', toolCallId, metadata);
    this.send({ type: 'TOOL_CALL_END', toolCallId });
  }

  /** AG-UI cannot take a call back: it is closed, and answered, so that no front end runs it. */
  private callVoid(toolCallId: string, toolCallName: string, reason: string): void {
    this.custom('tool-call-cancel', { toolCallId, toolCallName, reason });
    if (!this.calls.delete(toolCallId)) return;
    this.send({ type: 'TOOL_CALL_END', toolCallId });
    this.result(toolCallId, `cancelled: ${reason}`);
  }

  private aside(event: Aside): void {
    switch (event.type) {
      case 'interrupted': {
        const { cause, plan, attempt, delay } = event;
        return this.custom('interrupted', { reason: describeCause(cause), plan: plan.kind, attempt, delay });
      }
      case 'resumed':
        return this.custom('resumed', { attempt: event.attempt });
      case 'tool-execution-progress':
        return this.custom('tool-progress', { toolCallId: event.id, value: (event.value ?? null) as JsonValue });
      case 'tool-execution-result':
        return this.result(event.id, resultTextOf(event.result));
      case 'conversation-suspended':
        this.interrupts = event.state.pending.map(({ id, name, waitsFor }) => ({
          ...{ id, toolCallId: id, reason: `tool-${waitsFor}` },
          message: waitsFor === 'approval' ? `May ${name} run?` : `What is the result of ${name}?`,
        }));
        return;
      default:
        return;
    }
  }

  private result(toolCallId: string, content: string): void {
    const messageId = this.idOf(`result-${++this.results}`);
    this.send({ type: 'TOOL_CALL_RESULT', messageId, toolCallId, content, role: 'tool' });
  }

  private encrypted(subtype: 'message' | 'tool-call', entityId: string, metadata: ProviderMetadata): void {
    this.send({ type: 'REASONING_ENCRYPTED_VALUE', subtype, entityId, encryptedValue: JSON.stringify(metadata) });
  }

  private custom(name: string, value: { [key: string]: JsonValue }): void {
    this.send({ type: 'CUSTOM', name: `rx-llm.${name}`, value });
  }

  /** Ids of messages have to be new in the whole thread. */
  private idOf(part: string): string {
    return `${this.config.runId}-${part}`;
  }
}

function usageOf(usage: TokenUsage): AgUiUsage {
  const { promptTokens, completionTokens, totalTokens, thinkingTokens, cacheReadTokens, cacheCreationTokens } = usage;
  // AG-UI wants what is not known left out, never null.
  return {
    ...(promptTokens !== undefined && { inputTokens: promptTokens }),
    ...(completionTokens !== undefined && { outputTokens: completionTokens }),
    ...(totalTokens !== undefined && { totalTokens }),
    ...(thinkingTokens !== undefined && { reasoningTokens: thinkingTokens }),
    ...(cacheReadTokens !== undefined && { cachedInputTokens: cacheReadTokens }),
    ...(cacheCreationTokens !== undefined && { cacheWriteInputTokens: cacheCreationTokens }),
  };
}
