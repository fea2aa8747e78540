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
  ToldEvent,
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

export { continueOnMaxTokens, type ContinueOnMaxTokensConfig } from './operators/continueOnMaxTokens.js';
export {
  recoveryReport,
  type RecoveryReport,
  type RecoveryReportConfig,
  type ReportedInterruption,
} from './operators/recoveryReport.js';

// Tools and the turn loop
export { converse, resumeConversation } from './tools/converse.js';
export type { ConverseConfig, ResumeConfig } from './tools/ConverseConfig.js';
export type {
  ApprovalRequiredEvent,
  ConversationEnd,
  ConversationEndEvent,
  ConversationStep,
  ConversationSuspendedEvent,
  ConverseEvent,
  StepFinishEvent,
  StepStartEvent,
  ToolExecutionProgressEvent,
  ToolExecutionResultEvent,
  ToolExecutionStartEvent,
  ToolExecutionSuspendedEvent,
  ToolExecutionVoidEvent,
} from './tools/ConverseEvent.js';
export type { ConversationState, PendingCall, ToolDecision, ToolDecisions } from './tools/ConversationState.js';
export type { FromJsonSchema, JsonSchemaLike } from './tools/FromJsonSchema.js';
export type { ToolStatus } from './tools/runTool.js';
export {
  tool,
  type AnyTool,
  type JsonToolOptions,
  type SchemaToolOptions,
  type Tool,
  type ToolContext,
} from './tools/tool.js';
export { ToolLedger, type LedgerEntry } from './tools/ToolLedger.js';
export type { ToolOutput } from './tools/toolOutput.js';

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
export { circuitBreaker } from './resilience/circuitBreaker.js';
export type { CircuitBreaker, CircuitBreakerConfig, CircuitState } from './resilience/circuitBreaker.js';
export { CircuitOpenError } from './resilience/CircuitOpenError.js';
export { executorPool } from './resilience/executorPool.js';
export type { ExecutorPool, PoolMember, PoolMemberStatus, PoolPolicy } from './resilience/executorPool.js';
export { hedge, type HedgeConfig } from './resilience/hedge.js';
export { rateLimit, type RateLimit, type RateLimitConfig } from './resilience/rateLimit.js';
export { retryOpen, type RetryOpenConfig } from './resilience/retryOpen.js';
export { withCircuitBreaker, type WithCircuitBreakerConfig } from './resilience/withCircuitBreaker.js';
export { withContinueOnMaxTokens, type WithContinueOnMaxTokensConfig } from './resilience/withContinueOnMaxTokens.js';
export { withHedge, type WithHedgeConfig } from './resilience/withHedge.js';
export { withRateLimit } from './resilience/withRateLimit.js';
export { withRetryOpen, type WithRetryOpenConfig } from './resilience/withRetryOpen.js';

// Providers
export { continuationMechanism, type ContinuationRule } from './providers/shared/continuationTable.js';
