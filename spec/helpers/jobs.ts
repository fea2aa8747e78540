import { contentText, type JsonValue, type LlmStreamEvent, type Message } from '../../src/index.js';
import {
  text,
  toolCallDelta,
  toolCallStart,
  blockStop,
  stop,
  usage,
  type AnswerPart,
  type AnswerScript,
} from '../../src/testing/index.js';
import type { AskedMessage } from '../../src/testing/server/types.js';
import { tool, type AnyTool } from '../../src/tools/tool.js';

/** What the model says before the six calls of each of four turns, and in the end. */
export const SAYINGS = [
  'First I look at all six rooms of the lighthouse, one by one.',
  'Now I count the marbles in each room, the hidden ones too.',
  'Then I weigh them: «naïve» scales will do – 東京 has better ones.',
  'Last I roll each one down the stair, to hear whether it is round.',
];
export const ANSWER = 'There are 24 marbles in six rooms, and every one of them is round. The keeper may sleep.';
export const WHOLE = SAYINGS.join('') + ANSWER;
export const ROOMS = ['cellar', 'hall', 'kitchen', 'study', 'lamp_room', 'roof'];

/** The jobs that the model gives to its tools: six in each turn. */
export const JOBS: string[] = SAYINGS.flatMap((_, turn) => ROOMS.map((room) => `${turn}:${room}`));

/** What a conversation has come to, whatever its wire. */
interface Standing {
  /** All that the model has said. */
  said: string;
  /** The jobs that it has given. */
  given: readonly string[];
}

/**
 * What the model does next: what it has not said, and the jobs of the turn that it has not given. A model that was cut in
 * the middle of its calls sees in the history what it has got, and asks for the rest.
 */
function nextOf({ said, given }: Standing): { say: string; jobs: string[] } {
  const turn = SAYINGS.findIndex((_, index) =>
    JOBS.slice(index * 6, index * 6 + 6).some((job) => !given.includes(job)),
  );
  const upTo = turn < 0 ? WHOLE : SAYINGS.slice(0, turn + 1).join('');
  if (!upTo.startsWith(said)) throw new Error(`the history has become ${JSON.stringify(said)}`);
  const jobs = turn < 0 ? [] : JOBS.slice(turn * 6, turn * 6 + 6).filter((job) => !given.includes(job));
  return { say: upTo.slice(said.length), jobs };
}

const jobOf = (args: JsonValue): string => (args as { job: string }).job;

/** The model as events; `attempt` makes ids that never come twice, as those of a real one. */
export function jobEvents(messages: readonly Message[], prefix: string, attempt: number): LlmStreamEvent[] {
  const own = messages.filter(({ role }) => role === 'assistant');
  const given = own.flatMap(({ content }) =>
    content.flatMap((block) => (block.type === 'tool-call' ? [jobOf(block.arguments)] : [])),
  );
  const { say, jobs } = nextOf({ said: own.map(({ content }) => contentText(content)).join('') + prefix, given });
  return [
    ...say
      .split(/(?<= )/)
      .flatMap((word, index, words) => (index % 4 === 0 ? [text(words.slice(index, index + 4).join(''))] : [])),
    blockStop(),
    ...jobs.flatMap((job, index) => {
      const id = `call_${attempt}_${index}`;
      const json = JSON.stringify({ job });
      return [
        toolCallStart(id, 'work'),
        toolCallDelta(id, json.slice(0, 6)),
        toolCallDelta(id, json.slice(6)),
        blockStop(id),
      ];
    }),
    usage({ promptTokens: 100, completionTokens: 10 }),
    stop(jobs.length > 0 ? 'tool-use' : 'end-turn'),
  ];
}

/** The model as a script for the wires. Turns that ask for a continuation are not among the messages. */
export function jobScript(messages: readonly AskedMessage[]): AnswerScript {
  const own = messages.filter(({ role }) => role === 'assistant');
  const given = own.flatMap(({ toolCalls }) => toolCalls.map((call) => jobOf(JSON.parse(call.arguments))));
  const { say, jobs } = nextOf({ said: own.map((message) => message.text).join(''), given });
  const calls: AnswerPart[] = jobs.map((job) => ({ toolCall: { name: 'work', arguments: { job } } }));
  return [...(say === '' ? [] : [{ text: say }]), ...calls];
}

/** The tool that does the jobs, and how often it has done each. */
export function worker(): AnyTool & { runs: Map<string, number> } {
  const runs = new Map<string, number>();
  const work = tool({
    name: 'work',
    description: 'Does a job.',
    inputSchema: { type: 'object', properties: { job: { enum: JOBS } }, required: ['job'] },
    execute: ({ job }) => {
      runs.set(job, (runs.get(job) ?? 0) + 1);
      return { done: job };
    },
  });
  return Object.assign(work, { runs });
}

/** What is wrong with how often the jobs were done, in words. */
export function jobFaults(runs: ReadonlyMap<string, number>): string[] {
  return JOBS.filter((job) => runs.get(job) !== 1).map((job) => `${job} was done ${runs.get(job) ?? 0} times`);
}
