import {
  concat,
  defer,
  EMPTY,
  from,
  map,
  mergeAll,
  NEVER,
  of,
  take,
  VirtualTimeScheduler,
  type Observable,
} from 'rxjs';
import {
  createExecutor,
  InferenceExecutionError,
  type InferenceRequest,
  type LlmStreamEvent,
  type TokenUsage,
} from '../../src/index.js';
import { hedge } from '../../src/resilience/hedge.js';
import { withHedge } from '../../src/resilience/withHedge.js';
import { broken, reasoning, request, start, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

/** The usage of an answer that was hedged: the sum, and what of it the other request has cost. */
const hedged = (sum: TokenUsage, lost: TokenUsage): LlmStreamEvent => ({
  type: 'usage',
  usage: { ...sum, estimated: true },
  providerMetadata: { hedged: { ...lost, estimated: true } },
});
const permanent = new InferenceExecutionError('unauthorized', 'no');

describe('hedge', () => {
  it('should make a second request when the first progress is late, and mirror the one that is first', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions, time }) => {
      const values = { a: text('a'), b: text('b'), c: text('c'), s: stop() };
      const source = cold(' ------------a--b|', values);
      const other = cold('       ---c--s|     ', values);
      const after = time('  -----|           ');
      const sourceSubs = '  ^-------!        ';
      const otherSubs = '   -----^------!    ';
      const expected = '    --------c--s|    ';

      const result = source.pipe(hedge({ after, with: () => other }));

      expectObservable(result).toBe(expected, values);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      expectSubscriptions(other.subscriptions).toBe(otherSubs);
    });
  });

  it('should make no second request when the first progress is in time', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { u: usage(1, 0), a: text('a'), s: stop() };
      const source = cold(' -u--a--------s|', values);
      const other = cold('  a              ', values);
      const expected = '    ----(ua)-----s|';

      expectObservable(source.pipe(hedge({ after: 5, with: () => other }))).toBe(expected, values);
      expectSubscriptions(other.subscriptions).toBe([]);
    });
  });

  it('should leave the second request when the first one makes progress after all', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { a: text('a'), c: text('c'), s: stop() };
      const source = cold(' ----a--s|', values);
      const other = cold('    -----c ', values);
      const otherSubs = '   --^-!    ';
      const expected = '    ----a--s|';

      expectObservable(source.pipe(hedge({ after: 2, with: () => other }))).toBe(expected, values);
      expectSubscriptions(other.subscriptions).toBe(otherSubs);
    });
  });

  it('should ask the source itself again where nothing else is given', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('   ---a', { a: text('a') });

      expectObservable(source.pipe(hedge(2))).toBe('---a', { a: text('a') });
      expectSubscriptions(source.subscriptions).toBe(['^--', '--^!']);
    });
  });

  it.each<[string, LlmStreamEvent, boolean]>([
    ['text', text('a'), true],
    ['reasoning', reasoning('hm'), true],
    ['a call', start('c', 'f'), true],
    ['the stop', stop(), true],
    ['usage', usage(1, 0), false],
    ['empty reasoning, which brings a cursor only', reasoning(''), false],
    ['empty text', text(''), false],
  ])('should know whether %s is progress', (_, event, progress) => {
    let asked = 0;
    createTestScheduler().run(({ cold, expectObservable, flush }) => {
      const source = cold('-e----', { e: event });
      const result = source.pipe(hedge({ after: 3, with: () => (asked++, NEVER) }));

      expectObservable(result).toBe(progress ? '-e' : '-', { e: event });
      flush();
    });

    expect(asked).toBe(progress ? 0 : 1);
  });

  it('should stop both requests when it is unsubscribed', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<LlmStreamEvent>(' ------');
      const other = cold<LlmStreamEvent>('    ----');

      expectObservable(source.pipe(hedge({ after: 2, with: () => other })), '----!').toBe('-----');
      expectSubscriptions(source.subscriptions).toBe('^---!');
      expectSubscriptions(other.subscriptions).toBe('--^-!');
    });
  });

  it('should make no second request after it has been unsubscribed', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const other = cold<LlmStreamEvent>('a', { a: text('a') });

      expectObservable(NEVER.pipe(hedge({ after: 5, with: () => other })), '--!').toBe('---');
      expectSubscriptions(other.subscriptions).toBe([]);
    });
    const scheduler = new VirtualTimeScheduler();
    NEVER.pipe(hedge({ after: 5, scheduler }))
      .subscribe()
      .unsubscribe();
    expect(scheduler.actions).toEqual([]);
  });

  it('should mirror a source that errors or completes in time, with what it had sent', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const values = { u: usage(1, 0) };
      const second = { after: 5, with: () => of(text('never')) };

      expectObservable(cold('-u-#', values, permanent).pipe(hedge(second))).toBe('---(u#)', values, permanent);
      expectObservable(cold('-u-|', values).pipe(hedge(second))).toBe('---(u|)', values);
      expectObservable(EMPTY.pipe(hedge(second))).toBe('|');
    });
  });

  it('should leave the answer to the request that lives when the other one fails', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const values = { a: text('a'), s: stop() };

      const second = cold('---a-s|', values);
      const third = cold('-#', values, permanent);
      expectObservable(cold('---#', values, permanent).pipe(hedge({ after: 2, with: () => second }))).toBe(
        '-----a-s|',
        values,
      );
      expectObservable(cold('-----a-s|', values).pipe(hedge({ after: 2, with: () => third }))).toBe(
        '-----a-s|',
        values,
      );
    });
  });

  it('should send the error of the source when both fail, whichever was first', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const other = () => cold<LlmStreamEvent>('--#', {}, broken());

      expectObservable(cold<LlmStreamEvent>('---#', {}, permanent).pipe(hedge({ after: 2, with: other }))).toBe(
        '----#',
        {},
        permanent,
      );
      expectObservable(cold<LlmStreamEvent>('-----#', {}, permanent).pipe(hedge({ after: 2, with: other }))).toBe(
        '-----#',
        {},
        permanent,
      );
    });
  });

  it('should pass the error of the winner on', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const other = cold('-c-#', { c: text('c') }, permanent);

      expectObservable(NEVER.pipe(hedge({ after: 2, with: () => other }))).toBe('---c-#', { c: text('c') }, permanent);
    });
  });

  it('should treat a second request that cannot be made as one that fails', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const throwing = (): never => {
        throw new RangeError('mine');
      };

      expectObservable(cold('---a', { a: text('a') }).pipe(hedge({ after: 1, with: throwing }))).toBe('---a', {
        a: text('a'),
      });
    });
  });

  describe('and its usage', () => {
    /** The usage events of an answer that comes 2 ms after the hedge at 2 ms; the source says `lost` and no more. */
    function usages(lost: LlmStreamEvent[], answer: LlmStreamEvent[]): LlmStreamEvent[] {
      const seen: LlmStreamEvent[] = [];
      createTestScheduler().run(({ cold, flush }) => {
        const source = concat(from(lost), NEVER);
        const other = cold('--(a|)', { a: answer }).pipe(mergeAll());
        source.pipe(hedge({ after: 2, with: () => other })).subscribe((event) => seen.push(event));
        flush();
      });
      expect(seen.filter(({ type }) => type !== 'usage')).toEqual(answer.filter(({ type }) => type !== 'usage'));
      return seen.filter(({ type }) => type === 'usage');
    }

    it('should hold what the loser has reported, at each report of the winner', () => {
      const lost = { promptTokens: 10, completionTokens: 1, totalTokens: 11 };

      expect(usages([usage(10, 1)], [usage(10, 0), text('a'), usage(10, 7), stop()])).toEqual([
        hedged({ promptTokens: 20, completionTokens: 1, totalTokens: 21 }, lost),
        hedged({ promptTokens: 20, completionTokens: 8, totalTokens: 28 }, lost),
      ]);
    });

    it('should hold a prompt for a loser that had reported nothing', () => {
      expect(usages([], [usage(10, 0), text('a'), stop()])).toEqual([
        hedged({ promptTokens: 20, completionTokens: 0, totalTokens: 20 }, { promptTokens: 10, totalTokens: 10 }),
      ]);
    });

    it('should not lose a prompt that the winner has reported once, before the rest', () => {
      const late: LlmStreamEvent = { type: 'usage', usage: { completionTokens: 5, totalTokens: 15 } };

      expect(usages([], [usage(10, 0), text('a'), late, stop()]).at(-1)).toEqual(
        hedged({ promptTokens: 20, completionTokens: 5, totalTokens: 25 }, { promptTokens: 10, totalTokens: 10 }),
      );
    });

    it('should be told even when the winner tells none', () => {
      const lost = { promptTokens: 10, completionTokens: 0, totalTokens: 10 };

      expect(usages([usage(10, 0)], [text('a'), stop()])).toEqual([hedged(lost, lost)]);
      expect(usages([], [text('a'), stop()])).toEqual([]);
    });

    it('should not hold a request that was turned away', () => {
      const seen: LlmStreamEvent[] = [];
      createTestScheduler().run(({ cold, flush }) => {
        const source = cold<LlmStreamEvent>('---#', {}, permanent);
        const other = cold('--(uas|)', { u: usage(10, 2), a: text('a'), s: stop() });
        source.pipe(hedge({ after: 2, with: () => other })).subscribe((event) => seen.push(event));
        flush();
      });

      expect(seen[0]).toEqual(usage(10, 2));
    });

    it('should be as it came when nothing was hedged', () => {
      const reported = usage(10, 2);
      const seen: LlmStreamEvent[] = [];
      of(text('a'), reported, stop())
        .pipe(hedge(5))
        .subscribe((event) => seen.push(event));

      expect(seen[1]).toBe(reported);
    });
  });

  it('should not hold events back without end', () => {
    const seen: LlmStreamEvent[] = [];
    concat(from(Array.from({ length: 500 }, (_, i) => usage(i, 0))), NEVER)
      .pipe(hedge(5))
      .subscribe((event) => seen.push(event))
      .unsubscribe();

    expect(seen).toHaveLength(500);
  });

  it('should stop a synchronous source when enough has been taken', () => {
    let sent = 0;
    function* many(): Generator<LlmStreamEvent> {
      for (; sent < 100; sent++) yield text('x');
    }

    from(many()).pipe(hedge(5), take(3)).subscribe();

    expect(sent).toBe(2);
  });

  it('should share nothing between subscriptions', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('---a', { a: text('a') });
      const result = source.pipe(hedge(2));

      expectObservable(result).toBe('---a', { a: text('a') });
      expectObservable(result, '-^').toBe('----a', { a: text('a') });
      expectSubscriptions(source.subscriptions).toBe(['^--', '-^--', '--^!', '---^!']);
    });
  });

  it.each([-1, NaN])('should throw at the call on %d', (after) => {
    expect(() => hedge(after)).toThrow(RangeError);
    expect(() => withHedge(createExecutor({ name: 'x', executeStream: () => EMPTY }), after)).toThrow(RangeError);
  });
});

describe('withHedge', () => {
  function slow(name: string, answer: Observable<LlmStreamEvent>) {
    const asked: InferenceRequest[] = [];
    const executor = createExecutor({ name, executeStream: (asking) => defer(() => (asked.push(asking), answer)) });
    return { executor, asked };
  }

  it('should ask the other executor for the same, also for collected answers', () => {
    createTestScheduler().run(({ cold, expectObservable, flush }) => {
      const near = slow('near', NEVER);
      const far = slow('far', cold('-(as|)', { a: text('a'), s: stop() }));
      const model = withHedge(near.executor, { after: 3, with: far.executor });

      expectObservable(model.executeStream(request)).toBe('----(as|)', { a: text('a'), s: stop() });
      expectObservable(model.execute(request).pipe(map(({ stopReason }) => stopReason))).toBe('----(e|)', {
        e: 'end-turn',
      });
      flush();
      expect(model.name).toBe('near');
      expect(far.asked).toEqual([request, request]);
    });
  });

  it('should never ask again after `Infinity`', () => {
    createTestScheduler().run(({ cold, expectObservable, flush }) => {
      const source = cold('-----(as|)', { a: text('a'), s: stop() });
      let asked = 0;

      expectObservable(source.pipe(hedge({ after: Infinity, with: () => (asked++, NEVER) }))).toBe('-----(as|)', {
        a: text('a'),
        s: stop(),
      });
      flush();
      expect(asked).toBe(0);
    });
  });

  it('should not hedge a request that attaches to a run: the loser would cancel it', () => {
    createTestScheduler().run(({ expectObservable, flush }) => {
      const cursor = { provider: 'openai', runId: 'r' };
      const { executor, asked } = slow('runs', NEVER);
      const attaching: InferenceRequest = {
        ...request,
        continuation: { prefix: '', cancelledTools: [], mechanism: 'reattach', cursor },
      };

      expectObservable(withHedge(executor, 3).executeStream(attaching), '------!').toBe('-');
      flush();
      expect(asked).toHaveLength(1);
    });
  });
});
