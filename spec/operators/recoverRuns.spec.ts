import { from, lastValueFrom, mergeMap, of, throwError, toArray, type ObservableInput } from 'rxjs';
import {
  accumulate,
  collect,
  createExecutor,
  InferenceExecutionError,
  resultText,
  withRecovery,
  type ContinuationNote,
  type InferenceRequest,
  type LlmStreamEvent,
  type RunCursor,
} from '../../src/index.js';
import { memoryRunLog, resumeRun } from '../../src/runs/index.js';
import { broken, reasoning, request, stop, text } from '../helpers/events.js';

const WHOLE = 'The quick brown fox jumps over the lazy dog, and the dog did not mind.';
const SHOWN = 'The quick brown fox jumps over the lazy dog, ';
const ANCHOR = 'jumps over the lazy dog,';
const REST = `${ANCHOR} and the dog did not mind.`;
const PROMPT: ContinuationNote = { mechanism: 'prompt', anchor: ANCHOR };
const FOLLOWED: ContinuationNote = { mechanism: 'reattach' };
const GONE = new InferenceExecutionError('stream-interrupted', 'gone', { status: 404 });

const cursor = (runId: string, after: number): RunCursor => ({ provider: 'p', runId, after });
const told = (event: LlmStreamEvent, at?: RunCursor, note?: ContinuationNote): LlmStreamEvent => ({
  ...event,
  providerMetadata: { ...(at && { cursor: at }), ...(note && { continuation: note }) },
});

/** Streams in turn, as a provider of runs that live on sends them. */
function scripted(...streams: ObservableInput<LlmStreamEvent>[]) {
  const asked: InferenceRequest[] = [];
  const executor = createExecutor({
    name: 'x',
    executeStream: (asking) => from(streams[asked.push(asking) - 1] ?? []),
  });
  const ways = (): (string | undefined)[] =>
    asked.map(({ continuation }) => continuation && (continuation.cursor?.runId ?? 'words'));
  return { executor, asked, ways };
}

function* breaking(...events: LlmStreamEvent[]): Generator<LlmStreamEvent> {
  yield* events;
  throw broken();
}

const CONFIG = { delay: 0, idleTimeout: false, count: 4 } as const;
const answerOf = async (executor: ReturnType<typeof scripted>['executor'], asking = request): Promise<string> =>
  resultText(await lastValueFrom(withRecovery(executor, CONFIG).executeStream(asking).pipe(collect())));

describe('recover, of runs that live on at the provider', () => {
  it.each([
    ['before it has said anything', [told(reasoning(''), cursor('b', 0), PROMPT)], REST],
    ['while it thinks', [told(reasoning('Hm'), cursor('b', 0), PROMPT), told(reasoning('.'), cursor('b', 1))], REST],
  ])('should join a run in other words that breaks %s as its beginning would have been', async (_, begun, rest) => {
    const { executor, ways } = scripted(
      breaking(told(text(SHOWN), cursor('a', 1))),
      throwError(() => GONE),
      breaking(...begun),
      breaking(told(reasoning(''), cursor('b', 2), FOLLOWED)),
      of(told(text(rest), cursor('b', 3), FOLLOWED), stop()),
    );

    expect(await answerOf(executor)).toBe(WHOLE);
    expect(ways()).toEqual([undefined, 'a', 'words', 'b', 'b']);
  });

  it('should join a run that breaks in the middle of the words that it was asked to repeat', async () => {
    const { executor, ways } = scripted(
      breaking(told(text(SHOWN), cursor('a', 1))),
      throwError(() => GONE),
      // What the seam still holds back has not been shown: the run tells it again from the last event that was.
      breaking(told(reasoning(''), cursor('b', 0), PROMPT), told(text('jumps over'), cursor('b', 1))),
      of(told(text('jumps over'), cursor('b', 1), FOLLOWED), told(text(REST.slice(10)), cursor('b', 2)), stop()),
    );

    expect(await answerOf(executor)).toBe(WHOLE);
    expect(ways()).toEqual([undefined, 'a', 'words', 'b']);
  });

  it('should follow a run exactly once its words have been joined', async () => {
    const { executor, ways } = scripted(
      breaking(told(text(SHOWN), cursor('a', 1))),
      throwError(() => GONE),
      breaking(told(text(`${ANCHOR} and the `), cursor('b', 1), PROMPT)),
      of(told(text('dog did not mind.'), cursor('b', 2), FOLLOWED), stop()),
    );

    expect(await answerOf(executor)).toBe(WHOLE);
    expect(ways()).toEqual([undefined, 'a', 'words', 'b']);
  });

  it('should not come back to a run that another provider has gone on from', async () => {
    const { executor, ways } = scripted(
      breaking(told(text(SHOWN), cursor('a', 1))),
      // A pool may answer a request to follow a run by a member that knows nothing of it.
      breaking(told(text(`${ANCHOR} and the `), undefined, PROMPT)),
      of(
        told(text('lazy dog, and the dog did not mind.'), undefined, {
          mechanism: 'prompt',
          anchor: 'lazy dog, and the',
        }),
        stop(),
      ),
    );

    expect(await answerOf(executor)).toBe(WHOLE);
    expect(ways()).toEqual([undefined, 'a', 'words']);
  });

  it('should not come back to a run of which nothing was shown when another has begun the answer', async () => {
    const { executor, ways } = scripted(
      breaking(told(reasoning(''), cursor('a', 0))),
      breaking(told(text(SHOWN), undefined, PROMPT)),
      of(told(text(REST), undefined, PROMPT), stop()),
    );

    expect(await answerOf(executor)).toBe(WHOLE);
    expect(ways()).toEqual([undefined, 'a', 'words']);
  });

  it('should go on in words when its request is a continuation that others join', async () => {
    const { executor, ways } = scripted(
      breaking(told(reasoning(''), cursor('b', 0), PROMPT)),
      of(told(text(REST), cursor('c', 1), PROMPT), stop()),
    );
    const asking = { ...request, continuation: { prefix: SHOWN, cancelledTools: [] } };

    expect(await answerOf(executor, asking)).toBe('and the dog did not mind.');
    expect(ways()).toEqual(['words', 'words']);
  });

  it('should follow a run from its latest text, whatever has been put behind that', async () => {
    const { executor, asked } = scripted(
      breaking(told(text(SHOWN), cursor('a', 1))),
      throwError(() => GONE),
      breaking(
        told(text('jumps over'), cursor('b', 1), PROMPT),
        told({ type: 'content-block-stop' }, cursor('b', 2)),
        told(text(' the lazy dog, and the '), cursor('b', 3)),
      ),
      of(told(text('dog did not mind.'), cursor('b', 4), FOLLOWED), stop()),
    );

    expect(await answerOf(executor)).toBe(WHOLE);
    expect(asked.at(-1)?.continuation?.cursor).toEqual(cursor('b', 3));
  });

  it.each<[string, LlmStreamEvent[]]>([
    ['of which it is open how it goes on', []],
    [
      'that has told that it is joined, and nothing of it',
      [
        {
          type: 'resumed',
          attempt: 2,
          seam: { mechanism: 'prompt', at: 45, method: 'anchor', cut: 25, confidence: 0.9 },
        },
      ],
    ],
  ])('should leave a run alone after a crash %s', async (_, last) => {
    const log = memoryRunLog();
    const stored: LlmStreamEvent[] = [
      told(text(SHOWN), cursor('a', 1)),
      {
        type: 'interrupted',
        cause: { kind: 'connection-reset' },
        plan: { kind: 'continue-text', assistantPrefix: SHOWN },
        attempt: 2,
        delay: 0,
      },
      told(reasoning(''), cursor('b', 0)),
      ...last,
    ];
    const claimed$ = log.claim('r', { ttl: 1_000 }).pipe(mergeMap((fence) => log.append(fence, stored)));
    claimed$.subscribe().unsubscribe();
    const { executor, ways } = scripted(of(told(text(REST), cursor('c', 1), PROMPT), stop()));

    const results$ = resumeRun({ runId: 'r', log, executor, request, recover: CONFIG }).pipe(accumulate(), toArray());
    expect(resultText((await lastValueFrom(results$)).at(-1)!)).toBe(WHOLE);
    expect(ways()).toEqual(['words']);
  });
});
