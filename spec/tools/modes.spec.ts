import { map, NEVER, Subject, throwError, timer } from 'rxjs';
import { InferenceExecutionError, type LlmStreamEvent, type ToolExecutionMode } from '../../src/index.js';
import { scriptedExecutor, stop, text, toolCall, toolCallStart } from '../../src/testing/index.js';
import { converse } from '../../src/tools/converse.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { asked, counted, endOf, heard, history, inShort, letterOf, LINE, turns } from './talk.js';

const DONE = [text('x'), stop()];
const MODES: ToolExecutionMode[] = ['sequential', 'parallel-batch-approval', 'parallel-streaming'];
const calls = (...names: string[]) => [
  ...names.map((name, index) => toolCall('abcdefgh'.charAt(index), name)),
  stop('tool-use'),
];

describe('converse in the mode sequential', () => {
  it('should start a call when the one before has ended', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const model = cold(' -(cdeCBDs)', LINE);
      const unsub = '      ^ 60ms !';
      const expected = '   S(cdercdersb) 8ms (pob) 15ms (poFS)';
      const tool = counted('look', () => timer(20));

      const result = converse(turns(model, NEVER), asked, { tools: [tool] });

      expectObservable(result.pipe(map(letterOf)), unsub).toBe(expected);
    });
  });
});

describe('converse in the mode parallel-batch-approval', () => {
  it('should start all calls when the turn has ended, so many at a time', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const model = cold(' -(cdeCBDs)', LINE);
      const unsub = '      ^ 60ms !';
      const together = '   S(cdercdersbb) 7ms (popoFS)';
      const apart = '      S(cdercdersb) 8ms (pob) 15ms (poFS)';
      const tool = counted('look', () => timer(20));
      const config = { tools: [tool], mode: 'parallel-batch-approval' } as const;

      const all = converse(turns(model, NEVER), asked, config);
      const one = converse(turns(model, NEVER), asked, { ...config, concurrency: 1 });

      expectObservable(all.pipe(map(letterOf)), unsub).toBe(together);
      expectObservable(one.pipe(map(letterOf)), unsub).toBe(apart);
    });
  });
});

describe('converse in the mode parallel-streaming', () => {
  it('should start a call as soon as its own block has closed, while the model still speaks', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const model = cold(' -c--(de)----------C--(BD)----------s|', LINE);
      const modelSubs = '  ^----------------------------------!';
      const work = cold('      --------(w|)', { w: 'seen' });
      const workSubs = ['  ----^-------!', '---------------------^-------!'];
      const unsub = '      ^----------------------------------------!';
      const expected = '   Sc--(derb)--(po)--c--(derb)--(po)--(sFS)';
      const tool = counted('look', () => work);

      const result = converse(turns(model, NEVER), asked, { tools: [tool], mode: 'parallel-streaming' });

      expectObservable(result.pipe(map(letterOf)), unsub).toBe(expected);
      expectSubscriptions(model.subscriptions).toBe(modelSubs);
      expectSubscriptions(work.subscriptions).toBe(workSubs);
    });
  });

  it('should wait at the end of the turn for the calls that still run', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const model = cold(' -(cdes)', LINE);
      const unsub = '      ^ 60ms !';
      const expected = '   S(cderbs) 12ms (poFS)';
      const tool = counted('look', () => timer(20));

      const result = converse(turns(model, NEVER), asked, { tools: [tool], mode: 'parallel-streaming' });

      expectObservable(result.pipe(map(letterOf)), unsub).toBe(expected);
    });
  });

  it('should run no more calls at a time than are allowed', async () => {
    let running = 0;
    let most = 0;
    const tool = counted('look', async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
    });
    const executor = scriptedExecutor([calls(...Array.from({ length: 8 }, () => 'look')), DONE]);

    await heard(converse(executor, asked, { tools: [tool], mode: 'parallel-streaming', concurrency: 3 }));

    expect([most, tool.runs.length]).toEqual([3, 8]);
  });

  it('should start the calls of a vendor that does not tell the end of a block at the stop, and never an open one', async () => {
    const tool = counted('look');
    const executor = scriptedExecutor([[toolCallStart('a', 'look'), text('…'), stop('tool-use')], DONE]);

    const events = await heard(converse(executor, asked, { tools: [tool], mode: 'parallel-streaming' }));

    expect(events.map(letterOf).join('')).toBe('SctrbosFStsFE');
  });

  it('should not start at the stop what the model was stopped from asking for', async () => {
    const tool = counted('look');
    const executor = scriptedExecutor([[toolCallStart('a', 'look'), stop('refusal')]]);

    const events = await heard(converse(executor, asked, { tools: [tool], mode: 'parallel-streaming' }));

    expect(tool.runs).toEqual([]);
    expect(endOf(events).reason).toBe('refusal');
  });

  it('should abort the calls that run when the stream breaks for good', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const failure = new InferenceExecutionError('unauthorized', 'no');
      const model = cold(' -(cde)------#', LINE, failure);
      const work = cold('   -------------w');
      const workSubs = '   -^----------!';
      const expected = '   S(cderb)----#';

      const result = converse(turns(model), asked, {
        tools: [counted('look', () => work)],
        mode: 'parallel-streaming',
      });

      expectObservable(result.pipe(map(letterOf))).toBe(expected, undefined, failure);
      expectSubscriptions(work.subscriptions).toBe(workSubs);
    });
  });
});

describe.each(MODES)('converse in the mode %s, when the stream starts again after a call has been started', (mode) => {
  const reset = { type: 'stream-reset', reason: 'failed over' } as const;
  const config = { mode, recover: false } as const;

  it('should not run the same call again, whatever its id is then', async () => {
    const tool = counted('send', () => 'sent');
    const executor = scriptedExecutor([
      [toolCall('a', 'send', { to: 'x', n: 1 }), reset, toolCall('z', 'send', { n: 1, to: 'x' }), stop('tool-use')],
      DONE,
    ]);

    const events = await heard(converse(executor, asked, { ...config, tools: [tool] }));

    expect(tool.runs).toHaveLength(1);
    expect(history(endOf(events).messages)).toEqual(['user: go', 'assistant: send#z', 'tool: #z sent', 'assistant: x']);
    expect(inShort(events).filter((line) => /void|reused/.test(line))).toEqual(
      mode === 'parallel-streaming' ? ['void a finished', 'reused succeeded z: sent'] : [],
    );
  });

  it('should not run a call again, nor tell another one, because its tool has changed its input', async () => {
    const order = counted('order', (input) => {
      (input as { items: string[] }).items.sort();
      return 'ordered';
    });
    const items = ['b', 'a'];
    const executor = scriptedExecutor([
      [toolCall('a', 'order', { items }), reset, toolCall('z', 'order', { items }), stop('tool-use')],
      DONE,
    ]);

    const events = await heard(converse(executor, asked, { ...config, tools: [order] }));

    expect(order.runs).toEqual([{ items: ['a', 'b'] }]);
    const told = events.flatMap((event) => (event.type === 'tool-call-ready' ? [event.arguments] : []));
    expect(told).toEqual(told.map(() => ({ items })));
    expect(executor.requests[1]!.messages[1]!.content).toEqual([expect.objectContaining({ arguments: { items } })]);
  });

  it('should not take another call with the same id for it', async () => {
    const tool = counted('send', (input) => input);
    const executor = scriptedExecutor([
      [toolCall('a', 'send', { to: 'x' }), reset, toolCall('a', 'send', { to: 'y' }), stop('tool-use')],
      DONE,
    ]);

    const events = await heard(converse(executor, asked, { ...config, tools: [tool] }));

    expect(tool.runs).toEqual(mode === 'parallel-streaming' ? [{ to: 'x' }, { to: 'y' }] : [{ to: 'y' }]);
    expect(history(endOf(events).messages)).toContain('tool: #a {"to":"y"}');
  });
});

describe('converse in the mode parallel-streaming, when the stream starts again', () => {
  const reset = { type: 'stream-reset', reason: 'failed over' } as const;
  const config = { mode: 'parallel-streaming', recover: false } as const;

  it('should wait for a call that still runs when it comes again', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const [C, B, D] = toolCall('z', 'look') as [LlmStreamEvent, LlmStreamEvent, LlmStreamEvent];
      const model = cold(' -(cde)-----R-----(CBD)-------s|', { ...LINE, R: reset, C, B, D });
      const work = cold('   ---------------------------------------(w|)', { w: 'seen' });
      const workSubs = '   -^--------------------------------------!';
      const unsub = '      ^ 60ms !';
      const expected = '   S(cderb)---(RV)--(cder)------s----------(poFS)';
      const tool = counted('look', () => work);

      const result = converse(turns(model, NEVER), asked, { ...config, tools: [tool] });

      expectObservable(result.pipe(map(letterOf)), unsub).toBe(expected);
      expectSubscriptions(work.subscriptions).toBe(workSubs);
    });
  });

  it('should stop a call that does not come again, and tell the model that it was run', async () => {
    const signals: AbortSignal[] = [];
    const tools = [
      counted('mail', () => 'sent'),
      counted('dig', (_, { signal }) => {
        signals.push(signal);
        return NEVER;
      }),
    ];
    const executor = scriptedExecutor([
      [
        toolCall('a', 'mail', { to: 'x' }),
        toolCall('b', 'dig'),
        reset,
        toolCall('c', 'mail', { to: 'y' }),
        stop('tool-use'),
      ],
      DONE,
    ]);

    const events = await heard(converse(executor, asked, { ...config, tools }));

    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(history(executor.requests[1]?.messages ?? [])).toEqual([
      'user: go',
      'assistant: mail#c',
      'tool: #c sent',
      expect.stringMatching(/^note: .*`mail` with {"to":"x"}.*run once, and gave: sent/),
      expect.stringMatching(/^note: .*`dig` with {}.*was stopped/),
    ]);
    expect(endOf(events).reason).toBe('done');
  });

  it('should forget calls that wait for room or for a decision', async () => {
    const slow = new Subject<string>();
    const tools = [counted('slow', () => slow), counted('quick'), counted('asks', undefined, { needsApproval: true })];
    const decisions = new Subject<'approve'>();
    const executor = scriptedExecutor([
      [toolCall('a', 'slow'), toolCall('b', 'quick'), toolCall('c', 'asks'), reset, { delay: 0 }, text('x'), stop()],
    ]);
    const approve = () => decisions;

    const events = heard(converse(executor, asked, { ...config, tools, approve, concurrency: 1 }));
    expect(decisions.observed).toBe(false);
    slow.next('late');
    slow.complete();

    expect(inShort(await events)).toEqual([
      'step 1',
      'ready a',
      'start a',
      'ready b',
      'ready c',
      'approve c?',
      'void a started',
      'progress a "late"',
      'succeeded a: late',
      'finish 1',
      'done',
    ]);
    expect(tools.map(({ runs }) => runs.length)).toEqual([1, 0, 0]);
  });
});

describe.each(MODES)('converse in the mode %s', (mode) => {
  it('should give the results in the order of the calls, and never break on a tool that does', async () => {
    const tools = [
      counted('ok', () => Promise.resolve({ n: 1 })),
      counted('throws', () => {
        throw new Error('no such file');
      }),
      counted('rejects', () => Promise.reject(new Error('no route'))),
      counted('errors', () => throwError(() => 'plain words')),
      counted('late', () => NEVER, { timeout: 5 }),
      counted('round', () => {
        const value: { self?: unknown } = {};
        value.self = value;
        return value;
      }),
    ];
    const executor = scriptedExecutor([calls('ok', 'throws', 'missing', 'rejects', 'errors', 'late', 'round'), DONE]);

    const events = await heard(converse(executor, asked, { tools, mode }));

    expect(history(endOf(events).messages).slice(2, -1)).toEqual([
      'tool: #a {"n":1}',
      'tool: #b no such file',
      "tool: #c tool 'missing' not found",
      'tool: #d no route',
      'tool: #e plain words',
      'tool: #f timed out after 5 ms',
      expect.stringMatching(/^tool: #g .*circular/i),
    ]);
    const results = events.filter((event) => event.type === 'tool-execution-result');
    expect(results.filter(({ timedOut }) => timedOut).map(({ id }) => id)).toEqual(['f']);
    expect(results.filter(({ result }) => !result.isError).map(({ id }) => id)).toEqual(['a']);
  });

  it('should only run calls whose arguments pass, and say what is wrong with the others', async () => {
    const tool = counted('look');
    const executor = scriptedExecutor([
      [toolCall('a', 'look', '12'), toolCall('b', 'look', '[1]'), toolCall('c', 'look', '{}'), stop('tool-use')],
      DONE,
    ]);

    const events = await heard(converse(executor, asked, { tools: [tool], mode }));

    expect(tool.runs).toEqual([{}]);
    expect(history(endOf(events).messages).slice(2, -1)).toEqual([
      'tool: #a invalid arguments: expected object, got number',
      'tool: #b invalid arguments: expected object, got array',
      'tool: #c look done',
    ]);
  });

  it('should know calls by their turn, since some vendors give the same ids again', async () => {
    const tool = counted('look', (input) => input);
    const executor = scriptedExecutor([
      [toolCall('call_0', 'look', { n: 1 }), stop('tool-use')],
      [toolCall('call_0', 'look', { n: 2 }), stop('tool-use')],
      DONE,
    ]);

    const events = await heard(converse(executor, asked, { tools: [tool], mode }));

    expect(tool.runs).toEqual([{ n: 1 }, { n: 2 }]);
    expect(history(endOf(events).messages)).toContain('tool: #call_0 {"n":2}');
  });
});
