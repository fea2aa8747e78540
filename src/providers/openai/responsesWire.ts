/**
 * An event of a Responses stream, as far as it is read. Nothing of it can be relied on: gateways leave members out, send
 * null, and send other types. Source: OpenAI API reference, "Responses / Streaming events"; what others add stands beside
 * each member.
 */
export interface ResponsesEvent {
  type?: unknown;
  /** Counts the events of a response from 0. */
  sequence_number?: unknown;
  /** Place of the item in the answer. The ids of items are no key: GitHub Copilot gives each event another one. */
  output_index?: number;
  /** Place of the part in a message, or in a reasoning item that shows its text. */
  content_index?: number;
  /** Place of the part in a reasoning summary. */
  summary_index?: number;
  item_id?: unknown;
  delta?: unknown;
  refusal?: unknown;
  /** Arguments of a call as a whole, and the input of a custom tool as a whole. */
  arguments?: unknown;
  input?: unknown;
  annotation?: unknown;
  item?: ResponsesItem | null;
  response?: ResponsesResponse | null;
  /** Set when the event tells a failure; OpenAI documents its members at the top, and sends them in here. */
  error?: unknown;
}

/** An item of the answer. */
export interface ResponsesItem {
  type?: unknown;
  id?: unknown;
  status?: unknown;
  /** Of a message. */
  content?: unknown;
  /** Of a message: whether it comments on the work or is the answer. */
  phase?: unknown;
  /** Of a reasoning item. */
  summary?: unknown;
  encrypted_content?: unknown;
  /** Of a call. */
  call_id?: unknown;
  name?: unknown;
  arguments?: unknown;
  /** Of a call to a custom tool, in the place of `arguments`: text that is no JSON. */
  input?: unknown;
  /** Of a call: the namespace of a tool that was found by a tool search, and the program that made the call. */
  namespace?: unknown;
  caller?: unknown;
}

/** The response as a whole: at its beginning and at its end. */
export interface ResponsesResponse {
  id?: unknown;
  status?: unknown;
  error?: unknown;
  incomplete_details?: { reason?: unknown } | null;
  /** Missing or empty with some gateways, although items were streamed. */
  output?: unknown;
  usage?: ResponsesUsage | null;
}

/** Token counts. */
export interface ResponsesUsage {
  input_tokens?: unknown;
  input_tokens_details?: { cached_tokens?: unknown; cache_write_tokens?: unknown } | null;
  output_tokens?: unknown;
  output_tokens_details?: { reasoning_tokens?: unknown } | null;
  total_tokens?: unknown;
}

/** Marks metadata and opaque blocks as those of OpenAI. */
export const PROVIDER = 'openai';

/** The string, or `''` for anything else. */
export function textOr(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The entries of a list that are objects; none for anything else. */
export function records(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((entry): entry is Record<string, unknown> => typeof entry === 'object' && entry !== null);
}
