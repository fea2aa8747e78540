import { EMPTY, firstValueFrom, from, NEVER, of, take, throwError, toArray, type ObservableInput } from 'rxjs';
import {
  collect,
  createExecutor,
  InferenceExecutionError,
  recover,
  resultText,
  withRecovery,
  type InferenceRequest,
  type LlmStreamEvent,
  type Seam,
  type StreamResult,
} from '../../src/index.js';
import { continueOnMaxTokens } from '../../src/operators/continueOnMaxTokens.js';
import { withContinueOnMaxTokens } from '../../src/resilience/withContinueOnMaxTokens.js';
import { args, broken, close, reasoning, request, RESET, start, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const MAX = stop('max-tokens');
const REASON = 'output limit reached';
const exactly = (at: number): Seam => ({ at, method: 'exact', cut: 0, confidence: 1 });
const resumed = (attempt: number, joined: Seam | null): LlmStreamEvent => ({ type: 'resumed', attempt, seam: joined });
const cancel = (id: string, name: string): LlmStreamEvent => ({ type: 'tool-call-cancel', id, name, reason: REASON });
const ready = (id: string, name: string, args: Record<string, number>): LlmStreamEvent => ({
  type: 'tool-call-ready',
  id,
  name,
  arguments: args,
});
/** A first event of a model that was asked in words to repeat its last ones. */
const prompted = (event: LlmStreamEvent, anchor: string): LlmStreamEvent => ({
  ...event,
  providerMetadata: { continuation: { mechanism: 'prompt', anchor } },
});

/** Answers each continuation with the next part, and remembers what was asked. */
function answering(...parts: ObservableInput<LlmStreamEvent>[]) {
  const asked: InferenceRequest[] = [];
  const resubscribe = (continuation: InferenceRequest): ObservableInput<LlmStreamEvent> => {
    const part = parts[asked.length];
    asked.push(continuation);
    if (part === undefined) throw new RangeError('nobody expected this continuation');
    return part;
  };
  return { resubscribe, asked };
}

/** Everything that comes of the parts, for sources without time. */
function run(first: ObservableInput<LlmStreamEvent>, parts: ObservableInput<LlmStreamEvent>[] = [], count = 2) {
  const { resubscribe, asked } = answering(...parts);
  const events: LlmStreamEvent[] = [];
  let error: unknown;
  from(first)
    .pipe(continueOnMaxTokens({ request, resubscribe, count }))
    .subscribe({ next: (event) => events.push(event), error: (e: unknown) => (error = e) });
  return { events, error, asked, result: error === undefined ? collected(events) : undefined };
}

function collected(events: LlmStreamEvent[]): StreamResult | undefined {
  let result: StreamResult | undefined;
  from(events)
    .pipe(collect())
    .subscribe((whole) => (result = whole));
  return result;
}

/** An executor whose streams are given, in turn. */
function scripted(...streams: ObservableInput<LlmStreamEvent>[]) {
  const { resubscribe, asked } = answering(...streams);
  const executor = createExecutor({ name: 'scripted', executeStream: (asking) => from(resubscribe(asking)) });
  return { executor, asked };
}

function* breaking(...events: LlmStreamEvent[]): Generator<LlmStreamEvent> {
  yield* events;
  throw broken();
}

describe('continueOnMaxTokens', () => {
  it('should hold the stop at the limit back and go on with the text', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { a: text('Hello '), m: MAX, b: text('world'), s: stop() };
      const source = cold('  --a--m|          ', values);
      const next = cold('         --b---s|    ', values);
      const sourceSubs = '   ^----!           ';
      const nextSubs = '     -----^-----!     ';
      const expected = '     --a----(rb)(s|)  ';
      const { resubscribe } = answering(next);

      const result = source.pipe(continueOnMaxTokens({ request, resubscribe }));

      expectObservable(result).toBe(expected, { ...values, r: resumed(2, exactly(6)) });
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      expectSubscriptions(next.subscriptions).toBe(nextSubs);
    });
  });

  it('should mirror a stream that is not stopped by the limit', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { a: text('a'), t: start('c', 'f'), g: args('c', '{}'), c: close('c'), u: usage(1, 1), s: stop() };
      const source = cold('  -a-t-g-c-u-s--|', values);
      const subs = '         ^----------!';
      const expected = '     -a-t-g-c-u-(s|)';

      expectObservable(source.pipe(continueOnMaxTokens({ request, resubscribe: () => EMPTY }))).toBe(expected, values);
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('should stop the running part when it is unsubscribed, and ask for no further one', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { a: text('a'), m: MAX, b: text('b') };
      const source = cold('  -am      ', values);
      const next = cold('      --b--m ', values);
      const unsub = '        -----!   ';
      const nextSubs = '     --^--!   ';
      const { resubscribe, asked } = answering(next);

      const result = source.pipe(continueOnMaxTokens({ request, resubscribe }));

      expectObservable(result, unsub).toBe('-a--(rb)', { ...values, r: resumed(2, exactly(1)) });
      expectSubscriptions(next.subscriptions).toBe(nextSubs);
      expect(asked).toEqual([]);
    });
  });

  it('should ask for each part with all the text so far', () => {
    const { result, asked } = run(of(text('one '), MAX), [of(text('two '), MAX), of(text('three'), stop())]);

    expect(resultText(result!)).toBe('one two three');
    expect(result!.stopReason).toBe('end-turn');
    expect(asked.map(({ continuation }) => continuation?.prefix)).toEqual(['one ', 'one two ']);
    expect(asked[1]!.messages).toBe(request.messages);
  });

  it('should cut what the model repeats at the seam', () => {
    const shown = 'The quick brown fox jumps over the lazy dog, and the dog ';
    const part = [
      prompted(text('over the lazy dog, and the dog did not mind.'), 'over the lazy dog, and the dog'),
      stop(),
    ];

    const { result, asked } = run(of(text(shown), MAX), [of(...part)]);

    expect(asked).toHaveLength(1);
    expect(resultText(result!)).toBe(`${shown}did not mind.`);
  });

  it('should add up the usage of all parts, whatever was reported when (W6)', () => {
    const { result } = run(of(usage(10, 0), text('a '), usage(10, 5), MAX), [
      of(usage(12, 0), text('b '), usage(12, 7), MAX),
      of(text('c'), usage(14, 1), stop()),
    ]);

    expect(result!.usage).toEqual({ promptTokens: 36, completionTokens: 13, totalTokens: 49 });
  });

  it('should add up the usage of a part that was interrupted, too', () => {
    const interrupted: LlmStreamEvent = {
      ...{ type: 'interrupted', cause: RESET, attempt: 1, delay: 0 },
      plan: { kind: 'continue-text', assistantPrefix: 'b' },
    };
    const { result } = run(of(text('a'), usage(10, 2), MAX), [
      of(usage(12, 1), text('b'), interrupted, resumed(2, exactly(1)), usage(13, 1), text('c'), stop()),
    ]);

    expect(result!.usage).toEqual({ promptTokens: 35, completionTokens: 4, totalTokens: 39 });
  });

  it('should show what the seam holds back when the limit comes again', () => {
    const { result, asked } = run(of(text('alpha beta gamma delta'), MAX), [
      of(text('gamma de'), MAX),
      of(text(' end'), stop()),
    ]);

    expect(asked[1]!.continuation?.prefix).toBe('alpha beta gamma deltagamma de');
    expect(resultText(result!)).toBe('alpha beta gamma deltagamma de end');
  });

  it('should cancel a call that was cut, and go on with the text before it', () => {
    const { events, asked } = run(of(text('Let me see: '), start('c', 'find'), args('c', '{"q":"ru'), MAX), [
      of(text('nothing.'), stop()),
    ]);

    expect(events.slice(3, 5)).toEqual([cancel('c', 'find'), resumed(2, exactly(12))]);
    expect(asked[0]!.continuation).toEqual({ prefix: 'Let me see: ', cancelledTools: [{ id: 'c', name: 'find' }] });
  });

  it('should start again when a call was cut and there is no text to go on from', () => {
    const { events, asked } = run(of(reasoning('hm'), start('c', 'find'), MAX), [of(text('x'), stop())]);

    expect(events.slice(2)).toEqual([
      cancel('c', 'find'),
      { type: 'stream-reset', reason: REASON },
      resumed(2, null),
      text('x'),
      stop(),
    ]);
    expect(asked).toEqual([request]);
  });

  it('should stop for the calls that are whole and ask for nothing when another one was cut (W18)', () => {
    const first = [text('x'), start('a', 'f'), args('a', '{"n":1}'), start('b', 'g'), args('b', '{"n"'), MAX];

    const { events, asked, result } = run(of(...first));

    expect(events.slice(5)).toEqual([cancel('b', 'g'), ready('a', 'f', { n: 1 }), stop('tool-use')]);
    expect(asked).toEqual([]);
    expect(result!.toolCalls).toEqual([{ id: 'a', name: 'f', arguments: { n: 1 } }]);
    expect(result!.cancelledTools).toEqual([{ id: 'b', name: 'g' }]);
  });

  it.each([
    ['cut in the arguments', '{"n":'],
    ['cut before the arguments', ''],
    ['cut in what may be the beginning of a longer number', '12'],
  ])('should not take a call for whole that the vendor closes although it was %s', (_, json) => {
    const calls = [start('c', 'f'), ...(json === '' ? [] : [args('c', json)]), close('c'), usage(1, 1), MAX];

    const { events } = run(of(text('x'), ...calls), [of(text('y'), stop())]);

    expect(events).not.toContainEqual(close('c'));
    expect(events).toContainEqual(cancel('c', 'f'));
    expect(events).toContainEqual(usage(1, 1));
  });

  it('should hold the close of a call without arguments back no longer than to the next event', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const values = { t: start('c', 'f'), c: close('c'), u: usage(1, 1), a: text('a'), s: stop('tool-use') };
      const source = cold('  tc-u-a----s   ', values);
      const expected = '     t----(cua)(s|)';

      expectObservable(source.pipe(continueOnMaxTokens({ request, resubscribe: () => EMPTY }))).toBe(expected, values);
    });
  });

  it.each<[string, LlmStreamEvent[]]>([
    ['nothing came', []],
    ['the reasoning has used the limit up', [reasoning('hm')]],
    ['all calls are whole', [text('x'), start('c', 'f'), args('c', '{}'), close('c')]],
  ])('should let the stop pass when %s', (_, events) => {
    const { events: out, asked } = run(of(...events, MAX));

    expect(out).toEqual([...events, MAX]);
    expect(asked).toEqual([]);
  });

  it.each(['json', 'json-schema'] as const)(
    'should let the stop pass when the answer is %s, which would begin anew',
    (type) => {
      const responseFormat = type === 'json' ? { type } : { type, schema: {} };
      const events: LlmStreamEvent[] = [];
      of(text('{"a":'), MAX)
        .pipe(continueOnMaxTokens({ request: { ...request, overrides: { responseFormat } }, resubscribe: () => EMPTY }))
        .subscribe((event) => events.push(event));

      expect(events).toEqual([text('{"a":'), MAX]);
    },
  );

  it('should let the stop pass when the budget is spent', () => {
    const { result, asked } = run(of(text('a'), MAX), [of(text('b'), MAX)], 1);

    expect(result).toMatchObject({ stopReason: 'max-tokens' });
    expect(resultText(result!)).toBe('ab');
    expect(asked).toHaveLength(1);
  });

  it('should let the stop pass when a part brings nothing new', () => {
    const { events, asked } = run(of(text('a'), MAX), [of(reasoning('hm'), MAX)]);

    expect(events.at(-1)).toEqual(MAX);
    expect(asked).toHaveLength(1);
  });

  it('should keep the answer rather than take it back for one that starts over', () => {
    const shown = 'The quick brown fox jumps over the lazy dog, and the dog did not mind it in the least that day.';
    const other =
      'Certainly! Once upon a time there lived, in a small house by the sea, a tailor of great renown. '.repeat(4);

    const { result } = run(of(text(shown), MAX), [of(prompted(text(other), 'in the least that day.'), stop())]);

    expect(resultText(result!)).toBe(shown);
    expect(result!.stopReason).toBe('max-tokens');
  });

  it('should keep the answer when the continuation is refused for good before its first event', () => {
    const error = new InferenceExecutionError('context-overflow', 'too long');

    expect(run(of(text('a'), MAX), [throwError(() => error)]).events).toEqual([text('a'), MAX]);
  });

  it('should pass on any other error with the snapshot of all parts', () => {
    const { error, events } = run(of(text('a'), MAX), [breaking(text('b'))]);

    expect(events).toEqual([text('a'), resumed(2, exactly(1)), text('b')]);
    expect(error).toMatchObject({ kind: 'stream-interrupted', snapshot: { text: 'ab' } });
  });

  it('should error as truncated when a part completes without a stop (W9)', () => {
    expect(run(EMPTY).error).toMatchObject({ kind: 'stream-interrupted', interruption: { kind: 'truncated' } });
    expect(run(of(text('a'), MAX), [of(text('b'))]).error).toMatchObject({ interruption: { kind: 'truncated' } });
  });

  it('should pass the error of the source on, the same object', () => {
    const error = new InferenceExecutionError('unauthorized', 'no');

    expect(run(throwError(() => error)).error).toBe(error);
  });

  it('should error when resubscribe throws', () => {
    expect(run(of(text('a'), MAX)).error).toMatchObject({
      kind: 'provider',
      detail: 'nobody expected this continuation',
    });
  });

  it('should stay silent over a source that never sends', () => {
    createTestScheduler().run(({ expectObservable }) => {
      expectObservable(NEVER.pipe(continueOnMaxTokens({ request, resubscribe: () => EMPTY }))).toBe('-');
    });
  });

  it('should stop a synchronous source when enough has been taken', () => {
    let sent = 0;
    function* many(): Generator<LlmStreamEvent> {
      for (; sent < 100; sent++) yield text('x');
      yield MAX;
    }
    const { resubscribe, asked } = answering();

    from(many()).pipe(continueOnMaxTokens({ request, resubscribe }), take(3)).subscribe();

    expect(sent).toBe(2);
    expect(asked).toEqual([]);
  });

  it('should give each subscription parts and a budget of its own', async () => {
    let asked = 0;
    const answer = of(text('a'), MAX).pipe(
      continueOnMaxTokens({ request, count: 1, resubscribe: () => (asked++, of(text('b'), MAX)) }),
    );

    const first = await firstValueFrom(answer.pipe(toArray()));

    expect(await firstValueFrom(answer.pipe(toArray()))).toEqual(first);
    expect(asked).toBe(2);
  });

  it.each([
    ['no request', { resubscribe: () => EMPTY }, TypeError],
    ['no resubscribe', { request }, TypeError],
    ['a negative count', { request, resubscribe: () => EMPTY, count: -1 }, RangeError],
  ])('should throw at the call on %s', (_, config, error) => {
    expect(() => continueOnMaxTokens(config as Parameters<typeof continueOnMaxTokens>[0])).toThrow(error);
  });
});

describe('continueOnMaxTokens beside recover', () => {
  const NOTE = { delay: 0, idleTimeout: false } as const;

  it('should be recovered from outside, with the text of all parts', () => {
    const { executor, asked } = scripted(
      of(text('one '), MAX),
      breaking(text('two ')),
      of(text('three '), MAX),
      of(text('four'), stop()),
    );
    let result: StreamResult | undefined;

    withRecovery(withContinueOnMaxTokens(executor), NOTE)
      .execute(request)
      .subscribe((whole) => (result = whole));

    expect(resultText(result!)).toBe('one two three four');
    expect(asked.map(({ continuation }) => continuation?.prefix)).toEqual([
      undefined,
      'one ',
      'one two ',
      'one two three ',
    ]);
  });

  it('should ask for the rest of what is shown, not of what was sent, where the model repeats its last words', () => {
    const shown = 'The quick brown fox jumps over the lazy dog, and the dog ';
    const repeated = 'over the lazy dog, and the dog';
    const { executor, asked } = scripted(
      breaking(text(shown)),
      of(prompted(text(`${repeated} did not`), repeated), MAX),
      of(text(' mind.'), stop()),
    );
    let result: StreamResult | undefined;

    withRecovery(withContinueOnMaxTokens(executor), NOTE)
      .execute(request)
      .subscribe((whole) => (result = whole));

    expect(asked.at(-1)!.continuation?.prefix).toBe(`${shown}did not`);
    expect(resultText(result!)).toBe(`${shown}did not mind.`);
  });

  it('should know what is shown of a recovered part that ends while its seam is open', () => {
    const { executor, asked } = scripted(
      breaking(text('alpha beta gamma delta')),
      of(text('gamma de'), MAX),
      of(text(' end'), stop()),
    );
    let result: StreamResult | undefined;

    withRecovery(withContinueOnMaxTokens(executor), NOTE)
      .execute(request)
      .subscribe((whole) => (result = whole));

    expect(asked.at(-1)!.continuation?.prefix).toBe('alpha beta gamma deltagamma de');
    expect(resultText(result!)).toBe('alpha beta gamma deltagamma de end');
  });

  it('should go on with what was recovered inside', () => {
    const { resubscribe, asked } = answering(of(text('two '), MAX), of(text('three'), stop()));
    let result: StreamResult | undefined;

    from(breaking(usage(10, 2), text('one ')))
      .pipe(recover({ ...NOTE, request, resubscribe }), continueOnMaxTokens({ request, resubscribe }), collect())
      .subscribe((whole) => (result = whole));

    expect(resultText(result!)).toBe('one two three');
    expect(asked.map(({ continuation }) => continuation?.prefix)).toEqual(['one ', 'one two ']);
    expect(result!.usage).toEqual({ promptTokens: 10, completionTokens: 2, totalTokens: 12 });
  });

  it('should not ask to attach to a run that is over', () => {
    const cursor = { provider: 'openai', runId: 'r' };
    const { asked } = run(of({ ...text('a'), providerMetadata: { cursor } }, MAX), [of(text('b'), stop())]);

    expect(asked[0]!.continuation).toEqual({ prefix: 'a', cancelledTools: [] });
  });
});
