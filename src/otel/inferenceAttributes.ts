import type { Attributes, AttributeValue } from '@opentelemetry/api';
import {
  modelOf,
  type InferenceRequest,
  type StopReason,
  type StreamResult,
  type TokenUsage,
} from '../contract/index.js';
import { inputMessages, systemInstructions, toolDefinitions } from './content.js';
import { ATTRIBUTE, OWN } from './conventions.js';

/** The words of the conventions for why a model stopped. */
const FINISH_REASONS: Record<StopReason, string> = {
  'end-turn': 'stop',
  'stop-sequence': 'stop',
  'max-tokens': 'length',
  'tool-use': 'tool_call',
  'content-filter': 'content_filter',
  refusal: 'refusal',
};

export function finishReasonOf({ stopReason }: StreamResult): string {
  return stopReason === undefined ? 'error' : FINISH_REASONS[stopReason];
}

/** What is known when a request is sent, so that a sampler can decide by it. */
export function requestAttributes(request: InferenceRequest, streams: boolean): Attributes {
  const { maxTokens, temperature, topP, stopSequences, seed, responseFormat } = request.overrides ?? {};
  return defined({
    [ATTRIBUTE.requestModel]: modelOf(request),
    [ATTRIBUTE.stream]: streams,
    [ATTRIBUTE.maxTokens]: maxTokens,
    [ATTRIBUTE.temperature]: temperature,
    [ATTRIBUTE.topP]: topP,
    [ATTRIBUTE.stopSequences]: stopSequences,
    [ATTRIBUTE.seed]: seed,
    [ATTRIBUTE.outputType]: responseFormat && (responseFormat.type === 'text' ? 'text' : 'json'),
    [OWN.continuation]: request.continuation ? true : undefined,
  });
}

/** What was asked, in its own words. */
export function requestContent(request: InferenceRequest): Attributes {
  return defined({
    [ATTRIBUTE.systemInstructions]: systemInstructions(request),
    [ATTRIBUTE.inputMessages]: inputMessages(request.messages),
    [ATTRIBUTE.toolDefinitions]: toolDefinitions(request),
  });
}

/** What is known of an answer when it has ended, whole or not. */
export function resultAttributes(result: StreamResult): Attributes {
  const { usage = {}, stopReason, providerMetadata = {} } = result;
  const { id, model } = providerMetadata;
  return defined({
    [ATTRIBUTE.responseId]: typeof id === 'string' ? id : undefined,
    [ATTRIBUTE.responseModel]: typeof model === 'string' ? model : undefined,
    [ATTRIBUTE.finishReasons]: stopReason && [finishReasonOf(result)],
    ...usageAttributes(usage),
  });
}

export function usageAttributes(usage: TokenUsage): Attributes {
  return defined({
    [ATTRIBUTE.inputTokens]: usage.promptTokens,
    [ATTRIBUTE.outputTokens]: usage.completionTokens,
    [ATTRIBUTE.cacheReadTokens]: usage.cacheReadTokens,
    [ATTRIBUTE.cacheCreationTokens]: usage.cacheCreationTokens,
    [ATTRIBUTE.reasoningTokens]: usage.thinkingTokens,
    [OWN.estimated]: usage.estimated,
  });
}

/** The attributes that have a value. */
export function defined(attributes: Record<string, AttributeValue | undefined>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
