import type { StopReason } from '../../contract/index.js';
import type { Ids } from '../random.js';

/** The wire formats, named after the provider factories that speak them. */
export type LlmWireName =
  | 'openaiChat'
  | 'openaiResponses'
  | 'anthropicMessages'
  | 'geminiGenerateContent'
  /** `geminiGenerateContent` without `alt=sse`: one JSON array that grows. */
  | 'geminiJsonArray'
  | 'geminiInteractions'
  | 'bedrockConverse'
  | 'ollamaChat'
  | 'cohereChat';

/** The bytes of one event, as text where the format is text. */
export type Frame = string | Uint8Array;

/** A block of an answer, cut into the deltas that will be sent. */
export type WireBlock =
  | { type: 'text'; deltas: string[] }
  | { type: 'reasoning'; deltas: string[]; signature?: string; redacted?: string }
  /** `deltas` are the pieces of `args`. */
  | { type: 'tool-call'; id: string; name: string; args: string; deltas: string[] };

/** Tokens, each counted once. */
export interface WireUsage {
  /** Input that was neither read from nor written to the cache. */
  input: number;
  cacheRead: number;
  cacheWrite: number;
  /** Output without the reasoning. */
  output: number;
  thinking: number;
}

/** An answer ready to be encoded. */
export interface WireAnswer {
  model: string;
  blocks: WireBlock[];
  usage: WireUsage;
  stopReason: StopReason;
  /** The string that the model stopped at, with the stop reason `stop-sequence`. */
  stopSequence: string | null;
  /** Seconds since 1970. */
  created: number;
  ids: Ids;
  /** False when the request did not ask for usage, on the wires where it has to (OpenAI chat). */
  includeUsage: boolean;
  /** The answer's own id. */
  id: string;
  /** True for a run that goes on at the vendor when nobody listens. */
  background: boolean;
}

/** A failure as a vendor tells it. */
export interface WireFailure {
  status: number;
  /** The vendor's own name of the error; by default the one that belongs to the status. */
  type?: string;
  /** The vendor's words; a default exists for every status. */
  message?: string;
}

/** One wire format: pure functions from an answer to its bytes. */
export interface WireEncoder {
  contentType: string;
  /** Makes an id of an answer, of the vendor's form. */
  answerId(ids: Ids): string;
  /** Makes an id of a call to a tool, of the vendor's form. */
  callId(ids: Ids, tool: string): string;
  /** The frames of a whole answer; the last one is the end of the protocol. */
  frames(answer: WireAnswer): Frame[];
  /**
   * Tells a failure inside a stream whose HTTP status is 200.
   *
   * @param sent - How many frames came before.
   */
  failure(failure: WireFailure, answer: WireAnswer, sent: number): Frame[];
  /** The body of an HTTP answer with an error status. */
  errorBody(failure: WireFailure, ids: Ids): string;
  /** Headers of such an answer. */
  errorHeaders?(failure: WireFailure): Record<string, string>;
  /** What keeps a connection alive and says nothing; null where the format has no such thing. */
  keepAlive: Frame | null;
  /** What a gateway may write after the end. */
  noise: Frame;
  /** The vendor's refusal to continue a trailing assistant turn. */
  refusesPrefill: WireFailure;
}

/** One server-sent event with a name. */
export function namedEvent(name: string, payload: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`;
}

/** The arguments of a call as an object, for wires that send them parsed; null when they are no JSON object. */
export function argumentsObject(args: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(args);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Estimates tokens as vendors' models use them for English: one for about four characters. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** All output, as the contract counts it. */
export function allOutput(usage: WireUsage): number {
  return usage.output + usage.thinking;
}

/** All input, as the contract counts it. */
export function allInput(usage: WireUsage): number {
  return usage.input + usage.cacheRead + usage.cacheWrite;
}
