import {
  concat,
  firstValueFrom,
  from,
  lastValueFrom,
  Observable,
  of,
  Subject,
  Subscription,
  take,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import { InferenceExecutionError, type ConverseEvent, type LlmStreamEvent, type ToolResultBlock } from 'rx-llm';
import {
  toAgUi,
  toOpenAiChat,
  toOpenAiCompletion,
  toUiMessageStream,
  type OpenAiChunk,
  type OpenAiError,
  type UiMessageChunk,
  type UiMessageStreamConfig,
} from 'rx-llm/server';
import { blockStop, reasoning, stop, text, toolCall, toolCallDelta, toolCallStart, usage } from 'rx-llm/testing';
import { untilFirst } from '../../src/server/untilFirst.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { unhandledWhile } from './unhandledWhile.js';

const result = (toolCallId: string, words: string, isError?: boolean): ToolResultBlock => ({
  ...{ type: 'tool-result', toolCallId, name: 'clock', content: [{ type: 'text', text: words }] },
  ...(isError && { isError }),
});
const whole = { content: [], toolCalls: [], hasIncompleteToolCalls: false };
const reset: LlmStreamEvent = { type: 'stream-reset', reason: 'idle stall' };

/** A conversation of two turns, whose tool is run here. */
const conversation: ConverseEvent[] = [
  { type: 'step-start', step: 1, steered: [] },
  text('Let me see.'),
  ...toolCall('t1', 'clock', { city: 'Lima' }),
  { type: 'tool-call-ready', id: 't1', name: 'clock', arguments: { city: 'Lima' } },
  usage({ promptTokens: 5, completionTokens: 3 }),
  stop('tool-use'),
  { type: 'tool-execution-start', id: 't1', name: 'clock', arguments: { city: 'Lima' } },
  { type: 'tool-execution-progress', id: 't1', name: 'clock', value: 'looking' },
  { type: 'tool-execution-result', id: 't1', name: 'clock', status: 'succeeded', result: result('t1', '{"hour":12}') },
  { type: 'step-finish', step: 1, result: whole, toolResults: [] },
  { type: 'step-start', step: 2, steered: [] },
  text('It is noon.'),
  usage({ promptTokens: 9, completionTokens: 4 }),
  stop(),
  { type: 'step-finish', step: 2, result: whole, toolResults: [] },
  {
    ...{ type: 'conversation-end', reason: 'done', messages: [], result: whole, steps: 2 },
    usage: { promptTokens: 14, completionTokens: 7 },
  },
];

const isStep =
  (step: number) =>
  (event: ConverseEvent): boolean =>
    event.type === 'step-start' && event.step === step;

/** One that waits: for a consent, and for a result of somebody else. */
const suspended: ConverseEvent[] = [
  { type: 'step-start', step: 1, steered: [] },
  ...toolCall('t1', 'delete', {}),
  ...toolCall('t2', 'ask', {}),
  stop('tool-use'),
  { type: 'approval-required', calls: [{ id: 't1', name: 'delete', arguments: {} }] },
  {
    type: 'conversation-suspended',
    state: {
      ...{ version: 1, step: 1, ledger: [], steered: [], request: { model: 'm', messages: [] } },
      pending: [
        { id: 't1', name: 'delete', arguments: {}, waitsFor: 'approval' },
        { id: 't2', name: 'ask', arguments: {}, waitsFor: 'result' },
      ],
    },
  },
];

const ui = (events: ConverseEvent[], config?: UiMessageStreamConfig): Promise<UiMessageChunk[]> =>
  lastValueFrom(from(events).pipe(toUiMessageStream(config), toArray()));
const chat = (events: ConverseEvent[], includeUsage = false): Promise<(OpenAiChunk | OpenAiError)[]> =>
  lastValueFrom(from(events).pipe(toOpenAiChat({ model: 'm', includeUsage, id: 'c1' }), toArray()));
const contentOf = (chunks: (OpenAiChunk | OpenAiError)[]): string =>
  chunks.map((chunk) => ('choices' in chunk ? (chunk.choices[0]?.delta.content ?? '') : '')).join('');
const callsOf = (chunks: (OpenAiChunk | OpenAiError)[]) =>
  chunks.flatMap((chunk) => ('choices' in chunk ? (chunk.choices[0]?.delta.tool_calls ?? []) : []));

describe('toUiMessageStream', () => {
  it('should tell the parts of a conversation', async () => {
    expect(await ui(conversation)).toEqual([
      { type: 'start' },
      { type: 'start-step' },
      { type: 'text-start', id: 'text-1' },
      { type: 'text-delta', id: 'text-1', delta: 'Let me see.' },
      { type: 'tool-input-start', toolCallId: 't1', toolName: 'clock' },
      { type: 'tool-input-delta', toolCallId: 't1', inputTextDelta: '{"city":"Lima"}' },
      { type: 'text-end', id: 'text-1' },
      { type: 'tool-input-available', toolCallId: 't1', toolName: 'clock', input: { city: 'Lima' } },
      { type: 'tool-output-available', toolCallId: 't1', output: 'looking', preliminary: true },
      { type: 'tool-output-available', toolCallId: 't1', output: { hour: 12 } },
      { type: 'finish-step' },
      { type: 'start-step' },
      { type: 'text-start', id: 'text-2' },
      { type: 'text-delta', id: 'text-2', delta: 'It is noon.' },
      { type: 'text-end', id: 'text-2' },
      { type: 'finish-step' },
      { type: 'finish', finishReason: 'stop' },
    ]);
  });

  it('should carry the id, the metadata and the tokens of the message', async () => {
    const chunks = await ui(conversation, {
      messageId: 'm1',
      messageMetadata: (end) => ({ tokens: end?.usage?.completionTokens, finishReason: end?.finishReason }),
    });

    expect(chunks.at(0)).toMatchObject({ type: 'start', messageId: 'm1', messageMetadata: { tokens: undefined } });
    expect(chunks.at(-1)).toMatchObject({ type: 'finish', messageMetadata: { tokens: 7, finishReason: 'stop' } });
  });

  it('should take back the step of a reset when it is asked to', async () => {
    const chunks = await ui([text('a'), ...toolCall('t1', 'x').slice(0, 2), reset, text('b'), stop()], {
      resetStep: true,
    });

    expect(chunks.map(({ type }) => type)).toEqual([
      ...['start', 'start-step', 'text-start', 'text-delta', 'tool-input-start', 'tool-input-delta'],
      ...['text-end', 'tool-input-error', 'reset-step'],
      ...['text-start', 'text-delta', 'text-end', 'finish-step', 'finish'],
    ]);
  });

  it('should tell of tools that fail, are denied, and wait', async () => {
    const asked = await ui(suspended);
    const outcome = (status: 'failed' | 'denied', words: string): ConverseEvent => ({
      ...{ type: 'tool-execution-result', id: 't1', name: 'clock', status },
      result: result('t1', words, true),
    });

    expect(asked).toContainEqual({ type: 'tool-approval-request', approvalId: 't1', toolCallId: 't1' });
    expect(asked.at(-1)).toEqual({ type: 'finish', finishReason: 'tool-calls' });
    expect(await ui([outcome('failed', 'no clock'), stop()])).toContainEqual({
      ...{ type: 'tool-output-error', toolCallId: 't1', errorText: 'no clock' },
    });
    expect(await ui([outcome('denied', 'no'), stop()])).toContainEqual({
      type: 'tool-output-denied',
      toolCallId: 't1',
    });
  });

  it('should show a call that ends before it is whole as failed', async () => {
    const chunks = await ui([toolCallStart('t1', 'x'), toolCallDelta('t1', '{"a'), stop('max-tokens')]);

    expect(chunks).toContainEqual({
      ...{ type: 'tool-input-error', toolCallId: 't1', toolName: 'x', input: '{"a' },
      errorText: 'the call did not arrive whole',
    });
    expect(chunks.at(-1)).toEqual({ type: 'finish', finishReason: 'length' });
  });

  it('should tell nothing of interruptions when it is asked to', async () => {
    const interrupted: LlmStreamEvent = {
      ...{ type: 'interrupted', cause: { kind: 'idle-stall' }, attempt: 1, delay: 5 },
      plan: { kind: 'continue-text', assistantPrefix: 'a' },
    };
    const events = [text('a'), interrupted, { type: 'resumed', attempt: 2, seam: null } as const, text('b'), stop()];

    const told = (await ui(events)).filter(({ type }) => type === 'data-recovery');
    const silent = (await ui(events, { recovery: false })).filter(({ type }) => type === 'data-recovery');

    expect(told).toEqual([
      {
        ...{ type: 'data-recovery', transient: true },
        data: { event: 'interrupted', reason: 'idle stall', attempt: 1, delay: 5 },
      },
      { type: 'data-recovery', transient: true, data: { event: 'resumed', attempt: 2 } },
    ]);
    expect(silent).toEqual([]);
  });

  it.each(['at the start', 'at the end'])('should tell of a failure of `messageMetadata` %s', async (when) => {
    const failure = new Error('no');
    const errors: unknown[] = [];
    let subscribed = 0;
    const source = from([text('a'), stop()]).pipe(tap({ subscribe: () => subscribed++ }));
    const messageMetadata = (end?: object): unknown => {
      if ((end === undefined) === (when === 'at the start')) throw failure;
      return {};
    };
    const encode = toUiMessageStream({ messageMetadata, onError: (error) => errors.push(error) });

    const chunks = await lastValueFrom(source.pipe(encode, toArray()));

    expect(chunks.at(-1)).toEqual({ type: 'error', errorText: 'The model provider failed.' });
    expect(chunks.filter(({ type }) => type === 'finish')).toEqual([]);
    expect(errors).toEqual([failure]);
    expect(subscribed).toBe(when === 'at the start' ? 0 : 1);
  });

  it('should declare tools dynamic when it is asked to', async () => {
    const chunks = await ui([...toolCall('t1', 'x'), stop('tool-use')], { dynamicTools: true });

    expect(chunks.filter((chunk) => 'dynamic' in chunk && chunk.dynamic)).toHaveLength(2);
  });

  it('should pass errors on as a part, complete, and unsubscribe', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const failure = new InferenceExecutionError('timeout', 'secret');
      const source = cold<LlmStreamEvent>('--a--------#    ', { a: reasoning('Hm.') }, failure);
      const sourceSubs = '                 ^----------!    ';
      const expected = '                   S-(Pga)----(GX|)';

      expectObservable(source.pipe(toUiMessageStream())).toBe(expected, {
        S: { type: 'start' },
        P: { type: 'start-step' },
        g: { type: 'reasoning-start', id: 'reasoning-1' },
        a: { type: 'reasoning-delta', id: 'reasoning-1', delta: 'Hm.' },
        G: { type: 'reasoning-end', id: 'reasoning-1' },
        X: { type: 'error', errorText: 'The model did not answer in time.' },
      });
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it.each([
    ['toUiMessageStream', toUiMessageStream()],
    ['toAgUi', toAgUi({ threadId: 't', runId: 'r' })],
    ['toOpenAiChat', toOpenAiChat({ model: 'm' })],
  ] as const)('should unsubscribe at once, and not subscribe for the head alone: %s', (_, encode) => {
    let subscribed = 0;
    let open = 0;
    const source = new Observable<ConverseEvent>((subscriber) => {
      subscribed++;
      open++;
      subscriber.next(text('a'));
      return () => open--;
    });
    const encoded: Observable<unknown> = (encode as (from: typeof source) => Observable<unknown>)(source);

    encoded.pipe(take(1)).subscribe();
    const before = subscribed;
    const subscription = encoded.subscribe();
    const during = open;
    subscription.unsubscribe();

    expect([before, during, open]).toEqual([0, 1, 0]);
  });
});

describe('toOpenAiChat', () => {
  it('should send the text of all turns, and no call that was run here', async () => {
    const chunks = await chat(conversation, true);

    expect(contentOf(chunks)).toBe('Let me see.\n\nIt is noon.');
    expect(callsOf(chunks)).toEqual([]);
    expect(chunks.at(-2)).toMatchObject({ choices: [{ delta: {}, finish_reason: 'stop' }], usage: null });
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 14, completion_tokens: 7, total_tokens: 21 },
    });
  });

  it('should not hand over calls that were run here in the last turn', async () => {
    const end: ConverseEvent = { type: 'conversation-end', reason: 'max-steps', messages: [], result: whole, steps: 1 };
    const chunks = await chat([...conversation.slice(0, conversation.findIndex(isStep(2))), end]);

    expect(callsOf(chunks)).toEqual([]);
    expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: 'length' }] });
  });

  it('should hand over the calls that wait for their result, and no others', async () => {
    const chunks = await chat(suspended);

    expect(callsOf(chunks)).toEqual([
      { index: 0, id: 't2', type: 'function', function: { name: 'ask', arguments: '{}' } },
    ]);
    expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
  });

  it('should never show a call that is cancelled', async () => {
    const cancel: LlmStreamEvent = { type: 'tool-call-cancel', id: 't1', name: 'x', reason: 'idle stall' };
    const chunks = await chat([...toolCall('t1', 'x'), cancel, ...toolCall('t2', 'x', { a: 1 }), stop('tool-use')]);

    expect(callsOf(chunks).map(({ id }) => id)).toEqual(['t2']);
    expect(JSON.stringify(chunks)).not.toContain('t1');
  });

  it('should end in an error where text would have to be taken back, and go on where none has been sent', async () => {
    const left = new Subject<ConverseEvent>();
    const seen: (OpenAiChunk | OpenAiError)[] = [];
    concat(of(text('a'), reset), left)
      .pipe(toOpenAiChat({ model: 'm' }))
      .subscribe((chunk) => seen.push(chunk));
    const fine = await chat([reasoning('Hm.'), ...toolCall('t1', 'x'), reset, text('b'), stop()]);

    expect(seen.at(-1)).toMatchObject({ error: { type: 'stream_interrupted' } });
    expect(left.observed).toBe(false);
    expect(contentOf(fine)).toBe('b');
    expect(callsOf(fine)).toEqual([]);
  });

  it('should tell the reasoning as others do', async () => {
    const chunks = await chat([reasoning('Hm.'), text('a'), stop()]);

    expect(chunks[1]).toMatchObject({ choices: [{ delta: { reasoning_content: 'Hm.' } }] });
  });

  it('should make an id, and tell when it was', async () => {
    const scheduler = { now: () => 1_700_000_000_999, schedule: () => Subscription.EMPTY };
    const make = of(stop()).pipe(toOpenAiChat({ model: 'm', random: () => 0.5, scheduler }), toArray());
    const chunks = (await lastValueFrom(make)) as OpenAiChunk[];

    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0]).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-\w{10,}$/),
      created: 1_700_000_000,
      model: 'm',
    });
  });
});

describe.each(['content-filter', 'refusal'] as const)('an answer that was stopped by %s', (reason) => {
  it('should hand out none of its calls, as the turn loop carries out none', async () => {
    const answer = [text('I will '), toolCall('t1', 'pay'), stop(reason)].flat();

    const chunks = await lastValueFrom(from(answer).pipe(toOpenAiChat({ model: 'm' }), toArray()));
    const whole = await lastValueFrom(from(answer).pipe(toOpenAiCompletion({ model: 'm' })));

    expect(JSON.stringify([chunks, whole])).not.toContain('tool_calls');
    expect(whole.choices[0]?.finish_reason).toBe('content_filter');
  });
});

/** What each encoder makes of events, in a form in which two answers can be compared. */
const encoders: [
  string,
  (source: Observable<ConverseEvent>, onError?: (error: unknown) => unknown) => Promise<unknown>,
][] = [
  [
    'toUiMessageStream',
    (source, onError) => lastValueFrom(source.pipe(toUiMessageStream(onError ? { onError } : {}), toArray())),
  ],
  [
    'toAgUi',
    (source, onError) =>
      lastValueFrom(source.pipe(toAgUi({ threadId: 't', runId: 'r', ...(onError && { onError }) }), toArray())),
  ],
  [
    'toOpenAiChat',
    (source, onError) =>
      lastValueFrom(
        source.pipe(toOpenAiChat({ ...openAi, includeUsage: true, ...(onError && { onError }) }), toArray()),
      ),
  ],
  [
    'toOpenAiCompletion',
    (source, onError) => lastValueFrom(source.pipe(toOpenAiCompletion({ ...openAi, ...(onError && { onError }) }))),
  ],
];
const openAi = { model: 'm', id: 'c1', scheduler: { now: () => 0, schedule: () => Subscription.EMPTY } };
const failing = (...events: ConverseEvent[]): Observable<ConverseEvent> =>
  concat(
    from(events),
    throwError(() => new InferenceExecutionError('timeout', 'no')),
  );

describe.each(encoders)('%s after the end', (_, encode) => {
  const answer: ConverseEvent[] = [text('a'), ...toolCall('t1', 'clock'), usage({ promptTokens: 5 }), stop('tool-use')];
  const noise: [string, ConverseEvent[]][] = [
    ['a second stop', [stop('max-tokens')]],
    ['text', [text('b')]],
    ['reasoning', [reasoning('Hm.')]],
    ['a reset', [reset]],
    ['a call', toolCall('t2', 'clock')],
    ['a call that is taken back', [{ type: 'tool-call-cancel', id: 't1', name: 'clock', reason: 'idle stall' }]],
    ['tokens', [usage({ promptTokens: 50 })]],
    ['an answer', [text('b'), stop()]],
  ];

  it.each(noise)('should not be changed by %s', async (_name, rest) => {
    expect(await encode(from([...answer, ...rest]))).toEqual(await encode(from(answer)));
  });

  it.each(noise)('should not be changed by %s that comes after a turn of a conversation', async (_name, rest) => {
    const at = conversation.findIndex(({ type }) => type === 'stop') + 1;

    expect(await encode(from([...conversation.slice(0, at), ...rest, ...conversation.slice(at)]))).toEqual(
      await encode(from(conversation)),
    );
  });

  it.each(noise)('should not be changed by %s that comes after a conversation', async (_name, rest) => {
    expect(await encode(from([...conversation, ...rest]))).toEqual(await encode(from(conversation)));
    expect(await encode(from([...suspended, ...rest]))).toEqual(await encode(from(suspended)));
  });

  it.each([
    ['an answer', answer],
    ['a conversation', conversation],
    ['a conversation that waits', suspended],
  ])('should not be changed by the failure of %s, which goes to the logs', async (_name, events) => {
    const errors: unknown[] = [];

    expect(await encode(failing(...events), (error) => errors.push(error))).toEqual(await encode(from(events)));
    expect(errors).toMatchObject([{ kind: 'timeout' }]);
  });

  it('should tell of a failure between the turns of a conversation', async () => {
    const first = conversation.slice(0, conversation.findIndex(isStep(2)));
    const cut = [
      first,
      first.slice(0, -1),
      conversation.slice(0, conversation.findIndex(({ type }) => type === 'stop') + 1),
      // A conversation that goes on from a state begins with what its tools say.
      [...suspended, ...conversation.filter(({ type }) => type === 'tool-execution-start')],
      [...suspended, ...conversation.filter(({ type }) => type === 'tool-execution-result')],
    ];

    for (const events of cut) {
      const told = await encode(failing(...events)).catch((error: unknown) => error);
      expect(JSON.stringify(told)).toMatch(/timeout|did not answer in time/);
    }
  });
});

describe.each(encoders.slice(0, -1))('%s', (_, encode) => {
  it.each(['throws', 'rejects'])('should tell of a failure also when `onError` %s', async (what) => {
    const onError = (): unknown => {
      if (what === 'rejects') return Promise.reject(new Error('no logs'));
      throw new Error('no logs');
    };
    let told: unknown;

    const unhandled = await unhandledWhile(async () => (told = await encode(failing(text('a')), onError)));

    expect(JSON.stringify(told)).toContain('did not answer in time');
    expect(unhandled).toEqual([]);
  });
});

describe('toOpenAiCompletion', () => {
  const collect = (source: Observable<ConverseEvent>) =>
    lastValueFrom(source.pipe(toOpenAiCompletion({ model: 'm', id: 'c1' })));

  it('should collect a conversation', async () => {
    expect(await collect(from(conversation))).toMatchObject({
      ...{ id: 'c1', object: 'chat.completion', model: 'm' },
      choices: [{ message: { content: 'Let me see.\n\nIt is noon.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 14, completion_tokens: 7, total_tokens: 21 },
    });
  });

  it('should leave out what a reset made void', async () => {
    const events = [text('a'), reasoning('Hm.'), ...toolCall('t1', 'x'), reset, text('b'), blockStop(), stop()];

    expect((await collect(from(events))).choices[0]?.message).toEqual({
      role: 'assistant',
      content: 'b',
      refusal: null,
    });
  });

  it('should have no content beside calls alone', async () => {
    const completion = await collect(from([...toolCall('t1', 'x', { a: 1 }), stop('tool-use')]));

    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [{ id: 't1', function: { name: 'x', arguments: '{"a":1}' } }] },
    });
  });

  it('should pass the error, and take a stream without an end for one', async () => {
    const failure = new InferenceExecutionError('timeout', 'no');

    await expect(collect(throwError(() => failure))).rejects.toBe(failure);
    await expect(collect(of(text('a')))).rejects.toMatchObject({ kind: 'stream-interrupted' });
  });
});

describe('untilFirst', () => {
  it('should give all values, the first included', async () => {
    expect(await lastValueFrom((await untilFirst(from([1, 2, 3]))).pipe(toArray()))).toEqual([1, 2, 3]);
    expect(await lastValueFrom((await untilFirst(from<number[]>([]))).pipe(toArray()))).toEqual([]);
  });

  it('should reject with what comes before any value, and pass on what comes after', async () => {
    const failure = new InferenceExecutionError('timeout', 'no');
    const later = await untilFirst(
      concat(
        of(1),
        throwError(() => failure),
      ),
    );

    await expect(untilFirst(throwError(() => failure))).rejects.toBe(failure);
    await expect(lastValueFrom(later)).rejects.toBe(failure);
  });

  it('should unsubscribe when its reader leaves, or the signal aborts', async () => {
    const source = new Subject<number>();
    const abort = new AbortController();
    const waiting = untilFirst(source, abort.signal);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ kind: 'cancelled' });
    const aborted = source.observed;
    const first = untilFirst(source);
    source.next(1);
    const value = await firstValueFrom(await first);

    expect([aborted, value, source.observed]).toEqual([false, 1, false]);
  });
});
