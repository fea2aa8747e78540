import { EMPTY, map, NEVER, of, Subject, timer } from 'rxjs';
import { userMessage, type Message, type ToolDescriptor, type ToolExecutionMode } from '../../src/index.js';
import { scriptedExecutor, stop, text, toolCall } from '../../src/testing/index.js';
import { converse, resumeConversation } from '../../src/tools/converse.js';
import type { ConversationState } from '../../src/tools/ConversationState.js';
import type { ConverseConfig, ResumeConfig } from '../../src/tools/ConverseConfig.js';
import { tool } from '../../src/tools/tool.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { asked, counted, endOf, heard, history, inShort, letterOf, LINE, stateOf, stored, turns } from './talk.js';

const DONE = [text('x'), stop()];
const MODES: ToolExecutionMode[] = ['sequential', 'parallel-batch-approval', 'parallel-streaming'];
const asks = (name: string) => counted(name, undefined, { needsApproval: true });
const calls = (...names: string[]) => [...names.map((name) => toolCall(name.charAt(0), name)), stop('tool-use')];

describe('approval', () => {
  it.each(MODES)('should be asked for before a call is run, and given to it by id, in the mode %s', async (mode) => {
    const tools = [asks('a_one'), counted('b_two'), asks('c_three')];
    const executor = scriptedExecutor([calls('a_one', 'b_two', 'c_three'), DONE]);
    const approve: ConverseConfig['approve'] = (waiting) =>
      Object.fromEntries(waiting.map(({ id }) => [id, id === 'a' ? 'approve' : { deny: 'too late' }]));

    const events = await heard(converse(executor, asked, { tools, mode, approve }));

    expect(tools.map(({ runs }) => runs.length)).toEqual([1, 1, 0]);
    expect(history(endOf(events).messages).slice(2, -1)).toEqual([
      'tool: #a a_one done',
      'tool: #b b_two done',
      'tool: #c denied by the user: too late',
    ]);
    const questions = inShort(events).filter((line) => line.startsWith('approve'));
    expect(questions).toEqual(mode === 'parallel-batch-approval' ? ['approve a,c?'] : ['approve a?', 'approve c?']);
  });

  it('should be asked for all calls of a turn together, before any runs, in the mode parallel-batch-approval', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const model = cold('  -(cdeCBDs)', LINE);
      const answer = cold('  --------------------y-', { y: 'approve' as const });
      const answerSubs = '  -^-------------------!';
      const unsub = '       ^ 60ms !';
      const expected = '    S(cdercdersA) 8ms (bb) 6ms (popoFS)';
      const both = counted('look', () => timer(10), { needsApproval: true });

      const result = converse(turns(model, NEVER), asked, {
        tools: [both],
        mode: 'parallel-batch-approval',
        approve: () => answer,
      });

      expectObservable(result.pipe(map(letterOf)), unsub).toBe(expected);
      expectSubscriptions(answer.subscriptions).toBe(answerSubs);
    });
  });

  it.each(MODES.flatMap((mode) => ['constructor', 'toString', '__proto__'].map((id) => [mode, id] as const)))(
    'should be missing in the mode %s for a call that is called %s, which is no decision',
    async (mode, id) => {
      const tools = [asks('a_one')];
      const ask = [[toolCall(id, 'a_one'), stop('tool-use')]];

      for (const approve of [undefined, () => ({})]) {
        const state = stateOf(await heard(converse(scriptedExecutor(ask), asked, { tools, mode, approve })));
        expect(state.pending).toMatchObject([{ id, waitsFor: 'approval' }]);
        const again = await heard(resumeConversation(scriptedExecutor([DONE]), stored(state), { tools, mode }));
        expect(inShort(again)).toContain('waits');
      }
      expect(tools[0]?.runs).toEqual([]);
    },
  );

  it.each(MODES)('should be asked for once about a call that has to wait, in the mode %s', async (mode) => {
    const tools = [asks('a_one')];
    const said = ['suspend', 'approve'] as const;
    let questions = 0;
    const approve = () => said[questions++] ?? 'approve';

    const events = await heard(converse(scriptedExecutor([calls('a_one')]), asked, { tools, mode, approve }));
    const state = stateOf(events);
    const decisions = { a: 'approve' } as const;
    await heard(resumeConversation(scriptedExecutor([DONE]), stored(state), { tools, mode, decisions }));

    expect(questions).toBe(1);
    expect(inShort(events).filter((line) => /^(approve|suspended|waits)/.test(line))).toEqual(['approve a?', 'waits']);
    expect(state.pending).toHaveLength(1);
    expect(tools[0]?.runs).toHaveLength(1);
  });

  it('should not hold up the model or the other calls in the mode parallel-streaming', async () => {
    const decision = new Subject<'approve'>();
    const tools = [asks('a_one'), counted('b_two', () => decision.next('approve'))];
    const executor = scriptedExecutor([calls('a_one', 'b_two'), DONE]);
    const config = { tools, mode: 'parallel-streaming', approve: () => decision, concurrency: 1 } as const;

    const events = await heard(converse(executor, asked, config));

    expect(inShort(events).slice(1, 9)).toEqual([
      'ready a',
      'approve a?',
      'ready b',
      'start b',
      'succeeded b: (no output)',
      'start a',
      'succeeded a: a_one done',
      'finish 1',
    ]);
  });

  it('should be decided by the input that the schema has made', async () => {
    const inputs: unknown[] = [];
    const gift = tool({
      name: 'gift',
      description: '',
      inputSchema: { type: 'object', properties: { euros: { type: 'number' } }, required: ['euros'] },
      needsApproval: ({ euros }) => {
        inputs.push(euros);
        return Promise.resolve(euros > 100);
      },
      execute: ({ euros }) => euros,
    });
    const executor = scriptedExecutor([
      [
        toolCall('a', 'gift', { euros: 5 }),
        toolCall('b', 'gift', { euros: 500 }),
        toolCall('c', 'gift', {}),
        stop('tool-use'),
      ],
      DONE,
    ]);

    const events = await heard(converse(executor, asked, { tools: [gift], approve: () => 'deny' }));

    expect(inputs).toEqual([5, 500]);
    expect(inShort(events).filter((line) => /^(approve|succeeded|denied|failed)/.test(line))).toEqual([
      'succeeded a: 5',
      'approve b?',
      'denied b: denied by the user',
      'failed c: invalid arguments: euros: is missing',
    ]);
  });

  it.each([
    ['throws', () => assertNever()],
    ['rejects', () => Promise.reject(new Error('no policy'))],
  ])('should be asked for when `needsApproval` %s', async (_, needsApproval) => {
    const look = tool({
      name: 'look',
      description: '',
      inputSchema: { type: 'object' },
      needsApproval,
      execute: () => 1,
    });

    const events = await heard(converse(scriptedExecutor([calls('look')]), asked, { tools: [look] }));

    expect(inShort(events).slice(-2)).toEqual(['approve l?', 'waits']);
  });

  it('should error the conversation when `approve` throws, or says what makes no sense', () => {
    const caught = jest.fn();
    const config = { tools: [asks('look')] };
    const start = (approve: unknown) =>
      converse(scriptedExecutor([calls('look')]), asked, { ...config, approve: approve as () => 'deny' }).subscribe({
        error: (error: unknown) => caught((error as Error).message),
      });

    start(() => assertNever());
    start(() => 'yes');
    start(() => ({ z: 'deny' }));

    expect(caught.mock.calls).toEqual([
      ['never'],
      [expect.stringContaining('the decision about l is "yes"; use "approve"')],
      [expect.stringContaining('a decision names "z", but the calls that wait are: l')],
    ]);
  });

  it('should suspend the conversation when nobody decides', async () => {
    const tools = [asks('look')];
    const said: ConverseConfig['approve'][] = [
      undefined,
      () => 'suspend',
      () => EMPTY,
      () => ({}),
      () => of({ l: 'suspend' as const }),
    ];

    const ends = await Promise.all(
      said.map(async (approve) => {
        const events = await heard(
          converse(scriptedExecutor([calls('look')]), asked, { tools, ...(approve && { approve }) }),
        );
        return stateOf(events).pending;
      }),
    );

    expect(ends).toEqual(said.map(() => [{ id: 'l', name: 'look', arguments: {}, waitsFor: 'approval' }]));
    expect(tools[0]?.runs).toEqual([]);
  });
});

describe('a suspended conversation', () => {
  it.each(MODES)('should go on in another process as if it had not stopped, in the mode %s', async (mode) => {
    const script = [[text('First. '), ...calls('a_one', 'b_two', 'c_three')], DONE];
    const make = () => [counted('a_one'), asks('b_two'), counted('c_three')];
    const here = scriptedExecutor(script);
    const before = make();
    const there = scriptedExecutor(script.slice(1));
    const after = make();

    const state = stateOf(await heard(converse(here, asked, { tools: before, mode })));
    const events = await heard(resumeConversation(there, state, { tools: after, mode, decisions: { b: 'approve' } }));

    const sequential = mode === 'sequential';
    expect(before.map(({ runs }) => runs.length)).toEqual([1, 0, sequential ? 0 : 1]);
    expect(after.map(({ runs }) => runs.length)).toEqual([0, 1, 0]);
    expect(inShort(events)).toEqual(['start b', 'succeeded b: b_two done', 'finish 1', 'step 2', 'finish 2', 'done']);
    expect(history(endOf(events).messages)).toEqual([
      'user: go',
      'assistant: First.  + a_one#a + b_two#b + c_three#c',
      'tool: #a a_one done',
      'tool: #b b_two done',
      sequential
        ? expect.stringMatching(/^tool: #c not run: an earlier call of this turn is waiting/)
        : 'tool: #c c_three done',
      'assistant: x',
    ]);
    expect(there.requests[0]?.messages).toEqual(endOf(events).messages.slice(0, -1));
  });

  it('should be able to wait again, and to be denied', async () => {
    const tools = [asks('a_one'), asks('b_two')];
    const executor = scriptedExecutor([calls('a_one', 'b_two'), DONE]);
    const config: ConverseConfig = { tools, mode: 'parallel-batch-approval' };

    const first = stateOf(await heard(converse(executor, asked, config)));
    const second = stateOf(await heard(resumeConversation(executor, first, { ...config, decisions: { b: 'deny' } })));
    const events = await heard(resumeConversation(executor, second, { ...config, decisions: { a: 'approve' } }));

    expect([first, second].map(({ pending }) => pending.map(({ id }) => id))).toEqual([['a', 'b'], ['a']]);
    expect(tools.map(({ runs }) => runs.length)).toEqual([1, 0]);
    expect(history(endOf(events).messages).slice(2, -1)).toEqual([
      'tool: #a a_one done',
      'tool: #b denied by the user',
    ]);
  });

  it('should count turns and tokens through', async () => {
    const tokens = { type: 'usage', usage: { promptTokens: 10, completionTokens: 1 } } as const;
    const executor = scriptedExecutor([
      [tokens, ...calls('a_one')],
      [tokens, ...calls('b_two')],
      [tokens, ...DONE],
    ]);
    const tools = [counted('a_one'), asks('b_two')];

    const state = stateOf(await heard(converse(executor, asked, { tools })));
    const events = await heard(resumeConversation(executor, state, { tools, decisions: { b: 'approve' } }));

    expect([state.step, state.usage]).toEqual([2, tokens.usage]);
    expect(endOf(events)).toMatchObject({ steps: 3, usage: { promptTokens: 30, completionTokens: 3 } });
  });

  it('should keep what the user has said meanwhile', async () => {
    const steer = new Subject<Message>();
    const executor = scriptedExecutor([calls('a_one', 'b_two'), DONE]);
    const tools = [counted('a_one', () => steer.next(userMessage('hurry'))), asks('b_two')];

    const state = stateOf(await heard(converse(executor, asked, { tools, steer })));
    const events = await heard(resumeConversation(executor, state, { tools, decisions: { b: 'deny' } }));

    expect(history(endOf(events).messages).slice(-2)).toEqual(['user: hurry', 'assistant: x']);
  });

  it('should remember what has to be told to the model', async () => {
    const tools = [asks('look')];
    const executor = scriptedExecutor([
      [toolCall('l', 'look'), { type: 'tool-call-start', id: 'f', name: 'fetch' }, { error: new Error('ECONNRESET') }],
      DONE,
    ]);

    const state = stateOf(await heard(converse(executor, asked, { tools, recover: { delay: 0, idleTimeout: false } })));
    const events = await heard(resumeConversation(executor, state, { tools, decisions: { l: 'approve' } }));

    expect(history(endOf(events).messages)).toContainEqual(expect.stringMatching(/^note: .*`fetch`/));
  });

  it('should be told what its state and its decisions have to be', () => {
    const resume = (state: unknown, config: ResumeConfig = {}) =>
      resumeConversation(scriptedExecutor([[]]), state as ConversationState, config);
    const state: ConversationState = {
      version: 1,
      request: asked,
      step: 1,
      pending: [{ id: 'a', name: 'look', arguments: {}, waitsFor: 'result' }],
      ledger: [],
      steered: [],
    };

    expect(() => resume(undefined)).toThrow('give the state that conversation-suspended or checkpoint gave');
    expect(() => resume({ ...state, ledger: undefined })).toThrow(TypeError);
    expect(() => resume({ ...state, version: 2 })).toThrow('cannot read a state of version 2');
    expect(() => resume(state, { decisions: { b: 'deny' } })).toThrow('names "b", but the calls that wait are: a');
    expect(() => resume(state, { decisions: { a: 'approve' } })).toThrow(
      'a (look) waits for its result; give { result }',
    );
    expect(() => resume(state, { decisions: { a: {} as 'deny' } })).toThrow('the decision about a is {}');
    expect(() => resume({ ...state, pending: [] }, { decisions: { a: 'deny' } })).toThrow(
      'the calls that wait are: none',
    );
  });
});

describe('a call that waits for somebody outside', () => {
  const offered: ToolDescriptor = {
    id: 'pick',
    name: 'pick',
    description: 'Lets the user pick a colour.',
    parameters: { type: 'object', properties: { from: { type: 'array' } }, required: ['from'] },
  };

  it('should be one of a tool that was only described to the model', async () => {
    const executor = scriptedExecutor([
      [toolCall('p', 'pick', { from: ['red'] }), toolCall('q', 'pick', {}), stop('tool-use')],
      DONE,
    ]);

    const waiting = await heard(
      converse(executor, { ...asked, tools: [offered] }, { mode: 'parallel-batch-approval' }),
    );
    const decisions = { p: { result: { colour: 'red' } } };
    const events = await heard(resumeConversation(executor, stateOf(waiting), { decisions }));

    expect(inShort(waiting).slice(-3)).toEqual([
      'suspended p',
      'failed q: invalid arguments: from: is missing',
      'waits',
    ]);
    expect(inShort(events)[0]).toBe('succeeded p: {"colour":"red"}');
    expect(executor.requests[1]?.tools).toEqual([offered]);
    expect(endOf(events).reason).toBe('done');
  });

  it('should be one that the tool itself has suspended, with its question', async () => {
    const after = jest.fn();
    const ask = counted('ask', (input, { suspend }) => {
      suspend({ question: input as { text: string } });
      after();
    });
    const executor = scriptedExecutor([[toolCall('k', 'ask', { text: 'Which one?' }), stop('tool-use')], DONE]);

    const state = stateOf(await heard(converse(executor, asked, { tools: [ask] })));
    const again = stateOf(await heard(resumeConversation(executor, state, { tools: [ask] })));
    const decisions = { k: { result: 'the red one' } };
    const events = await heard(resumeConversation(executor, again, { tools: [ask], decisions }));

    expect(state.pending).toEqual([
      {
        id: 'k',
        name: 'ask',
        arguments: { text: 'Which one?' },
        waitsFor: 'result',
        question: { question: { text: 'Which one?' } },
      },
    ]);
    expect(again.pending).toEqual(state.pending);
    expect([ask.runs.length, after.mock.calls.length]).toEqual([1, 0]);
    expect(history(endOf(events).messages)).toContain('tool: #k the red one');
  });

  it('should be refused a result that cannot be told', () => {
    const executor = scriptedExecutor([[toolCall('p', 'pick', { from: [] }), stop('tool-use')]]);
    const caught = jest.fn();
    let state: ConversationState | undefined;
    converse(executor, { ...asked, tools: [offered] }).subscribe((event) => {
      if (event.type === 'conversation-suspended') state = stored(event.state);
    });
    if (state === undefined) throw new Error('not suspended');

    resumeConversation(executor, state, { decisions: { p: { result: 1n } } }).subscribe({ error: caught });

    expect(caught).toHaveBeenCalledWith(expect.objectContaining({ message: expect.stringContaining('BigInt') }));
  });
});

function assertNever(): never {
  throw new Error('never');
}
