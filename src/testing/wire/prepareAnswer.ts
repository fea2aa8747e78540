import type { StopReason, TokenUsage } from '../../contract/index.js';
import type { Answer, ContentPart } from '../answer.js';
import { idsFrom, seededRandom, type Ids, type Random } from '../random.js';
import { estimateTokens, type WireAnswer, type WireBlock, type WireEncoder, type WireUsage } from './types.js';

/** How an answer is encoded. Everything has a default, and the same options give the same bytes. */
export interface EncodeOptions {
  /** Model named in the answer. */
  model?: string;
  /** Chooses ids and where texts are cut. Defaults to 1. */
  seed?: number;
  /** Code points in each delta. By default deltas are some words long. */
  chunkSize?: number;
  /** What was asked, to estimate the input tokens from. */
  prompt?: string;
  /** False leaves out the usage where the wire sends it only when asked (OpenAI chat). Defaults to true. */
  includeUsage?: boolean;
  /** Stops with `max-tokens` after so many tokens of output. */
  maxTokens?: number;
  /** The string that the model stopped at, with the stop reason `stop-sequence`. */
  stopSequence?: string;
  /** Seconds since 1970. Defaults to the first second of 2026. */
  created?: number;
  /** The answer's own id; by default one of the vendor's form. */
  id?: string;
  /** True for a run in the background, whose events can be followed again. Defaults to false. */
  background?: boolean;
}

const CREATED = Date.UTC(2026, 0, 1) / 1_000;
const PROMPT_TOKENS = 24;

/** Cuts an answer into deltas and fills in ids and usage: everything that is to be chosen is chosen here. */
export function prepareAnswer(wire: WireEncoder, answer: Answer, options: EncodeOptions = {}): WireAnswer {
  const { seed = 1, chunkSize, maxTokens, prompt } = options;
  if (chunkSize !== undefined && !(chunkSize >= 1)) throw new RangeError('chunkSize must be at least 1');
  const random = seededRandom(seed);
  const ids = idsFrom(random);
  const id = options.id ?? wire.answerId(ids);
  const cut = (text: string, json: boolean): string[] =>
    json && chunkSize === undefined ? cutJson(text, random) : cutText(text, chunkSize, random);
  const blocks = answer.parts.map((part) => blockOf(part, wire, ids, cut));
  const stopped = maxTokens === undefined ? false : limitTokens(blocks, maxTokens);
  const stopReason: StopReason = stopped ? 'max-tokens' : answer.stopReason;
  return {
    model: options.model ?? 'scripted-model',
    blocks,
    usage: usageOf(blocks, stopped ? undefined : answer.usage, prompt),
    stopReason,
    stopSequence: stopReason === 'stop-sequence' ? (options.stopSequence ?? null) : null,
    created: options.created ?? CREATED,
    ids,
    includeUsage: options.includeUsage ?? true,
    id,
    background: options.background ?? false,
  };
}

type Cut = (text: string, json: boolean) => string[];

function blockOf(part: ContentPart, wire: WireEncoder, ids: Ids, cut: Cut): WireBlock {
  if (part.type === 'text') return { type: 'text', deltas: cut(part.text, false) };
  if (part.type === 'tool-call') {
    return {
      type: 'tool-call',
      id: part.id ?? wire.callId(ids, part.name),
      name: part.name,
      args: part.args,
      deltas: cut(part.args, true),
    };
  }
  const { signature, redacted } = part;
  return {
    type: 'reasoning',
    deltas: cut(part.text, false),
    ...(signature !== undefined && { signature }),
    ...(redacted !== undefined && { redacted }),
  };
}

/** Cuts a text into deltas: of `size` code points, or of one to three words. No surrogate pair is ever split. */
export function cutText(text: string, size: number | undefined, random: Random): string[] {
  const units = size === undefined ? (text.match(/\s*\S{1,14}|\s+$/gu) ?? []) : Array.from(text);
  const pieces: string[] = [];
  for (let at = 0; at < units.length;) {
    const count = size ?? 1 + Math.floor(random() * 3);
    pieces.push(units.slice(at, at + count).join(''));
    at += count;
  }
  return pieces;
}

/** Cuts the JSON of arguments as tokens do: in the middle of words and strings. */
function cutJson(text: string, random: Random): string[] {
  const points = Array.from(text);
  const pieces: string[] = [];
  while (points.length > 0) pieces.push(points.splice(0, 2 + Math.floor(random() * 7)).join(''));
  return pieces;
}

/** Cuts the blocks off after so many tokens; true when that cut something. */
function limitTokens(blocks: WireBlock[], limit: number): boolean {
  let left = limit;
  for (const [index, block] of blocks.entries()) {
    const fitting = block.deltas.findIndex((delta) => (left -= estimateTokens(delta)) < 0);
    if (fitting === -1) continue;
    block.deltas.splice(fitting);
    if (block.type === 'tool-call') block.args = block.deltas.join('');
    blocks.splice(block.deltas.length > 0 ? index + 1 : index);
    return true;
  }
  return false;
}

function usageOf(blocks: readonly WireBlock[], given: TokenUsage | undefined, prompt: string | undefined): WireUsage {
  const tokens = (wanted: boolean): number =>
    blocks
      .filter((block) => (block.type === 'reasoning') === wanted)
      .reduce((sum, block) => sum + estimateTokens(block.deltas.join('')), 0);
  const thinking = given?.thinkingTokens ?? tokens(true);
  const all = given?.completionTokens ?? tokens(false) + thinking;
  const cacheRead = given?.cacheReadTokens ?? 0;
  const cacheWrite = given?.cacheCreationTokens ?? 0;
  const input = given?.promptTokens ?? (prompt === undefined ? PROMPT_TOKENS : estimateTokens(prompt));
  return {
    input: Math.max(0, input - cacheRead - cacheWrite),
    cacheRead,
    cacheWrite,
    output: Math.max(0, all - thinking),
    thinking,
  };
}
