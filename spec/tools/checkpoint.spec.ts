import { EMPTY, map, NEVER, of, Subject, throwError, type Observable, type ObservableInput } from 'rxjs';
import { contentText, type ToolExecutionMode, type ToolResultBlock } from '../../src/index.js';
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
import type { ConversationState } from '../../src/tools/ConversationState.js';
import { converse, resumeConversation } from '../../src/tools/converse.js';
import type { ConverseConfig } from '../../src/tools/ConverseConfig.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { asked, counted, endOf, heard, history, inShort, letterOf, LINE, stateOf, stored, turns } from './talk.js';

const MODES: ToolExecutionMode[] = ['sequential', 'parallel-batch-approval', 'parallel-streaming'];
const NAMES = ['a_one', 'b_two', 'c_three'];

/** A model that answers by what it is sent, as a real one does: two turns with calls, then the end. */
const model = () =>
  scriptedExecutor(({ messages }) => {
    const turn = messages.filter(({ role }) => role === 'assistant').length;
    if (turn === 2) return [text('All done.'), stop()];
    return [
      text(`Turn ${turn}. `),
      ...NAMES.map((name) => toolCall(`${name.charAt(0)}${turn}`, name, { turn })),
      usage({ promptTokens: 10, completionTokens: 1 }),
      stop('tool-use'),
    ];
  });

/** What the tools have done in the world, whichever process they ran in. */
class World {
  readonly done: string[] = [];
  readonly tools = (idempotent = false) =>
    NAMES.map((name) => counted(name, (input) => this.done.push(`${name} ${JSON.stringify(input)}`), { idempotent }));
}

/** Runs a conversation whose process dies at its n-th checkpoint, before anything more can happen. */
function dieAt(n: number, config: ConverseConfig): ConversationState | undefined {
  return diesAt(n, (checkpoint) => converse(model(), asked, { ...config, checkpoint }));
}

function diesAt(
  n: number,
  talk: (checkpoint: NonNullable<ConverseConfig['checkpoint']>) => Observable<unknown>,
): ConversationState | undefined {
  let state: ConversationState | undefined;
  let count = 0;
  const checkpoint = (now: ConversationState): ObservableInput<unknown> => {
    if (count++ < n) return EMPTY;
    state = stored(now);
    return NEVER;
  };
  talk(checkpoint).subscribe().unsubscribe();
  return state;
}

describe('a conversation with checkpoints', () => {
  it.each(MODES)('should be able to die at each of them and run nothing twice, in the mode %s', async (mode) => {
    const whole = endOf(await heard(converse(model(), asked, { tools: new World().tools(), mode })));
    let died = 0;

    for (; ; died++) {
      const world = new World();
      const state = dieAt(died, { mode, tools: world.tools() });
      if (state === undefined) break;
      const events = await heard(resumeConversation(model(), state, { mode, tools: world.tools() }));

      const end = endOf(events);
      expect(new Set(world.done).size).toBe(world.done.length);
      const called = end.messages.flatMap(({ content }) => content.filter(({ type }) => type === 'tool-call'));
      const unknown = end.messages
        .flatMap(({ content }) => content)
        .filter((block) => isUnknown(block as ToolResultBlock));
      expect(unknown.length).toBeLessThanOrEqual(mode === 'sequential' ? 1 : 3);
      expect(world.done.length + unknown.length).toBe(called.length);
      expect(end.steps).toBe(whole.steps);
      // What a stream says after the first of its calls nobody knows when it was cut with its process.
      if (mode === 'parallel-streaming') continue;
      expect(end.messages.map(({ role }) => role)).toEqual(whole.messages.map(({ role }) => role));
      expect(end.usage).toEqual(whole.usage);
    }

    // Before each of three turns, and before and after each of six calls.
    expect(died).toBe(15);
  });

  it('should run a call again of which nothing is known when its tool is idempotent', async () => {
    const world = new World();
    const state = dieAt(1, { tools: world.tools(true) });
    const events = await heard(resumeConversation(model(), state!, { tools: world.tools(true) }));

    expect(state?.ledger).toEqual([{ call: { id: 'a0', name: 'a_one', arguments: { turn: 0 } }, state: 'started' }]);
    expect(world.done).toHaveLength(6);
    expect(inShort(events).slice(0, 2)).toEqual(['start a0', 'succeeded a0: 1']);
  });

  it('should say so of a call of which nothing is known, and not run it again', async () => {
    const world = new World();
    const state = dieAt(1, { tools: world.tools() });
    const events = await heard(resumeConversation(model(), state!, { tools: world.tools() }));

    expect(inShort(events)[0]).toMatch(/^unknown a0: It is not known whether this call has taken effect/);
    expect(world.done).toHaveLength(5);
  });

  it('should keep the calls of a turn that was cut with its process, in the mode parallel-streaming', async () => {
    const world = new World();
    const states: ConversationState[] = [];
    const broken = scriptedExecutor([
      [text('x'), toolCallStart('b0', 'b_two'), toolCallDelta('b0', '{}'), toolCall('a0', 'a_one'), 'silence'],
    ]);
    converse(broken, asked, {
      mode: 'parallel-streaming',
      tools: world.tools(),
      checkpoint: (state) => void states.push(stored(state)),
    })
      .subscribe()
      .unsubscribe();

    const next = scriptedExecutor([[text('y'), stop()]]);
    const events = await heard(resumeConversation(next, states.at(-1)!, { tools: world.tools() }));

    expect(world.done).toEqual(['a_one {}']);
    expect(history(endOf(events).messages)).toEqual([
      'user: go',
      'assistant: x + a_one#a0',
      'tool: #a0 1',
      expect.stringMatching(/^note: .*`b_two`.*was not run/),
      'assistant: y',
    ]);
  });

  it('should begin a turn of which nothing had come, and announce no reset for it (W21)', async () => {
    const first = dieAt(0, { tools: new World().tools() });
    const events = await heard(resumeConversation(model(), first!, { tools: new World().tools() }));

    expect(first).toMatchObject({ step: 1, ledger: [], pending: [] });
    expect(first).not.toHaveProperty('result');
    expect(events.filter(({ type }) => type === 'stream-reset' || type === 'interrupted')).toEqual([]);
    expect(endOf(events).steps).toBe(3);
  });

  it('should remember calls that the stream had taken back before the process died', async () => {
    const world = new World();
    const finished = (id: string, name: string) => {
      const content = [{ type: 'text' as const, text: `${name} has run` }];
      const result: ToolResultBlock = { type: 'tool-result', toolCallId: id, name, content };
      return {
        call: { id, name, arguments: {} },
        state: 'finished',
        status: 'succeeded',
        result,
        voided: true,
      } as const;
    };
    const state: ConversationState = {
      version: 1,
      request: asked,
      step: 1,
      pending: [],
      steered: [],
      ledger: [finished('a', 'a_one'), finished('b', 'b_two')],
    };
    const next = scriptedExecutor([
      [toolCall('q', 'b_two'), stop('tool-use')],
      [text('y'), stop()],
    ]);

    const events = await heard(resumeConversation(next, state, { tools: world.tools() }));

    expect(world.done).toEqual([]);
    expect(inShort(events)).toContain('reused succeeded q: b_two has run');
    expect(history(endOf(events).messages)).toContainEqual(
      expect.stringMatching(/^note: .*`a_one`.*run once, and gave: a_one has run/),
    );
  });

  it('should not run a call before it is on record, nor tell its result', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const line = cold('          -(cdes)', LINE);
      const write = cold('         --------|');
      const work = cold('                           ----------(w|)', { w: 'seen' });
      const workSubs = '   -----------------^---------!';
      const unsub = '      ^ 40ms !';
      const expected = '   --------S(cders)-b---------p-------(oF)';
      const tool = counted('look', () => work);

      const result = converse(turns(line, NEVER), asked, { tools: [tool], checkpoint: () => write });

      expectObservable(result.pipe(map(letterOf)), unsub).toBe(expected);
      expectSubscriptions(work.subscriptions).toBe(workSubs);
    });
  });

  it('should write one state after the other', async () => {
    let open = 0;
    let most = 0;
    const tools = new World().tools();
    const checkpoint = async (): Promise<void> => {
      most = Math.max(most, ++open);
      await Promise.resolve();
      open--;
    };

    await heard(converse(model(), asked, { tools, checkpoint, mode: 'parallel-batch-approval' }));

    expect(most).toBe(1);
  });

  it.each<[string, () => ObservableInput<unknown>]>([
    ['throws', () => throwNow()],
    ['errors', () => throwError(() => new Error('disk full'))],
  ])('should end with the error of a checkpoint that %s, and run nothing', (_, checkpoint) => {
    const world = new World();
    const caught = jest.fn();

    converse(model(), asked, { tools: world.tools(), checkpoint }).subscribe({ error: caught });

    expect(caught).toHaveBeenCalledWith(new Error('disk full'));
    expect(world.done).toEqual([]);
  });

  it('should stop waiting for a checkpoint when it is unsubscribed', () => {
    const write = new Subject<never>();
    const subscription = converse(model(), asked, { checkpoint: () => write }).subscribe();
    const observed = write.observed;
    subscription.unsubscribe();

    expect([observed, write.observed]).toEqual([true, false]);
  });

  it.each(MODES.slice(1))('should keep what was decided about calls when it dies, in the mode %s', async (mode) => {
    const said = {
      run: 'approve',
      no: { deny: 'too late' },
      given: { result: 'from outside' },
      nothing: { result: undefined },
    } as const;
    const ids = [...Object.keys(said), 'open'];
    const talk = () =>
      scriptedExecutor(({ messages }) =>
        messages.length > 1 ? [text('Done.'), stop()] : [...ids.map((id) => toolCall(id, 'ask')), stop('tool-use')],
      );
    const waiting = stateOf(
      await heard(converse(talk(), asked, { mode, tools: [counted('ask', undefined, { needsApproval: true })] })),
    );
    expect(waiting.pending.map(({ decision }) => decision)).toEqual(ids.map(() => undefined));

    for (let n = 0; ; n++) {
      const ask = counted('ask', undefined, { needsApproval: true });
      const config = { mode, tools: [ask] };
      const died = diesAt(n, (checkpoint) =>
        resumeConversation(talk(), waiting, { ...config, checkpoint, decisions: said }),
      );
      if (died === undefined) {
        expect(n).toBeGreaterThan(3);
        break;
      }
      const events = await heard(resumeConversation(talk(), died, config));
      expect(inShort(events)).not.toContainEqual(expect.stringMatching(/^approve/));
      const state = stateOf(events);
      expect(state.pending).toEqual([{ id: 'open', name: 'ask', arguments: {}, waitsFor: 'approval' }]);

      const end = endOf(await heard(resumeConversation(talk(), state, { ...config, decisions: { open: 'deny' } })));
      expect(ask.runs.length).toBeLessThanOrEqual(1);
      const results = history(end.messages).filter((line) => line.startsWith('tool: '));
      expect(results.slice(1)).toEqual([
        'tool: #no denied by the user: too late',
        'tool: #given from outside',
        'tool: #nothing (no output)',
        'tool: #open denied by the user',
      ]);
      expect(results[0]).toMatch(/^tool: #run (?:ask done|It is not known)/);
    }
  });

  it('should keep that a call may run that had to wait for room when it dies', async () => {
    const talk = () =>
      scriptedExecutor(({ messages }) =>
        messages.length > 1 ? [text('Done.'), stop()] : [toolCall('a', 'ask'), toolCall('b', 'ask'), stop('tool-use')],
      );
    const hangs = counted('ask', () => NEVER, { needsApproval: true });
    const config = { mode: 'parallel-batch-approval', concurrency: 1 } as const;
    let state: ConversationState | undefined;
    const checkpoint = (now: ConversationState): void => void (state = stored(now));
    converse(talk(), asked, { ...config, tools: [hangs], approve: () => 'approve', checkpoint })
      .subscribe()
      .unsubscribe();
    expect(hangs.runs).toHaveLength(1);
    expect(state?.pending).toEqual([
      { id: 'b', name: 'ask', arguments: {}, waitsFor: 'approval', decision: 'approve' },
    ]);

    const ask = counted('ask', undefined, { needsApproval: true });
    const events = await heard(resumeConversation(talk(), state!, { ...config, tools: [ask] }));
    expect(inShort(events)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^unknown a/), 'start b', 'succeeded b: ask done']),
    );
    expect(inShort(events)).not.toContainEqual(expect.stringMatching(/^approve/));

    // What is said now is newer.
    const denied = counted('ask', undefined, { needsApproval: true });
    await heard(resumeConversation(talk(), state!, { ...config, tools: [denied], decisions: { b: 'deny' } }));
    expect(denied.runs).toEqual([]);
  });

  it.each(MODES.slice(1))(
    'should begin no call, and store nothing, when it is unsubscribed, in the mode %s',
    async (mode) => {
      const hangs = counted('ask', () => NEVER);
      const calls = Array.from({ length: 9 }, (_, index) => toolCall(`c${index}`, 'ask'));
      let stores = 0;
      const checkpoint = () => of(stores++);
      const executor = () => scriptedExecutor([[...calls, stop('tool-use')]]);
      const talk = converse(executor(), asked, { mode, tools: [hangs], concurrency: 2, checkpoint }).subscribe();
      await Promise.resolve();
      expect([hangs.runs.length, stores]).toEqual([2, 3]);

      talk.unsubscribe();
      expect([hangs.runs.length, stores]).toEqual([2, 3]);

      stores = 0;
      const slow = () => (stores++, NEVER);
      converse(executor(), asked, { mode, tools: [hangs], checkpoint: slow })
        .subscribe()
        .unsubscribe();
      expect([hangs.runs.length, stores]).toEqual([2, 1]);
    },
  );

  it('should store the conversation when it is suspended, as it is told', async () => {
    const states: ConversationState[] = [];
    const tools = [counted('a_one', undefined, { needsApproval: true })];
    const executor = scriptedExecutor([[toolCall('a', 'a_one'), stop('tool-use')]]);

    const events = await heard(converse(executor, asked, { tools, checkpoint: (state) => of(states.push(state)) }));

    expect(events.at(-1)).toEqual({ type: 'conversation-suspended', state: states.at(-1) });
    expect(stored(states.at(-1)!)).toEqual(states.at(-1));
  });

  it('should be cut and go on at the same time', async () => {
    const states: ConversationState[] = [];
    const world = new World();
    const executor = scriptedExecutor([
      [toolCall('a', 'a_one'), cut()],
      [text('x'), cut()],
      [text('y'), stop()],
    ]);

    await heard(
      converse(executor, asked, {
        tools: world.tools(),
        recover: { delay: 0, idleTimeout: false },
        checkpoint: (state) => void states.push(state),
      }),
    );

    expect(world.done).toEqual(['a_one {}']);
    expect(states.map(({ step, ledger }) => [step, ledger.map(({ state }) => state).join()])).toEqual([
      [1, ''],
      [1, 'started'],
      [1, 'finished'],
      [2, ''],
    ]);
  });
});

function isUnknown(block: ToolResultBlock): boolean {
  return block.type === 'tool-result' && contentText(block.content).startsWith('It is not known');
}

function throwNow(): never {
  throw new Error('disk full');
}
