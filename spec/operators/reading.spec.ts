import { firstValueFrom, EMPTY, from, NEVER, of, take, toArray } from 'rxjs';
import {
  accumulate,
  collect,
  createExecutor,
  InferenceExecutionError,
  reasoningDeltas,
  resultText,
  textDeltas,
  toolCalls,
  withRecovery,
  type ConverseEvent,
  type LlmStreamEvent,
  type StreamResult,
} from '../../src/index.js';
import { Accumulator } from '../../src/recovery/accumulator.js';
import { args, broken, close, reasoning, request, start, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

/** What a stream gives, and how it ends. */
function outcome<T>(source: { subscribe(observer: object): unknown }): {
  values: T[];
  error: unknown;
  completed: boolean;
} {
  const seen: { values: T[]; error: unknown; completed: boolean } = { values: [], error: undefined, completed: false };
  source.subscribe({
    next: (value: T) => seen.values.push(value),
    error: (error: unknown) => (seen.error = error),
    complete: () => (seen.completed = true),
  });
  return seen;
}

function resultOf(...events: LlmStreamEvent[]): StreamResult {
  const { values } = outcome<StreamResult>(from(events).pipe(accumulate()));
  return values.at(-1)!;
}

const interrupted: LlmStreamEvent = {
  type: 'interrupted',
  cause: { kind: 'connection-reset' },
  plan: { kind: 'continue-text', assistantPrefix: '' },
  attempt: 1,
  delay: 0,
};

describe('accumulate', () => {
  it('should emit the answer so far at each event', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(' --a--b--s|', { a: text('Hel'), b: text('lo'), s: stop() });
      const subs = '        ^--------!';
      const expected = '    --a--b--s|';
      const result = (value: string, rest: object = {}) => ({
        content: [{ type: 'text', text: value }],
        toolCalls: [],
        hasIncompleteToolCalls: false,
        ...rest,
      });

      expectObservable(source.pipe(accumulate())).toBe(expected, {
        a: result('Hel'),
        b: result('Hello'),
        s: result('Hello', { stopReason: 'end-turn' }),
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('should pass errors, completion and silence through', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<LlmStreamEvent>('--#').pipe(accumulate())).toBe('--#');
      expectObservable(EMPTY.pipe(accumulate())).toBe('|');
      expectObservable(NEVER.pipe(accumulate())).toBe('-');
    });
  });

  it('should keep text, reasoning and calls in the order in which they came', () => {
    const { content, toolCalls } = resultOf(
      reasoning('First '),
      reasoning('think.'),
      text('Let me see.'),
      start('a', 'f'),
      args('a', '{"x":'),
      args('a', '1}'),
      close('a'),
      text('And '),
      close(),
      text('this.'),
      stop('tool-use'),
    );

    expect(content).toEqual([
      { type: 'reasoning', text: 'First think.' },
      { type: 'text', text: 'Let me see.' },
      { type: 'tool-call', id: 'a', name: 'f', arguments: { x: 1 } },
      { type: 'text', text: 'And ' },
      { type: 'text', text: 'this.' },
    ]);
    expect(toolCalls).toEqual([{ id: 'a', name: 'f', arguments: { x: 1 } }]);
  });

  it('should change nothing that it has handed out, and share what did not change', () => {
    const events = [text('a'), start('c', 'f'), args('c', '{}'), close('c'), text('b'), text('c'), stop()];
    const { values } = outcome<StreamResult>(from(events).pipe(accumulate()));
    const frozen = JSON.stringify(values);

    expect(values[5]!.content[0]).toBe(values[0]!.content[0]);
    expect(values[5]!.content[1]).toBe(values[3]!.content[1]);
    expect(values[5]!.toolCalls).toBe(values[3]!.toolCalls);
    expect(values[4]!.content[2]).toEqual({ type: 'text', text: 'b' });
    expect(JSON.stringify(values)).toBe(frozen);
  });

  it.each<[string, LlmStreamEvent]>([
    ['text', text('noise')],
    ['reasoning', reasoning('noise')],
    ['a call', start('c', 'f')],
    ['a finished call', { type: 'tool-call-ready', id: 'c', name: 'f', arguments: {} }],
    ['a cancelled call', { type: 'tool-call-cancel', id: 'a', name: 'f', reason: '' }],
    ['an opaque block', { type: 'provider-block', provider: 'p', block: {} }],
    ['a reset', { type: 'stream-reset', reason: '' }],
    ['an interruption', interrupted],
    ['another stop', stop('max-tokens')],
  ])('should take in nothing after the stop: %s', (_, noise) => {
    const answer = [text('It is '), start('a', 'f'), args('a', '{}'), stop('tool-use')];

    expect(resultOf(...answer, noise)).toEqual(resultOf(...answer));
  });

  it('should count what is reported after the stop, and go on with the next turn of a conversation', () => {
    const next = { type: 'step-start', step: 2, steered: [] } as ConverseEvent;
    const turns = [text('One. '), stop('tool-use'), usage(3, 4), text('noise'), next, text('Two.'), stop()];
    const { content, usage: spent, stopReason } = resultOf(...(turns as LlmStreamEvent[]));

    expect(content.map((block) => block.type === 'text' && block.text)).toEqual(['One. ', 'Two.']);
    expect(spent).toMatchObject({ promptTokens: 3, completionTokens: 4 });
    expect(stopReason).toBe('end-turn');
  });

  it('should keep signatures and encrypted reasoning with their block', () => {
    const { content } = resultOf(
      { ...reasoning('hm') },
      { ...reasoning(''), providerMetadata: { provider: 'anthropic', signature: 'sig' } },
      close(),
      { ...reasoning(''), providerMetadata: { provider: 'anthropic', encrypted: 'opaque' } },
      { type: 'provider-block', provider: 'anthropic', block: { type: 'server_tool_use' } },
      stop(),
    );

    expect(content).toEqual([
      { type: 'reasoning', text: 'hm', signature: 'sig', providerMetadata: { provider: 'anthropic' } },
      { type: 'reasoning', text: '', encrypted: 'opaque', providerMetadata: { provider: 'anthropic' } },
      { type: 'provider', provider: 'anthropic', block: { type: 'server_tool_use' } },
    ]);
  });

  it('should take no arguments for an empty object, however they are sent (W17)', () => {
    const { toolCalls } = resultOf(
      start('a', 'f'),
      close('a'),
      start('b', 'f'),
      args('b', 'null'),
      close('b'),
      start('c', 'f'),
      stop('tool-use'),
    );

    expect(toolCalls.map((call) => call.arguments)).toEqual([{}, {}, {}]);
  });

  it('should never run a call whose arguments are not whole (W28)', () => {
    const cut = resultOf(start('a', 'f'), args('a', '12'), stop('max-tokens'));
    const malformed = resultOf(start('a', 'f'), args('a', '{"x":1'), close('a'), stop('tool-use'));

    expect(cut).toMatchObject({ toolCalls: [], hasIncompleteToolCalls: true, content: [] });
    expect(malformed).toMatchObject({ toolCalls: [], hasIncompleteToolCalls: true, content: [] });
  });

  it('should refuse a call without a name', () => {
    expect(resultOf(start('a', ''), args('a', '{}'), close('a'), stop('tool-use'))).toMatchObject({
      toolCalls: [],
      hasIncompleteToolCalls: true,
    });
  });

  it('should make one call of one that is announced twice, and ignore the arguments of none (W16)', () => {
    const { toolCalls } = resultOf(
      start('a', 'f'),
      args('a', '{"x":'),
      start('a', 'f'),
      args('a', '{"y":2}'),
      args('nobody', '{'),
      close('a'),
      stop('tool-use'),
    );

    expect(toolCalls).toEqual([{ id: 'a', name: 'f', arguments: { y: 2 } }]);
  });

  it('should keep a call that is named like a member of every object', () => {
    const { toolCalls } = resultOf(
      start('__proto__', 'constructor'),
      args('__proto__', '{"__proto__":{"x":1}}'),
      close('__proto__'),
    );

    expect(JSON.stringify(toolCalls)).toBe(
      '[{"id":"__proto__","name":"constructor","arguments":{"__proto__":{"x":1}}}]',
    );
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it('should count the reports of one attempt once, and add the attempts (W6)', () => {
    const { usage: total } = resultOf(
      usage(100, 1),
      text('some text'),
      usage(100, 10),
      interrupted,
      usage(120, 20),
      stop(),
    );

    expect(total).toEqual({ promptTokens: 220, completionTokens: 30, totalTokens: 250 });
  });

  it('should give a total of all attempts when the one that was cut has told nothing', () => {
    const { usage: total } = resultOf(text('x'.repeat(400)), interrupted, usage(120, 20), stop());

    expect(total).toEqual({ promptTokens: 120, completionTokens: 120, totalTokens: 240, estimated: true });
  });

  it.each([
    [128, 1],
    [129, 0],
  ])('should take arguments of %i levels for %i calls: deeper ones cannot be sent back', (levels, calls) => {
    const json = `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
    const { toolCalls: made, hasIncompleteToolCalls } = resultOf(start('c', 'f'), args('c', json), close('c'), stop());

    expect([made.length, hasIncompleteToolCalls]).toEqual([calls, calls === 0]);
  });

  it('should say when an attempt was cut before it told what it had made', () => {
    const { usage: total } = resultOf(usage(100, 1), text('x'.repeat(400)), interrupted, usage(120, 20), stop());

    expect(total).toEqual({ promptTokens: 220, completionTokens: 120, totalTokens: 340, estimated: true });
  });

  it('should understand cancelled calls, ready calls and resets', () => {
    const cancel: LlmStreamEvent = { type: 'tool-call-cancel', id: 'b', name: 'g', reason: 'connection reset' };
    const ready: LlmStreamEvent = { type: 'tool-call-ready', id: 'a', name: 'f', arguments: { x: 1 } };
    const before = [text('Hi'), start('a', 'f'), args('a', '{"x":1}'), start('b', 'g'), args('b', '{')];

    expect(resultOf(...before)).toMatchObject({ toolCalls: [], hasIncompleteToolCalls: true });
    expect(resultOf(...before, cancel, ready, stop('tool-use'))).toEqual({
      content: [
        { type: 'text', text: 'Hi' },
        { type: 'tool-call', id: 'a', name: 'f', arguments: { x: 1 } },
      ],
      toolCalls: [{ id: 'a', name: 'f', arguments: { x: 1 } }],
      hasIncompleteToolCalls: false,
      stopReason: 'tool-use',
      cancelledTools: [{ id: 'b', name: 'g' }],
    });
    expect(resultOf(...before, { type: 'stream-reset', reason: 'x' }, text('Anew'))).toEqual({
      content: [{ type: 'text', text: 'Anew' }],
      toolCalls: [],
      hasIncompleteToolCalls: false,
    });
  });
});

describe('the cancelled calls of a result', () => {
  const cancel = (id: string, name: string): LlmStreamEvent => ({
    type: 'tool-call-cancel',
    id,
    name,
    reason: 'connection reset',
  });
  const cancelled = [cancel('a', 'read'), cancel('b', 'read'), cancel('c', 'write')];
  const left = (...events: LlmStreamEvent[]) =>
    resultOf(...cancelled, ...events).cancelledTools?.map(({ id }) => id) ?? [];

  it('should name every call that was cancelled, each by its own name', () => {
    expect(resultOf(...cancelled, stop()).cancelledTools).toEqual([
      { id: 'a', name: 'read' },
      { id: 'b', name: 'read' },
      { id: 'c', name: 'write' },
    ]);
  });

  it('should not name a call that came again, under its old id or another one', () => {
    expect(left(start('x', 'write'), stop())).toEqual(['a', 'b']);
    expect(left(start('x', 'read'), stop())).toEqual(['b', 'c']);
    expect(left(start('b', 'read'), stop())).toEqual(['a', 'c']);
    expect(left(start('x', 'read'), start('y', 'read'), start('z', 'read'), stop())).toEqual(['c']);
    expect(left(start('x', 'read'), start('y', 'read'), start('z', 'write'), stop())).toEqual([]);
  });

  it('should name a call again that came again and was cancelled again', () => {
    expect(left(start('x', 'write'), cancel('x', 'write'))).toEqual(['a', 'b', 'x']);
  });

  it('should name none after a reset: who begins anew makes the calls that are wanted', () => {
    expect(left({ type: 'stream-reset', reason: 'x' }, text('Anew'), stop())).toEqual([]);
  });

  it('should not change a result that was handed out', () => {
    const seen = new Accumulator();
    for (const event of cancelled) seen.push(event);
    const before = seen.result();
    seen.push(start('x', 'write'));

    expect(before.cancelledTools).toHaveLength(3);
    expect(seen.result().cancelledTools).toHaveLength(2);
  });
});

describe('collect', () => {
  it('should emit the whole answer once, at the stop', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(' --a--b--s---#', { a: text('Hel'), b: text('lo'), s: stop() }, broken());
      const subs = '        ^-------!    ';
      const expected = '    --------(r|) ';
      const r = {
        content: [{ type: 'text', text: 'Hello' }],
        toolCalls: [],
        hasIncompleteToolCalls: false,
        stopReason: 'end-turn',
      };

      expectObservable(source.pipe(collect())).toBe(expected, { r });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('should error when the source completes without a stop (W9)', () => {
    expect(outcome(of(text('half')).pipe(collect())).error).toMatchObject({
      kind: 'stream-interrupted',
      interruption: { kind: 'truncated' },
      snapshot: { text: 'half' },
    });
  });

  it('should keep an error the same object, with what had arrived', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const error = new InferenceExecutionError('content-filtered', 'no');

      expectObservable(cold('-a-#', { a: text('half') }, error).pipe(collect())).toBe('---#', undefined, error);
    });
  });
});

describe('textDeltas, reasoningDeltas and toolCalls', () => {
  const events = { r: reasoning('hm'), t: text('a'), e: text(''), u: usage(1, 1), b: text('b'), s: stop() };

  it('should emit the text alone', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(' -r-t-e-u-b-s|', events);
      const expected = '    ---a-----b--|';

      expectObservable(source.pipe(textDeltas())).toBe(expected, { a: 'a', b: 'b' });
      expectSubscriptions(source.subscriptions).toBe('^-----------!');
    });
  });

  it('should emit the reasoning alone', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-r-t-#', events).pipe(reasoningDeltas())).toBe('-a---#', { a: 'hm' });
    });
  });

  it('should emit each call once, when it is whole', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = {
        a: start('1', 'f'),
        b: args('1', '{}'),
        c: close('1'),
        d: start('2', 'g'),
        e: args('2', '{"x":1}'),
        s: stop('tool-use'),
      };
      const source = cold(' -a-b-c-d-e-s|', values);
      const expected = '    -----x-----y|';

      expectObservable(source.pipe(toolCalls())).toBe(expected, {
        x: { id: '1', name: 'f', arguments: {} },
        y: { id: '2', name: 'g', arguments: { x: 1 } },
      });
      expectSubscriptions(source.subscriptions).toBe('^-----------!');
    });
  });

  it('should not emit a call again that recovery says is ready, but one that comes again after a reset', () => {
    const ready: LlmStreamEvent = { type: 'tool-call-ready', id: '1', name: 'f', arguments: {} };
    const events = [
      start('1', 'f'),
      close('1'),
      ready,
      { type: 'stream-reset', reason: 'x' } as const,
      start('1', 'f'),
      close('1'),
    ];

    expect(outcome(from(events).pipe(toolCalls())).values).toHaveLength(2);
  });

  it('should stop a synchronous source at once', () => {
    let sent = 0;
    function* endless(): Generator<LlmStreamEvent> {
      for (;;) {
        yield start(String(sent++), 'f');
        yield close(String(sent - 1));
      }
    }

    from(endless()).pipe(toolCalls(), take(2), toArray()).subscribe();

    expect(sent).toBe(2);
  });
});

describe('createExecutor', () => {
  const whole = {
    content: [{ type: 'text' as const, text: 'Hi' }],
    toolCalls: [],
    hasIncompleteToolCalls: false,
    stopReason: 'end-turn' as const,
  };

  it('should make the stream from the whole answer', () => {
    const executor = createExecutor({ name: 'x', execute: () => of(whole) });

    expect(outcome(executor.executeStream(request)).values).toEqual([text('Hi'), stop()]);
    expect(executor.name).toBe('x');
  });

  it.each([
    ['its turn has ended', [], 'end-turn'],
    ['it calls tools', [{ id: '1', name: 'now', arguments: {} }], 'tool-use'],
  ] as const)('should end the stream in a stop where the answer does not say that %s', (_, toolCalls, reason) => {
    const { stopReason: _unsaid, ...answer } = whole;
    const executor = createExecutor({ name: 'x', execute: () => of({ ...answer, toolCalls: [...toolCalls] }) });

    expect(outcome(executor.executeStream(request)).values.at(-1)).toEqual(stop(reason));
  });

  it('should give the answer back as it was: signed thoughts, cited text, arguments that are no object', async () => {
    const citations = { provider: 'anthropic', citations: [1] };
    const answer: StreamResult = {
      content: [
        { type: 'reasoning', text: 'A', signature: 's1' },
        { type: 'reasoning', text: '', encrypted: 'e' },
        { type: 'reasoning', text: 'B', signature: 's2' },
        { type: 'text', text: 'x' },
        { type: 'text', text: 'y', providerMetadata: citations },
        { type: 'text', text: 'z' },
        { type: 'tool-call', id: '1', name: 'f', arguments: [1] },
      ],
      toolCalls: [{ id: '1', name: 'f', arguments: [1] }],
      hasIncompleteToolCalls: false,
      stopReason: 'max-tokens',
    };
    const streamed = createExecutor({ name: 'x', execute: () => of(answer) }).executeStream(request);

    expect(await firstValueFrom(streamed.pipe(collect()))).toEqual(answer);
  });

  it('should make the whole answer from the stream', () => {
    const executor = createExecutor({ name: 'x', executeStream: () => of(text('H'), text('i'), stop()) });

    expect(outcome<StreamResult>(executor.execute(request)).values).toEqual([whole]);
  });

  it('should make an error notification of a function that throws, at each subscription', () => {
    const bug = new RangeError('no');
    const executor = createExecutor({
      name: 'x',
      executeStream: () => {
        throw bug;
      },
    });

    expect(outcome(executor.executeStream(request)).error).toBe(bug);
  });

  it('should throw at the call when it is given no half', () => {
    expect(() => createExecutor({ name: 'x' } as never)).toThrow(TypeError);
  });
});

describe('withRecovery', () => {
  it('should make an executor whose streams and answers recover', () => {
    const asked: unknown[] = [];
    const executor = createExecutor({
      name: 'flaky',
      executeStream: (sent) => {
        asked.push(sent.continuation?.prefix);
        return from(sent.continuation ? [text('world'), stop()] : [text('Hello ')]);
      },
    });

    const { values } = outcome<StreamResult>(withRecovery(executor, { delay: 0 }).execute(request));

    expect(resultText(values[0]!)).toBe('Hello world');
    expect(asked).toEqual([undefined, 'Hello ']);
    expect(withRecovery(executor).name).toBe('flaky');
  });

  it.each<[object, ErrorConstructor]>([
    [{ count: -1 }, RangeError],
    [{ idleTimeout: 0 }, RangeError],
    [{ delay: -5 }, RangeError],
    [{ resets: 'never' }, TypeError],
    [{ resubscribe: 'again' }, TypeError],
  ])('should throw at the call on %j', (config, kind) => {
    const executor = createExecutor({ name: 'x', executeStream: () => from([stop()]) });

    expect(() => withRecovery(executor, config)).toThrow(kind);
  });
});
