import { createParser } from 'eventsource-parser';
import { lastValueFrom } from 'rxjs';
import { userMessage, type LlmExecutor } from 'rx-llm';
import { anthropicMessages } from 'rx-llm/anthropic';
import { bedrockConverse, bedrockInvoke } from 'rx-llm/bedrock';
import { cohereChat, cohereChatV1 } from 'rx-llm/cohere';
import { geminiGenerateContent, geminiInteractions } from 'rx-llm/google';
import { ollamaChat, ollamaGenerate } from 'rx-llm/ollama';
import { openaiChat, openaiCompletions, openaiResponses } from 'rx-llm/openai';
import { encodeAnswer, encodeAnswerBytes, type LlmWireName } from 'rx-llm/testing';
import { awsEventStreamFraming, encodeAwsEventStream } from '../src/wire/awsEventStream.js';
import type { Framing } from '../src/wire/Decoder.js';
import { jsonArrayFraming } from '../src/wire/jsonArray.js';
import { interleave, table, type Figures, type Goal } from './measure.js';

type Fetch = NonNullable<Parameters<typeof openaiChat>[0]>['fetch'];
type Create = (options: { fetch: Fetch; apiKey: string }) => LlmExecutor;
/** Cuts chunks into payloads and parses them, and gives their number: what nobody can do without. */
type Floor = (chunks: readonly Uint8Array[]) => number;

interface Format {
  name: string;
  create: Create;
  body: (text: string) => Uint8Array;
  contentType: string;
  floor: Floor;
}

const CHUNK = 16_384;
const WORDS = 20_000;
/** Characters of a delta: each is one word. */
const DELTA = 5;

/** eventsource-parser, which reads for us as well. */
const sse: Floor = (chunks) => {
  const decoder = new TextDecoder();
  let events = 0;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data !== '[DONE]' && JSON.parse(data) !== null) events++;
    },
  });
  for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }));
  return events;
};

const ndjson: Floor = (chunks) => {
  const decoder = new TextDecoder();
  let events = 0;
  let rest = '';
  for (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '' && JSON.parse(line) !== null) events++;
  }
  return events;
};

/** Where no reader of others is as fast as ours, the floor is our own framing alone. */
function framed<Frame>(framing: Framing<Frame>, jsonOf: (frame: Frame) => string): Floor {
  return (chunks) => {
    let events = 0;
    const framer = framing((frame) => {
      if (JSON.parse(jsonOf(frame)) !== null) events++;
    }, Infinity);
    for (const chunk of chunks) framer.push(chunk);
    return events;
  };
}

const aws = framed(awsEventStreamFraming, ({ data }) => data);
/** The payloads are base64 in JSON: two texts to parse. */
const awsChunks = framed(awsEventStreamFraming, ({ data }) =>
  Buffer.from((JSON.parse(data) as { bytes: string }).bytes, 'base64').toString(),
);
const jsonArray = framed(jsonArrayFraming, (element) => element);

const SSE = 'text/event-stream';
const AWS = 'application/vnd.amazon.eventstream';

function served(format: LlmWireName, create: Create, contentType: string, floor: Floor, background = false): Format {
  const body = (text: string) =>
    encodeAnswerBytes(format, text, { chunkSize: DELTA, ...(background && { background }) });
  return { name: background ? `${format}, background` : format, create, body, contentType, floor };
}

function words(text: string): string[] {
  return text.match(/.{1,5}/gs) ?? [];
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const line = (event: object): string => `${JSON.stringify(event)}\n`;

function completions(text: string): Uint8Array {
  const chunk = (word: string, reason: string | null): string =>
    `data: ${JSON.stringify({ id: 'cmpl-1', object: 'text_completion', created: 1, choices: [{ text: word, index: 0, logprobs: null, finish_reason: reason }], model: 'm' })}\n\n`;
  return utf8(
    `${words(text)
      .map((word) => chunk(word, null))
      .join('')}${chunk('', 'stop')}data: [DONE]\n\n`,
  );
}

function generate(text: string): Uint8Array {
  const head = { model: 'm', created_at: '2026-11-22T12:00:00.000000Z' };
  const said = words(text).map((word) => line({ ...head, response: word, done: false }));
  return utf8(said.join('') + line({ ...head, response: '', done: true, done_reason: 'stop', eval_count: 1 }));
}

function cohereV1(text: string): Uint8Array {
  const said = words(text).map((word) => line({ is_finished: false, event_type: 'text-generation', text: word }));
  return utf8(said.join('') + line({ is_finished: true, event_type: 'stream-end', finish_reason: 'COMPLETE' }));
}

function invoked(text: string): Uint8Array {
  const headers = { ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' };
  const frames = encodeAnswer('anthropicMessages', text, { chunkSize: DELTA }).map((frame) => {
    const json = /^data: (.*)$/m.exec(String(frame))?.[1] ?? '';
    return encodeAwsEventStream(headers, JSON.stringify({ bytes: Buffer.from(json).toString('base64'), p: 'abcd' }));
  });
  return Buffer.concat(frames);
}

const FORMATS: Format[] = [
  served('openaiChat', openaiChat, SSE, sse),
  served('openaiResponses', openaiResponses, SSE, sse),
  served('openaiResponses', (options) => openaiResponses({ ...options, background: true }), SSE, sse, true),
  served('anthropicMessages', anthropicMessages, SSE, sse),
  served('geminiGenerateContent', geminiGenerateContent, SSE, sse),
  served('geminiJsonArray', geminiGenerateContent, 'application/json', jsonArray),
  served('geminiInteractions', geminiInteractions, SSE, sse),
  served('bedrockConverse', bedrockConverse, AWS, aws),
  served('ollamaChat', ollamaChat, 'application/x-ndjson', ndjson),
  served('cohereChat', cohereChat, SSE, sse),
  { name: 'openaiCompletions', create: openaiCompletions, body: completions, contentType: SSE, floor: sse },
  {
    name: 'ollamaGenerate',
    create: ollamaGenerate,
    body: generate,
    contentType: 'application/x-ndjson',
    floor: ndjson,
  },
  { name: 'cohereChatV1', create: cohereChatV1, body: cohereV1, contentType: 'application/stream+json', floor: ndjson },
  { name: 'bedrockInvoke', create: bedrockInvoke, body: invoked, contentType: AWS, floor: awsChunks },
];

function cut(body: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += CHUNK) chunks.push(body.subarray(at, at + CHUNK));
  return chunks;
}

function responseOf(chunks: readonly Uint8Array[], contentType: string): Response {
  let index = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks[index++];
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  });
  return new Response(stream, { headers: { 'content-type': contentType } });
}

/** Both sides read the same body of the platform. */
async function readFloor({ floor, contentType }: Format, chunks: readonly Uint8Array[]): Promise<void> {
  const read: Uint8Array[] = [];
  const reader = responseOf(chunks, contentType).body!.getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) read.push(value!);
  if (floor(read) < WORDS) throw new Error('the floor saw too few events');
}

async function ours({ create, contentType, name }: Format, chunks: readonly Uint8Array[]): Promise<void> {
  const executor = create({ fetch: () => Promise.resolve(responseOf(chunks, contentType)), apiKey: 'k' });
  const model = name === 'bedrockInvoke' ? 'anthropic.claude-sonnet-4-5' : 'm';
  const last = await lastValueFrom(executor.executeStream({ model, messages: [userMessage('x')] }));
  if (last.type !== 'stop') throw new Error(`${name} ended in ${last.type}`);
}

/** From bytes to events in every format, as a ratio to framing and `JSON.parse` alone in the same rounds. */
export async function benchFormats(rounds = 11): Promise<Goal[]> {
  const text = 'words '.repeat(WORDS).slice(0, WORDS * DELTA);
  const goals: Goal[] = [];
  const rows: string[][] = [];
  for (const format of FORMATS) {
    const chunks = cut(format.body(text));
    const [base, decoded] = (await interleave(
      [
        { name: 'floor', run: () => readFloor(format, chunks) },
        { name: 'events', run: () => ours(format, chunks) },
      ],
      rounds,
    )) as [Figures, Figures];
    const ratio = decoded.median / base.median;
    const micros = ({ median }: Figures): string => ((median * 1_000) / WORDS).toFixed(2);
    rows.push([
      format.name,
      micros(base),
      micros(decoded),
      `${ratio.toFixed(2)} ×`,
      `${(base.min / base.median).toFixed(2)} to ${(base.max / base.median).toFixed(2)}`,
    ]);
    goals.push({ what: `${format.name}: bytes to events`, measured: ratio, limit: 1.8 });
  }
  table(
    'Bytes to events in every format: 20,000 words in 16 KiB chunks',
    ['format', 'floor, µs a word', 'events, µs a word', 'ratio', 'spread of the floor'],
    rows,
  );
  return goals;
}
