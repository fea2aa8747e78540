import type { JsonObject, StopReason, TokenUsage } from '../contract/index.js';

/** One piece of a scripted answer. */
export type AnswerPart =
  | { text: string }
  /** Reasoning; `signature` and `redacted` (an opaque payload instead of text) reach the wires that have them. */
  | { reasoning: string; signature?: string; redacted?: string }
  /** A tool call. Without an `id` a plausible one of the vendor's form is made; `arguments` as text are sent as they are. */
  | { toolCall: { id?: string; name: string; arguments?: JsonObject | string } }
  /** Tokens, in the meaning of the contract. By default they are estimated from the texts. */
  | { usage: TokenUsage }
  /** Why the model stops. Defaults to `tool-use` when the answer ends in a call, else to `end-turn`. */
  | { stopReason: StopReason };

/** What a scripted model answers: a text, or its pieces in order. */
export type AnswerScript = string | readonly AnswerPart[];

/** A piece of content of an answer, in one shape. */
export type ContentPart =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string; signature?: string; redacted?: string }
  | { type: 'tool-call'; id?: string; name: string; args: string };

/** A script, checked and in one shape. */
export interface Answer {
  parts: ContentPart[];
  usage: TokenUsage | undefined;
  stopReason: StopReason;
}

/** Checks a script and brings it into one shape. Neighbouring texts stay parts of their own. */
export function readScript(script: AnswerScript): Answer {
  if (typeof script !== 'string' && !Array.isArray(script)) {
    throw new TypeError('an answer is a string or a list of parts');
  }
  const pieces: readonly AnswerPart[] = typeof script === 'string' ? [{ text: script }] : script;
  const parts: ContentPart[] = [];
  let usage: TokenUsage | undefined;
  let stopReason: StopReason | undefined;
  for (const piece of pieces) {
    if ('text' in piece) parts.push({ type: 'text', text: piece.text });
    else if ('reasoning' in piece) parts.push(reasoningPart(piece));
    else if ('toolCall' in piece) parts.push(toolCallPart(piece.toolCall));
    else if ('usage' in piece) usage = piece.usage;
    else if ('stopReason' in piece) stopReason = piece.stopReason;
    else {
      throw new TypeError(`unknown part ${JSON.stringify(piece)}: use text, reasoning, toolCall, usage or stopReason`);
    }
  }
  const last = parts.at(-1);
  return { parts, usage, stopReason: stopReason ?? (last?.type === 'tool-call' ? 'tool-use' : 'end-turn') };
}

/** The text of an answer: its text parts joined. */
export function answerText(parts: readonly ContentPart[]): string {
  return parts.reduce((text, part) => (part.type === 'text' ? text + part.text : text), '');
}

function reasoningPart(piece: { reasoning: string; signature?: string; redacted?: string }): ContentPart {
  const { reasoning, signature, redacted } = piece;
  return {
    type: 'reasoning',
    text: reasoning,
    ...(signature !== undefined && { signature }),
    ...(redacted !== undefined && { redacted }),
  };
}

function toolCallPart(call: { id?: string; name: string; arguments?: JsonObject | string }): ContentPart {
  const { id, name, arguments: args = {} } = call;
  return {
    type: 'tool-call',
    name,
    args: typeof args === 'string' ? args : JSON.stringify(args),
    ...(id !== undefined && { id }),
  };
}
