import { tap } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { accumulate, recover, resultText, type LlmStreamEvent, type StreamResult } from '../../src/index.js';
import { retryOpen } from '../../src/resilience/retryOpen.js';
import { request } from '../helpers/events.js';
import { referenceCases, titleOf, type ReferenceCase } from '../helpers/reference.js';
import { playing, type RawAttempt } from './attempts.js';

interface Answer {
  attempts: number;
  /** When the last thing happened, and how much is still to come when the subscriber has gone. */
  elapsed: number;
  leftOpen: number;
  text: string;
  calls: number;
  promptTokens: number;
  outcome: 'ended' | 'errored' | 'unsubscribed';
}

/** Where our answer is another one, and why. */
const OURS: Record<string, [why: string, answer: Partial<Answer>]> = {
  X01: ['nobody has subscribed, so nothing is asked', { attempts: 0 }],
  X03: ['the call was whole when the subscriber left; that nothing runs is the matter of who left (W19)', { calls: 0 }],
  X04: ['the text stays with the subscriber, and no further attempt is made (W19)', { text: 'partial', elapsed: 100 }],
  X05: ['the opening ends at once (W19)', { elapsed: 1_000 }],
  X07: ['the result has all parts (W1)', { text: 'one two ' }],
};

/** Runs a case through `retryOpen` and `recover`, and unsubscribes. In RxJS this is all that cancelling is. */
function run({ input }: ReferenceCase): Answer {
  const { attempts, cancel_at_ms: cancelAt } = input as { attempts: RawAttempt[]; cancel_at_ms: number };
  const { executor, asked } = playing('model', attempts);
  const answer: Answer = {
    ...{ attempts: 0, elapsed: 0, leftOpen: 0, text: '', calls: 0, promptTokens: 0 },
    outcome: 'unsubscribed',
  };
  let result: StreamResult | undefined;
  let late = 0;
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run(({ flush }) => {
    const ask = (asking: typeof request) => executor.executeStream(asking).pipe(retryOpen({ random: () => 1 }));
    const answer$ = ask(request).pipe(
      recover({ request, resubscribe: ask, random: () => 1 }),
      tap((_: LlmStreamEvent) => late++),
      accumulate(),
      tap((next) => (result = next)),
    );
    if (cancelAt > 0) {
      const subscription = answer$.subscribe({
        error: () => (answer.outcome = 'errored'),
        complete: () => (answer.outcome = 'ended'),
      });
      scheduler.schedule(() => {
        subscription.unsubscribe();
        answer.elapsed = scheduler.now();
        late = 0;
      }, cancelAt);
    }
    flush();
    // A timer that was left would have run on, and moved the clock.
    answer.leftOpen = late + Math.max(0, scheduler.now() - cancelAt);
  });
  const { usage, toolCalls } = result ?? { toolCalls: [] };
  return {
    ...answer,
    attempts: asked.length,
    text: result ? resultText(result) : '',
    calls: toolCalls.length,
    promptTokens: usage?.promptTokens ?? 0,
  };
}

function reference({ expected }: ReferenceCase): Answer {
  const { attempts, elapsed_ms, input_tokens, ok } = expected as {
    attempts: number;
    elapsed_ms: number;
    input_tokens: number;
    ok?: { text: string; tool_calls: unknown[] };
  };
  return {
    attempts,
    elapsed: elapsed_ms,
    leftOpen: 0,
    text: ok?.text ?? '',
    calls: ok?.tool_calls.length ?? 0,
    promptTokens: input_tokens,
    // Whether the reference calls it a success or an error: a subscriber that has gone is told nothing.
    outcome: 'unsubscribed',
  };
}

const CASES = [
  ...referenceCases('cancellation'),
  ...referenceCases('usage').filter(({ input }) => 'cancel_at_ms' in input),
];

describe('unsubscribing, by the cases of the reference', () => {
  it.each(CASES.map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const [, better] = OURS[test.id] ?? ['', undefined];
      if (test.defect !== undefined && better === undefined) throw new Error(`${test.id}: say what is better`);

      expect(run(test)).toEqual({ ...reference(test), ...better });
    },
  );
});
