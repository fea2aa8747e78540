import { lastValueFrom, tap, toArray } from 'rxjs';
import { contentText, userMessage, type InferenceRequest, type LlmExecutor } from '../contract/index.js';
import { messageOf } from '../internal/isError.js';
import { startLlmServer } from '../testing/index.js';
import { converse } from '../tools/converse.js';
import type { ConverseEvent } from '../tools/ConverseEvent.js';
import type { AnyTool } from '../tools/tool.js';
import { anthropicWire, openaiWire, type DemoWire } from './demoWires.js';
import { layTable } from './paint.js';
import { folderTools, INSTRUCTIONS } from './toolsAgent.js';
import { Folder } from './toolsFolder.js';
import { ToolsShow, type ShowOutput } from './toolsShow.js';
import { answerAbout, toolFaults, TOOLS_QUESTION } from './toolsStory.js';

/** What one conversation has come to. */
interface Outcome {
  /** All that the model has said. */
  text: string;
  /** How often each call has been run. */
  runs: ReadonlyMap<string, number>;
  /** What each call has given. */
  results: ReadonlyMap<string, string>;
  turns: number;
  requests: number;
  cuts: number;
}

/** How fast the broken line goes, in milliseconds. */
export interface Pace {
  /** Between two events. */
  latency: number;
  /** Before the next attempt. */
  delay: number;
  /** Silence after which the line counts as dead. */
  idleTimeout: number;
}

const PACE: Pace = { latency: 5, delay: 100, idleTimeout: 350 };

/**
 * Lets a scripted model look at a folder with its tools, over each wire, by way of a server that breaks it again and again.
 *
 * @param path - The folder. It is only read.
 * @returns The exit code: 0 when every conversation came out as one that is not broken, and no call was run twice.
 */
export async function runToolsDemo(path: string, output: ShowOutput, pace = PACE): Promise<number> {
  const { write, paint } = output;
  const folder = await Folder.open(path);
  const rows: string[][] = [];
  let good = true;
  for (const wire of [anthropicWire, openaiWire]) {
    write(`\n${paint('bold', `══ ${wire.title} `.padEnd(72, '═'))}\n`);
    write(`${paint('dim', `you: ${TOOLS_QUESTION} (${folder.name})`)}\n`);
    const { whole, broken } = await compare(wire, folder, output, pace);
    const twice = [...broken.runs.values()].filter((runs) => runs > 1).length;
    const same = broken.text === whole.text && sameMap(broken.results, whole.results);
    good &&= same && twice === 0;
    rows.push(
      [
        wire.title,
        broken.turns,
        broken.runs.size,
        twice,
        broken.cuts,
        broken.requests,
        same ? 'the same' : 'another',
      ].map(String),
    );
  }
  write(`\n${layTable(['wire', 'turns', 'calls', 'run twice', 'cuts', 'requests', 'answer'], rows, paint)}\n`);
  write(
    good
      ? paint('green', '\nEach call was run once, and the answers are those of an unbroken line.\n')
      : paint('red', '\nThe line has shown: the answer is another one, or a call was run twice.\n'),
  );
  return good ? 0 : 1;
}

/**
 * Lets a real model look at a folder with its tools.
 *
 * @returns The exit code.
 */
export async function runToolsChat(
  executor: LlmExecutor,
  request: InferenceRequest,
  path: string,
  output: ShowOutput,
): Promise<number> {
  try {
    const tools = folderTools(await Folder.open(path));
    const events = await listen(executor, { system: INSTRUCTIONS, ...request }, tools, output, { count: 5 });
    const last = events.at(-1);
    return last?.type === 'conversation-end' && last.reason === 'done' ? 0 : 1;
  } catch (error) {
    output.write(output.paint('red', `\n${messageOf(error)}\n`));
    return 1;
  }
}

/** A conversation as it would be, and one over a line that breaks; anew when the folder has changed between them. */
async function compare(
  wire: DemoWire,
  folder: Folder,
  output: ShowOutput,
  pace: Pace,
): Promise<{ whole: Outcome; broken: Outcome }> {
  for (let tries = 1; ; tries++) {
    const whole = await talk(wire, folder, undefined, { ...output, write: () => undefined }, { ...pace, latency: 0 });
    const broken = await talk(wire, folder, toolFaults(wire.trailer), output, pace);
    const changed = [...whole.results].some(([call, result]) => (broken.results.get(call) ?? result) !== result);
    if (!changed || tries >= 2) return { whole, broken };
    output.write(output.paint('yellow', '\nThe folder has changed meanwhile: once more.\n'));
  }
}

async function talk(
  wire: DemoWire,
  folder: Folder,
  faults: ReturnType<typeof toolFaults> | undefined,
  output: ShowOutput,
  { latency, delay, idleTimeout }: Pace,
): Promise<Outcome> {
  const server = await startLlmServer({ answer: answerAbout, latency, ...(faults && { faults }) });
  const request: InferenceRequest = {
    model: wire.model,
    system: INSTRUCTIONS,
    messages: [userMessage(TOOLS_QUESTION)],
  };
  try {
    const recover = { count: 12, delay, idleTimeout };
    const events = await listen(wire.executor(server), request, folderTools(folder), output, recover);
    return { ...outcomeOf(events), requests: server.requests.length };
  } finally {
    await server.close();
  }
}

async function listen(
  executor: LlmExecutor,
  request: InferenceRequest,
  tools: readonly AnyTool[],
  output: ShowOutput,
  recover: { count: number; delay?: number; idleTimeout?: number },
): Promise<ConverseEvent[]> {
  const show = new ToolsShow(output);
  return lastValueFrom(
    converse(executor, request, { tools, mode: 'parallel-streaming', recover }).pipe(
      tap((event) => show.show(event)),
      toArray(),
    ),
  );
}

function outcomeOf(events: readonly ConverseEvent[]): Omit<Outcome, 'requests'> {
  const runs = new Map<string, number>();
  const results = new Map<string, string>();
  const calls = new Map<string, string>();
  let cuts = 0;
  let turns = 0;
  let text = '';
  for (const event of events) {
    if (event.type === 'tool-execution-start') {
      const call = `${event.name} ${JSON.stringify(event.arguments)}`;
      calls.set(event.id, call);
      runs.set(call, (runs.get(call) ?? 0) + 1);
    }
    if (event.type === 'tool-execution-result') {
      results.set(calls.get(event.id) ?? event.name, contentText(event.result.content));
    }
    if (event.type === 'interrupted') cuts++;
    if (event.type !== 'conversation-end') continue;
    turns = event.steps;
    text = event.messages.map(({ role, content }) => (role === 'assistant' ? contentText(content) : '')).join('');
  }
  return { text, runs, results, turns, cuts };
}

function sameMap(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
