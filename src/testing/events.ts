import {
  InferenceExecutionError,
  type ContentBlockStopEvent,
  type InterruptCause,
  type JsonValue,
  type LlmStreamEvent,
  type ReasoningDeltaEvent,
  type StopEvent,
  type StopReason,
  type TextDeltaEvent,
  type TokenUsage,
  type ToolCallDeltaEvent,
  type ToolCallStartEvent,
  type UsageEvent,
} from '../contract/index.js';

/** A piece of text. */
export function text(words: string): TextDeltaEvent {
  return { type: 'text-delta', text: words };
}

/** A piece of reasoning; with a `signature`, the provider's proof of it. */
export function reasoning(words: string, signature?: string): ReasoningDeltaEvent {
  const event: ReasoningDeltaEvent = { type: 'reasoning-delta', text: words };
  return signature === undefined ? event : { ...event, providerMetadata: { signature } };
}

/**
 * A whole tool call: its start, its arguments in one piece, its end.
 *
 * @param id - Id of the call.
 * @param name - The tool.
 * @param args - Arguments; text is taken as the JSON text itself, so that it can be broken. Defaults to `{}`.
 */
export function toolCall(id: string, name: string, args: JsonValue = {}): LlmStreamEvent[] {
  const argsDelta = typeof args === 'string' ? args : JSON.stringify(args);
  return [toolCallStart(id, name), toolCallDelta(id, argsDelta), blockStop(id)];
}

/** The beginning of a tool call. */
export function toolCallStart(id: string, name: string): ToolCallStartEvent {
  return { type: 'tool-call-start', id, name };
}

/** A piece of the JSON text of a call's arguments. */
export function toolCallDelta(id: string, argsDelta: string): ToolCallDeltaEvent {
  return { type: 'tool-call-delta', id, argsDelta };
}

/** The end of a block: of the call `id`, or of the open text or reasoning. */
export function blockStop(id?: string): ContentBlockStopEvent {
  return id === undefined ? { type: 'content-block-stop' } : { type: 'content-block-stop', id };
}

/** Tokens so far. */
export function usage(tokens: TokenUsage): UsageEvent {
  return { type: 'usage', usage: tokens };
}

/** The end; `end-turn` unless another reason is given. */
export function stop(reason: StopReason = 'end-turn'): StopEvent {
  return { type: 'stop', reason };
}

/** The error of a stream that broke: by a connection reset unless another cause is given. */
export function cut(cause: InterruptCause | InterruptCause['kind'] = 'connection-reset'): InferenceExecutionError {
  const interruption = typeof cause === 'string' ? causeOf(cause) : cause;
  return new InferenceExecutionError('stream-interrupted', '', { interruption });
}

function causeOf(kind: InterruptCause['kind']): InterruptCause {
  return kind === 'provider-5xx' ? { kind, status: 503 } : { kind };
}
