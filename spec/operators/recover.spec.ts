import { EMPTY, from, ignoreElements, NEVER, of, take, throwError, toArray, type ObservableInput } from 'rxjs';
import {
  describeCause,
  InferenceExecutionError,
  recover,
  type InferenceRequest,
  type InterruptCause,
  type LlmStreamEvent,
  type RecoverConfig,
  type RecoveryPlan,
  type Seam,
  withRecovery,
} from '../../src/index.js';
import { Accumulator } from '../../src/recovery/accumulator.js';
import { args, broken, close, reasoning, request, RESET, start, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { scriptedExecutor } from '../../src/testing/index.js';

/** Says that the provider continued exactly, as a provider with prefill does. */
const exact = (event: LlmStreamEvent): LlmStreamEvent => ({
  ...event,
  providerMetadata: { continuation: { mechanism: 'prefill' } },
});
/** The join of a provider that does not say how it continued. */
const unstated = (at: number): Seam => ({ at, method: 'exact', cut: 0, confidence: 1 });
const exactSeam = (at: number): Seam => ({ mechanism: 'prefill', at, method: 'exact', cut: 0, confidence: 1 });
const resumed = (attempt: number, seam: Seam | null): LlmStreamEvent => ({ type: 'resumed', attempt, seam });
const interrupted = (plan: RecoveryPlan, attempt = 1, delay = 0, cause: InterruptCause = RESET): LlmStreamEvent => ({
  type: 'interrupted',
  cause,
  plan,
  attempt,
  delay,
});
const continueText = (assistantPrefix: string): RecoveryPlan => ({ kind: 'continue-text', assistantPrefix });
const RESTART: RecoveryPlan = { kind: 'whole-restart' };

/** Answers each continuation with the next stream, and remembers what was asked. */
function answering(...streams: ObservableInput<LlmStreamEvent>[]) {
  const asked: InferenceRequest[] = [];
  const resubscribe: RecoverConfig['resubscribe'] = (continuation) => {
    const stream = streams[asked.length];
    asked.push(continuation);
    if (stream === undefined) throw new RangeError('nobody expected this continuation');
    return stream;
  };
  return { resubscribe, asked };
}

/** Everything that a recovered stream sends, for sources without time. */
function run(
  source: ObservableInput<LlmStreamEvent>,
  config: Omit<RecoverConfig, 'request'> & { request?: InferenceRequest },
) {
  const events: LlmStreamEvent[] = [];
  let error: unknown;
  let completed = false;
  from(source)
    .pipe(recover({ request, delay: 0, idleTimeout: false, ...config }))
    .subscribe({
      next: (event) => events.push(event),
      error: (e: unknown) => (error = e),
      complete: () => (completed = true),
    });
  return { events, error, completed };
}

const breaking = (...events: LlmStreamEvent[]): ObservableInput<LlmStreamEvent> => endingIn(broken(), ...events);
function* endingIn(error: unknown, ...events: LlmStreamEvent[]): Generator<LlmStreamEvent> {
  yield* events;
  throw error;
}

describe('recover', () => {
  it('should announce the interruption, wait, and go on with the text', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions, time }) => {
      const a = text('Hello ');
      const b = text('world');
      const s = stop();
      const source = cold('  --a--#            ', { a }, broken());
      const next = cold('           --b---s|', { b: exact(b), s });
      const delay = time('        --|          ');
      const sourceSubs = '   ^----!            ';
      const nextSubs = '     -------^-----!    ';
      const expected = '     --a--i---(rb)(s|) ';
      const { resubscribe, asked } = answering(next);

      const result = source.pipe(recover({ request, resubscribe, delay }));

      const i = interrupted(continueText('Hello '), 1, 2);
      expectObservable(result).toBe(expected, { a, i, r: resumed(2, exactSeam(6)), b, s });
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      expectSubscriptions(next.subscriptions).toBe(nextSubs);
      expect(asked).toEqual([]);
    });
  });

  it('should mirror a stream that does not break, and end at the stop', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { a: text('a'), u: usage(1, 1), s: stop(), z: text('late') };
      const source = cold(' -a-u-s--z--#', values, broken());
      const subs = '        ^----!      ';
      const expected = '    -a-u-(s|)   ';
      const { resubscribe, asked } = answering();

      expectObservable(source.pipe(recover({ request, resubscribe }))).toBe(expected, values);
      expectSubscriptions(source.subscriptions).toBe(subs);
      expect(asked).toEqual([]);
    });
  });

  it('should make no further attempt when it is unsubscribed in the wait', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { a: text('a') };
      const source = cold('  -a-#           ', values, broken());
      const unsub = '        ------!        ';
      const sourceSubs = '   ^--!           ';
      const expected = '     -a-i---        ';
      const { resubscribe, asked } = answering();

      const result = source.pipe(recover({ request, resubscribe, delay: 10 }));

      expectObservable(result, unsub).toBe(expected, { ...values, i: interrupted(continueText('a'), 1, 10) });
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      expect(asked).toEqual([]);
    });
  });

  it('should unsubscribe from the running attempt when it is unsubscribed', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-#      ', { a: text('a') }, broken());
      const next = cold('       --b----', { b: exact(text('b')) });
      const unsub = '        --------! ';
      const nextSubs = '     ---^----! ';
      const { resubscribe } = answering(next);

      const result = source.pipe(recover({ request, resubscribe, delay: 0 }));

      expectObservable(result, unsub).toBe('-a-i-(rb)', {
        a: text('a'),
        i: interrupted(continueText('a')),
        r: resumed(2, exactSeam(1)),
        b: text('b'),
      });
      expectSubscriptions(next.subscriptions).toBe(nextSubs);
    });
  });

  it('should take a stall for an interruption', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-------- ', { a: text('a') });
      const next = cold('         -(s|) ', { s: stop() });
      const sourceSubs = '   ^----!     ';
      const { resubscribe } = answering(next);

      const result = source.pipe(recover({ request, resubscribe, delay: 0, idleTimeout: 4 }));

      expectObservable(result).toBe('-a---i(rs|)', {
        a: text('a'),
        i: interrupted(continueText('a'), 1, 0, { kind: 'idle-stall' }),
        r: resumed(2, unstated(1)),
        s: stop(),
      });
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should stay silent over a source that never sends when the idle timeout is off', () => {
    createTestScheduler().run(({ expectObservable }) => {
      expectObservable(NEVER.pipe(recover({ request, resubscribe: () => EMPTY, idleTimeout: false }))).toBe('-');
    });
  });

  it('should back off with full jitter over 500 ms · 2^n, whatever the causes were', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const { resubscribe } = answering(
        cold<LlmStreamEvent>('#', {}, broken()),
        cold<LlmStreamEvent>('#', {}, broken({ kind: 'idle-stall' })),
        of(stop()),
      );
      const source = cold<LlmStreamEvent>('#', {}, broken());

      const result = source.pipe(recover({ request, resubscribe, count: 3, random: () => 0.5 }));

      expectObservable(result).toBe('(ix) 246ms (jx) 496ms (ky) 96ms (rs|)', {
        i: interrupted(RESTART, 1, 250),
        j: interrupted(RESTART, 2, 500),
        k: interrupted(RESTART, 3, 100, { kind: 'idle-stall' }),
        x: { type: 'stream-reset', reason: 'connection reset' },
        y: { type: 'stream-reset', reason: 'idle stall' },
        r: resumed(4, null),
        s: stop(),
      });
    });
  });

  it.each([
    ['what the provider asked for', 3_000, 3_000],
    ['no longer than 60 s', 3_600_000, 60_000],
  ])('should wait %s in mid-stream (W11, W12)', (_, retryAfter, delay) => {
    const error = new InferenceExecutionError('rate-limited', 'slow down', { retryAfter });

    createTestScheduler().run(({ cold, expectObservable }) => {
      const source = cold('a#', { a: text('a') }, error);
      const result = source.pipe(recover({ request, resubscribe: () => of(stop()), delay: 1, idleTimeout: false }));

      expectObservable(result).toBe(`ai ${delay - 1}ms (rs|)`, {
        a: text('a'),
        i: interrupted(continueText('a'), 1, delay),
        r: resumed(2, unstated(1)),
        s: stop(),
      });
    });
  });

  it('should wait for the notifier that `delay` gives', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('   a#          ', { a: text('a') }, broken());
      const notifier = cold('  ---x--x    ');
      const notifierSubs = '  -^--!       ';
      const expected = '      ai--(rs|)   ';

      const result = source.pipe(recover({ request, resubscribe: () => of(stop()), delay: () => notifier }));

      expectObservable(result).toBe(expected, {
        a: text('a'),
        i: interrupted(continueText('a')),
        r: resumed(2, unstated(1)),
        s: stop(),
      });
      expectSubscriptions(notifier.subscriptions).toBe(notifierSubs);
    });
  });

  it('should end in the original error when the notifier completes without a value', () => {
    const error = broken();
    const { resubscribe, asked } = answering();

    const { error: sent } = run(endingIn(error, text('a')), { resubscribe, delay: () => EMPTY });

    expect(sent).toBe(error);
    expect(asked).toEqual([]);
  });

  it('should start no recovery after `maxElapsed`', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = broken();
      const source = cold('  -a-#      ', { a: text('a') }, error);
      const next = cold<LlmStreamEvent>('       ---#   ', {}, broken());
      const nextSubs = '     ---^--!   ';
      const result = source.pipe(recover({ request, resubscribe: () => next, delay: 0, count: 9, maxElapsed: 5 }));

      expectObservable(result).toBe('-a-i--#', { a: text('a'), i: interrupted(continueText('a')) }, error);
      expectSubscriptions(next.subscriptions).toBe(nextSubs);
    });
  });

  it('should stop asking when `when` says no', () => {
    const error = broken();
    const seen: unknown[] = [];
    const { error: sent } = run(endingIn(error, text('a')), {
      resubscribe: answering().resubscribe,
      when: ({ cause, attempt, snapshot }) => {
        seen.push([describeCause(cause), attempt, snapshot.text]);
        return false;
      },
    });

    expect(sent).toBe(error);
    expect(seen).toEqual([['connection reset', 1, 'a']]);
  });

  it('should send all the text so far with each continuation, made from the first request', () => {
    const { resubscribe, asked } = answering(breaking(exact(text('two '))), [exact(text('three')), stop()]);

    const { events } = run(breaking(text('one ')), { resubscribe });

    expect(asked).toEqual([
      { ...request, continuation: { prefix: 'one ', cancelledTools: [] } },
      { ...request, continuation: { prefix: 'one two ', cancelledTools: [] } },
    ]);
    expect(events.filter(({ type }) => type === 'text-delta')).toEqual([text('one '), text('two '), text('three')]);
  });

  it('should give the original error with everything that had arrived when the budget is spent (W2, W29)', () => {
    const last = broken({ kind: 'go-away' });
    const { resubscribe, asked } = answering(breaking(exact(text('b'))), endingIn(last, exact(text('c'))));

    const { error } = run(breaking(text('a')), { resubscribe });

    expect(error).toBe(last);
    expect(last.snapshot).toMatchObject({ text: 'abc', bytesReceived: 3 });
    expect(asked).toHaveLength(2);
  });

  it('should give the error that broke the answer, not the failures to reach the provider again', () => {
    const original = broken();
    const unreachable = new InferenceExecutionError('overloaded', '529', { status: 529 });
    const { resubscribe } = answering(endingIn(unreachable), endingIn(unreachable));

    const { error } = run(endingIn(original, text('partial')), { resubscribe });

    expect(error).toBe(original);
    expect(original.snapshot?.text).toBe('partial');
  });

  it('should go on when a recovery attempt cannot be opened (W10)', () => {
    const overloaded = new InferenceExecutionError('overloaded', '529', { status: 529 });
    const { resubscribe } = answering(endingIn(overloaded), [exact(text('ok')), stop()]);

    const { events, completed } = run(breaking(text('partial')), { resubscribe });

    expect(completed).toBe(true);
    expect(events.filter(({ type }) => type === 'text-delta')).toEqual([text('partial'), text('ok')]);
  });

  it('should pass an error through, the same object, when it must not be recovered', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new InferenceExecutionError('unauthorized', 'bad key');
      const source = cold(' -a-#', { a: text('a') }, error);
      const subs = '        ^--!';
      const { resubscribe } = answering();

      expectObservable(source.pipe(recover({ request, resubscribe }))).toBe('-a-#', { a: text('a') }, error);
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('should wrap an error that is none of ours, and keep what had arrived', () => {
    const bug = new RangeError('a bug upstream');

    const { error } = run(endingIn(bug, text('a')), answering());

    expect(error).toMatchObject({ kind: 'provider', cause: bug, snapshot: { text: 'a' } });
  });

  it('should take a completion without a stop for an interruption (W9)', () => {
    const { resubscribe } = answering([exact(text('b')), stop()]);

    const { events } = run([text('a')], { resubscribe });

    expect(events[1]).toEqual(interrupted(continueText('a'), 1, 0, { kind: 'truncated' }));
    expect(events.at(-1)).toEqual(stop());
  });

  it('should complete a turn from its whole calls, without asking and without spending (W32)', () => {
    const { resubscribe, asked } = answering();
    const call = { id: 'a', name: 'f', arguments: { x: 1 } };

    const { events, completed } = run(
      breaking(
        text('Let me see.'),
        start('a', 'f'),
        args('a', '{"x":1}'),
        close('a'),
        start('b', 'g'),
        args('b', '{"y":'),
      ),
      { resubscribe, count: 0 },
    );

    const hint = { id: 'b', name: 'g', partialArgs: '{"y":' };
    expect(events.slice(-4)).toEqual([
      interrupted({ kind: 'synthesize-tool-use', completed: [call], cancelledToolHint: hint }),
      { type: 'tool-call-cancel', id: 'b', name: 'g', reason: 'connection reset' },
      { type: 'tool-call-ready', ...call },
      stop('tool-use'),
    ]);
    expect({ completed, asked }).toEqual({ completed: true, asked: [] });
  });

  it('should cancel every open call before it goes on (W7)', () => {
    const { resubscribe, asked } = answering([exact(text('y')), stop()]);

    const { events } = run(breaking(text('x'), start('a', 'f'), args('a', '{"p":'), start('b', 'g'), args('b', '12')), {
      resubscribe,
    });

    expect(events.slice(5, 8)).toEqual([
      interrupted({
        kind: 'truncate-before-tool',
        assistantPrefix: 'x',
        cancelledToolId: 'b',
        cancelledToolName: 'g',
      }),
      { type: 'tool-call-cancel', id: 'a', name: 'f', reason: 'connection reset' },
      { type: 'tool-call-cancel', id: 'b', name: 'g', reason: 'connection reset' },
    ]);
    expect(asked[0]?.continuation?.cancelledTools).toEqual([
      { id: 'a', name: 'f' },
      { id: 'b', name: 'g' },
    ]);
  });

  it('should announce a reset when nothing can be kept, and ask as in the first place', () => {
    const { resubscribe, asked } = answering([text('ok'), stop()]);

    const { events } = run(breaking(reasoning('hm')), { resubscribe });

    expect(events.slice(1)).toEqual([
      interrupted(RESTART),
      { type: 'stream-reset', reason: 'connection reset' },
      resumed(2, null),
      text('ok'),
      stop(),
    ]);
    expect(asked).toEqual([request]);
  });

  it('should start structured output again instead of continuing its JSON', () => {
    const structured = { ...request, overrides: { responseFormat: { type: 'json' as const } } };
    const { resubscribe, asked } = answering([text('{"a":1}'), stop()]);

    const { events } = run(breaking(text('{"a":')), { resubscribe, request: structured });

    expect(events.slice(1, 3)).toEqual([interrupted(RESTART), { type: 'stream-reset', reason: 'connection reset' }]);
    expect(asked).toEqual([structured]);
  });

  it('should not reset what an earlier attempt has brought (W13)', () => {
    const { resubscribe, asked } = answering(breaking(), [exact(text('world')), stop()]);

    const { events } = run(breaking(text('Hello, ')), { resubscribe });

    expect(events.some(({ type }) => type === 'stream-reset')).toBe(false);
    expect(asked.map(({ continuation }) => continuation?.prefix)).toEqual(['Hello, ', 'Hello, ']);
  });

  it('should ignore an error after the stop (W8)', () => {
    const { resubscribe, asked } = answering();

    const { events, completed, error } = run(breaking(text('Full answer.'), stop()), { resubscribe });

    expect(events).toEqual([text('Full answer.'), stop()]);
    expect({ completed, error, asked }).toEqual({ completed: true, error: undefined, asked: [] });
  });

  it('should reattach without spending, and fall to the text when the run is gone', () => {
    const cursor = { provider: 'openai', runId: 'resp_1', after: 4 };
    const withCursor: LlmStreamEvent = { ...text('Hello '), providerMetadata: { cursor } };
    const gone = new InferenceExecutionError('model-not-found', 'no such response', { status: 404 });
    const { resubscribe, asked } = answering(endingIn(gone), [exact(text('world')), stop()]);

    const { events, completed } = run(breaking(withCursor), { resubscribe });

    expect(completed).toBe(true);
    expect(asked.map(({ continuation }) => continuation)).toEqual([
      { prefix: 'Hello ', cancelledTools: [], mechanism: 'reattach', cursor },
      { prefix: 'Hello ', cancelledTools: [] },
    ]);
    expect(events.filter(({ type }) => type === 'text-delta').map((event) => 'text' in event && event.text)).toEqual([
      'Hello ',
      'world',
    ]);
  });

  it('should not follow a run for ever that does not move on', () => {
    const cursor = { provider: 'openai', runId: 'resp_1', after: 4 };
    const withCursor: LlmStreamEvent = { ...text('Hello '), providerMetadata: { cursor } };
    let asked = 0;

    const { error } = run(breaking(withCursor), {
      resubscribe: () => {
        if (++asked > 20) throw new RangeError('for ever');
        return breaking(exact(text('.')));
      },
    });

    expect(error).toMatchObject({ kind: 'stream-interrupted' });
    expect(asked).toBeLessThan(4);
  });

  it('should cancel the open calls of a run that another provider goes on with', () => {
    const cursor = { provider: 'openai', runId: 'resp_1', after: 4 };
    const opened: LlmStreamEvent = { ...start('a', 'f'), providerMetadata: { cursor } };
    const { resubscribe } = answering([exact(text('world')), stop()]);

    const { events } = run(breaking(text('Hello '), opened), { resubscribe });

    expect(events.slice(2, 5)).toEqual([
      interrupted({ kind: 'reattach', cursor }),
      { type: 'tool-call-cancel', id: 'a', name: 'f', reason: 'the provider was switched' },
      resumed(2, exactSeam(6)),
    ]);
  });

  it.each([
    ['a refrain', 'Yes we can. Yes we can. Yes we can. And so on.'],
    ['a refrain after other words', 'He said: yes we can, yes we can, yes we can.'],
    ['lines that come again', 'row row row\nrow row row\nrow row row\nend'],
    ['a cheer', 'Hip hip hooray! Hip hip hooray! Hip hip hooray!'],
  ])('should take a stream without a note as exact, so that %s stays, wherever it is cut', (_, whole) => {
    const joined = Array.from({ length: whole.length - 1 }, (_unused, index) => {
      const { events } = run(breaking(text(whole.slice(0, index + 1))), {
        resubscribe: () => of(text(whole.slice(index + 1)), stop()),
      });
      return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
    });

    expect(new Set(joined)).toEqual(new Set([whole]));
  });

  it('should cut words of a stream without a note that can only be a repeat', () => {
    const { events } = run(breaking(text('The cat sat on')), {
      resubscribe: () => of(text('sat on the mat.'), stop()),
    });

    expect(events.slice(2)).toMatchObject([
      { type: 'resumed', seam: { method: 'overlap', cut: 6 } },
      text(' the mat.'),
      stop(),
    ]);
  });

  it('should keep the tokens of an answer of which nothing else has come', () => {
    const { error } = run(endingIn(broken(), usage(100, 0)), { resubscribe: () => EMPTY, count: 0 });

    expect(error).toMatchObject({ snapshot: { text: null, usage: { promptTokens: 100 } } });
  });

  it('should error when `delay` gives no number', () => {
    const { events, error } = run(breaking(text('a')), { resubscribe: () => EMPTY, delay: () => NaN });

    expect(error).toMatchObject({ cause: expect.any(RangeError), snapshot: { text: 'a' } });
    expect(events).toEqual([text('a')]);
  });

  it('should throw at the call without a request', () => {
    expect(() => recover({ request: null as never, resubscribe: () => EMPTY })).toThrow(TypeError);
  });

  it.each([{ count: -1 }, { delay: -5 }, { maxElapsed: NaN }, { idleTimeout: 0 }, { resets: 'never' as never }])(
    'should throw at the call on %j, also where the request comes later',
    (config) => {
      const thrown = 'resets' in config ? TypeError : RangeError;
      expect(() => recover({ request, resubscribe: () => EMPTY, ...config })).toThrow(thrown);
      expect(() => withRecovery(scriptedExecutor([[]]), config)).toThrow(thrown);
    },
  );

  it('should survive a thousand attempts that fail at once', () => {
    createTestScheduler().run(({ expectObservable, flush }) => {
      const error = broken();
      let asked = 0;
      const resubscribe = (): ObservableInput<LlmStreamEvent> => (asked++, throwError(() => error));
      const result = throwError(() => error).pipe(
        recover({ request, resubscribe, count: 1_000, delay: 0 }),
        ignoreElements(),
      );

      expectObservable(result).toBe('#', undefined, error);
      flush();
      expect(asked).toBe(1_000);
    });
  });

  it.each([
    [401, 'unauthorized'],
    [404, 'model-not-found'],
    [429, 'rate-limited'],
  ])('should know an error of another library by its status %d', (status, kind) => {
    const thrown = Object.assign(new Error('no'), { status, headers: { 'retry-after': '2' } });

    const { error } = run(endingIn(thrown, text('a')), { resubscribe: () => EMPTY, count: 0 });

    expect(error).toMatchObject({ kind, status, retryAfter: 2_000, cause: thrown, snapshot: { text: 'a' } });
  });

  it('should go on after a 429 of another library', () => {
    const thrown = Object.assign(new Error('no'), { status: 429 });

    expect(run(endingIn(thrown, text('a')), { resubscribe: () => of(stop()) }).completed).toBe(true);
  });

  describe('when the rest comes in several blocks', () => {
    const note = { mechanism: 'prompt' as const, anchor: 'jumps over the lazy' };
    const shown = 'The quick brown fox jumps over the lazy';
    const noted = (event: LlmStreamEvent): LlmStreamEvent => ({
      ...event,
      providerMetadata: { ...event.providerMetadata, continuation: note },
    });
    const opaque: LlmStreamEvent = { type: 'provider-block', provider: 'anthropic', block: { type: 'redacted' } };
    const signed = (words: string, signature: string) => ({ ...reasoning(words), providerMetadata: { signature } });
    const join = (...events: LlmStreamEvent[]) =>
      run(breaking(text(shown)), { resubscribe: () => of(...events, stop()) }).events.slice(2);
    const joined = { type: 'resumed', seam: { method: 'anchor', mechanism: 'prompt' } };

    it.each([
      ['a model that thinks', [noted(reasoning('Go on.')), close()], [reasoning('Go on.'), close()]],
      ['an opaque block', [noted(opaque), close()], [opaque, close()]],
      ['an empty block of text', [noted(text('')), close()], [close()]],
    ])('should cut the repeat after %s', (_, before, passed) => {
      const events = join(...before, text('jumps over the lazy dog.'), close());

      expect(events).toMatchObject([...passed, joined, text(' dog.'), close(), stop()]);
    });

    it.each([
      ['before its words', [noted(signed('B', 's2')), close(), text('jumps over the lazy dog.'), stop()]],
      ['after them', [noted(text('jumps over the lazy dog.')), close(), signed('B', 's2'), close(), stop()]],
      ['and calls a tool', [noted(signed('B', 's2')), close(), start('1', 'f'), args('1', '{}'), stop('tool-use')]],
    ])('should not keep the signature of a second generation that thinks %s', (_, rest) => {
      const { events } = run(breaking(signed('A', 's1'), close(), text(shown)), { resubscribe: () => rest });
      const seen = new Accumulator();
      for (const event of events) seen.push(event);

      const thoughts = seen.result().content.filter(({ type }) => type === 'reasoning');
      expect(thoughts).toEqual([
        { type: 'reasoning', text: 'A', signature: 's1' },
        { type: 'reasoning', text: 'B' },
      ]);
    });

    it('should keep the signature of an answer that was started over', () => {
      const { events } = run(breaking(signed('A', 's1')), { resubscribe: () => of(signed('B', 's2'), stop()) });
      const seen = new Accumulator();
      for (const event of events) seen.push(event);

      expect(seen.result().content).toEqual([{ type: 'reasoning', text: 'B', signature: 's2' }]);
    });

    it('should cut a repeat that is split over two blocks, and send what stood between them behind it', () => {
      const events = join(noted(text('jumps over')), opaque, close(), text(' the lazy'), text(' dog.'), close());

      expect(events).toMatchObject([joined, text(' dog.'), opaque, close(), close(), stop()]);
    });

    it('should send what stood behind the text that it holds when nothing more comes', () => {
      const events = join(noted(text('jumps over the lazy')), close());

      expect(events).toMatchObject([joined, close(), stop()]);
    });
  });

  it('should cut the words that the model was asked to repeat', () => {
    const note = { mechanism: 'prompt' as const, anchor: 'jumps over the lazy' };
    const next = [
      { ...text('jumps over'), providerMetadata: { continuation: note } },
      text(' the lazy dog and runs away.'),
      stop(),
    ];
    const { resubscribe } = answering(next);

    const { events } = run(breaking(text('The quick brown fox jumps over the lazy')), { resubscribe });

    const shown = events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
    expect(shown).toBe('The quick brown fox jumps over the lazy dog and runs away.');
    expect(events.find(({ type }) => type === 'resumed')).toMatchObject({
      seam: { method: 'anchor', mechanism: 'prompt' },
    });
  });

  it('should end in the original error instead of a reset when `resets` is `fail`', () => {
    const error = broken();
    const note = { mechanism: 'prompt' as const, anchor: 'of the sea and the ships upon it' };
    const other =
      'Sure! Whales are mammals. They breathe air and nurse their calves with milk, as every mammal does. '.repeat(4);
    const next = [{ ...text(other), providerMetadata: { continuation: note } }, stop()];
    const source = (): Generator<LlmStreamEvent> =>
      endingIn(error, text('Once upon a time there was a song of the sea and the ships upon it'));

    const announced = run(source(), { resubscribe: () => next });
    const failed = run(source(), { resubscribe: () => next, resets: 'fail' });

    expect(announced.events.some(({ type }) => type === 'stream-reset')).toBe(true);
    expect(failed.events.some(({ type }) => type === 'stream-reset')).toBe(false);
    expect(failed.error).toBe(error);
  });

  it('should error when `resubscribe` throws, and keep what had arrived', () => {
    const bug = new RangeError('no such provider');
    const { error } = run(breaking(text('a')), {
      resubscribe: () => {
        throw bug;
      },
    });

    expect(error).toMatchObject({ kind: 'provider', cause: bug, snapshot: { text: 'a' } });
  });

  it('should error when `delay` throws', () => {
    const bug = new RangeError('no delay');
    const { error } = run(breaking(text('a')), {
      ...answering(),
      delay: () => {
        throw bug;
      },
    });

    expect(error).toMatchObject({ kind: 'provider', cause: bug, snapshot: { text: 'a' } });
  });

  it('should stop a synchronous source at once', () => {
    let sent = 0;
    function* endless(): Generator<LlmStreamEvent> {
      for (;;) yield text(String(sent++));
    }

    from(endless())
      .pipe(recover({ request, ...answering() }), take(2), toArray())
      .subscribe();

    expect(sent).toBe(2);
  });

  it('should share nothing between two subscribers', () => {
    const { resubscribe, asked } = answering(
      breaking(exact(text('b'))),
      [exact(text('c')), stop()],
      [exact(text('b')), stop()],
    );
    const result = from([text('a')]).pipe(recover({ request, resubscribe, delay: 0, idleTimeout: false }));
    const first: LlmStreamEvent[] = [];
    const second: LlmStreamEvent[] = [];

    result.subscribe((event) => first.push(event));
    result.subscribe((event) => second.push(event));

    expect(asked.map(({ continuation }) => continuation?.prefix)).toEqual(['a', 'ab', 'a']);
    expect(first.filter(({ type }) => type === 'text-delta')).toEqual([text('a'), text('b'), text('c')]);
    expect(second.filter(({ type }) => type === 'text-delta')).toEqual([text('a'), text('b')]);
  });

  it('should take an empty source for a stream that ended early', () => {
    const { error } = run(EMPTY, { ...answering(), count: 0 });

    expect(error).toMatchObject({
      kind: 'stream-interrupted',
      interruption: { kind: 'truncated' },
      snapshot: undefined,
    });
  });

  it('should take the promises and iterables that `resubscribe` gives', () => {
    const { events } = run(
      throwError(() => broken()),
      { resubscribe: () => [stop()] },
    );

    expect(events.at(-1)).toEqual(stop());
  });

  it.each<[string, Partial<RecoverConfig>]>([
    ['a missing request', { request: undefined }],
    ['a missing resubscribe', { resubscribe: undefined }],
    ['a negative count', { count: -1 }],
    ['a delay that is no number', { delay: NaN }],
    ['a negative maxElapsed', { maxElapsed: -1 }],
    ['an idle timeout of 0', { idleTimeout: 0 }],
    ['resets that do not exist', { resets: 'x' as 'fail' }],
  ])('should throw at the call on %s', (_, config) => {
    expect(() => recover({ request, resubscribe: () => EMPTY, ...config })).toThrow(/recover|idleTimeout/);
  });
});
