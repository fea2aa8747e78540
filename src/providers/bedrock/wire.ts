import type { JsonObject, JsonValue } from '../../contract/index.js';

/** A citation as Converse streams and takes it (AWS API reference, `CitationsDelta`, `Citation`). */
export type Citation = JsonObject;

/** Payload of `contentBlockStart`. Text and reasoning have none. */
export interface BlockStart {
  contentBlockIndex?: number;
  start?: null | {
    toolUse?: { toolUseId?: string; name?: string; type?: string };
    toolResult?: JsonObject;
    image?: JsonObject;
  };
}

/** Payload of `contentBlockDelta`. */
export interface BlockDelta {
  contentBlockIndex?: number;
  delta?: null | {
    text?: string;
    toolUse?: { input?: JsonValue };
    toolResult?: JsonObject[];
    reasoningContent?: { text?: string; signature?: string; redactedContent?: string };
    citation?: Citation;
    image?: JsonObject;
  };
}

/** Payload of `contentBlockStop`. */
export interface BlockStop {
  contentBlockIndex?: number;
}

/** Payload of `messageStop`. */
export interface MessageStop {
  stopReason?: unknown;
  additionalModelResponseFields?: JsonValue;
}

/** Payload of `metadata`, which follows `messageStop`. */
export interface StreamMetadata {
  usage?: WireUsage;
  trace?: JsonValue;
}

/** AWS API reference, `TokenUsage`. */
export interface WireUsage {
  inputTokens?: number;
  outputTokens?: number;
  totalTokens?: number;
  cacheReadInputTokens?: number;
  cacheWriteInputTokens?: number;
}
