import { lastValueFrom, map, NEVER, of, timer, toArray, type Observable } from 'rxjs';
import { contentText, type ToolExecutionMode } from '../../src/index.js';
import { scriptedExecutor, stop, text, toolCall } from '../../src/testing/index.js';
import { converse, resumeConversation } from '../../src/tools/converse.js';
import type { ConverseEvent } from '../../src/tools/ConverseEvent.js';
import { tool, type AnyTool } from '../../src/tools/tool.js';
import { request } from '../helpers/events.js';
import { referenceCases, titleOf, type ReferenceCase } from '../helpers/reference.js';

/** What came of the calls, in the words of the reference. */
interface Answer {
  /** The tools that were run. */
  executed: string[];
  /** In the order of the calls, of those that were run or refused. */
  outcomes: string[];
  /** Calls that were answered without being run, because an earlier one waits. */
  backfilled: string[];
  /** What the model reads of the first call. */
  message: string;
  timedOut: boolean;
}

/** `a:ok:slow`: the tool's name, what it does, and how. */
const partsOf = (call: string): [name: string, does: string, how: string | undefined] =>
  call.split(':') as [string, string, string | undefined];

function toolFor(call: string, executed: string[]): AnyTool {
  const [name, does, how] = partsOf(call);
  const works = (): Observable<string> => {
    if (does === 'timeout') return NEVER;
    if (does === 'fail') throw new Error(`${name} failed`);
    return how === 'slow' ? timer(5).pipe(map(() => `${name} done`)) : of(`${name} done`);
  };
  return tool({
    name,
    description: '',
    inputSchema: { type: 'object', required: does === 'invalid_args' ? ['x'] : [] },
    ...(does === 'timeout' && { timeout: 5 }),
    execute: (_: unknown, { suspend }) => {
      executed.push(name);
      return does === 'suspend' ? suspend() : works();
    },
  });
}

const listen = (events: Observable<ConverseEvent>): Promise<ConverseEvent[]> => lastValueFrom(events.pipe(toArray()));

async function answer({ input }: ReferenceCase, mode: ToolExecutionMode): Promise<[Answer, string[]]> {
  const { calls, registered } = input as { calls: string[]; registered?: string[] };
  const executed: string[] = [];
  const tools = calls.filter((call) => registered?.includes(call) ?? true).map((call) => toolFor(call, executed));
  const executor = scriptedExecutor([
    [...calls.map((call) => toolCall(partsOf(call)[0], partsOf(call)[0])), stop('tool-use')],
    [text('done'), stop()],
  ]);
  const events = await listen(converse(executor, request, { tools, mode }));
  const outcomes = new Map<string, string>();
  const backfilled: string[] = [];
  let timedOut = false;
  const words: string[] = [];
  for (const event of events) {
    if (event.type === 'tool-execution-suspended') outcomes.set(event.id, 'suspended');
    if (event.type !== 'tool-execution-result') continue;
    if (event.status === 'interrupted') backfilled.push(event.id);
    else outcomes.set(event.id, event.status);
    timedOut ||= event.timedOut === true;
    words.push(contentText(event.result.content));
  }
  const order = calls.map((call) => partsOf(call)[0]);
  const inOrder = order.flatMap((id) => outcomes.get(id) ?? []);
  const last = events.at(-1);
  const rest =
    last?.type === 'conversation-suspended'
      ? await listen(
          resumeConversation(executor, last.state, {
            tools,
            mode,
            decisions: Object.fromEntries(last.state.pending.map(({ id }) => [id, { result: 'given' }])),
          }),
        )
      : events;
  const finished = rest.find((event) => event.type === 'step-finish');
  const results = finished?.type === 'step-finish' ? finished.toolResults.map(({ toolCallId }) => toolCallId) : [];
  return [{ executed, outcomes: inOrder, backfilled, message: words[0] ?? '', timedOut }, results];
}

const CASES = referenceCases('tool_execution').flatMap((test): [string, ReferenceCase, ToolExecutionMode][] =>
  (test.input['mode'] === 'sequential'
    ? ['sequential' as const]
    : ['parallel-batch-approval' as const, 'parallel-streaming' as const]
  ).map((mode) => [`${titleOf(test)} (${mode})`, test, mode]),
);

describe('tools, by the cases of the reference', () => {
  it.each(CASES)('should answer as the reference, %s', async (_, test, mode) => {
    const {
      metadata,
      result_order: order,
      ...expected
    } = test.expected as Partial<Answer> & {
      metadata?: { timed_out: boolean };
      result_order?: string[];
    };
    const { calls } = test.input as { calls: string[] };

    const [given, results] = await answer(test, mode);

    expect(given).toMatchObject({ ...expected, timedOut: metadata?.timed_out ?? false });
    // The reference says the order for one case; with us it is that of the calls in all.
    expect(results).toEqual(order ?? calls.map((call) => partsOf(call)[0]));
  });
});
