import { concat, NEVER, of, throwError, toArray, type Observable } from 'rxjs';
import {
  accumulate,
  collect,
  converse,
  recoveryReport,
  resultText,
  resumeConversation,
  textDeltas,
  toolCalls,
  type ConverseEvent,
  type RecoveryReport,
  type StreamResult,
} from '../../src/index.js';
import { cut, scriptedExecutor, stop, text, toolCall } from '../../src/testing/index.js';
import { broken, usage } from '../helpers/events.js';
import { asked, counted, heard, stateOf } from '../tools/talk.js';

const recover = { delay: 0, idleTimeout: false } as const;
const calling = (id = 'a') => [text('Let me see. '), toolCall(id, 'look'), usage(10, 2), stop('tool-use')];
const done = [text('A ship.'), usage(20, 3), stop()];
const turn: ConverseEvent[] = [{ type: 'step-start', step: 1, steered: [] }, { type: 'text-delta', text: 'x' }, stop()];

function last<T>(source: Observable<T>): Promise<T[]> {
  return new Promise((resolve, reject) => source.pipe(toArray()).subscribe({ next: resolve, error: reject }));
}

describe('reading a conversation', () => {
  it('should collect the last turn, and run the tools before', async () => {
    const look = counted('look');
    const talk$ = converse(scriptedExecutor([calling(), done]), asked, { tools: [look] });

    const [result, ...more] = await last(talk$.pipe(collect()));

    expect(look.runs).toHaveLength(1);
    expect(more).toEqual([]);
    expect(result).toMatchObject({
      content: [{ type: 'text', text: 'A ship.' }],
      toolCalls: [],
      stopReason: 'end-turn',
    });
  });

  it('should collect the turn that a suspended conversation waits in, and that of one without a new turn', async () => {
    const look = counted('look', undefined, { needsApproval: true });
    const model = scriptedExecutor([calling()]);
    const config = { tools: [look], maxSteps: 1 };
    const state = stateOf(await heard(converse(model, asked, config)));

    const [waiting] = await last(converse(scriptedExecutor([calling()]), asked, config).pipe(collect()));
    const resumed$ = resumeConversation(model, state, { ...config, decisions: { a: 'approve' } });
    const [resumed] = await last(resumed$.pipe(collect()));

    expect(waiting?.toolCalls.map(({ id }) => id)).toEqual(['a']);
    expect(resumed).toEqual(state.result);
    expect(look.runs).toHaveLength(1);
  });

  it('should take the completion for the end of a conversation only after a stop', async () => {
    const [result] = await last(of(...turn).pipe(collect()));
    const [report] = await last(of(...turn).pipe(recoveryReport()));
    const cutShort = of(...turn, ...turn.slice(0, 2));

    expect(resultText(result!)).toBe('x');
    expect(report?.outcome).toEqual({ stop: 'end-turn' });
    await expect(last(cutShort.pipe(collect()))).rejects.toMatchObject({
      kind: 'stream-interrupted',
      snapshot: { text: 'x' },
    });
    expect((await last(cutShort.pipe(recoveryReport())))[0]?.outcome).toEqual({ error: 'stream-interrupted' });
  });

  it('should pass the error of a conversation on, with the snapshot of its last turn', async () => {
    const failing$ = concat(
      of(...turn, ...turn.slice(0, 2)),
      throwError(() => broken()),
    );

    await expect(last(failing$.pipe(collect()))).rejects.toMatchObject({ snapshot: { text: 'x' } });
  });

  it('should neither end nor go on at the stop of a turn', () => {
    const results: StreamResult[] = [];
    const subscription = concat(of(...turn), NEVER)
      .pipe(collect())
      .subscribe((result) => results.push(result));

    expect([results, subscription.closed]).toEqual([[], false]);
    subscription.unsubscribe();
  });

  it('should report on all turns together', async () => {
    const model = scriptedExecutor([
      [text('Let '), cut()],
      calling(),
      [text('A sh'), cut()],
      [text('ip.'), usage(20, 3), stop()],
    ]);
    const reports: RecoveryReport[] = [];
    const talk$ = converse(model, asked, { tools: [counted('look')], recover });

    for (const report of await last(talk$.pipe(recoveryReport()))) reports.push(report);

    expect(reports).toMatchObject([{ attempts: 4, outcome: { stop: 'end-turn' } }]);
    expect(reports[0]?.interruptions.map(({ attempt, kept }) => [attempt, kept])).toEqual([
      [1, 4],
      [1, 4],
    ]);
  });

  it('should not count the prompts of other turns as paid twice, and add their tokens up', async () => {
    const talk$ = converse(scriptedExecutor([calling(), done]), asked, { tools: [counted('look')] });

    const [report] = await last(talk$.pipe(recoveryReport()));

    expect(report).toMatchObject({
      attempts: 2,
      usage: { promptTokens: 30, completionTokens: 5 },
      paidTwice: { promptTokens: 0, completionTokens: 0 },
    });
  });

  it('should give the calls of each turn, also of a vendor that numbers them from the beginning again', async () => {
    const model = scriptedExecutor([calling(), calling(), done]);
    const talk$ = converse(model, asked, { tools: [counted('look')] });

    expect((await last(talk$.pipe(toolCalls()))).map(({ id }) => id)).toEqual(['a', 'a']);
  });

  it('should read its text as that of an answer', async () => {
    const talk$ = () => converse(scriptedExecutor([calling(), done]), asked, { tools: [counted('look')] });

    expect((await last(talk$().pipe(textDeltas()))).join('')).toBe('Let me see. A ship.');
    expect((await last(talk$().pipe(accumulate()))).at(-1)?.stopReason).toBe('end-turn');
  });
});
