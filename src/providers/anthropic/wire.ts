import type { JsonObject, JsonValue } from '../../contract/index.js';

/** Token counts as Anthropic reports them; null and absent mean the same. */
export interface WireUsage {
  input_tokens?: number | null;
  output_tokens?: number | null;
  cache_read_input_tokens?: number | null;
  cache_creation_input_tokens?: number | null;
  output_tokens_details?: { thinking_tokens?: number | null } | null;
  [member: string]: unknown;
}

/** A content block as it begins. */
export interface WireBlock {
  type?: string;
  id?: string;
  name?: string;
  text?: string;
  thinking?: string;
  signature?: string;
  data?: string;
  input?: JsonValue;
  citations?: JsonValue[] | null;
  caller?: JsonValue;
}

/** A piece of a content block. */
export interface WireDelta {
  type?: string;
  text?: string;
  thinking?: string;
  signature?: string;
  partial_json?: string;
  citation?: JsonValue;
  stop_reason?: string | null;
  stop_sequence?: string | null;
  stop_details?: JsonObject | null;
  container?: JsonObject | null;
}

/** The answer as it begins. */
export interface WireMessage {
  id?: string;
  model?: string;
  usage?: WireUsage | null;
}

/** One event of the stream (Anthropic "Streaming messages"); nothing of it is certain to be there. */
export interface WireEvent {
  type?: string;
  index?: number;
  /** A string in the error object of a gateway. */
  message?: WireMessage | string;
  content_block?: WireBlock | null;
  delta?: WireDelta | null;
  usage?: WireUsage | null;
  context_management?: JsonObject | null;
  error?: unknown;
}
