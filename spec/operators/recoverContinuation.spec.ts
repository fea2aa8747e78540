import { from, of, type ObservableInput } from 'rxjs';
import {
  collect,
  continueOnMaxTokens,
  createExecutor,
  recover,
  resultText,
  withRecovery,
  type InferenceRequest,
  type LlmStreamEvent,
  type StreamResult,
} from '../../src/index.js';
import { broken, request, stop, text } from '../helpers/events.js';

const MAX = stop('max-tokens');
const SHOWN = 'The quick brown fox jumps over the lazy dog, and the dog ';
const WORDS = 'over the lazy dog, and the dog';
/** A model that was asked in words, and repeats its last ones. */
const repeating = (rest: string): LlmStreamEvent => ({
  ...text(`${WORDS} ${rest}`),
  providerMetadata: { continuation: { mechanism: 'prompt', anchor: WORDS } },
});

/** An executor whose streams are given, in turn, and that remembers what it was asked. */
function scripted(...streams: ObservableInput<LlmStreamEvent>[]) {
  const asked: InferenceRequest[] = [];
  const executor = createExecutor({
    name: 'x',
    executeStream: (asking) => from(streams[asked.push(asking) - 1] ?? []),
  });
  return { executor, asked };
}

function* breaking(...events: LlmStreamEvent[]): Generator<LlmStreamEvent> {
  yield* events;
  throw broken();
}

describe('recover, of a request that is itself a continuation', () => {
  const NOTE = { delay: 0, idleTimeout: false } as const;
  const continuation = { prefix: SHOWN, cancelledTools: [{ id: 'c', name: 'f' }] };

  it('should ask for the rest of all that is shown, before and since', () => {
    const { executor, asked } = scripted(breaking(repeating('did not')), of(text(' mind.'), stop()));
    const events: LlmStreamEvent[] = [];
    withRecovery(executor, NOTE)
      .executeStream({ ...request, continuation })
      .subscribe((event) => events.push(event));

    expect(asked[1]!.continuation).toEqual({ ...continuation, prefix: `${SHOWN}did not` });
    // The join of the first stream is the matter of who has asked for it.
    expect(events[0]).toEqual(repeating('did not'));
  });

  it('should take nothing back when the continuation brings nothing', () => {
    const { executor, asked } = scripted(breaking(), of(text('did not mind.'), stop()));
    const events: LlmStreamEvent[] = [];
    withRecovery(executor, NOTE)
      .executeStream({ ...request, continuation })
      .subscribe((event) => events.push(event));

    expect(events.filter(({ type }) => type === 'stream-reset')).toEqual([]);
    expect(asked[1]!.continuation).toEqual(continuation);
  });

  it('should give parts to continueOnMaxTokens that are recovered', () => {
    const { executor, asked } = scripted(
      of(text(SHOWN), MAX),
      breaking(repeating('did not ')),
      of(text('mind '), MAX),
      breaking(),
      of(text('at all.'), stop()),
    );
    const model = withRecovery(executor, NOTE);
    let result: StreamResult | undefined;
    model
      .executeStream(request)
      .pipe(continueOnMaxTokens({ request, resubscribe: (rest) => model.executeStream(rest) }), collect())
      .subscribe((whole) => (result = whole));

    expect(resultText(result!)).toBe(`${SHOWN}did not mind at all.`);
    expect(asked.slice(1).map((asking) => asking.continuation?.prefix)).toEqual([
      SHOWN,
      `${SHOWN}did not `,
      `${SHOWN}did not mind `,
      `${SHOWN}did not mind `,
    ]);
  });

  it('should error with all the text when the budget is spent', () => {
    let error: unknown;
    from(breaking(repeating('did')))
      .pipe(recover({ ...NOTE, request: { ...request, continuation }, resubscribe: () => breaking(), count: 1 }))
      .subscribe({ error: (thrown: unknown) => (error = thrown) });

    expect(error).toMatchObject({ snapshot: { text: `${SHOWN}did` } });
  });
});
