// Contract: requests, messages, events, results
export {
  assistantMessage,
  collectedToStreamEvents,
  contentText,
  DEFAULT_TOOL_EXECUTION_MODE,
  mergeOverrides,
  modelOf,
  needsTools,
  needsTruncationRecovery,
  resultText,
  systemMessage,
  toolMessage,
  userMessage,
} from './contract/index.js';
export type {
  AudioBlock,
  ContentBlock,
  ContentBlockStopEvent,
  DocumentBlock,
  EventBase,
  EventMetadata,
  ImageBlock,
  InferenceOverrides,
  InferenceRequest,
  InterruptedEvent,
  JsonObject,
  JsonValue,
  LlmExecutor,
  LlmStreamEvent,
  MediaSource,
  Message,
  ProviderBlock,
  ProviderBlockEvent,
  ProviderMetadata,
  ReasoningBlock,
  ReasoningDeltaEvent,
  ReasoningEffort,
  ResponseFormat,
  ResumedEvent,
  Role,
  Seam,
  StopEvent,
  StopReason,
  StreamResetEvent,
  StreamResult,
  TextBlock,
  TextDeltaEvent,
  TokenUsage,
  ToolCall,
  ToolCallBlock,
  ToolCallCancelEvent,
  ToolCallDeltaEvent,
  ToolCallReadyEvent,
  ToolCallStartEvent,
  ToolChoice,
  ToolDescriptor,
  ToolExecutionMode,
  ToolResultBlock,
  UsageEvent,
  VideoBlock,
} from './contract/index.js';
export { createExecutor, type ExecutorHalf } from './operators/createExecutor.js';

// Errors
export {
  errorFromResponse,
  InferenceExecutionError,
  interruptCauseOf,
  parseRetryAfter,
  RETRY_AFTER_CAP,
} from './contract/index.js';
export type { FailedResponse, HeadersLike, InferenceErrorKind, InferenceErrorOptions } from './contract/index.js';

// Recovery
export { describeCause, planRecovery, snapshotFromPartials } from './contract/index.js';
export type {
  Continuation,
  ContinuationMechanism,
  ContinuationNote,
  InFlightTool,
  InterruptCause,
  InterruptSnapshot,
  RecoveryPlan,
  RunCursor,
} from './contract/index.js';
export { openBackoff, streamBackoff, type OpenBackoffConfig } from './recovery/backoff.js';
export { idleLimitOf } from './recovery/idleLimits.js';
export { recover, type Interruption, type RecoverConfig } from './operators/recover.js';
export { withRecovery, type WithRecoveryConfig } from './operators/withRecovery.js';

// Reading
export { accumulate } from './operators/accumulate.js';
export { collect } from './operators/collect.js';
export { reasoningDeltas } from './operators/reasoningDeltas.js';
export { textDeltas } from './operators/textDeltas.js';
export { toolCalls } from './operators/toolCalls.js';

// Partial values
export { createPartialJson, PartialJsonError } from './json/index.js';
export type { JsonPath, PartialJson, PartialJsonFault, PartialJsonOptions, PartialJsonStatus } from './json/index.js';
export type { DeepPartial } from './json/DeepPartial.js';
export { arrayElements, type ArrayElementsConfig } from './operators/arrayElements.js';
export { objects, type ObjectsConfig, type ObjectSnapshot } from './operators/objects.js';
export {
  partialToolArguments,
  type PartialToolArguments,
  type PartialToolArgumentsConfig,
} from './operators/partialToolArguments.js';
export type { JsonLimits } from './operators/answerJson.js';
export { ObjectValidationError, type ObjectValidationErrorOptions } from './errors/ObjectValidationError.js';
export type {
  SchemaInput,
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchema,
} from './internal/standardSchema.js';

// Keeping alive
export { idleTimeout, type IdleTimeoutConfig } from './operators/idleTimeout.js';

// Providers
export { continuationMechanism, type ContinuationRule } from './providers/shared/continuationTable.js';
