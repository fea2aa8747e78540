import type { StopReason } from '../../contract/index.js';
import { googleError, googleJson } from './google.js';
import {
  allInput,
  allOutput,
  argumentsObject,
  estimateTokens,
  type Frame,
  type WireAnswer,
  type WireBlock,
  type WireEncoder,
} from './types.js';

const FINISH: Record<StopReason, string> = {
  'end-turn': 'STOP',
  'stop-sequence': 'STOP',
  // The vendor ends calls like any other answer.
  'tool-use': 'STOP',
  'max-tokens': 'MAX_TOKENS',
  'content-filter': 'SAFETY',
  refusal: 'PROHIBITED_CONTENT',
};

type Json = Record<string, unknown>;

const shared = {
  answerId: (ids) => ids.alphanumeric(23),
  callId: (ids) => ids.alphanumeric(8).toLowerCase(),
  errorBody: (failure) => JSON.stringify(googleError(failure), null, 2),
  refusesPrefill: { status: 400, message: 'Requests ending with a model turn are not supported.' },
} satisfies Partial<WireEncoder>;

/**
 * Gemini `streamGenerateContent?alt=sse` ("Generating content"): chunks with parts, running usage totals on each, the
 * finish reason on the last. Lines end in CRLF; a call comes whole; a signature goes with the call that follows the thought,
 * else with an empty text on the last chunk. A failure is written as a bare error object, as recorded from Vertex.
 */
export const geminiGenerateContentWire: WireEncoder = {
  ...shared,
  contentType: 'text/event-stream',
  keepAlive: ': keepalive\r\n\r\n',
  noise: ': end\r\n\r\n',
  frames: (answer) => chunksOf(answer).map((chunk) => `data: ${googleJson(chunk)}\r\n\r\n`),
  failure: (failure) => [`${JSON.stringify(googleError(failure), null, 2)}\n`],
};

/** The same without `alt=sse`: one JSON array that grows, indented, whose last frame is the closing bracket. */
export const geminiJsonArrayWire: WireEncoder = {
  ...shared,
  contentType: 'application/json; charset=UTF-8',
  // White space between the elements says nothing.
  keepAlive: '\n',
  noise: '\n',
  frames: (answer) => [...chunksOf(answer).map(element), ']'],
  failure: (failure, _answer, sent) => [element(googleError(failure), sent), ']'],
};

function element(value: unknown, index: number): Frame {
  return `${index === 0 ? '[' : ',\r\n'}${JSON.stringify(value, null, 2)}\n`;
}

function chunksOf(answer: WireAnswer): Json[] {
  const parts = partsOf(answer.blocks);
  const last = parts.at(-1);
  // A text that is still to come carries the finish reason; a call carries it itself.
  if (!last || last.thought || !last.json['functionCall'])
    parts.push({ json: { text: '', ...dangling(answer.blocks) }, tokens: 0 });
  const spent = { output: 0, thinking: 0 };
  return parts.map(({ json, tokens, thought }, index) => {
    const final = index === parts.length - 1;
    if (thought) spent.thinking += tokens;
    else spent.output += tokens;
    const { usage } = answer;
    const totals = final
      ? usage
      : { ...usage, output: Math.min(usage.output, spent.output), thinking: Math.min(usage.thinking, spent.thinking) };
    return {
      candidates: [
        {
          content: { parts: [json], role: 'model' },
          ...(final && { finishReason: FINISH[answer.stopReason] }),
          index: 0,
        },
      ],
      usageMetadata: usageOf(totals),
      modelVersion: answer.model,
      responseId: answer.id,
    };
  });
}

interface Part {
  json: Json;
  tokens: number;
  thought?: boolean;
}

function partsOf(blocks: readonly WireBlock[]): Part[] {
  return blocks.flatMap((block, index): Part[] => {
    if (block.type === 'text') return block.deltas.map((text) => ({ json: { text }, tokens: estimateTokens(text) }));
    if (block.type === 'reasoning') {
      return block.deltas.map((text) => ({
        json: { text, thought: true },
        tokens: estimateTokens(text),
        thought: true,
      }));
    }
    const args = argumentsObject(block.args);
    // A call that was cut off does not come at all.
    if (!args) return [];
    const before = blocks[index - 1];
    const signature = before?.type === 'reasoning' ? before.signature : undefined;
    const json = { functionCall: { name: block.name, args, id: block.id }, thoughtSignature: signature };
    return [{ json, tokens: estimateTokens(block.args) }];
  });
}

/** The signature of a thought that no call follows. */
function dangling(blocks: readonly WireBlock[]): Json {
  const index = blocks.findLastIndex((block) => block.type === 'reasoning' && block.signature !== undefined);
  const block = blocks[index];
  if (block?.type !== 'reasoning' || blocks[index + 1]?.type === 'tool-call') return {};
  return { thoughtSignature: block.signature };
}

function usageOf(usage: WireAnswer['usage']): Json {
  return {
    promptTokenCount: allInput(usage),
    ...(usage.output > 0 && { candidatesTokenCount: usage.output }),
    totalTokenCount: allInput(usage) + allOutput(usage),
    ...(usage.cacheRead > 0 && { cachedContentTokenCount: usage.cacheRead }),
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: allInput(usage) }],
    ...(usage.thinking > 0 && { thoughtsTokenCount: usage.thinking }),
  };
}
