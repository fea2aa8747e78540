/**
 * What is read of the chunks of `streamGenerateContent` (Gemini API, "GenerateContentResponse"; the same in Vertex AI).
 * Nothing of it is sure to be there: proto3 JSON leaves out what is empty, and older models lack the rest.
 */
export interface GenerateContentChunk {
  candidates?: Candidate[];
  promptFeedback?: { blockReason?: string | number; blockReasonMessage?: string };
  usageMetadata?: UsageMetadata;
  responseId?: string;
  error?: unknown;
}

/** One of the answers; there are several only when `candidateCount` asked for them. */
export interface Candidate {
  index?: number;
  content?: { parts?: Part[]; role?: string };
  /** A name, or its number where the body was asked for with `enum-encoding=int`. */
  finishReason?: string | number;
  finishMessage?: string;
  groundingMetadata?: object;
  citationMetadata?: object;
  urlContextMetadata?: object;
}

/** A piece of an answer: exactly one of its data members is set. */
export interface Part {
  text?: string;
  /** The text is a summary of the model's reasoning. */
  thought?: boolean;
  /** Opaque; goes back with the part that it came on. */
  thoughtSignature?: string;
  functionCall?: FunctionCall;
  /** The answer of a function that ran at the server (remote MCP). */
  functionResponse?: object;
  /** Code that runs at the server. */
  executableCode?: object;
}

/** A call; with streamed arguments (Vertex AI, `streamFunctionCallArguments`) one piece of it. */
export interface FunctionCall {
  /** Gemini 3 and later; absent before. */
  id?: string;
  name?: string;
  args?: Record<string, unknown>;
  partialArgs?: (PartialArg | null)[];
  willContinue?: boolean;
}

/** A piece of one streamed argument. */
export interface PartialArg {
  /** RFC 9535: `$.foo.bar[0]`. */
  jsonPath?: string | null;
  stringValue?: string;
  numberValue?: number;
  boolValue?: boolean;
  nullValue?: unknown;
  /** More of the same string follows. */
  willContinue?: boolean;
}

/** Running totals: a later chunk replaces an earlier one. */
export interface UsageMetadata {
  /** Input, the part that was read from a cache included. */
  promptTokenCount?: number;
  /** Output without the thoughts. */
  candidatesTokenCount?: number;
  thoughtsTokenCount?: number;
  /** What server tools gave back to the model: input that is not in `promptTokenCount`. */
  toolUsePromptTokenCount?: number;
  cachedContentTokenCount?: number;
  totalTokenCount?: number;
}
