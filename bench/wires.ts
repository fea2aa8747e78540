import { createParser } from 'eventsource-parser';
import { lastValueFrom, type Observable } from 'rxjs';
import { idleTimeout, recover, textDeltas, userMessage, type InferenceRequest, type LlmExecutor } from 'rx-llm';
import { anthropicMessages } from 'rx-llm/anthropic';
import { openaiChat } from 'rx-llm/openai';
import { encodeAnswerBytes, type LlmWireName } from 'rx-llm/testing';
import { interleave, table, type Figures, type Goal } from './measure.js';

type Fetch = NonNullable<Parameters<typeof openaiChat>[0]>['fetch'];

interface Wire {
  name: string;
  format: LlmWireName;
  model: string;
  create: (fetch: Fetch) => LlmExecutor;
}

const WIRES: Wire[] = [
  { name: 'OpenAI chat', format: 'openaiChat', model: 'gpt-4o', create: (fetch) => openaiChat({ fetch, apiKey: 'k' }) },
  {
    name: 'Anthropic',
    format: 'anthropicMessages',
    model: 'claude-sonnet-4-5',
    create: (fetch) => anthropicMessages({ fetch, apiKey: 'k' }),
  },
];

/** Cuts a body into chunks: after each event, or every so many bytes. */
function chunksOf(body: Uint8Array, size: number | 'event'): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  if (size === 'event') {
    let start = 0;
    for (let i = 1; i < body.length; i++) {
      if (body[i] !== 10 || body[i - 1] !== 10) continue;
      chunks.push(body.subarray(start, i + 1));
      start = i + 1;
    }
    return chunks;
  }
  for (let at = 0; at < body.length; at += size) chunks.push(body.subarray(at, at + size));
  return chunks;
}

function responseOf(chunks: readonly Uint8Array[]): Response {
  let index = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks[index++];
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  });
  return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
}

/** What nobody can do without: read the body, cut it into events, parse their JSON. */
async function floor(chunks: readonly Uint8Array[]): Promise<void> {
  const reader = responseOf(chunks).body!.getReader();
  const decoder = new TextDecoder();
  let events = 0;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data !== '[DONE]' && JSON.parse(data) !== null) events++;
    },
  });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parser.feed(decoder.decode(value, { stream: true }));
  }
  if (events === 0) throw new Error('the floor saw no event');
}

function ours(wire: Wire, chunks: readonly Uint8Array[], pipeline: boolean): Promise<unknown> {
  const executor = wire.create(() => Promise.resolve(responseOf(chunks)));
  const request: InferenceRequest = { model: wire.model, messages: [userMessage('x')] };
  const events$ = executor.executeStream(request);
  const read$: Observable<unknown> = pipeline
    ? events$.pipe(
        recover({ request, resubscribe: (next) => executor.executeStream(next) }),
        idleTimeout(60_000),
        textDeltas(),
      )
    : events$;
  return lastValueFrom(read$);
}

const word = (i: number): string => `${['marbles', 'roll', 'along', 'the', 'line', 'of', 'time'][i % 7]} `;

interface Load {
  name: string;
  chunks: Uint8Array[];
  /** What a figure is divided by: deltas, or 1 for a whole body. */
  deltas: number;
}

function loads(wire: Wire): Load[] {
  const bodyOf = (deltas: number): Uint8Array =>
    encodeAnswerBytes(wire.format, Array.from({ length: deltas }, (_, i) => word(i)).join(''), { chunkSize: 5 });
  const large = encodeAnswerBytes(wire.format, 'x'.repeat(4 * 1024 * 1024), { chunkSize: 4 * 1024 * 1024 });
  const small = bodyOf(2_000);
  const big = bodyOf(20_000);
  return [
    { name: '2,000 words, an event a chunk', chunks: chunksOf(small, 'event'), deltas: 2_000 },
    { name: '20,000 words, an event a chunk', chunks: chunksOf(big, 'event'), deltas: 20_000 },
    { name: '20,000 words, 16 KiB chunks', chunks: chunksOf(big, 16_384), deltas: 20_000 },
    { name: '2,000 words, 7-byte chunks', chunks: chunksOf(small, 7), deltas: 2_000 },
    { name: '20,000 words in one chunk', chunks: [big], deltas: 20_000 },
    { name: 'one event of 4 MiB, 1,400-byte chunks', chunks: chunksOf(large, 1_400), deltas: 1 },
  ];
}

/** From bytes to events, and through the usual pipeline, as ratios to the floor in the same rounds. */
export async function benchWires(rounds = 9): Promise<Goal[]> {
  const goals: Goal[] = [];
  const rows: string[][] = [];
  for (const wire of WIRES) {
    for (const load of loads(wire)) {
      const [base, decoded, piped] = (await interleave(
        [
          { name: 'floor', run: () => floor(load.chunks) },
          { name: 'events', run: () => ours(wire, load.chunks, false) },
          { name: 'pipeline', run: () => ours(wire, load.chunks, true) },
        ],
        rounds,
      )) as [Figures, Figures, Figures];
      const micros = ({ median }: Figures): string => ((median * 1_000) / load.deltas).toFixed(2);
      const ratio = ({ median }: Figures): number => median / base.median;
      rows.push([
        wire.name,
        load.name,
        micros(base),
        `${ratio(decoded).toFixed(2)} ×`,
        `${ratio(piped).toFixed(2)} ×`,
        `${(base.min / base.median).toFixed(2)} to ${(base.max / base.median).toFixed(2)}`,
      ]);
      goals.push({ what: `${wire.name}, ${load.name}: events`, measured: ratio(decoded), limit: 1.3 });
      goals.push({ what: `${wire.name}, ${load.name}: pipeline`, measured: ratio(piped), limit: 1.5 });
    }
  }
  table(
    'Bytes to events; pipeline = recover, idleTimeout, textDeltas',
    ['wire', 'load', 'floor, µs a word', 'events', 'pipeline', 'spread of the floor'],
    rows,
  );
  return goals;
}
