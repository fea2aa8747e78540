import { lastValueFrom, tap } from 'rxjs';
import {
  collect,
  contentText,
  recover,
  type InferenceRequest,
  type JsonObject,
  type LlmExecutor,
  type LlmStreamEvent,
  type StreamResult,
} from '../../src/index.js';
import { readScript, type AnswerPart, type AnswerScript } from '../../src/testing/answer.js';
import { seededRandom } from '../../src/testing/random.js';
import { readContinuation, restOfAnswer } from '../../src/testing/server/continuation.js';
import { readRequest } from '../../src/testing/server/readRequest.js';
import { prepareAnswer } from '../../src/testing/wire/prepareAnswer.js';
import { frameBytes, joinFrames, wireEncoder } from '../../src/testing/wire/index.js';
import type { LlmWireName } from '../../src/testing/wire/types.js';
import { request } from './events.js';
import { fakeFetch, type FakeAnswer, type FakeFetch } from './fakeFetch.js';

/** Where a body breaks, and how. */
export interface Cut {
  after: number;
  end: 'reset' | 'close';
}

/** A stream that is cut, and the provider that reads it. */
export interface Stream {
  name: string;
  format: LlmWireName;
  bytes: Uint8Array;
  provider: (fetch: FakeFetch) => LlmExecutor;
  model: string;
}

/** Most cuts inside one event lead to the same request: what is answered to it is encoded once. */
const encoded = new WeakMap<object, Map<string, Uint8Array>>();

/** The bytes that a model with this script answers to a request: from where the request's prefix ends. */
export function continuedBytes(format: LlmWireName, script: AnswerScript, body: JsonObject): Uint8Array {
  if (typeof script === 'string') return encodeRest(format, script, body);
  const known = encoded.get(script) ?? new Map<string, Uint8Array>();
  encoded.set(script, known);
  const key = `${format} ${JSON.stringify(body)}`;
  const bytes = known.get(key) ?? encodeRest(format, script, body);
  known.set(key, bytes);
  return bytes;
}

function encodeRest(format: LlmWireName, script: AnswerScript, body: JsonObject): Uint8Array {
  const wire = wireEncoder(format);
  const { continuation } = readContinuation(readRequest(format, body).messages);
  const answer = readScript(script);
  const random = seededRandom(7);
  const rest = continuation
    ? restOfAnswer(answer, continuation, { manner: 'anchor', prefill: 'continue', keepToolCallIds: false, random })
    : answer;
  return joinFrames(wire.frames(prepareAnswer(wire, rest, {})).map((frame) => frameBytes(frame)));
}

/** What a listener has seen of a stream. */
export interface Seen {
  events: LlmStreamEvent[];
  result: StreamResult;
  requests: number;
  open: number;
}

/** Reads a stream to its end without a cut. */
export async function readWhole(stream: Stream): Promise<Seen> {
  const fetch = fakeFetch({ body: stream.bytes, headers: headersOf(stream) });
  return read(stream, fetch);
}

/** Cuts the first answers as told, and lets a model that obeys go on. */
export async function readCut(stream: Stream, script: AnswerScript, cuts: readonly Cut[]): Promise<Seen> {
  const headers = headersOf(stream);
  const answers = cuts.map((cut, index) => ({ body }: { body: unknown }): FakeAnswer => {
    const whole = index === 0 ? stream.bytes : continuedBytes(stream.format, script, body as JsonObject);
    return { body: whole.slice(0, cut.after), end: cut.end, headers };
  });
  const last = ({ body }: { body: unknown }): FakeAnswer => ({
    body: continuedBytes(stream.format, script, body as JsonObject),
    headers,
  });
  return read(stream, fakeFetch(...answers, last));
}

function headersOf({ format }: Stream): Record<string, string> {
  return { 'content-type': wireEncoder(format).contentType };
}

async function read(stream: Stream, fetch: FakeFetch): Promise<Seen> {
  const executor = stream.provider(fetch);
  const asked: InferenceRequest = { ...request, model: stream.model };
  const events: LlmStreamEvent[] = [];
  const result = await lastValueFrom(
    executor.executeStream(asked).pipe(
      recover({ request: asked, resubscribe: (next) => executor.executeStream(next), delay: 0, count: 4 }),
      tap((event) => events.push(event)),
      collect(),
    ),
  );
  return { events, result, requests: fetch.requests.length, open: fetch.open() };
}

/** The script that would have brought a result. */
export function scriptOf(result: StreamResult): AnswerScript {
  const parts: AnswerPart[] = [];
  for (const block of result.content) {
    if (block.type === 'text') parts.push({ text: block.text });
    else if (block.type === 'reasoning')
      parts.push({ reasoning: block.text, ...(block.signature !== undefined && { signature: block.signature }) });
    else if (block.type === 'tool-call') {
      parts.push({ toolCall: { id: block.id, name: block.name, arguments: JSON.stringify(block.arguments) } });
    }
  }
  if (result.stopReason) parts.push({ stopReason: result.stopReason });
  return parts;
}

/** What is wrong with what a listener has seen, in words; empty when nothing is. */
export function faultsOf(seen: Seen, whole: StreamResult): string[] {
  const faults: string[] = [];
  const { events, result } = seen;
  const text = contentText(whole.content);
  if (contentText(result.content) !== text) faults.push(`text is ${JSON.stringify(contentText(result.content))}`);
  if (shownText(events) !== text) faults.push(`shown is ${JSON.stringify(shownText(events))}`);
  const stops = events.filter(({ type }) => type === 'stop').length;
  if (stops !== 1 || events.at(-1)?.type !== 'stop')
    faults.push(`${stops} stops, the last event is ${events.at(-1)?.type}`);
  if (seen.open !== 0) faults.push(`${seen.open} bodies left open`);
  faults.push(...callFaults(seen, whole), ...orderFaults(events));
  return faults;
}

/** Calls are those of the uninterrupted answer; where the turn was completed from whole calls, the first of them. */
function callFaults({ events, result }: Seen, whole: StreamResult): string[] {
  const calls = (of: StreamResult): string[] =>
    of.toolCalls.map(({ name, arguments: args }) => name + JSON.stringify(args));
  const synthesized = events.some((event) => event.type === 'interrupted' && event.plan.kind === 'synthesize-tool-use');
  const expected = synthesized ? calls(whole).slice(0, result.toolCalls.length) : calls(whole);
  const same = JSON.stringify(calls(result)) === JSON.stringify(expected);
  return same && (!synthesized || expected.length > 0) ? [] : [`calls are ${calls(result).join()}`];
}

/** What has been opened is closed, completed, cancelled or reset; what is taken back is announced before anything new. */
function orderFaults(events: readonly LlmStreamEvent[]): string[] {
  const faults: string[] = [];
  let open = new Set<string>();
  for (const [index, event] of events.entries()) {
    if (event.type === 'tool-call-start') open.add(event.id);
    if (event.type === 'content-block-stop' && event.id !== undefined) open.delete(event.id);
    if (event.type === 'tool-call-ready' || event.type === 'tool-call-cancel') open.delete(event.id);
    if (event.type === 'stream-reset') open = new Set();
    if (event.type === 'resumed' && open.size > 0) faults.push(`resumed with ${[...open].join()} open`);
    if (event.type === 'interrupted' && events[index + 1]?.type === 'text-delta') faults.push('text before resumed');
  }
  return faults;
}

function shownText(events: readonly LlmStreamEvent[]): string {
  let text = '';
  for (const event of events) {
    if (event.type === 'text-delta') text += event.text;
    if (event.type === 'stream-reset') text = '';
  }
  return text;
}
