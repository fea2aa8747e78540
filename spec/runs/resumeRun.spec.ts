import {
  filter,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  of,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  throwError,
  toArray,
  VirtualTimeScheduler,
  type Observable,
} from 'rxjs';
import {
  collect,
  converse,
  resultText,
  type ConverseEvent,
  type InferenceRequest,
  type LlmStreamEvent,
  type ToolCallBlock,
} from '../../src/index.js';
import {
  adoptOrphans,
  durable,
  followRun,
  memoryRunLog,
  resumeRun,
  RunLogError,
  type Adoption,
  type RunEvent,
  type RunLog,
} from '../../src/runs/index.js';
import { blockStop, cut, scriptedExecutor, toolCall, toolCallDelta, toolCallStart } from '../../src/testing/index.js';
import { request, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { counted, endOf } from '../tools/talk.js';
import { dying } from './dyingLog.js';

const NOW = { delay: 0, idleTimeout: false } as const;
const GROUP = { size: 1 };

/** Puts a run into a log as a producer that has died leaves it. */
function orphan(log: RunLog, events: readonly RunEvent[], runId = 'r'): void {
  log
    .claim(runId, { ttl: 1_000 })
    .pipe(switchMap((fence) => log.append(fence, events)))
    .subscribe()
    .unsubscribe();
}

function heard<T>(source: Observable<T>): Promise<T[]> {
  return lastValueFrom(source.pipe(toArray()));
}

function textOf(events: readonly LlmStreamEvent[]): Promise<string> {
  return firstValueFrom(from(events).pipe(collect())).then(resultText);
}

const WORDS = ['One ', 'two ', 'three ', 'four.'];

/** A model that goes on exactly where the prefix ends. */
const exact = () =>
  scriptedExecutor(({ continuation }: InferenceRequest) => {
    const { prefix = '' } = continuation ?? {};
    const rest =
      WORDS.join('')
        .slice(prefix.length)
        .match(/.{1,4}/gs) ?? [];
    const note = { providerMetadata: { continuation: { mechanism: 'prefill' as const } } };
    return [...rest.map((part, i) => ({ ...text(part), ...(continuation && i === 0 && note) })), usage(10, 2), stop()];
  });

describe('resumeRun', () => {
  it('should go on from every place in a log, to the answer of an unbroken run', async () => {
    const whole = memoryRunLog();
    await heard(
      exact()
        .executeStream(request)
        .pipe(durable({ runId: 'r', log: whole, request })),
    );
    const entries = await heard(whole.read('r'));

    for (let kept = 0; kept < entries.length; kept++) {
      const log = memoryRunLog();
      const executor = exact();
      orphan(
        log,
        entries.slice(0, kept).map(({ event }) => event),
      );
      const events = await heard(resumeRun({ runId: 'r', log, executor, request, recover: NOW }));

      expect(await textOf(events)).toBe('One two three four.');
      expect(events.filter(({ type }) => type === 'stop')).toHaveLength(1);
      expect(await heard(log.head('r'))).toEqual([expect.objectContaining({ ended: true, held: false })]);
      const begun = entries.slice(0, kept).some(({ event }) => event.type === 'text-delta');
      const over = entries.slice(0, kept).some(({ event }) => event.type === 'stop');
      expect(executor.requests).toHaveLength(over ? 0 : 1);
      const told = events.filter((event) => event.type === 'interrupted').map(({ cause }) => cause.kind);
      expect(told).toEqual(begun && !over ? ['resumed-from-checkpoint'] : []);
      if (begun && !over) expect(executor.requests[0]!.continuation?.prefix).not.toBe('');
    }
  });

  it('should replay a run that has its end, and ask nothing', async () => {
    const log = memoryRunLog();
    const executor = exact();
    await heard(executor.executeStream(request).pipe(durable({ runId: 'r', log })));
    const again = exact();
    const events = await heard(resumeRun({ runId: 'r', log, executor: again, request }));

    expect(await textOf(events)).toBe('One two three four.');
    expect(again.requests).toEqual([]);
  });

  it('should begin a run that does not exist, and store what was asked for', async () => {
    const log = memoryRunLog();
    await heard(resumeRun({ runId: 'r', log, executor: exact(), request }));

    const [first] = await heard(log.read('r'));
    expect(first).toEqual({ seq: 1, event: { type: 'run-start', request } });
  });

  it('should follow a run that somebody else produces', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const log = memoryRunLog();
      const source = cold('-a-s|', { a: text('a'), s: stop() });
      const executor = exact();
      expectObservable(source.pipe(durable({ runId: 'r', log, group: { time: 1 } }))).toBe('--a-(s|)', {
        ...{ a: text('a'), s: stop() },
      });
      expectObservable(resumeRun({ runId: 'r', log, executor, request })).toBe('--a-(s|)', { a: text('a'), s: stop() });
    });
  });

  describe('when the producer that it follows is gone', () => {
    const config = { runId: 'r', request, recover: NOW, group: GROUP, ttl: 30 };
    const words = (result: Observable<LlmStreamEvent>) =>
      result.pipe(
        filter((event) => event.type === 'text-delta'),
        map((event) => event.text),
      );
    const values = { a: 'One ', b: 'two ', c: 'thre', d: 'e fo', e: 'ur.' };

    /** A producer whose process dies right after it has stored something: its lease runs out by itself. */
    const die = (log: RunLog, events: readonly RunEvent[]): unknown =>
      log
        .claim('r', { ttl: 30, scheduler: new VirtualTimeScheduler() })
        .pipe(switchMap((fence) => log.append(fence, events)))
        .subscribe();

    it('should go on, as one of all who follow it', () => {
      createTestScheduler().run(({ expectObservable, flush }) => {
        const log = memoryRunLog();
        const executors = [exact(), exact()];
        die(log, [text('One ')]);
        for (const executor of executors) {
          expectObservable(words(resumeRun({ ...config, log, executor }))).toBe('a 29ms (bcde|)', values);
        }
        flush();

        expect(executors.map(({ requests }) => requests.length)).toEqual([1, 0]);
        expect(executors[0]!.requests[0]!.continuation).toMatchObject({ prefix: 'One ' });
      });
    });

    it('should ask nothing more when it is unsubscribed', () => {
      createTestScheduler().run(({ expectObservable, flush }) => {
        const log = memoryRunLog();
        const head = jest.spyOn(log, 'head');
        const executor = exact();
        die(log, [text('One ')]);
        expectObservable(words(resumeRun({ ...config, log, executor })), '^ 24ms !').toBe('a', values);
        flush();

        // At 0, 10 and 20.
        expect(head).toHaveBeenCalledTimes(3);
        expect(executor.requests).toEqual([]);
      });
    });

    it('should go on following what it cannot go on with, and a log that is away for a while', () => {
      createTestScheduler().run(({ cold, expectObservable, flush }) => {
        const log = memoryRunLog();
        const begun: RunEvent[] = [{ type: 'step-start' }, text('One ')];
        const away = throwError(() => new RunLogError('unavailable', 'r', 'away'));
        const head = jest.spyOn(log, 'head');
        head.mockImplementationOnce(() => of({ seq: 2, ended: false, held: true })).mockImplementationOnce(() => away);
        const executor = exact();
        die(log, begun);
        expectObservable(words(resumeRun({ ...config, log, executor }))).toBe('a 49ms (b|)', values);
        const other = log.claim('r', { ttl: 30 }).pipe(
          switchMap((fence) => log.append(fence, [text('two '), { type: 'run-end' }])),
          take(1),
        );
        cold('50ms (x|)')
          .pipe(switchMap(() => other))
          .subscribe();
        flush();

        expect(head.mock.calls.length).toBeGreaterThan(4);
        expect(executor.requests).toEqual([]);
      });
    });

    it('should say at once what it cannot go on with', async () => {
      const log = memoryRunLog();
      orphan(log, [{ type: 'step-start' }, text('One ')]);

      await expect(heard(resumeRun({ ...config, log, executor: exact() }))).rejects.toMatchObject({
        kind: 'invalid-request',
      });
    });
  });

  it('should have one producer when several resume a run at once', async () => {
    const log = memoryRunLog();
    orphan(log, [text('One ')]);
    const executors = [exact(), exact(), exact()];
    const all = await Promise.all(
      executors.map((executor) => heard(resumeRun({ runId: 'r', log, executor, request, recover: NOW }))),
    );

    expect(executors.flatMap(({ requests }) => requests)).toHaveLength(1);
    expect(new Set(all.map((events) => JSON.stringify(events))).size).toBe(1);
    expect(await textOf(all[0]!)).toBe('One two three four.');
  });

  it('should recover on its own, too, and keep what was stored before', async () => {
    const log = memoryRunLog();
    orphan(log, [text('One ')]);
    const executor = scriptedExecutor([
      [text('two '), cut()],
      [text('three.'), stop()],
    ]);
    const events = await heard(resumeRun({ runId: 'r', log, executor, request, recover: NOW }));

    expect(await textOf(events)).toBe('One two three.');
    expect(executor.requests.map(({ continuation }) => continuation?.prefix)).toEqual(['One ', 'One two ']);
  });

  it('should not recover an answer where it is told so', async () => {
    const executor = scriptedExecutor([
      [text('One '), cut()],
      [text('two.'), stop()],
    ]);
    const answer = heard(resumeRun({ runId: 'r', log: memoryRunLog(), executor, request, recover: false }));

    await expect(answer).rejects.toMatchObject({ kind: 'stream-interrupted' });
    expect(executor.requests).toHaveLength(1);
  });

  it('should cancel a call whose process has died in the middle of it', async () => {
    const log = memoryRunLog();
    orphan(log, [text('I look. '), toolCallStart('c', 'find'), toolCallDelta('c', '{"q":')]);
    const executor = scriptedExecutor([[text('Here.'), stop()]]);
    const events = await heard(resumeRun({ runId: 'r', log, executor, request, recover: NOW }));

    expect(events.filter(({ type }) => type === 'tool-call-cancel')).toHaveLength(1);
    expect(executor.requests[0]!.continuation).toEqual({
      prefix: 'I look. ',
      cancelledTools: [{ id: 'c', name: 'find' }],
    });
  });

  it('should complete a turn from its whole calls without asking', async () => {
    const log = memoryRunLog();
    orphan(log, [...toolCall('c', 'find', { q: 1 }), blockStop('c')]);
    const executor = scriptedExecutor([[cut()]]);
    const events = await heard(resumeRun({ runId: 'r', log, executor, request, recover: NOW }));

    expect(executor.requests).toEqual([]);
    expect(events.at(-1)).toEqual(expect.objectContaining({ type: 'stop', reason: 'tool-use' }));
  });

  it('should leave a run that can be resumed when it is unsubscribed', () => {
    createTestScheduler().run(({ expectObservable, flush }) => {
      const log = memoryRunLog();
      orphan(log, [text('One ')]);
      const executor = scriptedExecutor([[text('two '), 'silence']]);
      expectObservable(resumeRun({ runId: 'r', log, executor, request, recover: NOW, group: GROUP }), '-----!');
      flush();

      expect(executor.open).toBe(0);
      const heads: unknown[] = [];
      log.head('r').subscribe((head) => heads.push(head));
      expect(heads).toEqual([expect.objectContaining({ ended: false, held: false })]);
    });
  });
});

describe('a conversation as a run', () => {
  const MODES = ['sequential', 'parallel-batch-approval'] as const;
  const model = () =>
    scriptedExecutor(({ messages, continuation }: InferenceRequest) => {
      const turn = messages.filter(({ role }) => role === 'assistant').length;
      const said = `Turn ${turn} has begun. `;
      const rest = said.slice(continuation?.prefix.length ?? 0).match(/.{1,9}/gs) ?? [];
      const words = rest.map((part) => text(part));
      const note = { providerMetadata: { continuation: { mechanism: 'prefill' as const } } };
      if (continuation && words[0]) words[0] = { ...words[0], ...note };
      if (turn === 2) return [...words, usage(10, 1), stop()];
      const calls = ['a', 'b'].flatMap((name) => [
        ...toolCall(`${name}${turn}`, name, { turn }),
        blockStop(`${name}${turn}`),
      ]);
      return [...words, ...calls, usage(10, 1), stop('tool-use')];
    });

  const tools = (world: string[]) =>
    ['a', 'b'].map((name) => counted(name, (input) => world.push(`${name} ${JSON.stringify(input)}`)));
  const texts = (events: readonly ConverseEvent[]) =>
    events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])).join('');

  /** Has a producer die after each number of appends, in turn. Null when one of them lived to the end of the run. */
  async function survived(mode: (typeof MODES)[number], deaths: readonly number[]) {
    const world: string[] = [];
    const log = memoryRunLog();
    const resume = (engine: RunLog) =>
      resumeRun({
        ...{ runId: 'r', request, group: GROUP, log: engine, executor: model() },
        converse: { tools: tools(world), mode, recover: NOW },
      });
    for (const death of deaths) {
      const engine = dying(log, death);
      await Promise.race([engine.death, heard(resume(engine).pipe(takeUntil(engine.death)))]);
      const [head] = await heard(log.head('r'));
      if (head?.ended) return null;
    }
    return { events: await heard(resume(log)), world };
  }

  function expectOneConversation({ events, world }: { events: ConverseEvent[]; world: string[] }): void {
    const end = endOf(events);
    expect(new Set(world).size).toBe(world.length);
    expect(texts(events)).toBe('Turn 0 has begun. Turn 1 has begun. Turn 2 has begun. ');
    expect(events.filter(({ type }) => type === 'stream-reset')).toEqual([]);
    expect(end.steps).toBe(3);
    expect(events.filter(({ type }) => type === 'conversation-end')).toHaveLength(1);
    for (const step of [1, 2, 3]) {
      expect(events.filter((event) => event.type === 'step-finish' && event.step === step)).toHaveLength(1);
      expect(events.filter((event) => event.type === 'step-start' && event.step === step)).toHaveLength(1);
    }
    const results = events.flatMap((event) => (event.type === 'tool-execution-result' ? [event.id] : []));
    expect(new Set(results).size).toBe(results.length);
    // A call that had not come when the process died is not part of the turn: what is whole is carried out.
    const calls = end.messages.flatMap(({ content }) => content.filter(({ type }) => type === 'tool-call'));
    expect(results.sort()).toEqual(calls.map((block) => (block as ToolCallBlock).id).sort());
  }

  it.each(MODES)('should survive a death at every event, and run no call twice, in the mode %s', async (mode) => {
    let deaths = 0;
    for (; deaths < 200; deaths++) {
      const outcome = await survived(mode, [deaths]);
      if (!outcome) break;
      expectOneConversation(outcome);
    }
    expect(deaths).toBeGreaterThan(30);
    expect(deaths).toBeLessThan(200);
  });

  it.each(MODES)('should survive another death at every event of who went on, in the mode %s', async (mode) => {
    let pairs = 0;
    for (let first = 1; first < 200; first += 5) {
      let second = 0;
      for (; second < 200; second++, pairs++) {
        const outcome = await survived(mode, [first, second]);
        if (!outcome) break;
        expectOneConversation(outcome);
      }
      if (second === 0) break;
    }
    expect(pairs).toBeGreaterThan(150);
  });

  it('should survive many deaths within one turn', async () => {
    const outcome = await survived('sequential', [4, 3, 3, 3, 3]);

    expectOneConversation(outcome!);
  });

  it.each([
    [
      'its own option',
      (delay: () => number) => ({ converse: { recover: { ...NOW, delay } }, recover: false as const }),
    ],
    ['that of the run', (delay: () => number) => ({ converse: {}, recover: { ...NOW, delay } })],
  ])('should recover by %s', async (_, options) => {
    const broken = scriptedExecutor([
      [text('One '), cut()],
      [text('two.'), stop()],
    ]);
    const delay = jest.fn(() => 0);
    const config = { runId: 'r', log: memoryRunLog(), executor: broken, request };
    const events = await heard(resumeRun({ ...config, ...options(delay) }));

    expect(events.filter(({ type }) => type === 'interrupted')).toHaveLength(1);
    expect(events.find(({ type }) => type === 'conversation-end')).toBeDefined();
    expect(delay).toHaveBeenCalledTimes(1);
  });

  it('should leave an interruption to the executor where it is told so, and go on with the log all the same', async () => {
    const config = { runId: 'r', log: memoryRunLog(), request, recover: false, converse: {}, group: GROUP } as const;
    const once = scriptedExecutor([
      [text('One '), cut()],
      [text('two.'), stop()],
    ]);
    await expect(heard(resumeRun({ ...config, executor: once }))).rejects.toMatchObject({ kind: 'stream-interrupted' });
    expect(once.requests).toHaveLength(1);

    const log = memoryRunLog();
    const engine = dying(log, 4);
    const first = resumeRun({ ...config, log: engine, executor: model() });
    await Promise.race([engine.death, heard(first.pipe(takeUntil(engine.death)))]);
    const events = await heard(resumeRun({ ...config, log, executor: model(), converse: { tools: tools([]) } }));

    expect(texts(events)).toBe('Turn 0 has begun. Turn 1 has begun. Turn 2 has begun. ');
    expect(events.filter(({ type }) => type === 'interrupted')).toHaveLength(1);
  });

  it('should refuse the mode whose runs cannot be resumed', () => {
    const config = { runId: 'r', log: memoryRunLog(), executor: model(), request };
    expect(() => resumeRun({ ...config, converse: { mode: 'parallel-streaming' } })).toThrow(TypeError);
  });
});

describe('adoptOrphans', () => {
  it('should find the runs that nobody produces, and bring them to their end', () => {
    const scheduler = createTestScheduler();
    scheduler.run(({ flush }) => {
      const log = memoryRunLog({ scheduler });
      const executor = exact();
      const adopted: Adoption[] = [];
      const start = { type: 'run-start', request } as const;
      orphan(log, [start, text('One ')], 'first');
      orphan(log, [text('One ')], 'of-nobody');
      const live = log.claim('live', { ttl: 1_000_000 }).subscribe();
      const watch = adoptOrphans({ log, executor, recover: NOW, interval: 1_000, scheduler }).subscribe((told) =>
        adopted.push(told),
      );
      scheduler.schedule(() => orphan(log, [start, text('One two ')], 'second'), 1_500);
      watch.add(live);
      scheduler.schedule(() => watch.unsubscribe(), 5_000);
      flush();

      expect(adopted.map(({ runId, state }) => `${runId} ${state}`)).toEqual([
        ...['first adopted', 'first finished', 'second adopted', 'second finished'],
      ]);
      const texts: string[] = [];
      for (const runId of ['first', 'second']) {
        followRun(runId, { log }).subscribe(({ event }) => event.type === 'text-delta' && texts.push(event.text));
      }
      expect(texts.join('')).toBe('One two three four.One two three four.');
    });
  });

  it('should not let runs that are left alone hide the others', () => {
    createTestScheduler().run(({ flush }) => {
      const scheduler = new VirtualTimeScheduler();
      const log = memoryRunLog({ scheduler });
      for (let i = 0; i < 100; i++) orphan(log, [text('One ')], `of nobody ${i}`.replaceAll(' ', '-'));
      orphan(log, [{ type: 'run-start', request } as RunEvent, text('One ')], 'last');
      const adopted: string[] = [];
      const executor = exact();
      const watch = adoptOrphans({ log, executor, recover: NOW, interval: 1_000, scheduler }).subscribe(
        ({ runId, state }) => adopted.push(`${runId} ${state}`),
      );
      scheduler.schedule(() => watch.unsubscribe(), 30_000);
      scheduler.flush();
      flush();

      expect(adopted).toEqual(['last adopted', 'last finished']);
    });
  });

  it('should look again at a run that failed here', () => {
    const scheduler = new VirtualTimeScheduler();
    const log = memoryRunLog({ scheduler });
    orphan(log, [text('One ')]);
    const failed: string[] = [];
    const ask = () => throwError(() => new RangeError('no idea'));
    const onError = (runId: string): void => {
      failed.push(runId);
      throw new Error('the logger is broken too');
    };
    const executor = exact();
    const watch = adoptOrphans({ log, executor, request: ask, interval: 1_000, onError, scheduler }).subscribe();
    scheduler.schedule(() => watch.unsubscribe(), 3_500);

    scheduler.flush();

    expect(failed).toEqual(['r', 'r', 'r', 'r']);
  });

  it.each([{ interval: 0 }, { interval: NaN }, { concurrency: 0 }, { concurrency: NaN }])(
    'should throw at the call on %j',
    (config) => {
      expect(() => adoptOrphans({ log: memoryRunLog(), executor: exact(), ...config })).toThrow(RangeError);
    },
  );

  it('should not let claims without any event hide the others', () => {
    const scheduler = new VirtualTimeScheduler();
    const log = memoryRunLog({ scheduler });
    for (let i = 0; i < 100; i++) log.claim(`empty-${i}`, { ttl: 1_000 }).subscribe().unsubscribe();
    // A log that names them all the same.
    const named: RunLog = {
      claim: (...args) => log.claim(...args),
      append: (...args) => log.append(...args),
      read: (...args) => log.read(...args),
      head: (...args) => log.head(...args),
      expire: (...args) => log.expire(...args),
      orphans: (limit = 100) => from([...Array.from({ length: 100 }, (_, i) => `empty-${i}`), 'last'].slice(0, limit)),
    };
    orphan(log, [{ type: 'run-start', request } as RunEvent, text('One ')], 'last');
    const adopted: string[] = [];
    const watch = adoptOrphans({ log: named, executor: exact(), recover: NOW, interval: 1_000, scheduler }).subscribe(
      ({ runId }) => adopted.push(runId),
    );
    scheduler.schedule(() => watch.unsubscribe(), 30_000);

    scheduler.flush();

    expect(adopted).toContain('last');
  });
});

describe('resumeRun of what a run is not', () => {
  const start = { type: 'run-start', request } as RunEvent;
  const pay = () => counted('pay');
  const releases: (() => void)[] = [];
  const talk = (tool = pay()) => ({ tools: [tool], recover: NOW });

  it('should end as one answer what has begun as one, also for who serves conversations', async () => {
    const log = memoryRunLog();
    orphan(log, [start, text('One ')]);

    const events = await lastValueFrom(
      resumeRun({ runId: 'r', log, executor: exact(), request, recover: NOW, converse: talk() }).pipe(toArray()),
    );

    expect(said(events)).toBe('One two three four.');
    expect(events.some(({ type }) => type === 'step-start')).toBe(false);
  });

  it('should refuse a conversation that was not begun by it, and leave the run and its tools alone', async () => {
    const log = memoryRunLog();
    const tool = pay();
    const model = scriptedExecutor([[text('Let me pay. '), toolCall('1', 'pay'), stop('tool-use')]]);
    await lastValueFrom(
      converse(model, request, { tools: [tool] }).pipe(
        durable({ runId: 'r', log, request, group: GROUP }),
        takeWhile(({ type }) => type !== 'tool-execution-result', true),
      ),
    );
    const before = await firstValueFrom(log.head('r'));

    const again = resumeRun({ runId: 'r', log, executor: model, request, converse: talk(tool) }).pipe(toArray());

    await expect(lastValueFrom(again)).rejects.toMatchObject({ kind: 'invalid-request' });
    expect(tool.runs).toHaveLength(1);
    expect(await firstValueFrom(log.head('r'))).toEqual(before);
  });

  it('should refuse to end a conversation as one answer', async () => {
    const whole$ = memoryRunLog();
    const tool = pay();
    const turns = [
      [toolCall('1', 'pay'), stop('tool-use')],
      [text('Paid.'), stop()],
    ];
    const begun = resumeRun({
      runId: 'r',
      log: whole$,
      executor: scriptedExecutor(turns),
      request,
      converse: talk(tool),
    });
    await lastValueFrom(begun);
    const all = await lastValueFrom(whole$.read('r').pipe(toArray()));
    const died = all.findIndex(({ event }) => event.type === 'tool-execution-result') + 1;
    const log = memoryRunLog();
    orphan(
      log,
      all.slice(0, died).map(({ event }) => event),
    );
    const model = scriptedExecutor([[text('Paid.'), stop()]]);
    const failure = await new Promise((resolve) => {
      const watch = adoptOrphans({ log, executor: model, onError: (_, error) => resolve(error) }).subscribe({
        error: resolve,
      });
      releases.push(() => watch.unsubscribe());
    });

    expect(failure).toMatchObject({ kind: 'invalid-request', detail: expect.stringContaining('`converse`') });
    releases.splice(0).forEach((release) => release());
    const whole = await lastValueFrom(
      resumeRun({ runId: 'r', log, executor: model, request, converse: talk(tool) }).pipe(toArray()),
    );
    expect(said(whole)).toBe('Paid.');
    expect(tool.runs).toHaveLength(1);
  });
});

function said(events: readonly RunEvent[]): string {
  return events.map((event) => (event.type === 'text-delta' ? (event as { text?: string }).text : '')).join('');
}
