import { map, NEVER, of, throwError, timer, toArray, lastValueFrom, type Observable } from 'rxjs';
import { contentText, type ToolCall } from '../../src/index.js';
import { runTool, type ToolRunEvent } from '../../src/tools/runTool.js';
import { tool, type ToolContext } from '../../src/tools/tool.js';
import type { ToolOutput } from '../../src/tools/toolOutput.js';
import { asyncScheduler } from 'rxjs';
import { createTestScheduler } from '../helpers/testScheduler.js';

const call: ToolCall = { id: 'a', name: 'look', arguments: {} };

function run(execute: (context: ToolContext) => ToolOutput<unknown>, timeout?: number): Observable<ToolRunEvent> {
  const made = tool({
    name: 'look',
    description: '',
    inputSchema: { type: 'object' },
    execute: (_: unknown, context) => execute(context),
    ...(timeout !== undefined && { timeout }),
  });
  return runTool(made, undefined as never, call, asyncScheduler);
}

const told = (events: readonly ToolRunEvent[]): unknown[] =>
  events.map((event) => {
    if (event.type === 'progress') return event.value;
    if (event.type === 'suspended') return `asks ${JSON.stringify(event.question)}`;
    return `${event.status}${event.timedOut ? ' too late' : ''}: ${contentText(event.result.content)}`;
  });

async function outcome(execute: (context: ToolContext) => ToolOutput<unknown>): Promise<unknown[]> {
  return told(await lastValueFrom(run(execute).pipe(toArray())));
}

type ResultCase = [string, (context: ToolContext) => ToolOutput<unknown>, unknown[]];

describe('runTool', () => {
  it('should tell each value of a stream as progress when it comes, and the last one as the result', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const work = cold('  --a---b----|');
      const workSubs = '   ^----------!';
      const expected = '   --a---b----(o|)';

      const result = run(() => work).pipe(map((event) => (event.type === 'progress' ? event.value : 'o')));

      expectObservable(result).toBe(expected);
      expectSubscriptions(work.subscriptions).toBe(workSubs);
    });
  });

  it('should stop a tool that runs too long, and abort its signal', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const work = cold('  --a---b----|');
      const workSubs = '   ^-------!   ';
      const expected = '   --a---b-(o|)';
      const signals: AbortSignal[] = [];

      const result = run(({ signal }) => {
        signals.push(signal);
        return work;
      }, 8);

      expectObservable(result.pipe(map((event) => (event.type === 'progress' ? event.value : 'o')))).toBe(expected);
      expectSubscriptions(work.subscriptions).toBe(workSubs);
      flush();
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    });
  });

  it('should leave the tool’s stream and abort its signal when it is unsubscribed', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const work = cold('  --a---b----|');
      const unsub = '      ^---!       ';
      const expected = '   --a---      ';
      const signals: AbortSignal[] = [];

      const result = run(({ signal }) => {
        signals.push(signal);
        return work;
      }, 100);

      expectObservable(result.pipe(map((event) => (event.type === 'progress' ? event.value : 'o'))), unsub).toBe(
        expected,
      );
      expectSubscriptions(work.subscriptions).toBe(unsub);
      flush();
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    });
  });

  it.each<ResultCase>([
    ['a text', () => 'seen', ['succeeded: seen']],
    ['a value', () => ({ n: [1, null] }), ['succeeded: {"n":[1,null]}']],
    ['a promise', () => Promise.resolve(7), ['succeeded: 7']],
    ['a promise that rejects', () => Promise.reject(new Error('no')), ['failed: no']],
    ['null', () => null, ['succeeded: null']],
    ['nothing', () => undefined, ['succeeded: (no output)']],
    ['an empty text', () => '', ['succeeded: (no output)']],
    ['an error that is given', () => Promise.resolve(new TypeError('no')), ['failed: no']],
    ...[new Map([[1, 2]]), new Set([1]), new Headers({ a: 'b' })].map((value): ResultCase => {
      const { name } = value.constructor;
      const words = `failed: the tool gave a ${name}, of which JSON keeps nothing: it has to give plain data`;
      return [`a ${name}`, () => value, [words]];
    }),
    ['an empty object', () => ({}), ['succeeded: {}']],
    ['an object of a class', () => new (class Done {})(), ['succeeded: {}']],
    ['what says its JSON itself', () => Object.assign(new Map(), { toJSON: () => 'rows' }), ['succeeded: "rows"']],
    ['what has no JSON', () => () => 1, ['succeeded: (no output)']],
    ['a list, which is no stream', () => ['a', 'b'], ['succeeded: ["a","b"]']],
    ['an empty list', () => [], ['succeeded: []']],
    ['a stream without a value', () => of(), ['succeeded: (no output)']],
    ['a stream that breaks', () => throwError(() => new Error('no')), ['failed: no']],
    ['an error without words', () => throwError(() => new Error('')), ['failed: failed without saying why']],
    ['an async iterable', () => steps(), ['half', 'whole', 'succeeded: whole']],
    ['blocks of content', () => [{ type: 'text', text: 'seen' }], ['succeeded: seen']],
    ['what only looks like blocks', () => [{ type: 'text' }], ['succeeded: [{"type":"text"}]']],
    [
      'a picture that is none',
      () => [{ type: 'image', source: 'here' }],
      ['succeeded: [{"type":"image","source":"here"}]'],
    ],
  ])('should make a result of %s', async (_, execute, expected) => {
    expect(await outcome(execute)).toEqual(expected);
  });

  it('should keep content of other kinds as it is', async () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } } as const;
    const events = await lastValueFrom(run(() => [image, { type: 'text', text: 'a ship' }]).pipe(toArray()));

    expect(events).toEqual([
      {
        type: 'outcome',
        status: 'succeeded',
        result: {
          type: 'tool-result',
          toolCallId: 'a',
          name: 'look',
          content: [image, { type: 'text', text: 'a ship' }],
        },
      },
    ]);
  });

  it('should tell what is emitted, and nothing after the end', async () => {
    let late: ((value: unknown) => void) | undefined;
    const events = await outcome(async ({ emit }) => {
      late = emit;
      emit(1);
      await Promise.resolve();
      emit(2);
      return 'seen';
    });
    late?.(3);

    expect(events).toEqual([1, 2, 'succeeded: seen']);
  });

  it('should end without a result when the tool is suspended, from anywhere in it', async () => {
    expect(await outcome(({ suspend }) => suspend({ ask: 'whom?' }))).toEqual(['asks {"ask":"whom?"}']);
    expect(await outcome(async ({ suspend }) => Promise.resolve(suspend()))).toEqual(['asks undefined']);
    expect(await outcome(({ suspend }) => timer(1).pipe(map(() => suspend('when?'))))).toEqual(['asks "when?"']);
  });

  it('should not need the clock when the tool has ended at once', () => {
    createTestScheduler().run(({ expectObservable }) => {
      expectObservable(run(() => 1, 5).pipe(map(({ type }) => type))).toBe('(o|)', { o: 'outcome' });
      expectObservable(run(() => NEVER, 5).pipe(map(({ type }) => type))).toBe('-----(o|)', { o: 'outcome' });
    });
  });

  it('should run the tool anew for each subscription', async () => {
    let runs = 0;
    const result = run(() => ++runs);

    expect([told([await lastValueFrom(result)]), told([await lastValueFrom(result)])]).toEqual([
      ['succeeded: 1'],
      ['succeeded: 2'],
    ]);
  });
});

async function* steps(): AsyncGenerator<string> {
  yield await Promise.resolve('half');
  yield 'whole';
}
