import { from, lastValueFrom, takeUntil, tap, toArray, type Observable } from 'rxjs';
import {
  accumulate,
  converse,
  executorPool,
  resultText,
  userMessage,
  withHedge,
  withRateLimit,
  type ConverseEvent,
  type LlmExecutor,
  type ToolExecutionMode,
} from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { bedrockConverse } from '../../src/providers/bedrock/index.js';
import { cohereChat } from '../../src/providers/cohere/index.js';
import { geminiGenerateContent, geminiInteractions } from '../../src/providers/google/index.js';
import { ollamaChat } from '../../src/providers/ollama/index.js';
import { openaiChat, openaiResponses } from '../../src/providers/openai/index.js';
import { durable, followRun, memoryRunLog, resumeRun, type RunLog } from '../../src/runs/index.js';
import { startLlmServer, type AnswerScript, type LlmFault, type LlmServer } from '../../src/testing/index.js';
import { seededRandom, type Random } from '../../src/testing/random.js';
import { dying } from '../runs/dyingLog.js';
import { counted } from '../tools/talk.js';

/** `npm run fuzz` sets both: how many conversations for each model, and where chance begins. */
const RUNS = Number(process.env['FUZZ_CONVERSATIONS'] ?? 8);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_123);

const FIRST = 'Let me look at the tide table first — “one moment”, please. It is kept in the harbour office. ';
const LAST =
  'The harbour is quiet at dawn. Nets hang over the wall; a gull walks along them, counting. “Café” is shut — it opens at ' +
  'nine.\n\n- first boats\n- then bread\n\nThen the boats come in, one by one, and the day begins with 😀 laughter.';

/** A turn with two calls, and the turn after their results. */
function answer({ messages }: { messages: readonly { role: string }[] }): AnswerScript {
  if (messages.some(({ role }) => role === 'tool')) return [{ reasoning: 'The tide is known now.' }, { text: LAST }];
  const tide = { name: 'tide', arguments: { place: 'Porto', when: 'dawn' } };
  const wind = { name: 'wind', arguments: { place: 'Porto' } };
  return [{ reasoning: 'I need the tide.' }, { text: FIRST }, { toolCall: tide }, { toolCall: wind }];
}

type Wire = (baseUrl: LlmServer['baseUrl']) => LlmExecutor;
const key = { apiKey: 'k' };
const claude: Wire = (at) => anthropicMessages({ ...key, baseUrl: at.anthropicMessages });
const converseOf: Wire = (at) => bedrockConverse({ ...key, region: 'eu-west-1', baseUrl: at.bedrockConverse });

const WIRES: [model: string, wire: Wire][] = [
  ['claude-sonnet-4-5', claude],
  ['claude-opus-4-6', claude],
  ['gpt-4o', (at) => openaiChat({ ...key, baseUrl: at.openaiChat })],
  ['gpt-5', (at) => openaiResponses({ ...key, baseUrl: at.openaiResponses })],
  ['gpt-5', (at) => openaiResponses({ ...key, baseUrl: at.openaiResponses, background: true })],
  ['gemini-2.5-pro', (at) => geminiGenerateContent({ ...key, baseUrl: at.geminiGenerateContent })],
  ['gemini-2.5-pro', (at) => geminiInteractions({ ...key, baseUrl: at.geminiInteractions, background: true })],
  ['llama3', (at) => ollamaChat({ baseUrl: at.ollamaChat })],
  ['command-a-03-2025', (at) => cohereChat({ ...key, baseUrl: at.cohereChat })],
  ['anthropic.claude-sonnet-4-5-20250929-v1:0', converseOf],
  ['amazon.nova-pro-v1:0', converseOf],
];

const MANNERS = ['anchor', 'preamble', 'anchor-quoted', 'restart'] as const;

/** Tools that write down how often they ran. */
function toolsOf(runs: string[]) {
  return ['tide', 'wind'].map((name) => counted(name, () => runs.push(name)));
}

/** Chooses from chance. */
function chooser(random: Random) {
  const below = (most: number): number => Math.floor(random() * most);
  const oneOf = <T>(choices: readonly T[]): T => choices[below(choices.length)]!;
  const some = <T>(most: number, make: () => T): T[] => Array.from({ length: below(most + 1) }, make);
  /** Pools have no room for a request that all members refuse, so they get no refusals. */
  const fault = (refusals: boolean): LlmFault | null => {
    const events = 1 + below(45);
    const broken: (LlmFault | null)[] = [
      { cutAfterEvents: events },
      { endAfterEvents: events },
      { stallAfterEvents: events },
      { errorEvent: {}, afterEvents: events },
      { cutAfterBytes: 20 + below(4_000) },
      null,
    ];
    return oneOf(refusals ? [...broken, { status: 503 }, { status: 429, retryAfter: 0 }] : broken);
  };
  return { below, oneOf, some, fault };
}

const recover = { count: 12, delay: 0, idleTimeout: 150 };

function listen<T>(source: Observable<T>): Promise<T[]> {
  return lastValueFrom(source.pipe(toArray()));
}

/** What readers make of a conversation: the text of each turn, and how often the model stopped in it. */
async function read(events: readonly ConverseEvent[]) {
  const turns: ConverseEvent[][] = [];
  for (const event of events) {
    if (event.type === 'step-start') turns.push([]);
    turns.at(-1)?.push(event);
  }
  const texts = turns.map(async (turn) => resultText(await lastValueFrom(from(turn as never[]).pipe(accumulate()))));
  return {
    texts: await Promise.all(texts),
    stops: turns.map((turn) => turn.filter(({ type }) => type === 'stop').length),
    ends: events.filter(({ type }) => type === 'conversation-end').length,
  };
}

describe.each(WIRES)('conversations with %s over anything that goes wrong', (model, wire) => {
  let server: LlmServer;
  beforeAll(async () => {
    server = await startLlmServer({ answer });
  });
  afterAll(() => server.close());

  const request = { model, messages: [userMessage('How is the harbour?')] };

  /** Everybody has had one answer, and no call ran twice. */
  async function expectWhole(events: readonly ConverseEvent[], runs: readonly string[], loose: boolean): Promise<void> {
    const { texts, ...counts } = await read(events);
    // White space after a quotation is the one thing that a model leaves open.
    const told = (text: string): string => (loose ? text.replace(/\s/g, '') : text);
    expect(texts.map(told)).toEqual([FIRST, LAST].map(told));
    expect(counts).toEqual({ stops: [1, 1], ends: 1 });
    expect(runs.length).toBe(new Set(runs).size);
    await server.idle();
    expect(server.openResponses).toBe(0);
  }

  it('should be whole through pools, limits, hedges and logs', async () => {
    const random = seededRandom(SEED);
    const { below, oneOf, some, fault } = chooser(random);
    for (let run = 0; run < RUNS; run++) {
      const [pooled, hedged, manner] = [random() < 0.5, random() < 0.3, oneOf(MANNERS)];
      const mode = oneOf<ToolExecutionMode>(['sequential', 'parallel-batch-approval', 'parallel-streaming']);
      const faults = some(4, () => fault(!pooled));
      server.use({ faults, manner, chunkSize: 3 + below(12), thinksAgain: random() < 0.5 });
      const [one, two] = [wire(server.baseUrl), wire(server.baseUrl)];
      const members = [one, two].map((executor, index) => ({ id: `m${index}`, executor }));
      const chosen = pooled ? executorPool(members, { breaker: { threshold: 1_000 } }) : one;
      const limited = withRateLimit(chosen, { concurrency: 5 });
      const executor = hedged ? withHedge(limited, { after: 30 }) : limited;
      const runs: string[] = [];
      const log = memoryRunLog();
      const seen: ConverseEvent[] = [];

      const talk = converse(executor, request, { tools: toolsOf(runs), mode, recover });
      await listen(
        talk.pipe(
          durable({ runId: 'r', log, group: { time: 1 } }),
          tap((event) => seen.push(event)),
        ),
      );

      await expectWhole(seen, runs, manner === 'anchor-quoted');
      expect((await listen(followRun('r', { log }))).map(({ event }) => event)).toEqual(seen);
    }
  });

  it('should be whole through the deaths of their producers', async () => {
    const random = seededRandom(SEED + 1);
    const { below, oneOf, some, fault } = chooser(random);
    for (let run = 0; run < RUNS; run++) {
      const manner = oneOf(MANNERS);
      const mode = oneOf<ToolExecutionMode>(['sequential', 'parallel-batch-approval']);
      const faults = some(4, () => fault(true));
      server.use({ faults, manner, chunkSize: 3 + below(12), thinksAgain: random() < 0.5 });
      const runs: string[] = [];
      const log = memoryRunLog();
      const group = { time: 1, size: 1 + below(4) };
      const produce = (engine: RunLog) => {
        const talk = { tools: toolsOf(runs), mode };
        const config = { runId: 'r', executor: wire(server.baseUrl), request, recover, group };
        return resumeRun({ ...config, log: engine, converse: talk });
      };

      for (const appends of some(4, () => 1 + below(25))) {
        const engine = dying(log, appends);
        await Promise.race([engine.death, listen(produce(engine).pipe(takeUntil(engine.death)))]);
      }
      await expectWhole(await listen(produce(log)), runs, manner === 'anchor-quoted');
    }
  });
});
