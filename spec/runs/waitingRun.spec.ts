import { lastValueFrom, takeUntil, takeWhile, toArray, type Observable } from 'rxjs';
import {
  contentText,
  type ConversationState,
  type ConverseEvent,
  type InferenceRequest,
  type ToolDecisions,
} from '../../src/index.js';
import { adoptOrphans, durable, memoryRunLog, resumeRun, type RunLog } from '../../src/runs/index.js';
import { blockStop, scriptedExecutor, toolCall } from '../../src/testing/index.js';
import { request, stop, text } from '../helpers/events.js';
import { counted, endOf, stored } from '../tools/talk.js';
import { dying } from './dyingLog.js';

const TALK = { mode: 'parallel-batch-approval', recover: { delay: 0, idleTimeout: false } } as const;
const GROUP = { size: 1 };

/** Calls four tools in its first turn, and says in the second what came of them. */
const model = () =>
  scriptedExecutor(({ messages, continuation }: InferenceRequest) => {
    const results = messages.flatMap(({ content }) => content.filter(({ type }) => type === 'tool-result'));
    if (results.length === 0) {
      const calls = ['free', 'asked', 'asked', 'outside'].flatMap((name, n) => toolCall(`c${n}`, name, { n }));
      return [text('Let me see. '), ...calls, blockStop('c3'), stop('tool-use')];
    }
    const rest = ['It is ', 'done.'].join('').slice(continuation?.prefix?.length ?? 0);
    const note = { providerMetadata: { continuation: { mechanism: 'prefill' as const } } };
    return [...(rest === '' ? [] : [{ ...text(rest), ...(continuation && note) }]), stop()];
  });

const outside = { id: 'outside', name: 'outside', description: 'Runs elsewhere.', parameters: { type: 'object' } };
const asked = { ...request, tools: [outside] };

const toolsOf = (world: string[]) => [
  counted('free', (input) => `${world.push(JSON.stringify(input))} free`),
  counted('asked', (input) => `${world.push(JSON.stringify(input))} asked`, { needsApproval: true }),
];

function heard<T>(source: Observable<T>): Promise<T[]> {
  return lastValueFrom(source.pipe(toArray()));
}

/** A log with a run that waits for people, and what stands in its last event. */
async function suspended(world: string[]): Promise<{ log: RunLog; state: ConversationState }> {
  const log = memoryRunLog();
  const converse = { tools: toolsOf(world), ...TALK };
  const events = await heard(
    resumeRun({ runId: 'first', log, executor: model(), request: asked, group: GROUP, converse }),
  );
  const last = events.at(-1);
  if (last?.type !== 'conversation-suspended') throw new Error('it does not wait');
  return { log, state: stored(last.state) };
}

const resultsIn = (events: readonly ConverseEvent[]) =>
  events.flatMap((event) =>
    event.type === 'tool-execution-result' ? [`${event.id} ${event.status} ${contentText(event.result.content)}`] : [],
  );

const DECISIONS: ToolDecisions = { c1: 'approve', c2: { deny: 'not now' }, c3: { result: undefined } };

describe('a run that goes on with a suspended conversation', () => {
  /** Has a producer die after so many appends, and another one go on, which may know nothing of the decisions. */
  async function survived(death: number, knows: boolean) {
    const world: string[] = [];
    const { log, state } = await suspended(world);
    const go = (engine: RunLog, decided?: { state: ConversationState; decisions: ToolDecisions }) => {
      const converse = { tools: toolsOf(world), ...TALK, ...decided };
      const config = { runId: 'second', log: engine, executor: model(), request: asked, group: GROUP };
      return resumeRun({ ...config, converse });
    };
    const engine = dying(log, death);
    const decided = { state, decisions: DECISIONS };
    const first = go(engine, decided).pipe(takeUntil(engine.death));
    await Promise.race([engine.death, heard(first)]);
    const [head] = await heard(log.head('second'));
    if (head === undefined || head === null || head.seq === 0) return undefined;
    return { events: await heard(go(log, knows ? decided : undefined)), world, ended: head.ended };
  }

  it.each([
    ['with what was decided', false],
    ['also where the decisions are said again', true],
  ])('should survive a death at every event, %s, and run no call twice', async (_, knows) => {
    let deaths = 1;
    for (; deaths < 100; deaths++) {
      const outcome = await survived(deaths, knows);
      if (!outcome) throw new Error('nothing was stored');
      const { events, world, ended } = outcome;

      expect(world).toHaveLength(new Set(world).size);
      expect(world).toHaveLength(2);
      const end = endOf(events);
      expect([end.reason, end.steps, contentText(end.result.content)]).toEqual(['done', 2, 'It is done.']);
      // The one that was running is not known of, wherever its producer died in between.
      const [approved, ...others] = resultsIn(events).sort();
      expect(['c1 succeeded 2 asked', expect.stringMatching(/^c1 unknown/)]).toContainEqual(approved);
      expect(others).toEqual(['c2 denied denied by the user: not now', 'c3 succeeded (no output)']);
      if (ended) break;
    }
    expect(deaths).toBeGreaterThan(10);
    expect(deaths).toBeLessThan(100);
  });

  it('should wait again for what nobody has decided about, and go on in a third run', async () => {
    const world: string[] = [];
    const { log, state } = await suspended(world);
    const go = (runId: string, at: ConversationState, decisions: ToolDecisions) => {
      const converse = { tools: toolsOf(world), ...TALK, state: at, decisions };
      return heard(resumeRun({ runId, log, executor: model(), request: asked, converse }));
    };
    const second = await go('second', state, { c3: { result: 'from outside' } });
    const last = second.at(-1);
    if (last?.type !== 'conversation-suspended') throw new Error('it does not wait');
    expect(last.state.pending.map(({ id, decision }) => [id, decision])).toEqual([
      ['c1', undefined],
      ['c2', undefined],
    ]);
    const third = await go('third', stored(last.state), { c1: 'approve', c2: 'approve' });

    expect(resultsIn(second)).toEqual(['c3 succeeded from outside']);
    expect(resultsIn(third)).toEqual(['c1 succeeded 2 asked', 'c2 succeeded 3 asked']);
    expect(endOf(third).reason).toBe('done');
    expect(world).toHaveLength(3);
  });

  it('should be adopted by a supervisor that was told of no decision', async () => {
    const world: string[] = [];
    const { log, state } = await suspended(world);
    const engine = dying(log, 1);
    const converse = { tools: toolsOf(world), ...TALK };
    const config = { log: engine, executor: model(), group: GROUP };
    const first = resumeRun({
      ...{ ...config, runId: 'second', request: asked },
      converse: { ...converse, state, decisions: DECISIONS },
    });
    await Promise.race([engine.death, heard(first.pipe(takeUntil(engine.death)))]);

    const adoptions = adoptOrphans({ ...config, log, converse, interval: 5 });
    const alone = resumeRun({ ...config, log, runId: 'second', request: asked });
    await expect(heard(alone)).rejects.toMatchObject({ kind: 'invalid-request' });
    await heard(adoptions.pipe(takeWhile(({ state: now }) => now !== 'finished')));
    const events = await heard(resumeRun({ ...config, log, runId: 'second', request: asked, converse }));

    expect(endOf(events).reason).toBe('done');
    expect(world).toHaveLength(2);
  });

  it('should take the request of the state, and store it once', async () => {
    const { log, state } = await suspended([]);
    const converse = { tools: toolsOf([]), ...TALK, state };
    const other = { ...request, model: 'another' };
    await heard(resumeRun({ runId: 'second', log, executor: model(), request: other, converse }));

    const [start] = await heard(log.read('second'));
    const { request: known, ...place } = state;
    expect(start?.event).toEqual({ type: 'run-start', request: known, state: place });
  });

  it('should refuse what is no state, and decisions that do not fit it', async () => {
    const { log, state } = await suspended([]);
    const config = { runId: 'second', log, executor: model(), request: asked };
    const go = (talk: object) => () => resumeRun({ ...config, converse: talk });

    expect(go({ state: {} })).toThrow(/give the state that conversation-suspended/);
    expect(go({ state, decisions: { nobody: 'approve' } })).toThrow(/the calls that wait are: c1, c2, c3/);
    expect(go({ state, decisions: { c3: 'approve' } })).toThrow(/waits for its result/);
    expect(go({ decisions: DECISIONS })).toThrow(/give the state that the decisions are about/);
  });

  it('should refuse a run that has begun without the state', async () => {
    const { log, state } = await suspended([]);
    const unended = dying(log, 2);
    const answer = model().executeStream(asked);
    const begun = answer.pipe(durable({ runId: 'second', log: unended, request: asked, group: GROUP }));
    await Promise.race([unended.death, heard(begun.pipe(takeUntil(unended.death)))]);
    const converse = { tools: toolsOf([]), ...TALK, state };
    const again = resumeRun({ runId: 'second', log, executor: model(), request: asked, converse });

    await expect(heard(again)).rejects.toMatchObject({
      kind: 'invalid-request',
      detail: expect.stringMatching(/begun without the state: .* another name/),
    });
    expect(await heard(log.head('second'))).toMatchObject([{ ended: false }]);
  });
});
