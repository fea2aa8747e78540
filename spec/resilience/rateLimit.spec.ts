import {
  defer,
  EMPTY,
  from,
  mergeMap,
  NEVER,
  of,
  Subject,
  take,
  throwError,
  VirtualTimeScheduler,
  type Observable,
} from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import {
  InferenceExecutionError,
  userMessage,
  type ContentBlock,
  type InferenceRequest,
  type LlmStreamEvent,
  type StreamResult,
} from '../../src/index.js';
import { estimateTokens } from '../../src/resilience/estimateTokens.js';
import { rateLimit } from '../../src/resilience/rateLimit.js';
import { request, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const asking = (characters: number): InferenceRequest => ({
  ...request,
  messages: [userMessage('x'.repeat(characters))],
});

/** Notes when each source is subscribed to. */
class Starts {
  readonly at: number[] = [];
  constructor(private readonly scheduler: TestScheduler) {}

  of(source: Observable<LlmStreamEvent> = of(stop())): Observable<LlmStreamEvent> {
    return defer(() => {
      this.at.push(this.scheduler.now());
      return source;
    });
  }
}

/** Runs with virtual time, and gives back when the sources were subscribed to. */
function startsOf(play: (starts: Starts, scheduler: TestScheduler) => void): number[] {
  const scheduler = createTestScheduler();
  const starts = new Starts(scheduler);
  scheduler.run(({ flush }) => {
    play(starts, scheduler);
    flush();
  });
  return starts.at;
}

const used = (total: number): Observable<LlmStreamEvent> => of(usage(total, 0), stop());

describe('rateLimit', () => {
  it('should let so many run at a time, in the order in which they came', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { a: text('a'), b: text('b'), c: text('c'), s: stop() };
      const first = cold('  --a--s|             ', values);
      const second = cold('       -b--s|        ', values);
      const third = cold('             --c--s| ', values);
      const secondSubs = '  ------^----!        ';
      const thirdSubs = '   -----------^-----!  ';
      const limit = rateLimit({ concurrency: 1 });

      expectObservable(first.pipe(limit)).toBe(' --a--s|           ', values);
      expectObservable(second.pipe(limit)).toBe('-------b--s|      ', values);
      expectObservable(third.pipe(limit)).toBe(' -------------c--s|', values);
      expectSubscriptions(second.subscriptions).toBe(secondSubs);
      expectSubscriptions(third.subscriptions).toBe(thirdSubs);
    });
  });

  it('should start no more in any 60 s than the limit says', () => {
    const at = startsOf((starts, scheduler) => {
      const limit = rateLimit({ requestsPerMinute: 2 });
      scheduler.schedule(() => starts.of().pipe(limit).subscribe(), 10_000);
      for (let i = 0; i < 5; i++) scheduler.schedule(() => starts.of().pipe(limit).subscribe(), 30_000);
    });

    expect(at).toEqual([10_000, 30_000, 70_000, 90_000, 130_000, 150_000]);
  });

  it('should start no more tokens in any 60 s than the limit says', () => {
    const at = startsOf((starts, scheduler) => {
      const limit = rateLimit({ tokensPerMinute: 100 });
      starts
        .of()
        .pipe(limit.forRequest(asking(240)))
        .subscribe();
      scheduler.schedule(
        () =>
          starts
            .of()
            .pipe(limit.forRequest(asking(120)))
            .subscribe(),
        1_000,
      );
      scheduler.schedule(
        () =>
          starts
            .of()
            .pipe(limit.forRequest(asking(80)))
            .subscribe(),
        2_000,
      );
      scheduler.schedule(
        () =>
          starts
            .of()
            .pipe(limit.forRequest(asking(240)))
            .subscribe(),
        3_000,
      );
    });

    // 60 and 30 fit; 20 fit when the 60 have gone; 60 when the 30 have gone too.
    expect(at).toEqual([0, 1_000, 60_000, 61_000]);
  });

  it('should let nobody pass who came later, however small', () => {
    const at = startsOf((starts) => {
      const limit = rateLimit({ tokensPerMinute: 100 });
      for (const characters of [240, 240, 4])
        starts
          .of()
          .pipe(limit.forRequest(asking(characters)))
          .subscribe();
    });

    expect(at).toEqual([0, 60_000, 60_000]);
  });

  it('should give back what was estimated too high, and take what was estimated too low', () => {
    const at = startsOf((starts) => {
      const limit = rateLimit({ tokensPerMinute: 100 });
      starts
        .of(used(10))
        .pipe(limit.forRequest(asking(400)))
        .subscribe();
      starts
        .of(used(300))
        .pipe(limit.forRequest(asking(360)))
        .subscribe();
      starts
        .of()
        .pipe(limit.forRequest(asking(4)))
        .subscribe();
      starts
        .of()
        .pipe(limit.forRequest(asking(4)))
        .subscribe();
    });

    expect(at).toEqual([0, 0, 60_000, 60_000]);
  });

  it('should keep the estimate where nothing is reported, and count each attempt of a recovered stream', () => {
    const interrupted: LlmStreamEvent = {
      ...{ type: 'interrupted', cause: { kind: 'truncated' }, attempt: 1, delay: 0 },
      plan: { kind: 'whole-restart' },
    };
    const at = startsOf((starts) => {
      const limit = rateLimit({ tokensPerMinute: 100 });
      starts
        .of(throwError(() => new Error('broken')))
        .pipe(limit.forRequest(asking(240)))
        .subscribe({ error: () => 0 });
      starts
        .of()
        .pipe(limit.forRequest(asking(240)))
        .subscribe();
      starts
        .of(of(usage(20, 0), interrupted, usage(20, 0), stop()))
        .pipe(limit.forRequest(asking(4)))
        .subscribe();
      starts
        .of()
        .pipe(limit.forRequest(asking(4)))
        .subscribe();
    });

    // The second leaves 40 at 60 s, and the third has really taken them all.
    expect(at).toEqual([0, 60_000, 60_000, 120_000]);
  });

  it('should let a request through that is larger than the limit, alone', () => {
    const at = startsOf((starts) => {
      const limit = rateLimit({ tokensPerMinute: 100 });
      for (const characters of [4, 4_000, 4])
        starts
          .of()
          .pipe(limit.forRequest(asking(characters)))
          .subscribe();
    });

    expect(at).toEqual([0, 60_000, 120_000]);
  });

  it.each(['rate-limited', 'overloaded'] as const)('should hold everybody for as long as %s asks for', (kind) => {
    const error = new InferenceExecutionError(kind, '', { retryAfter: 5_000 });
    const at = startsOf((starts) => {
      const limit = rateLimit({ concurrency: 1 });
      starts
        .of(throwError(() => error))
        .pipe(limit)
        .subscribe({ error: () => 0 });
      starts.of().pipe(limit).subscribe();
    });

    expect(at).toEqual([0, 5_000]);
  });

  it('should leave the queue when it is unsubscribed, and leave nothing set', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const limit = rateLimit({ requestsPerMinute: 1 });
      const source = cold('s', { s: stop() });

      expectObservable(of(stop()).pipe(limit)).toBe('(s|)', { s: stop() });
      expectObservable(source.pipe(limit), '---!').toBe('----');
      expectSubscriptions(source.subscriptions).toBe([]);
    });
    expect(
      startsOf((starts, scheduler) => {
        const limit = rateLimit({ requestsPerMinute: 1 });
        starts.of().pipe(limit).subscribe();
        const waiting = starts.of().pipe(limit).subscribe();
        expect(limit.waiting).toBe(1);
        waiting.unsubscribe();
        expect([limit.waiting, scheduler.actions.length]).toEqual([0, 0]);
      }),
    ).toEqual([0]);
  });

  it('should let the next one start when the one that holds it up leaves the queue', () => {
    const at = startsOf((starts, scheduler) => {
      const limit = rateLimit({ tokensPerMinute: 100 });
      starts
        .of()
        .pipe(limit.forRequest(asking(240)))
        .subscribe();
      const large = starts
        .of()
        .pipe(limit.forRequest(asking(240)))
        .subscribe();
      starts
        .of()
        .pipe(limit.forRequest(asking(4)))
        .subscribe();
      scheduler.schedule(() => large.unsubscribe(), 7);
    });

    expect(at).toEqual([0, 7]);
  });

  it('should let the next one start when a running one is unsubscribed', () => {
    const scheduler = new VirtualTimeScheduler();
    const limit = rateLimit({ concurrency: 1, scheduler });
    const seen: LlmStreamEvent[] = [];
    const running = NEVER.pipe(limit).subscribe();
    of(stop())
      .pipe(limit)
      .subscribe((event) => seen.push(event));

    expect([limit.running, limit.waiting, seen.length]).toEqual([1, 1, 0]);
    running.unsubscribe();
    scheduler.flush();
    expect([limit.running, limit.waiting, seen.length]).toEqual([0, 0, 1]);
    expect(scheduler.frame).toBe(0);
  });

  it.each([
    ['is unsubscribed', () => NEVER],
    ['errors', (gate: Observable<never>) => gate],
  ])('should let nobody start who is about to leave with the one that %s', (_, first) => {
    const scheduler = new VirtualTimeScheduler();
    const limit = rateLimit({ concurrency: 2, scheduler });
    const gate = new Subject<never>();
    let started = 0;
    const waits = defer(() => (started++, NEVER));
    const all = from([first(gate), ...Array.from({ length: 9 }, () => waits)])
      .pipe(mergeMap((source) => source.pipe(limit)))
      .subscribe({ error: () => undefined });
    expect([started, limit.waiting]).toEqual([1, 8]);

    gate.error(new Error('broken'));
    all.unsubscribe();
    expect(scheduler.actions).toEqual([]);
    expect([started, limit.running, limit.waiting]).toEqual([1, 0, 0]);
  });

  it('should refuse a request when the queue is full, in words that help', () => {
    const limit = rateLimit({ concurrency: 1, maxQueue: 1 });
    const errors: unknown[] = [];
    const open = [1, 2].map(() => NEVER.pipe(limit).subscribe());
    NEVER.pipe(limit).subscribe({ error: (error: unknown) => errors.push(error) });

    expect(errors).toMatchObject([
      {
        kind: 'rate-limited',
        detail: '1 requests wait for the rate limit already; send fewer at a time, or raise maxQueue',
      },
    ]);
    expect(limit.waiting).toBe(1);
    for (const subscription of open) subscription.unsubscribe();
    expect([limit.running, limit.waiting]).toEqual([0, 0]);
  });

  it('should start a thousand that are over at once without a deep stack', () => {
    const scheduler = new VirtualTimeScheduler();
    const limit = rateLimit({ concurrency: 1, scheduler });
    const gate = new Subject<LlmStreamEvent>();
    let ended = 0;
    gate.pipe(limit).subscribe();
    for (let i = 0; i < 1_000; i++)
      of(stop())
        .pipe(limit)
        .subscribe({ complete: () => ended++ });
    gate.complete();
    scheduler.flush();

    expect(ended).toBe(1_000);
  });

  it('should pass errors, completion and results on', () => {
    const error = new InferenceExecutionError('unauthorized', 'no');
    const result: StreamResult = {
      content: [],
      toolCalls: [],
      hasIncompleteToolCalls: false,
      usage: { totalTokens: 100 },
    };
    const at = startsOf((starts) => {
      const limit = rateLimit({ tokensPerMinute: 100 });
      const seen: unknown[] = [];
      throwError(() => error)
        .pipe(limit)
        .subscribe({ error: (e: unknown) => seen.push(e) });
      EMPTY.pipe(limit).subscribe({ complete: () => seen.push('completed') });
      of('any value')
        .pipe(limit)
        .subscribe((value) => seen.push(value));
      of(result)
        .pipe(limit.forRequest(asking(4)))
        .subscribe((value) => seen.push(value));
      starts
        .of()
        .pipe(limit.forRequest(asking(4)))
        .subscribe();

      expect(seen).toEqual([error, 'completed', 'any value', result]);
    });

    expect(at).toEqual([60_000]);
  });

  it('should stop a synchronous source when enough has been taken, and start the next one', () => {
    let sent = 0;
    function* many(): Generator<LlmStreamEvent> {
      for (; sent < 100; sent++) yield text('x');
    }
    const limit = rateLimit({ concurrency: 1 });

    from(many()).pipe(limit, take(3)).subscribe();

    expect([sent, limit.running]).toEqual([2, 0]);
  });

  it('should error when the estimate throws, and take a negative one for nothing', () => {
    const thrown = new RangeError('mine');
    const errors: unknown[] = [];
    const throwing = rateLimit({
      estimate: () => {
        throw thrown;
      },
    });
    NEVER.pipe(throwing.forRequest(request)).subscribe({ error: (error: unknown) => errors.push(error) });

    expect(errors).toEqual([expect.any(InferenceExecutionError)]);
    expect(errors).toMatchObject([{ kind: 'provider', cause: thrown }]);
    expect([throwing.running, throwing.waiting]).toEqual([0, 0]);
    const estimates = [-100, 10, 10];
    const negative = rateLimit({ tokensPerMinute: 10, estimate: () => estimates.shift() ?? 0 });
    const at = startsOf((starts) => {
      for (let i = 0; i < 3; i++) starts.of().pipe(negative.forRequest(request)).subscribe();
    });
    expect(at).toEqual([0, 0, 60_000]);
  });

  it.each([NaN, Infinity])('should refuse an estimate of %d, and go on to count', (estimate) => {
    const errors: unknown[] = [];
    const estimates = [estimate, 10, 10];
    const at = startsOf((starts) => {
      const limit = rateLimit({ tokensPerMinute: 10, estimate: () => estimates.shift() ?? 0 });
      for (let i = 0; i < 3; i++)
        starts
          .of()
          .pipe(limit.forRequest(request))
          .subscribe({ error: (e: unknown) => errors.push(e) });
    });

    expect(errors).toMatchObject([{ kind: 'invalid-request', detail: expect.stringContaining(String(estimate)) }]);
    expect(at).toEqual([0, 60_000]);
  });

  it('should not give back what has expired already', () => {
    const at = startsOf((starts, scheduler) => {
      const limit = rateLimit({ tokensPerMinute: 100 });
      const long = new Subject<LlmStreamEvent>();
      starts
        .of(long)
        .pipe(limit.forRequest(asking(400)))
        .subscribe();
      scheduler.schedule(() => {
        long.next(usage(10, 0));
        long.complete();
        for (const characters of [400, 360])
          starts
            .of()
            .pipe(limit.forRequest(asking(characters)))
            .subscribe();
      }, 70_000);
    });

    expect(at).toEqual([0, 70_000, 130_000]);
  });

  it('should not refuse who asks while another one starts', () => {
    const limit = rateLimit({ concurrency: 2, maxQueue: 0 });
    const outcomes: string[] = [];
    const nested = defer(() => {
      of(stop())
        .pipe(limit)
        .subscribe({ complete: () => outcomes.push('nested') });
      return of(stop());
    });
    nested.pipe(limit).subscribe({ complete: () => outcomes.push('outer') });

    expect(outcomes).toEqual(['outer', 'nested']);
  });

  it.each([{ requestsPerMinute: 0 }, { tokensPerMinute: -1 }, { concurrency: NaN }, { maxQueue: -1 }])(
    'should throw at the call on %j',
    (config) => {
      expect(() => rateLimit(config)).toThrow(RangeError);
    },
  );
});

describe('estimateTokens', () => {
  const prompt = (content: ContentBlock[]): InferenceRequest => ({ model: 'm', messages: [{ role: 'user', content }] });

  it.each<[string, InferenceRequest, number]>([
    ['text', asking(400), 100],
    ['the system prompt', { ...asking(0), system: 'x'.repeat(40) }, 10],
    ['blocks of a system prompt', { ...asking(0), system: [{ type: 'text', text: 'x'.repeat(40) }] }, 10],
    ['what the answer may have', { ...asking(0), overrides: { maxTokens: 500 } }, 500],
    [
      'an image',
      prompt([{ type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'A'.repeat(9e6) } }]),
      1_000,
    ],
    ['a call', prompt([{ type: 'tool-call', id: 'c', name: 'find', arguments: { q: 'x' } }]), 4],
    [
      'a result',
      prompt([{ type: 'tool-result', toolCallId: 'c', content: [{ type: 'text', text: 'x'.repeat(8) }] }]),
      2,
    ],
    ['an opaque block', prompt([{ type: 'provider', provider: 'p', block: 'x'.repeat(6) }]), 2],
    ['tools', { ...asking(0), tools: [{ id: 't', name: 't', description: '', parameters: {} }] }, 14],
    ['the text that is continued', { ...asking(0), continuation: { prefix: 'x'.repeat(40), cancelledTools: [] } }, 10],
  ])('should count %s', (_, asked, tokens) => {
    expect(estimateTokens(asked)).toBe(tokens);
  });
});
