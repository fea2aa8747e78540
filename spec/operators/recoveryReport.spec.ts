import { from, NEVER, of, throwError, VirtualTimeScheduler, type ObservableInput } from 'rxjs';
import {
  InferenceExecutionError,
  recover,
  type InterruptCause,
  type InterruptedEvent,
  type LlmStreamEvent,
  type RecoveryPlan,
} from '../../src/index.js';
import { continueOnMaxTokens } from '../../src/operators/continueOnMaxTokens.js';
import { recoveryReport, type RecoveryReport } from '../../src/operators/recoveryReport.js';
import { args, broken, reasoning, request, RESET, start, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const NOTHING = { promptTokens: 0, completionTokens: 0, totalTokens: 0 };
const exactly = (at: number) => ({ at, method: 'exact' as const, cut: 0, confidence: 1 });
const interrupted = (plan: RecoveryPlan, attempt = 1, cause: InterruptCause = RESET): InterruptedEvent => ({
  type: 'interrupted',
  cause,
  plan,
  attempt,
  delay: 2,
});
const continueText = (assistantPrefix: string): RecoveryPlan => ({ kind: 'continue-text', assistantPrefix });
const empty = (over: Partial<RecoveryReport> = {}): RecoveryReport => ({
  attempts: 1,
  interruptions: [],
  continuations: 0,
  elapsed: 0,
  timeLost: 0,
  paidTwice: NOTHING,
  outcome: { stop: 'end-turn' },
  ...over,
});

/** The report on events without time. */
function reportOn(source: ObservableInput<LlmStreamEvent>): RecoveryReport {
  const reports: RecoveryReport[] = [];
  from(source)
    .pipe(recoveryReport({ scheduler: new VirtualTimeScheduler() }))
    .subscribe((report) => reports.push(report));
  expect(reports).toHaveLength(1);
  return reports[0]!;
}

function* breaking(...events: LlmStreamEvent[]): Generator<LlmStreamEvent> {
  yield* events;
  throw broken();
}

describe('recoveryReport', () => {
  it('should sum an answer up that broke and went on', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const i = interrupted(continueText('Hello '));
      const r: LlmStreamEvent = { type: 'resumed', attempt: 2, seam: exactly(6) };
      const values = { a: text('Hello '), i, r, b: text('world'), s: stop() };
      const source = cold('  --a---i---rb-s--|', values);
      const subs = '         ^------------!';
      const expected = '     -------------(R|)';

      const R = empty({
        attempts: 2,
        interruptions: [
          {
            attempt: 1,
            cause: RESET,
            plan: 'continue-text',
            delay: 2,
            kept: 6,
            cancelled: [],
            reset: false,
            timeLost: 8,
            seam: exactly(6),
          },
        ],
        elapsed: 13,
        timeLost: 8,
      });
      expectObservable(source.pipe(recoveryReport())).toBe(expected, { R });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
  });

  it('should count the time of an interruption up to the next one, or to the end', () => {
    createTestScheduler().run(({ cold, expectObservable }) => {
      const values = { a: text('a'), i: interrupted(continueText('a')), j: interrupted(continueText('a'), 2) };
      const source = cold('-a--i---j-----#', values, broken());

      const lost = (attempt: number, timeLost: number) => ({
        ...{ attempt, cause: RESET, plan: 'continue-text' as const, delay: 2, kept: 1 },
        ...{ cancelled: [], reset: false, timeLost, seam: null },
      });
      const R = empty({
        ...{ attempts: 3, interruptions: [lost(1, 7), lost(2, 6)], elapsed: 14, timeLost: 13 },
        outcome: { error: 'stream-interrupted' },
      });
      expectObservable(source.pipe(recoveryReport())).toBe('--------------(R|)', { R });
    });
  });

  it('should say nothing before the end, and unsubscribe', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-----', { a: text('a') });

      expectObservable(source.pipe(recoveryReport()), '---!').toBe('---');
      expectObservable(NEVER.pipe(recoveryReport())).toBe('-');
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('should report on an answer that errors, and on one that ends without a stop', () => {
    const error = new InferenceExecutionError('unauthorized', 'no');

    expect(reportOn(throwError(() => error)).outcome).toEqual({ error: 'unauthorized' });
    expect(reportOn(throwError(() => new TypeError('bug'))).outcome).toEqual({ error: 'provider' });
    expect(reportOn(of(text('a'))).outcome).toEqual({ error: 'stream-interrupted' });
  });

  it('should name what was cancelled and taken back, and count it as paid for nothing', () => {
    const report = reportOn(
      from(breaking(usage(10, 1), reasoning('12345678'), start('c', 'f'), args('c', '{"n"'))).pipe(
        recover({ request, resubscribe: () => of(usage(10, 2), text('x'), stop()), delay: 0, idleTimeout: false }),
      ),
    );

    expect(report.interruptions).toEqual([
      {
        ...{ attempt: 1, cause: RESET, plan: 'whole-restart', delay: 0, kept: 0, reset: true, timeLost: 0, seam: null },
        cancelled: [{ id: 'c', name: 'f' }],
      },
    ]);
    expect(report.paidTwice).toEqual({ promptTokens: 10, completionTokens: 3, totalTokens: 13, estimated: true });
    expect(report.usage).toMatchObject({ promptTokens: 20 });
  });

  it('should count what was cut at the seam, and the prompts of later attempts', () => {
    const words = 'over the lazy dog, and the dog';
    const shown = `The quick brown fox jumps ${words} `;
    const repeated = { ...text(`${words} did not mind.`), providerMetadata: note(words) };
    const report = reportOn(
      from(breaking(usage(10, 0), text(shown))).pipe(
        recover({ request, resubscribe: () => of(repeated, usage(25, 9), stop()), delay: 0, idleTimeout: false }),
      ),
    );

    expect(report.interruptions[0]!.seam!.cut).toBeGreaterThanOrEqual(words.length);
    expect(report.paidTwice).toEqual({ promptTokens: 25, completionTokens: 8, totalTokens: 33, estimated: true });
  });

  it('should estimate the prompt of an attempt that reported none, but not of one that brought nothing', () => {
    const report = reportOn(
      of<LlmStreamEvent[]>(
        usage(10, 1),
        text('12345678'),
        interrupted(continueText('12345678')),
        interrupted(continueText('12345678'), 2),
        { type: 'resumed', attempt: 3, seam: exactly(8) },
        text('9'),
        stop(),
      ),
    );

    expect(report.attempts).toBe(3);
    expect(report.paidTwice).toEqual({ promptTokens: 12, completionTokens: 0, totalTokens: 12, estimated: true });
  });

  it('should not count a run that was attached to again as paid twice', () => {
    const cursor = { provider: 'openai', runId: 'r' };
    const report = reportOn(
      of<LlmStreamEvent[]>(
        usage(10, 1),
        text('a'),
        interrupted({ kind: 'reattach', cursor }),
        { type: 'resumed', attempt: 2, seam: exactly(1) },
        usage(10, 5),
        stop(),
      ),
    );

    expect(report).toMatchObject({ attempts: 2, paidTwice: NOTHING, usage: { promptTokens: 10, completionTokens: 5 } });
  });

  it('should count no attempt for calls that were completed without asking', () => {
    const report = reportOn(
      from(breaking(start('c', 'f'), args('c', '{}'))).pipe(recover({ request, resubscribe: () => NEVER })),
    );

    expect(report).toMatchObject({ attempts: 1, outcome: { stop: 'tool-use' } });
    expect(report.interruptions).toMatchObject([{ plan: 'synthesize-tool-use', seam: null }]);
  });

  it('should count continuations at the output limit apart from interruptions', () => {
    const report = reportOn(
      of(text('a'), usage(10, 1), stop('max-tokens')).pipe(
        continueOnMaxTokens({ request, resubscribe: () => of(text('b'), usage(11, 1), stop()) }),
      ),
    );

    expect(report).toMatchObject({ attempts: 2, continuations: 1, interruptions: [] });
    expect(report.usage).toMatchObject({ promptTokens: 21 });
    expect(report.paidTwice).toEqual({ promptTokens: 11, completionTokens: 0, totalTokens: 11 });
  });

  it('should share nothing between subscriptions', () => {
    const source = of(text('a'), interrupted(continueText('a')), stop()).pipe(recoveryReport());
    const reports: RecoveryReport[] = [];

    source.subscribe((report) => reports.push(report));
    source.subscribe((report) => reports.push(report));

    expect(reports.map(({ attempts }) => attempts)).toEqual([2, 2]);
  });
});

function note(anchor: string) {
  return { continuation: { mechanism: 'prompt' as const, anchor } };
}
