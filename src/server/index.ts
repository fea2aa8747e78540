// This library's own events
export { publicError, type PublicError } from './publicError.js';
export { publicEvent } from './publicEvent.js';
export type { SseMessage } from './sseFrame.js';
export { toMessageEvents, toServerSentEvents, type ServerSentEventsConfig } from './toServerSentEvents.js';
export { lastEventId } from './lastEventId.js';
export { runResponse, type RunResponseConfig } from './runResponse.js';

// The protocols of other front ends
export { toUiMessageStream, uiMessageStreamResponse, type UiMessageStreamConfig } from './toUiMessageStream.js';
export type { UiFinishReason, UiMessageChunk, UiProviderMetadata, UiRecovery } from './uiMessageChunk.js';
export { readUiRequest, type UiChatRequest } from './readUiRequest.js';
export { agUiResponse, toAgUi, type AgUiConfig } from './toAgUi.js';
export type { AgUiEvent, AgUiInterrupt, AgUiOutcome, AgUiUsage } from './agUiEvent.js';
export { readAgUiInput, type AgUiInput } from './readAgUiInput.js';
export type { EncoderConfig } from './encodeParts.js';

// OpenAI's API in front of any model
export { openAiEndpoint, type OpenAiEndpointConfig } from './openAiEndpoint.js';
export { openAiChatResponse, toOpenAiChat, type OpenAiChatConfig } from './toOpenAiChat.js';
export { toOpenAiCompletion } from './toOpenAiCompletion.js';
export { readOpenAiRequest, type OpenAiChatRequest } from './readOpenAiRequest.js';
export type {
  OpenAiChunk,
  OpenAiCompletion,
  OpenAiDelta,
  OpenAiError,
  OpenAiFinishReason,
  OpenAiToolCall,
  OpenAiUsage,
} from './openAiChunk.js';

// Responses
export { sseResponse, streamResponse, type StreamResponseConfig } from './streamResponse.js';
export { toDataFrames, type DataResponseConfig } from './dataResponse.js';
export { pipeToNodeResponse, type NodeResponse } from './pipeToNodeResponse.js';
export { toNodeHandler, type NodeRequest } from './toNodeHandler.js';

// Streams of other kinds
export { fromAsyncIterable } from './fromAsyncIterable.js';
export { fromReadableStream } from './fromReadableStream.js';
export { SlowConsumerError } from './SlowConsumerError.js';
export { toAsyncIterable } from './toAsyncIterable.js';
export { toReadableStream, type QueueConfig } from './toReadableStream.js';
