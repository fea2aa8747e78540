import { map, of, Subject, take, tap, throwError } from 'rxjs';
import {
  assistantMessage,
  InferenceExecutionError,
  userMessage,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
  type Message,
} from '../../src/index.js';
import {
  cut,
  scriptedExecutor,
  stop,
  text,
  toolCall,
  toolCallDelta,
  toolCallStart,
  usage,
} from '../../src/testing/index.js';
import { converse } from '../../src/tools/converse.js';
import type { ConverseConfig } from '../../src/tools/ConverseConfig.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { asked, counted, endOf, heard, history, inShort, letterOf, LINE, turns } from './talk.js';

const look = () => counted('look', () => 'seen');
/** Recovers at once, without a clock. */
const recover = { delay: 0, idleTimeout: false } as const;

describe('converse', () => {
  it('should run the calls of a turn and send their results, until the model is done', async () => {
    const tool = look();
    const executor = scriptedExecutor([
      [text('Let me see. '), toolCall('a', 'look', { at: 'sea' }), stop('tool-use')],
      [text('A ship.'), stop()],
    ]);

    const events = await heard(converse(executor, asked, { tools: [tool] }));

    expect(events.map(letterOf).join('')).toBe('StcdersboFStsFE');
    expect(tool.runs).toEqual([{ at: 'sea' }]);
    expect(executor.requests.map(({ messages }) => history(messages))).toEqual([
      ['user: go'],
      ['user: go', 'assistant: Let me see.  + look#a', 'tool: #a seen'],
    ]);
    expect(executor.requests[0]?.tools).toEqual([tool.descriptor]);
    const { messages, steps, reason, result } = endOf(events);
    expect(history(messages).at(-1)).toBe('assistant: A ship.');
    expect({ steps, reason, stop: result.stopReason }).toEqual({ steps: 2, reason: 'done', stop: 'end-turn' });
  });

  it('should tell each turn as it comes, and run its calls after it', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold(' -c---d---e---s|', LINE);
      const firstSubs = '  ^------------!  ';
      const work = cold('               -----(w|)', { w: 'seen' });
      const workSubs = '   -------------^----!';
      const second = cold('                  ------t---f|', LINE);
      const secondSubs = ' ------------------^---------!';
      const expected = '   Sc---d---(er)(sb)-(poFS)t---(sFE|)';
      const tools = [counted('look', () => work)];

      const result = converse(turns(first, second), asked, { tools });

      expectObservable(result.pipe(map(letterOf))).toBe(expected);
      expectSubscriptions(first.subscriptions).toBe(firstSubs);
      expectSubscriptions(work.subscriptions).toBe(workSubs);
      expectSubscriptions(second.subscriptions).toBe(secondSubs);
    });
  });

  it('should stop the model when it is unsubscribed', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const model = cold(' -t---t---t---f|', LINE);
      const unsub = '      ^------!       ';
      const expected = '   St---t---      ';

      expectObservable(converse(turns(model), asked).pipe(map(letterOf)), unsub).toBe(expected);
      expectSubscriptions(model.subscriptions).toBe(unsub);
    });
  });

  it('should abort a running tool when it is unsubscribed, and ask no more', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const model = cold(' -(ces)           ', LINE);
      const work = cold('   ----------(w|)  ');
      const unsub = '      ^--------!       ';
      const workSubs = '   -^-------!       ';
      const next = cold('  t                ', LINE);
      const expected = '   S(cersb)         ';
      const signals: AbortSignal[] = [];
      const tool = counted('look', (_, { signal }) => {
        signals.push(signal);
        return work;
      });

      const result = converse(turns(model, next), asked, { tools: [tool] });

      expectObservable(result.pipe(map(letterOf)), unsub).toBe(expected);
      expectSubscriptions(work.subscriptions).toBe(workSubs);
      expectSubscriptions(next.subscriptions).toBe([]);
      flush();
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    });
  });

  it('should not recover any more when it is unsubscribed in the wait', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const model = cold(' -t-#             ', LINE, cut());
      const next = cold('  t                ', LINE);
      const unsub = '      ^------!         ';
      const expected = '   St-i             ';

      const result = converse(turns(model, next), asked, { recover: { delay: 10 } });

      expectObservable(result.pipe(map(letterOf)), unsub).toBe(expected);
      expectSubscriptions(next.subscriptions).toBe([]);
    });
  });

  it('should not abort the signal of a tool that has finished', async () => {
    const signals: AbortSignal[] = [];
    const tool = counted('look', (_, { signal }) => signals.push(signal));
    const executor = scriptedExecutor([
      [toolCall('a', 'look'), stop('tool-use')],
      [text('x'), stop()],
    ]);

    await heard(converse(executor, asked, { tools: [tool] }));

    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  it('should stop a model that sends everything at once as soon as nobody listens', () => {
    const tool = look();
    const executor = scriptedExecutor([[toolCall('a', 'look'), stop('tool-use')]]);
    const seen: string[] = [];

    converse(executor, asked, { tools: [tool], mode: 'parallel-streaming' })
      .pipe(take(4))
      .subscribe((event) => seen.push(letterOf(event)));

    expect(seen.join('')).toBe('Scde');
    expect([tool.runs.length, executor.requests.length, executor.open]).toEqual([0, 1, 0]);
  });

  it('should make each subscription a conversation of its own', async () => {
    const tool = look();
    const executor = scriptedExecutor(({ messages }) =>
      messages.length === 1 ? [toolCall('a', 'look'), stop('tool-use')] : [text('x'), stop()],
    );
    const conversation = converse(executor, asked, { tools: [tool] });

    const both = await Promise.all([heard(conversation), heard(conversation)]);

    expect(both.map((events) => endOf(events).messages.length)).toEqual([4, 4]);
    expect([tool.runs.length, executor.requests.length]).toEqual([2, 4]);
  });

  it('should go through many turns without piling them up', async () => {
    const tool = look();
    const executor = scriptedExecutor((_, attempt) =>
      attempt <= 2_000 ? [toolCall('a', 'look'), stop('tool-use')] : [stop()],
    );

    const events = await heard(converse(executor, { ...asked }, { tools: [tool], maxSteps: 5_000 }));

    expect(endOf(events).steps).toBe(2_001);
    expect(tool.runs).toHaveLength(2_000);
  });

  describe('when a turn breaks', () => {
    it('should go on with the text as if nothing had been', async () => {
      const executor = scriptedExecutor([
        [text('Hello, '), cut()],
        [text('world.'), stop()],
      ]);

      const events = await heard(converse(executor, asked, { recover }));

      expect(events.map(letterOf).join('')).toBe('StiutsFE');
      expect(history(endOf(events).messages)).toEqual(['user: go', 'assistant: Hello, world.']);
      expect(executor.requests[1]?.continuation?.prefix).toBe('Hello, ');
    });

    it('should run the calls that were whole, once, and name the cancelled one to the model, not to the user', async () => {
      const tool = look();
      const executor = scriptedExecutor([
        [toolCall('a', 'look', { n: 1 }), toolCallStart('b', 'fetch'), toolCallDelta('b', '{"u'), cut()],
        [text('x'), stop()],
      ]);

      const events = await heard(converse(executor, asked, { tools: [tool], recover }));

      expect(events.map(letterOf).join('')).toBe('ScdercdixsboFStsFE');
      expect(tool.runs).toEqual([{ n: 1 }]);
      expect(history(executor.requests[1]?.messages ?? [])).toEqual([
        'user: go',
        'assistant: look#a',
        'tool: #a seen',
        expect.stringMatching(/^note: .*while you were calling `fetch`.*was not run/),
      ]);
      expect(endOf(events).messages.filter(({ metadata }) => metadata?.['visibility'] === 'internal')).toHaveLength(1);
    });

    it('should not speak of a cancelled call that the model was asked again about', async () => {
      const tool = look();
      const executor = scriptedExecutor([
        [text('Let me '), toolCallStart('a', 'look'), toolCallDelta('a', '{"'), cut()],
        [text('look.'), toolCall('b', 'look'), stop('tool-use')],
        [text('x'), stop()],
      ]);

      const events = await heard(converse(executor, asked, { tools: [tool], recover }));

      expect(executor.requests[1]?.continuation?.cancelledTools).toEqual([{ id: 'a', name: 'look' }]);
      expect(history(endOf(events).messages)).toEqual([
        'user: go',
        'assistant: Let me  + look. + look#b',
        'tool: #b seen',
        'assistant: x',
      ]);
      expect(tool.runs).toHaveLength(1);
    });

    it('should pass the error on when recovery gives up, with all that had arrived', () => {
      const broken = cut();
      const executor = scriptedExecutor([[text('Hello'), broken]]);
      const caught = jest.fn();

      converse(executor, asked, { recover: { ...recover, count: 0 } }).subscribe({ error: caught });

      expect(caught).toHaveBeenCalledWith(broken);
      expect(broken.snapshot?.text).toBe('Hello');
    });

    it('should leave interruptions to the executor when it is told so, and still take no end without a stop', () => {
      const executor = scriptedExecutor([[text('Hello')]]);
      const caught = jest.fn<void, [InferenceExecutionError]>();

      converse(executor, asked, { recover: false }).subscribe({ error: caught });

      const [error] = caught.mock.lastCall ?? [];
      expect([error?.kind, error?.interruption, error?.snapshot?.text]).toEqual([
        'stream-interrupted',
        { kind: 'truncated' },
        'Hello',
      ]);
    });

    it('should make an error of this library of an executor that throws', () => {
      const broken = new Error('no such model');
      const executor: LlmExecutor = {
        ...turns(),
        executeStream: () => {
          throw broken;
        },
      };
      const caught = jest.fn<void, [InferenceExecutionError]>();

      converse(executor, asked, { recover: false }).subscribe({ error: caught });

      expect(caught.mock.lastCall?.[0]).toBeInstanceOf(InferenceExecutionError);
      expect(caught.mock.lastCall?.[0].cause).toBe(broken);
    });

    it('should recover by way of the caller’s own `resubscribe`', async () => {
      const executor = scriptedExecutor([[text('Hello, '), cut()]]);
      const other = scriptedExecutor([
        [text('world, '), stop('max-tokens')],
        [text('again.'), stop()],
      ]);
      const resubscribe = (request: InferenceRequest) => other.executeStream(request);

      const events = await heard(converse(executor, asked, { recover: { ...recover, resubscribe } }));

      expect(history(endOf(events).messages)).toEqual(['user: go', 'assistant: Hello, world, again.']);
      expect(other.requests.map(({ continuation }) => continuation?.prefix)).toEqual(['Hello, ', 'Hello, world, ']);
    });
  });

  describe('when the model says something that cannot be run', () => {
    it('should tell it that its arguments were no JSON, and go on', async () => {
      const executor = scriptedExecutor([
        [text('Checking.'), toolCall('a', 'look', '{"at'), stop()],
        [text('x'), stop()],
      ]);

      const events = await heard(converse(executor, asked, { tools: [look()] }));

      expect(history(endOf(events).messages)).toEqual([
        'user: go',
        'assistant: Checking.',
        expect.stringMatching(/^note: .*not valid JSON/),
        'assistant: x',
      ]);
    });

    it('should not send an empty message of the assistant', async () => {
      const executor = scriptedExecutor([[text('  '), toolCall('a', 'look', '{"at'), stop('tool-use')], [stop()]]);

      const events = await heard(converse(executor, asked, { tools: [look()] }));

      expect(history(endOf(events).messages)).toEqual(['user: go', expect.stringMatching(/^note: /)]);
      expect(endOf(events).reason).toBe('done');
    });

    it('should send back what was said when the vendor has paused a turn with tools of its own', async () => {
      const paused = { ...stop(), providerMetadata: { provider: 'anthropic', stopReason: 'pause_turn' } };
      const executor = scriptedExecutor([
        [text('I search. '), paused],
        [text('Found.'), stop()],
      ]);

      const events = await heard(converse(executor, asked, { tools: [] }));

      expect(executor.requests[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
      expect(endOf(events)).toMatchObject({ reason: 'done' });
    });

    it('should add no note that nobody is going to answer', async () => {
      const executor = scriptedExecutor([[text('Sure.'), toolCall('a', 'look', '{"at'), stop('refusal')]]);

      const events = await heard(converse(executor, asked, { tools: [look()] }));

      expect(history(endOf(events).messages)).toEqual(['user: go', 'assistant: Sure.']);
      expect(endOf(events).reason).toBe('refusal');
    });

    it.each(['refusal', 'content-filter'] as const)(
      'should not run calls of a turn that ended in %s',
      async (reason) => {
        const tool = look();
        const executor = scriptedExecutor([[toolCall('a', 'look'), toolCallStart('b', 'look'), stop(reason)]]);

        const events = await heard(converse(executor, asked, { tools: [tool] }));

        expect(tool.runs).toEqual([]);
        expect(endOf(events).reason).toBe(reason);
        expect(history(endOf(events).messages)).toEqual([
          'user: go',
          'assistant: look#a',
          `tool: #a not run: your answer was stopped (${reason})`,
        ]);
      },
    );
  });

  describe('when the limit of tokens is reached', () => {
    it('should continue the answer as one', async () => {
      const executor = scriptedExecutor([
        [text('one '), stop('max-tokens')],
        [text('two'), stop()],
      ]);

      const events = await heard(converse(executor, asked));

      expect(history(endOf(events).messages)).toEqual(['user: go', 'assistant: one two']);
      expect(endOf(events)).toMatchObject({ steps: 1, reason: 'done' });
    });

    it('should keep all parts when a later one breaks', async () => {
      const executor = scriptedExecutor([
        [text('one '), stop('max-tokens')],
        [text('two '), cut()],
        [text('three '), stop('max-tokens')],
        [text('four'), stop()],
      ]);

      const events = await heard(converse(executor, asked, { recover }));

      expect(history(endOf(events).messages)).toEqual(['user: go', 'assistant: one two three four']);
      expect(executor.requests.map(({ continuation }) => continuation?.prefix)).toEqual([
        undefined,
        'one ',
        'one two ',
        'one two three ',
      ]);
    });

    it('should say so when it is still not enough', async () => {
      const executor = scriptedExecutor([
        [text('a'), stop('max-tokens')],
        [text('b'), stop('max-tokens')],
      ]);

      const events = await heard(converse(executor, asked, { maxTokensContinuations: 1 }));

      expect(history(endOf(events).messages)).toEqual(['user: go', 'assistant: ab']);
      expect(endOf(events)).toMatchObject({ reason: 'max-tokens', result: { stopReason: 'max-tokens' } });
      expect(executor.requests).toHaveLength(2);
    });

    it('should run the call that is whole, and tell the model of the one that was cut', async () => {
      const tool = look();
      const executor = scriptedExecutor([
        [toolCall('a', 'look'), toolCallStart('b', 'fetch'), toolCallDelta('b', '{"u'), stop('max-tokens')],
        [text('x'), stop()],
      ]);

      const events = await heard(converse(executor, asked, { tools: [tool] }));

      expect(tool.runs).toHaveLength(1);
      expect(history(endOf(events).messages)).toEqual([
        'user: go',
        'assistant: look#a',
        'tool: #a seen',
        expect.stringMatching(/^note: .*`fetch`/),
        'assistant: x',
      ]);
    });
  });

  it('should stop after so many turns, with all results in place', async () => {
    const executor = scriptedExecutor([[toolCall('a', 'look'), stop('tool-use')]]);

    const events = await heard(converse(executor, asked, { tools: [look()], maxSteps: 2 }));

    expect(executor.requests).toHaveLength(2);
    expect(endOf(events)).toMatchObject({ reason: 'max-steps', steps: 2 });
    expect(history(endOf(events).messages).slice(1)).toEqual([
      'assistant: look#a',
      'tool: #a seen',
      'assistant: look#a',
      'tool: #a seen',
    ]);
  });

  it('should add up the tokens of all attempts and all turns', async () => {
    const tokens = (promptTokens: number, completionTokens: number) => usage({ promptTokens, completionTokens });
    const executor = scriptedExecutor([
      [text('x'), tokens(10, 1), cut()],
      [tokens(20, 2), toolCall('a', 'look'), stop('tool-use')],
      [tokens(40, 4), text('x'), stop()],
    ]);

    const events = await heard(converse(executor, asked, { tools: [look()], recover }));

    expect(endOf(events).usage).toMatchObject({ promptTokens: 70, completionTokens: 7 });
    expect(endOf(events).result.usage).toEqual({ promptTokens: 40, completionTokens: 4 });
  });

  it('should tell each finished turn, its results in the order of the calls', async () => {
    const tools = [counted('slow', () => Promise.resolve('1')), counted('fast', () => '2')];
    const executor = scriptedExecutor([
      [toolCall('a', 'slow'), toolCall('b', 'fast'), stop('tool-use')],
      [text('x'), stop()],
    ]);
    const onStep = jest.fn();

    const events = await heard(converse(executor, asked, { tools, onStep, mode: 'parallel-batch-approval' }));

    expect(inShort(events)).toEqual([
      'step 1',
      'ready a',
      'ready b',
      'start a',
      'start b',
      'succeeded b: 2',
      'succeeded a: 1',
      'finish 1',
      'step 2',
      'finish 2',
      'done',
    ]);
    expect(onStep).toHaveBeenCalledTimes(2);
    expect(onStep.mock.calls[0]).toMatchObject([{ step: 1, toolResults: [{ toolCallId: 'a' }, { toolCallId: 'b' }] }]);
    expect(history(endOf(events).messages).slice(2, 4)).toEqual(['tool: #a 1', 'tool: #b 2']);
  });

  it('should pass on what `onStep` throws', () => {
    const caught = jest.fn();
    const config: ConverseConfig = {
      onStep: () => {
        throw new Error('no room');
      },
    };

    converse(scriptedExecutor([[text('x'), stop()]]), asked, config).subscribe({ error: caught });

    expect(caught).toHaveBeenCalledWith(new Error('no room'));
  });

  it('should keep the tools of the request beside its own, which win', async () => {
    const own = { id: 'other', name: 'other', description: '', parameters: {} };
    const executor = scriptedExecutor([[text('x'), stop()]]);
    const tool = look();

    await heard(converse(executor, { ...asked, tools: [own, { ...own, name: 'look' }] }, { tools: [tool] }));

    expect(executor.requests[0]?.tools).toEqual([own, tool.descriptor]);
  });

  describe('with messages that come in while it runs', () => {
    it('should take them in before the next turn', () => {
      createTestScheduler().run(({ cold, hot, expectObservable, expectSubscriptions, flush }) => {
        const first = cold(' -----(ces)', LINE);
        const second = cold('     ------------t---f|', LINE);
        const steer = hot('  --m---', { m: userMessage('and the moon?') });
        const steerSubs = '  ^--------------------!';
        const expected = '   S----(cersbpoFS)-t---(sFE|)';
        const requests: InferenceRequest[] = [];
        const model = turns(first, second);
        const executor = {
          ...model,
          executeStream: (request: InferenceRequest) => {
            requests.push(request);
            return model.executeStream(request);
          },
        };

        const result = converse(executor, asked, { tools: [counted('look', () => of('seen'))], steer });

        expectObservable(result.pipe(map(letterOf))).toBe(expected);
        expectSubscriptions(steer.subscriptions).toBe(steerSubs);
        flush();
        expect(requests.map(({ messages }) => history(messages).slice(1))).toEqual([
          [],
          ['assistant: look#a', 'tool: #a seen', 'user: and the moon?'],
        ]);
      });
    });

    it('should make a turn for them where the conversation would have ended', async () => {
      const steer = new Subject<Message>();
      const executor = scriptedExecutor([
        [text('Done.'), stop()],
        [text('Also done.'), stop()],
      ]);
      const events = heard(
        converse(executor, asked, { steer }).pipe(
          tap((event) => {
            if (event.type === 'text-delta' && event.text === 'Done.') steer.next(userMessage('and that?'));
          }),
        ),
      );

      expect(history(endOf(await events).messages)).toEqual([
        'user: go',
        'assistant: Done.',
        'user: and that?',
        'assistant: Also done.',
      ]);
      expect((await events).filter(({ type }) => type === 'step-start')).toMatchObject([
        { steered: [] },
        { steered: [{ role: 'user' }] },
      ]);
      expect(steer.observed).toBe(false);
    });

    it('should not lose the ones for which no turn is left', async () => {
      const steer = new Subject<Message>();
      const executor = scriptedExecutor([[toolCall('a', 'look'), stop('tool-use')]]);
      const tool = counted('look', () => steer.next(userMessage('wait!')));

      const events = heard(converse(executor, asked, { tools: [tool], maxSteps: 1, steer }));

      expect(endOf(await events).reason).toBe('max-steps');
      expect(history(endOf(await events).messages)).toEqual([
        'user: go',
        'assistant: look#a',
        'tool: #a (no output)',
        'user: wait!',
      ]);
    });

    it('should end with their error, and stop the model', () => {
      const failure = new Error('no microphone');
      const executor = scriptedExecutor([['silence']]);
      const caught = jest.fn();

      converse(executor, asked, { steer: throwError(() => failure) }).subscribe({ error: caught });
      const late = new Subject<Message>();
      converse(executor, asked, { steer: late }).subscribe({ error: caught });
      late.error(failure);

      expect(caught.mock.calls).toEqual([[failure], [failure]]);
      expect(executor.subscriptions.map(({ state }) => state)).toEqual(['unsubscribed']);
    });
  });

  it.each<[string, ConverseConfig]>([
    ['maxSteps', { maxSteps: 0 }],
    ['concurrency', { concurrency: 0.5 }],
    ['maxTokensContinuations', { maxTokensContinuations: -1 }],
    ['unknown mode "at-once"; use sequential', { mode: 'at-once' as never }],
    ['two tools are called look', { tools: [look(), look()] }],
  ])('should refuse a configuration that makes no sense: %s', (words, config) => {
    expect(() => converse(scriptedExecutor([[]]), asked, config)).toThrow(words);
  });

  it('should leave the request as it was', async () => {
    const request: InferenceRequest = Object.freeze({
      ...asked,
      messages: Object.freeze([userMessage('go'), assistantMessage('yes'), userMessage('and?')]) as Message[],
    });
    const stops: LlmStreamEvent[] = [stop()];

    const events = await heard(converse(scriptedExecutor([[text('x'), ...stops]]), request));

    expect(request.messages).toHaveLength(3);
    expect(endOf(events).messages).toHaveLength(4);
  });
});
