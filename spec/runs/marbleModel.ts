import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { concatMap, defer, from, ignoreElements, merge, of, timer, type Observable } from 'rxjs';
import {
  contentText,
  createExecutor,
  tool,
  userMessage,
  type AnyTool,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
} from '../../src/index.js';
import { blockStop, stop, text, toolCallDelta, toolCallStart, usage } from '../../src/testing/events.js';

const BEFORE = 'First I look into the cellar and on the roof, «naïve» as I am – 東京 is too far: ';
const AFTER = 'twelve marbles below, twelve above, and 👩🏽‍🚀 has not touched one of them. The keeper may sleep.';

/** All that the model says, over both turns. */
export const WHOLE = BEFORE + AFTER;

/** What its tool is asked to do, once each. */
export const JOBS = ['cellar', 'roof'];

/** What is asked in a run. The run is named in it, so that whoever goes on with it knows whose jobs are done. */
export function requestFor(runId: string): InferenceRequest {
  return { model: 'test-model', messages: [userMessage(runId)] };
}

/** The rest of what a model says that sees in the history what it has said and asked for already. */
function eventsFor({ messages, continuation }: InferenceRequest, attempt: string): LlmStreamEvent[] {
  const own = messages.filter(({ role }) => role === 'assistant');
  const said = own.map(({ content }) => contentText(content)).join('') + (continuation?.prefix ?? '');
  const given = own.flatMap(({ content }) =>
    content.flatMap((block) => (block.type === 'tool-call' ? [(block.arguments as { job: string }).job] : [])),
  );
  const run = contentText(messages[0]!.content);
  if (!WHOLE.startsWith(said)) throw new Error(`the history has become ${JSON.stringify(said)}`);
  const jobs = JOBS.filter((job) => !given.includes(job));
  const upTo = jobs.length > 0 ? BEFORE : WHOLE;
  const pieces = upTo.slice(said.length).match(/[^]{1,9}(?![\udc00-\udfff])/g) ?? [];
  return [
    ...pieces.map((piece) => text(piece)),
    blockStop(),
    ...jobs.flatMap((job) => {
      const id = `call-${attempt}-${job}`;
      const json = JSON.stringify({ job, run });
      return [
        toolCallStart(id, 'work'),
        toolCallDelta(id, json.slice(0, 5)),
        toolCallDelta(id, json.slice(5)),
        blockStop(id),
      ];
    }),
    usage({ promptTokens: 10, completionTokens: 5 }),
    stop(jobs.length > 0 ? 'tool-use' : 'end-turn'),
  ];
}

/** A model that goes on exactly where it is asked to, an event each few milliseconds. */
export function marbleModel(name: string, pause: number): LlmExecutor {
  let attempts = 0;
  return createExecutor({
    name,
    executeStream: (asked) =>
      defer(() => {
        const [first, ...rest] = eventsFor(asked, `${name}-${attempts++}`);
        const noted: LlmStreamEvent = asked.continuation
          ? { ...first!, providerMetadata: { continuation: { mechanism: 'prefill' } } }
          : first!;
        return from([noted, ...rest]).pipe(concatMap((event) => after(pause, event)));
      }),
  });
}

function after<T>(pause: number, value: T): Observable<T> {
  return merge(timer(pause).pipe(ignoreElements()), timer(pause).pipe(concatMap(() => of(value))));
}

/** The tool, which leaves a line for each job that it does in a file of the run that all processes write. */
export function worker(folder: string): AnyTool {
  return tool({
    name: 'work',
    description: 'Looks somewhere.',
    inputSchema: {
      type: 'object',
      properties: { job: { enum: JOBS }, run: { type: 'string' } },
      required: ['job', 'run'],
    },
    execute: ({ job, run }) =>
      defer(() => {
        appendFileSync(join(folder, String(run)), `${String(job)}\n`);
        return after(3, { seen: String(job) });
      }),
  });
}
