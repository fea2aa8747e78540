export { traceConversation, type TraceConversationConfig } from './traceConversation.js';
export { traceInference, type TraceInferenceConfig } from './traceInference.js';
export { withTelemetry } from './withTelemetry.js';
export type { InferenceTelemetryConfig, TelemetryConfig } from './TelemetryConfig.js';
export type { ToldEvent } from '../contract/index.js';
