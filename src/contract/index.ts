export { classifyFailure, errorInStream, type ProviderFailure } from './classify.js';
export { collectedToStreamEvents } from './collectedToStreamEvents.js';
export {
  contentText,
  type AudioBlock,
  type ContentBlock,
  type DocumentBlock,
  type ImageBlock,
  type MediaSource,
  type ProviderBlock,
  type ProviderMetadata,
  type ReasoningBlock,
  type TextBlock,
  type ToolCallBlock,
  type ToolResultBlock,
  type VideoBlock,
} from './content.js';
export type { Continuation, ContinuationMechanism, ContinuationNote, RunCursor } from './continuation.js';
export { errorFromResponse, failureIn, type FailedResponse, type ToldFailure } from './errorFromResponse.js';
export type {
  ContentBlockStopEvent,
  EventBase,
  EventMetadata,
  InterruptedEvent,
  LlmStreamEvent,
  ProviderBlockEvent,
  ReasoningDeltaEvent,
  ResumedEvent,
  Seam,
  StopEvent,
  StreamResetEvent,
  TextDeltaEvent,
  ToldEvent,
  ToolCallCancelEvent,
  ToolCallDeltaEvent,
  ToolCallReadyEvent,
  ToolCallStartEvent,
  UsageEvent,
} from './events.js';
export type { LlmExecutor } from './executor.js';
export {
  InferenceExecutionError,
  type InferenceErrorKind,
  type InferenceErrorOptions,
} from './InferenceExecutionError.js';
export { interruptCauseOf } from './interruptCauseOf.js';
export { describeCause, type InFlightTool, type InterruptCause, type InterruptSnapshot } from './interruption.js';
export type { JsonObject, JsonValue } from './json.js';
export { assistantMessage, systemMessage, toolMessage, userMessage, type Message, type Role } from './message.js';
export { planRecovery, type RecoveryPlan } from './planRecovery.js';
export {
  mergeOverrides,
  modelOf,
  type InferenceOverrides,
  type InferenceRequest,
  type ReasoningEffort,
  type ResponseFormat,
  type ToolChoice,
} from './request.js';
export { needsTools, needsTruncationRecovery, resultText, type StopReason, type StreamResult } from './result.js';
export { headerOf, parseRetryAfter, RETRY_AFTER_CAP, type HeadersLike } from './retryAfter.js';
export { snapshotFromPartials } from './snapshotFromPartials.js';
export { DEFAULT_TOOL_EXECUTION_MODE, type ToolCall, type ToolDescriptor, type ToolExecutionMode } from './tool.js';
export { addUsage, updateUsage, type TokenUsage } from './usage.js';
