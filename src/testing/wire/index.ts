import { readScript, type AnswerScript } from '../answer.js';
import { anthropicMessagesWire } from './anthropicMessages.js';
import { bedrockConverseWire } from './bedrockConverse.js';
import { cohereChatWire } from './cohereChat.js';
import { geminiGenerateContentWire, geminiJsonArrayWire } from './gemini.js';
import { geminiInteractionsWire } from './geminiInteractions.js';
import { ollamaChatWire } from './ollamaChat.js';
import { openaiChatWire } from './openaiChat.js';
import { openaiResponsesWire } from './openaiResponses.js';
import { prepareAnswer, type EncodeOptions } from './prepareAnswer.js';
import type { Frame, LlmWireName, WireEncoder } from './types.js';

const WIRES: Record<LlmWireName, WireEncoder> = {
  openaiChat: openaiChatWire,
  openaiResponses: openaiResponsesWire,
  anthropicMessages: anthropicMessagesWire,
  geminiGenerateContent: geminiGenerateContentWire,
  geminiJsonArray: geminiJsonArrayWire,
  geminiInteractions: geminiInteractionsWire,
  bedrockConverse: bedrockConverseWire,
  ollamaChat: ollamaChatWire,
  cohereChat: cohereChatWire,
};

/** The names of the wire formats. */
export const LLM_WIRE_NAMES = Object.keys(WIRES) as readonly LlmWireName[];

/** The encoder of a wire format. */
export function wireEncoder(format: LlmWireName): WireEncoder {
  const wire = Object.hasOwn(WIRES, format) ? WIRES[format] : undefined;
  if (!wire) throw new TypeError(`unknown wire format ${JSON.stringify(format)}: use ${LLM_WIRE_NAMES.join(', ')}`);
  return wire;
}

/**
 * Encodes a scripted answer as a vendor would send it: one frame for each event of the protocol, the end included.
 *
 * @example The bytes of an answer, without a server
 * ```ts
 * import { encodeAnswer } from 'rx-llm/testing';
 *
 * const frames = encodeAnswer('openaiChat', [{ text: 'Hello' }, { toolCall: { name: 'now' } }]);
 * ```
 * @param format - The wire format, named after its provider factory.
 * @param script - What the model says.
 * @param options - See {@link EncodeOptions}.
 * @returns The frames in order: text, or bytes where the format is binary.
 */
export function encodeAnswer(format: LlmWireName, script: AnswerScript, options?: EncodeOptions): Frame[] {
  const wire = wireEncoder(format);
  return wire.frames(prepareAnswer(wire, readScript(script), options));
}

/** The body of {@link encodeAnswer} in one piece. */
export function encodeAnswerBytes(
  format: LlmWireName,
  script: AnswerScript,
  options?: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  return joinFrames(encodeAnswer(format, script, options));
}

const utf8 = new TextEncoder();

/** A frame as bytes. */
export function frameBytes(frame: Frame): Uint8Array {
  return typeof frame === 'string' ? utf8.encode(frame) : frame;
}

/** Frames in one piece. */
export function joinFrames(frames: readonly Frame[]): Uint8Array<ArrayBuffer> {
  const pieces = frames.map(frameBytes);
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
