import { lastValueFrom, map, NEVER, of, take, takeUntil, tap, timer, toArray } from 'rxjs';
import {
  contentText,
  converse,
  resultText,
  resumeConversation,
  userMessage,
  type ConversationState,
  type ConverseEvent,
  type JsonValue,
  type LlmExecutor,
  type Message,
  type ToolDecision,
  type ToolDecisions,
  type ToolExecutionMode,
} from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { geminiGenerateContent } from '../../src/providers/google/index.js';
import { openaiChat, openaiResponses } from '../../src/providers/openai/index.js';
import { memoryRunLog, resumeRun, type RunLog } from '../../src/runs/index.js';
import {
  startLlmServer,
  type AnswerScript,
  type LlmFault,
  type LlmServer,
  type LlmServerRequest,
} from '../../src/testing/index.js';
import { seededRandom } from '../../src/testing/random.js';
import { dying } from '../runs/dyingLog.js';
import { counted, endOf, stored } from '../tools/talk.js';

/** `npm run fuzz` sets both: how many conversations for each model, and where chance begins. */
const RUNS = Number(process.env['FUZZ_CONVERSATIONS'] ?? 12);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_123);

const LAST =
  'So it is done — all of it.\n\n- one\n- two\n\nThe rest is “as you said”, and nothing is left to do. 😀 Goodbye.';

type Wire = (baseUrl: LlmServer['baseUrl']) => LlmExecutor;
const key = { apiKey: 'k' };

const WIRES: [model: string, wire: Wire][] = [
  ['claude-sonnet-4-5', (at) => anthropicMessages({ ...key, baseUrl: at.anthropicMessages })],
  ['gpt-4o', (at) => openaiChat({ ...key, baseUrl: at.openaiChat })],
  ['gpt-5', (at) => openaiResponses({ ...key, baseUrl: at.openaiResponses })],
  ['gemini-2.5-pro', (at) => geminiGenerateContent({ ...key, baseUrl: at.geminiGenerateContent })],
];

const NAMES = ['quick', 'slow', 'asked', 'at-times', 'outside', 'hands-over', 'broken'];
const MODES: ToolExecutionMode[] = ['sequential', 'parallel-batch-approval', 'parallel-streaming'];

/** What the model wants to do: the calls of each turn, all with arguments of their own. */
type Plan = { text: string; calls: { name: string; args: string }[] }[];

/** The number that stands in a call's arguments: `{"n":"#3#"}`. */
const numberIn = (args: unknown): string => (args as { n: string }).n;

const chance = seededRandom(SEED);
const below = (most: number): number => Math.floor(chance() * most);
const oneOf = <T>(choices: readonly T[]): T => choices[below(choices.length)]!;
const list = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));

function somePlan(): Plan {
  let calls = 0;
  return list(1 + below(3), (turn) => ({
    text: oneOf(['', `Turn ${turn + 1}: first I “look” around, then I go on with whatever is found there. `]),
    calls: list(1 + below(5), () => ({ name: oneOf(NAMES), args: `{"n":"#${calls++}#"}` })),
  }));
}

function someFault(): LlmFault | null {
  const after = 1 + below(30);
  const broken = [{ cutAfterEvents: after }, { endAfterEvents: after }, { errorEvent: {}, afterEvents: after }];
  return oneOf([...broken, { cutAfterBytes: 20 + below(2_000) }, null]);
}

/** The model goes on with what it has not called yet: calls that were cut off it makes again. */
function answerOf(plan: Plan, { messages }: LlmServerRequest): AnswerScript {
  const called = new Set(messages.flatMap(({ toolCalls }) => toolCalls.map((call) => call.arguments)));
  const turn = plan.find(({ calls }) => !calls.every(({ args }) => called.has(args)));
  if (turn === undefined) return [{ text: LAST }];
  const left = turn.calls.filter(({ args }) => !called.has(args));
  const says = turn.text !== '' && left.length === turn.calls.length;
  const toolCalls = left.map(({ name, args }) => ({
    toolCall: { name, arguments: JSON.parse(args) as { n: string } },
  }));
  return [...(says ? [{ text: turn.text }] : []), ...toolCalls];
}

/** What happens to the calls of a conversation, whichever process they run in. */
class World {
  /** Calls that have run, and calls that nobody may run. */
  readonly ran: string[] = [];
  readonly refused: string[] = [];

  readonly tools = [
    counted('quick', (input) => this.run('quick', input)),
    counted('slow', (input) => timer(2).pipe(map(() => this.run('slow', input)))),
    counted('asked', (input) => this.run('asked', input), { needsApproval: true }),
    counted('at-times', (input) => of('progress', this.run('at-times', input)), { needsApproval: true }),
    counted('hands-over', (_, { suspend }) => suspend({ why: 'nobody here knows' })),
    counted('broken', (input) => {
      this.run('broken', input);
      throw new Error('it broke');
    }),
  ];

  /** What people say about some of the calls that wait. */
  decide({ pending }: ConversationState): ToolDecisions {
    const said = pending.flatMap(({ id, waitsFor, arguments: args }): [string, ToolDecision][] => {
      if (chance() < 0.3) return [];
      const given = { result: `given ${numberIn(args)}` };
      const decision = oneOf<ToolDecision>([
        waitsFor === 'approval' ? 'approve' : given,
        given,
        'deny',
        { deny: 'no' },
      ]);
      if (decision !== 'approve') this.refused.push(numberIn(args));
      return [[id, decision]];
    });
    return Object.fromEntries(said);
  }

  private run(name: string, input: unknown): string {
    this.ran.push(numberIn(input));
    return `${name} has run`;
  }
}

const outside = { id: 'outside', name: 'outside', description: 'Runs elsewhere.', parameters: { type: 'object' } };
const recover = { count: 12, delay: 0, idleTimeout: 2_000 };

/** Talks to the end in as many processes as it takes: some die after any event, and people think in between. */
async function talk(executor: LlmExecutor, model: string, world: World): Promise<ConverseEvent[]> {
  const request = { model, messages: [userMessage('Go.')], tools: [outside] };
  let state: ConversationState | undefined;
  const checkpoint = (now: ConversationState) => {
    state = stored(now);
    return chance() < 0.5 ? of(0) : timer(0);
  };
  const config = { tools: world.tools, mode: oneOf(MODES), concurrency: 1 + below(3), recover, checkpoint };

  let decisions: ToolDecisions = {};
  for (let process = 0; process < 60; process++) {
    const before = state;
    const talking = before
      ? resumeConversation(executor, before, { ...config, decisions })
      : converse(executor, request, config);
    const [mortal, soon] = [process < 12 && chance() < 0.6, chance() < 0.5];
    const events: ConverseEvent[] = [];
    let ran = 0;
    const look = <T>() => tap<T>(() => (ran = world.ran.length));
    const dying = talking.pipe(
      tap((event) => events.push(event)),
      look(),
      take(mortal && soon ? 1 + below(oneOf([4, 12, 40])) : Infinity),
      takeUntil(mortal && !soon ? timer(below(12)).pipe(look()) : NEVER),
    );
    await lastValueFrom(dying, { defaultValue: undefined });
    // Nothing begins when nobody listens any more.
    expect(world.ran.length).toBe(ran);

    const last = events.at(-1);
    if (last?.type === 'conversation-end') return events;
    // What was decided is in the states that are stored from then on.
    if (state !== before) decisions = {};
    if (last?.type === 'conversation-suspended') {
      state = stored(last.state);
      decisions = world.decide(state);
    }
  }
  throw new Error('the conversation does not end');
}

/** The results that are told, by their turn and their call. */
function resultsIn(events: readonly ConverseEvent[], begun: number): string[] {
  let step = begun;
  return events.flatMap((event) => {
    if (event.type === 'step-start') step = event.step;
    return event.type === 'tool-execution-result' ? [`${step} ${event.id}`] : [];
  });
}

/** The same in durable runs: each goes on from where the one before waits, and its producers die. */
async function talkInRuns(executor: LlmExecutor, model: string, world: World): Promise<ConverseEvent[]> {
  const log = memoryRunLog();
  const request = { model, messages: [userMessage('Go.')], tools: [outside] };
  const told: string[] = [];
  let at: { state: ConversationState; decisions: ToolDecisions } | undefined;
  for (let leg = 0; leg < 60; leg++) {
    const mode = oneOf(['sequential', 'parallel-batch-approval'] as const);
    const group = { time: 1, size: 1 + below(4) };
    const produce = (engine: RunLog) => {
      const talk = { tools: world.tools, mode, concurrency: 1 + below(3), ...at };
      return resumeRun({ runId: `leg-${leg}`, log: engine, executor, request, recover, group, converse: talk });
    };
    for (const appends of list(below(4), () => 1 + below(25))) {
      const engine = dying(log, appends);
      await Promise.race([
        engine.death,
        lastValueFrom(produce(engine).pipe(takeUntil(engine.death)), { defaultValue: 0 }),
      ]);
    }
    const events = await lastValueFrom(produce(log).pipe(toArray()));
    told.push(...resultsIn(events, at?.state.step ?? 1));
    const last = events.at(-1);
    if (last?.type === 'conversation-end') {
      expect(told).toHaveLength(new Set(told).size);
      return events;
    }
    if (last?.type !== 'conversation-suspended') throw new Error('the run has no end');
    const state = stored(last.state);
    at = { state, decisions: world.decide(state) };
  }
  throw new Error('the conversation does not end');
}

/** Each call stands once in the history, with one result behind it that says what has happened. */
function checkHistory(messages: readonly Message[], plan: Plan, { ran }: World): void {
  const called: { name: string; args: string }[] = [];
  messages.forEach(({ role, content }, index) => {
    if (role !== 'assistant') return;
    const calls = content.flatMap((block) => (block.type === 'tool-call' ? [block] : []));
    if (calls.length > 0) expect(['', ...plan.map(({ text }) => text)]).toContain(contentText(content));
    const end = messages.findIndex((message, at) => at > index && message.role !== 'tool');
    const results = messages.slice(index + 1, end).flatMap((message) => message.content);
    expect(results.map((block) => block.type === 'tool-result' && block.toolCallId).sort()).toEqual(
      calls.map(({ id }) => id).sort(),
    );
    for (const { id, name, arguments: args } of calls) {
      called.push({ name, args: JSON.stringify(args) });
      const result = results.find((block) => block.type === 'tool-result' && block.toolCallId === id);
      if (JSON.stringify(result).includes('has run')) expect(ran).toContain(numberIn(args satisfies JsonValue));
    }
  });
  expect(called).toEqual(plan.flatMap(({ calls }) => calls));
}

describe.each(WIRES)('conversations with %s that wait for people, and whose processes die', (model, wire) => {
  let plan: Plan = [];
  let server: LlmServer;
  beforeAll(async () => {
    server = await startLlmServer({ answer: (request) => answerOf(plan, request) });
  });
  afterAll(() => server.close());

  it.each([
    ['in processes that keep checkpoints', talk],
    ['in runs of a log', talkInRuns],
  ])('should have one answer, run no call twice and none that was refused, %s', async (_, talked) => {
    for (let run = 0; run < RUNS; run++) {
      plan = somePlan();
      const faults = list(below(4), someFault);
      server.use({ faults, manner: oneOf(['anchor', 'preamble', 'restart']), chunkSize: 3 + below(12) });
      const world = new World();

      const end = endOf(await talked(wire(server.baseUrl), model, world));

      expect([end.reason, resultText(end.result)]).toEqual(['done', LAST]);
      expect(new Set(world.ran).size).toBe(world.ran.length);
      expect(world.refused.filter((call) => world.ran.includes(call))).toEqual([]);
      checkHistory(end.messages, plan, world);
    }
    await server.idle();
    expect(server.openResponses).toBe(0);
  });
});
