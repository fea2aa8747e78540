import { VirtualTimeScheduler, type SchedulerLike } from 'rxjs';
import {
  InferenceExecutionError,
  userMessage,
  type InferenceRequest,
  type LlmStreamEvent,
  type StopReason,
  type StreamResult,
} from '../../../src/contract/index.js';
import { geminiGenerateContent } from '../../../src/providers/google/index.js';
import { Accumulator } from '../../../src/recovery/accumulator.js';
import { fakeFetch, type FakeAnswer } from '../../helpers/fakeFetch.js';
import { chunk, outcomeOf, sse, type Outcome } from './streams.js';

const request: InferenceRequest = { model: 'gemini-2.5-flash', messages: [userMessage('hello')] };
const finish = (finishReason: string, more: object = {}): object => chunk([], {}, { finishReason, ...more });

function decode(answer: FakeAnswer, asked = request): Promise<Outcome> {
  return outcomeOf(geminiGenerateContent({ fetch: fakeFetch(answer) }).executeStream(asked));
}

async function events(...chunks: unknown[]): Promise<LlmStreamEvent[]> {
  const { events: sent, error } = await decode({ body: sse(...chunks) });
  expect(error).toBeUndefined();
  return sent;
}

async function result(...chunks: unknown[]): Promise<StreamResult> {
  const seen = new Accumulator();
  for (const event of await events(...chunks)) seen.push(event);
  return seen.result();
}

async function failure(body: string, answer: Partial<FakeAnswer> = {}): Promise<InferenceExecutionError> {
  const { error } = await decode({ body, ...answer });
  if (!(error instanceof InferenceExecutionError)) throw new Error(`expected a failure, got ${String(error)}`);
  return error;
}

describe('geminiGenerateContent: text and thoughts', () => {
  it('should tell text, thoughts and the end', async () => {
    expect(
      await events(
        chunk([{ text: 'Hm', thought: true }]),
        chunk([{ text: 'Hel' }]),
        chunk([{ text: 'lo' }], {}, { finishReason: 'STOP' }),
      ),
    ).toEqual([
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'text-delta', text: 'Hel' },
      { type: 'text-delta', text: 'lo' },
      { type: 'stop', reason: 'end-turn' },
    ]);
  });

  it('should keep a signed piece of text apart from its neighbours', async () => {
    const { content } = await result(
      chunk([{ text: 'one ' }, { text: 'two ', thoughtSignature: 'S' }, { text: 'three' }]),
      finish('STOP'),
    );

    expect(content).toEqual([
      { type: 'text', text: 'one ' },
      { type: 'text', text: 'two ', providerMetadata: { provider: 'google', signature: 'S' } },
      { type: 'text', text: 'three' },
    ]);
  });

  it('should put the signature of an empty last part on the text before it', async () => {
    const { content } = await result(
      chunk([{ text: 'Hello' }]),
      chunk([{ text: '', thoughtSignature: 'S' }]),
      finish('STOP'),
    );

    expect(content).toEqual([
      { type: 'text', text: 'Hello', providerMetadata: { provider: 'google', signature: 'S', signaturePart: 'own' } },
    ]);
  });

  it('should keep a signature that comes alone', async () => {
    const { content } = await result(chunk([{ thoughtSignature: 'S' }], {}, { finishReason: 'STOP' }));

    expect(content).toEqual([
      { type: 'text', text: '', providerMetadata: { provider: 'google', signature: 'S', signaturePart: 'own' } },
    ]);
  });

  it('should put the signature of a thought where it is found again', async () => {
    const { content } = await result(
      chunk([{ text: 'Hm', thought: true, thoughtSignature: 'S' }, { text: 'Yes' }]),
      finish('STOP'),
    );

    expect(content).toEqual([
      { type: 'reasoning', text: 'Hm', signature: 'S', providerMetadata: { provider: 'google' } },
      { type: 'text', text: 'Yes' },
    ]);
  });

  it('should read only the first of several candidates', async () => {
    const second = { index: 1, content: { parts: [{ text: 'second' }] }, finishReason: 'STOP' };
    const first = { content: { parts: [{ text: 'first' }] }, finishReason: 'STOP' };

    expect(await events({ candidates: [second, first] })).toEqual([
      { type: 'text-delta', text: 'first' },
      { type: 'stop', reason: 'end-turn' },
    ]);
  });

  it.each([
    ['an empty chunk', {}],
    ['a chunk without content', { candidates: [{}] }],
    ['content without parts', chunk([], {}, { content: { role: 'model' } })],
    ['parts that are none', chunk([null, 7, {}, { text: '' }])],
    ['a chunk that is no object', 7],
    ['null', null],
    ['members that nobody knows', { candidates: [{ content: { parts: [] }, news: 1 }], turnToken: 'x' }],
  ])('should make nothing of %s', async (_what, odd) => {
    expect(await events(odd, chunk([{ text: 'ok' }], {}, { finishReason: 'STOP' }))).toEqual([
      { type: 'text-delta', text: 'ok' },
      { type: 'stop', reason: 'end-turn' },
    ]);
  });
});

describe('geminiGenerateContent: calls', () => {
  it('should give calls without an id one that stays the same and comes in no other turn', async () => {
    const calls = chunk(
      [{ functionCall: { name: 'a', args: { x: 1 } } }, { functionCall: { name: 'a' } }],
      {},
      { finishReason: 'STOP' },
    );
    const sent = await events(calls);

    expect(sent).toEqual([
      { type: 'tool-call-start', id: 'call_resp-1_0', name: 'a' },
      { type: 'tool-call-delta', id: 'call_resp-1_0', argsDelta: '{"x":1}' },
      { type: 'content-block-stop', id: 'call_resp-1_0' },
      { type: 'tool-call-start', id: 'call_resp-1_1', name: 'a' },
      { type: 'tool-call-delta', id: 'call_resp-1_1', argsDelta: '{}' },
      { type: 'content-block-stop', id: 'call_resp-1_1' },
      { type: 'stop', reason: 'tool-use' },
    ]);
    expect(await events(calls)).toEqual(sent);
    expect((await result({ ...calls, responseId: 'resp-2' })).toolCalls.map(({ id }) => id)).toEqual([
      'call_resp-2_0',
      'call_resp-2_1',
    ]);
  });

  it('should number calls through the conversation where the response has no id', async () => {
    const call = { type: 'tool-call' as const, id: 'call_0_0', name: 'a', arguments: {} };
    const asked: InferenceRequest = {
      ...request,
      messages: [userMessage('hi'), { role: 'assistant', content: [call] }],
    };
    const { candidates } = chunk([{ functionCall: { name: 'a' } }], {}, { finishReason: 'STOP' }) as {
      candidates: unknown;
    };
    const ids = (await Promise.all([request, asked].map((each) => decode({ body: sse({ candidates }) }, each)))).map(
      ({ events: [first] }) => first,
    );

    expect(ids).toEqual([
      { type: 'tool-call-start', id: 'call_0_0', name: 'a' },
      { type: 'tool-call-start', id: 'call_1_0', name: 'a' },
    ]);
  });

  it('should keep the id and the signature of a call', async () => {
    const { content, toolCalls } = await result(
      chunk(
        [{ functionCall: { id: 'x1', name: 'a', args: {} }, thoughtSignature: 'S' }, { text: '' }],
        {},
        { finishReason: 'STOP' },
      ),
    );

    expect(toolCalls).toEqual([{ id: 'x1', name: 'a', arguments: {} }]);
    expect(content).toEqual([
      {
        type: 'tool-call',
        id: 'x1',
        name: 'a',
        arguments: {},
        providerMetadata: { provider: 'google', signature: 'S', id: 'x1' },
      },
    ]);
  });

  it('should tell calls apart that came with the same id', async () => {
    const call = { functionCall: { id: 'x', name: 'a' } };

    expect((await result(chunk([call, call], {}, { finishReason: 'STOP' }))).toolCalls.map(({ id }) => id)).toEqual([
      'x',
      'call_resp-1_1',
    ]);
  });

  it('should leave arguments text, whatever they name', async () => {
    const body =
      'data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"a","args":{"__proto__":{"polluted":1}}}}]},"finishReason":"STOP"}]}\r\n\r\n';
    const { events: sent } = await decode({ body });

    expect(sent[1]).toEqual({ type: 'tool-call-delta', id: 'call_0_0', argsDelta: '{"__proto__":{"polluted":1}}' });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('should write streamed arguments as JSON, piece by piece', async () => {
    const piece = (functionCall: object): object => chunk([{ functionCall }]);

    expect(
      await events(
        chunk([{ functionCall: { name: 'greet', willContinue: true }, thoughtSignature: 'S' }]),
        piece({ partialArgs: [{ jsonPath: '$.to', stringValue: 'wor', willContinue: true }], willContinue: true }),
        piece({
          partialArgs: [
            { jsonPath: '$.to', stringValue: 'ld' },
            { jsonPath: '$.n', numberValue: 2 },
          ],
          willContinue: true,
        }),
        piece({}),
        finish('STOP'),
      ),
    ).toEqual([
      {
        type: 'tool-call-start',
        id: 'call_resp-1_0',
        name: 'greet',
        providerMetadata: { provider: 'google', signature: 'S' },
      },
      { type: 'tool-call-delta', id: 'call_resp-1_0', argsDelta: '{' },
      { type: 'tool-call-delta', id: 'call_resp-1_0', argsDelta: '"to":"wor' },
      { type: 'tool-call-delta', id: 'call_resp-1_0', argsDelta: 'ld","n":2' },
      { type: 'tool-call-delta', id: 'call_resp-1_0', argsDelta: '}' },
      { type: 'content-block-stop', id: 'call_resp-1_0' },
      { type: 'stop', reason: 'tool-use' },
    ]);
  });

  it.each([
    ['at the end', [finish('STOP')], []],
    ['before the next call', [chunk([{ functionCall: { name: 'b' } }]), finish('STOP')], ['b']],
    ['at the limit', [finish('MAX_TOKENS')], []],
  ])('should not complete streamed arguments that break off %s', async (_when, after, names) => {
    const { toolCalls, hasIncompleteToolCalls } = await result(
      chunk([
        { functionCall: { name: 'a', partialArgs: [{ jsonPath: '$.path', stringValue: '/tmp' }], willContinue: true } },
      ]),
      ...after,
    );

    expect(toolCalls.map(({ name }) => name)).toEqual(names);
    expect(hasIncompleteToolCalls).toBe(true);
  });

  it('should close streamed arguments that broke off before the next call opens', async () => {
    const sent = await events(
      chunk([{ functionCall: { name: 'a', willContinue: true } }]),
      chunk([{ functionCall: { name: 'b' } }]),
      finish('STOP'),
    );

    expect(sent.slice(2, 4)).toEqual([
      { type: 'content-block-stop', id: 'call_resp-1_0' },
      { type: 'tool-call-start', id: 'call_resp-1_1', name: 'b' },
    ]);
  });

  it('should refuse streamed arguments that cannot be put together, with what had arrived', async () => {
    const late = {
      partialArgs: [
        { jsonPath: '$.a', numberValue: 1 },
        { jsonPath: '$.a', numberValue: 2 },
      ],
    };
    const error = await failure(sse(chunk([{ text: 'Hi' }]), chunk([{ functionCall: { name: 'a', ...late } }])));

    expect(error.message).toBe(
      'provider error: malformed stream: streamed arguments cannot be put together: the argument at $.a comes out of order',
    );
    expect(error.snapshot?.text).toBe('Hi');
  });

  it('should not hand out a call that a remote MCP server answers', async () => {
    const mcp = { ...request, overrides: { providerOptions: { tools: [{ mcpServers: [{ name: 'weather' }] }] } } };
    const call = { functionCall: { name: 'weather_get', args: {} } };
    const answer = { functionResponse: { name: 'weather_get', response: {} } };
    const { events: sent, error } = await decode(
      {
        body: sse(
          chunk([call], {}, { finishReason: 'STOP' }),
          chunk([answer]),
          chunk([{ text: '18 °C' }], {}, { finishReason: 'STOP' }),
        ),
      },
      mcp,
    );

    expect(error).toBeUndefined();
    const cut = await decode({ body: sse(chunk([call], {}, { finishReason: 'STOP' })) }, mcp);
    expect(cut.error).toMatchObject({ interruption: { kind: 'truncated' } });
    expect(sent).toEqual([
      { type: 'provider-block', provider: 'google', block: call },
      { type: 'provider-block', provider: 'google', block: answer },
      { type: 'text-delta', text: '18 °C' },
      { type: 'stop', reason: 'end-turn' },
    ]);
  });
});

describe('geminiGenerateContent: opaque blocks', () => {
  const code = { executableCode: { language: 'PYTHON', code: 'print(1)' }, thoughtSignature: 'S' };
  const output = { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1\n' } };
  const image = { inlineData: { mimeType: 'image/png', data: 'iVBO' } };

  it('should pass on code, results, images and parts that are new, in order', async () => {
    const blocks = [code, output, image, { toolCall: { id: 't' } }, { newKind: { x: 1 } }];

    expect(await events(chunk([{ text: 'a' }, ...blocks, { text: 'b' }], {}, { finishReason: 'STOP' }))).toEqual([
      { type: 'text-delta', text: 'a' },
      ...blocks.map((block) => ({ type: 'provider-block', provider: 'google', block })),
      { type: 'text-delta', text: 'b' },
      { type: 'stop', reason: 'end-turn' },
    ]);
  });

  it('should tell grounding, citations and addresses that were read, and leave out empty ones', async () => {
    const about = {
      groundingMetadata: { webSearchQueries: ['x'] },
      citationMetadata: {},
      urlContextMetadata: { urlMetadata: [] },
    };

    expect(await events(chunk([{ text: 'a' }], {}, { finishReason: 'STOP', ...about }))).toEqual([
      { type: 'text-delta', text: 'a' },
      { type: 'provider-block', provider: 'google', block: { groundingMetadata: { webSearchQueries: ['x'] } } },
      { type: 'provider-block', provider: 'google', block: { urlContextMetadata: { urlMetadata: [] } } },
      { type: 'stop', reason: 'end-turn' },
    ]);
  });

  it('should wait for the result of code although a finish reason came with it', async () => {
    const running = sse(chunk([code], {}, { finishReason: 'STOP' }));

    expect((await failure(running)).interruption).toEqual({ kind: 'truncated' });
    expect((await failure(running, { end: 'reset' })).interruption).toEqual({ kind: 'connection-reset' });
    expect((await decode({ body: running + sse(chunk([output])) })).error).toBeInstanceOf(InferenceExecutionError);
    expect((await decode({ body: running + sse(chunk([output]), finish('STOP')) })).error).toBeUndefined();
  });
});

describe('geminiGenerateContent: the end', () => {
  it.each<[string, StopReason, object?]>([
    ['STOP', 'end-turn', undefined],
    ['MAX_TOKENS', 'max-tokens', undefined],
    ...[
      'SAFETY',
      'RECITATION',
      'LANGUAGE',
      'BLOCKLIST',
      'PROHIBITED_CONTENT',
      'SPII',
      'IMAGE_SAFETY',
      'MODEL_ARMOR',
    ].map((name): [string, StopReason, object] => [name, 'content-filter', { provider: 'google', finishReason: name }]),
    ['OTHER', 'end-turn', { provider: 'google', finishReason: 'OTHER' }],
    ['SOMETHING_NEW', 'end-turn', { provider: 'google', finishReason: 'SOMETHING_NEW' }],
  ])('should end for %s in %s', async (finishReason, reason, providerMetadata) => {
    const sent = await events(chunk([{ text: 'a' }], {}, { finishReason }));

    expect(sent.at(-1)).toEqual({ type: 'stop', reason, ...(providerMetadata && { providerMetadata }) });
  });

  it.each([
    [1, 'end-turn'],
    [2, 'max-tokens'],
    [3, 'content-filter'],
    [7, 'content-filter'],
    [5, 'end-turn'],
  ])('should know the finish reason by its number %d', async (finishReason, reason) => {
    expect((await result(chunk([{ text: 'a' }], {}, { finishReason }))).stopReason).toBe(reason);
  });

  it.each(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL'])(
    'should make %s an error that may be tried again',
    async (finishReason) => {
      const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 2 };
      const error = await failure(
        sse(
          chunk([{ text: 'I will call' }]),
          chunk([], { usageMetadata }, { finishReason, finishMessage: 'print(default_api.x())' }),
        ),
      );

      expect(error.message).toBe(
        `provider error: the model made a call that cannot be run: print(default_api.x()) (${finishReason})`,
      );
      expect(error.isRetryable).toBe(true);
      expect(error.snapshot).toMatchObject({ text: 'I will call', usage: { promptTokens: 3, completionTokens: 2 } });
    },
  );

  it('should not try again what lacks a thought signature', async () => {
    const error = await failure(sse(finish('MISSING_THOUGHT_SIGNATURE')));

    expect(error).toMatchObject({ kind: 'invalid-request', isRetryable: false });
  });

  it('should go on after a finish reason', async () => {
    expect(
      (
        await events(
          chunk([{ text: 'a' }], {}, { finishReason: 'STOP' }),
          chunk([{ text: 'b' }], {}, { finishReason: 'MAX_TOKENS' }),
        )
      ).slice(1),
    ).toEqual([
      { type: 'text-delta', text: 'b' },
      { type: 'stop', reason: 'max-tokens' },
    ]);
  });

  it('should take the end of a gateway before a finish reason for an interruption', async () => {
    expect((await failure(`${sse(chunk([{ text: 'a' }]))}data: [DONE]\n\n`)).interruption).toEqual({
      kind: 'truncated',
    });
  });

  it('should read null as a member that is left out', async () => {
    const parts = [{ text: 'a', thoughtSignature: null }, { text: null }, { text: null, functionCall: { name: 'f' } }];

    expect(await events(chunk(parts), finish('STOP'))).toMatchObject([
      { type: 'text-delta', text: 'a' },
      { type: 'tool-call-start', name: 'f' },
      { type: 'tool-call-delta', argsDelta: '{}' },
      { type: 'content-block-stop' },
      { type: 'stop', reason: 'tool-use' },
    ]);
    expect(JSON.stringify(await events(chunk(parts), finish('STOP')))).not.toContain('null');
  });

  it('should take a finish reason back when more of the answer follows and breaks off', async () => {
    const done = sse(chunk([{ text: 'a' }], {}, { finishReason: 'STOP' }));

    expect((await failure(done + sse(chunk([{ text: 'b' }])))).interruption).toEqual({ kind: 'truncated' });
    expect((await failure(`${done}data: {"candidates":[{"cont`)).interruption).toEqual({ kind: 'truncated' });
  });

  it.each([
    ['the end of a gateway', 'data: [DONE]\r\n\r\n', 'close'],
    ['noise', 'data: oops\r\n\r\n', 'close'],
    ['a comment', ': bye\r\n\r\n', 'close'],
    ['usage', sse({ usageMetadata: { promptTokenCount: 1 } }), 'close'],
    ['a reset', '', 'reset'],
  ] as const)('should not lose an answer that has ended to %s', async (_what, after, end) => {
    const { events: sent, error } = await decode({
      body: sse(chunk([{ text: 'a' }], {}, { finishReason: 'STOP' })) + after,
      end,
    });

    expect(error).toBeUndefined();
    expect(sent.filter(({ type }) => type !== 'usage')).toEqual([
      { type: 'text-delta', text: 'a' },
      { type: 'stop', reason: 'end-turn' },
    ]);
  });

  it('should send the same events whether usage comes before or after the finish', async () => {
    const usage = { usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, totalTokenCount: 3 } };
    const before = await events(chunk([{ text: 'a' }]), usage, finish('STOP'));

    expect(await events(chunk([{ text: 'a' }]), finish('STOP'), usage)).toEqual(before);
    expect(before.at(-1)).toEqual({ type: 'stop', reason: 'end-turn' });
  });

  it.each([
    ['SAFETY', { blockReason: 'SAFETY' }, { blockReason: 'SAFETY' }],
    [
      'a reason with words',
      { blockReason: 'OTHER', blockReasonMessage: 'no' },
      { blockReason: 'OTHER', blockReasonMessage: 'no' },
    ],
  ])('should end in content-filter when the prompt is blocked for %s', async (_what, promptFeedback, told) => {
    const usageMetadata = { promptTokenCount: 8, totalTokenCount: 8 };

    expect(await events({ promptFeedback, usageMetadata })).toEqual([
      { type: 'usage', usage: { promptTokens: 8, totalTokens: 8 } },
      { type: 'stop', reason: 'content-filter', providerMetadata: { provider: 'google', ...told } },
    ]);
  });

  it('should take no harm from feedback that blocks nothing', async () => {
    const promptFeedback = { blockReason: 'BLOCK_REASON_UNSPECIFIED', safetyRatings: [] };

    expect((await result(chunk([{ text: 'a' }], { promptFeedback }, { finishReason: 'STOP' }))).stopReason).toBe(
      'end-turn',
    );
    expect((await failure(sse({ promptFeedback }))).interruption).toEqual({ kind: 'truncated' });
  });

  it('should not wait forever for what may follow a finish, and begin to wait anew with each chunk', async () => {
    const scheduler = new VirtualTimeScheduler();
    const first = sse(chunk([{ text: 'a' }], {}, { finishReason: 'STOP' }));
    const { sent, arrive } = await hanging(first, scheduler);

    expect(sent).toEqual([{ type: 'text-delta', text: 'a' }]);
    const passTo = (frame: number): void => {
      scheduler.schedule(() => undefined, frame - scheduler.now());
      scheduler.maxFrames = frame;
      scheduler.flush();
    };
    passTo(9_000);
    await arrive(sse(chunk([{ text: 'b' }], {}, { finishReason: 'STOP' })));
    passTo(18_000);
    expect(sent.at(-1)).toEqual({ type: 'text-delta', text: 'b' });
    passTo(20_000);
    expect(sent.at(-1)).toEqual({ type: 'stop', reason: 'end-turn' });
  });
});

/** A stream whose body stays open; gives the events so far and a way to send more. */
async function hanging(first: string, scheduler: SchedulerLike) {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  const fetch = () => Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
  const sent: LlmStreamEvent[] = [];
  geminiGenerateContent({ fetch, scheduler, livenessTimeout: Infinity })
    .executeStream(request)
    .subscribe((event) => sent.push(event));
  const arrive = async (text: string): Promise<void> => {
    controller?.enqueue(new TextEncoder().encode(text));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  await arrive('');
  await arrive(first);
  return { sent, arrive };
}

describe('geminiGenerateContent: usage', () => {
  it('should count what server tools gave back as input, and thoughts as output', async () => {
    const { usage } = await result(
      chunk([{ text: 'a' }], {
        usageMetadata: {
          promptTokenCount: 100,
          cachedContentTokenCount: 40,
          toolUsePromptTokenCount: 20,
          candidatesTokenCount: 7,
          thoughtsTokenCount: 5,
          totalTokenCount: 132,
        },
      }),
      finish('STOP'),
    );

    expect(usage).toEqual({
      promptTokens: 120,
      completionTokens: 12,
      totalTokens: 132,
      cacheReadTokens: 40,
      thinkingTokens: 5,
    });
  });

  it('should report running totals, each once, and none that falls behind', async () => {
    const usage = (usageMetadata: object): object => chunk([{ text: '.' }], { usageMetadata });
    const reports = (
      await events(
        usage({ promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 7 }),
        usage({ promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 7 }),
        usage({ promptTokenCount: 5, totalTokenCount: 5 }),
        usage({ trafficType: 'ON_DEMAND' }),
        usage({ promptTokenCount: 5, candidatesTokenCount: 4, totalTokenCount: null }),
        finish('STOP'),
      )
    ).filter(({ type }) => type === 'usage');

    expect(reports).toEqual([
      { type: 'usage', usage: { promptTokens: 5, completionTokens: 2, totalTokens: 7 } },
      { type: 'usage', usage: { promptTokens: 5, completionTokens: 4, totalTokens: 9 } },
    ]);
  });
});

describe('geminiGenerateContent: failures', () => {
  it.each([
    [{ code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' }, 'overloaded', true],
    [{ code: 429, message: 'Resource exhausted', status: 'RESOURCE_EXHAUSTED' }, 'rate-limited', true],
    [{ code: 500, message: 'Internal error', status: 'INTERNAL' }, 'provider', true],
    [{ code: 504, message: 'Deadline', status: 'DEADLINE_EXCEEDED' }, 'timeout', true],
    [{ code: 400, message: 'Bad', status: 'INVALID_ARGUMENT' }, 'invalid-request', false],
    [{ code: 403, message: 'No', status: 'PERMISSION_DENIED' }, 'unauthorized', false],
    [{ code: 499, message: 'Cancelled', status: 'CANCELLED' }, 'stream-interrupted', true],
    [{ code: 409, message: 'Aborted', status: 'ABORTED' }, 'stream-interrupted', true],
  ])('should know %j inside the stream for what it is, however it is framed', async (told, kind, isRetryable) => {
    const start = chunk([{ text: 'Hi' }]);
    const pretty = JSON.stringify({ error: told }, null, 2);
    const bodies = [sse(start, { error: told }), `${sse(start)}${pretty}`, `[${JSON.stringify(start)},\n${pretty}]`];

    for (const body of bodies) {
      const error = await failure(body);

      expect(error).toMatchObject({ kind, isRetryable, status: told.code, detail: told.message });
      expect(error.snapshot?.text).toBe('Hi');
    }
  });

  it('should take an error for one although a finish reason came before it', async () => {
    const done = sse(chunk([{ text: 'First ' }], {}, { finishReason: 'STOP' }));

    expect(await failure(done + sse({ error: { code: 503, message: 'x' } }))).toMatchObject({ kind: 'overloaded' });
  });

  it('should wait as long as Google asks for', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '17s' }];

    expect((await failure(sse({ error: { code: 429, message: 'x', details } }))).retryAfter).toBe(17_000);
  });

  it.each([
    [400, { error: { code: 400, message: 'API key not valid', status: 'INVALID_ARGUMENT' } }, 'invalid-request'],
    [404, { error: { code: 404, message: 'models/x is not found', status: 'NOT_FOUND' } }, 'model-not-found'],
    [429, [{ error: { code: 429, message: 'quota', status: 'RESOURCE_EXHAUSTED' } }], 'rate-limited'],
  ])('should know the body of HTTP %d', async (status, body, kind) => {
    const error = await failure(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

    expect(error).toMatchObject({ kind, status });
    expect(error.snapshot).toBeUndefined();
  });

  it('should read an error body that comes with status 200', async () => {
    const body = JSON.stringify({ error: { code: 503, message: 'busy', status: 'UNAVAILABLE' } });

    expect(await failure(body, { headers: { 'content-type': 'application/json' } })).toMatchObject({
      kind: 'overloaded',
    });
  });

  it.each([
    [
      'malformed JSON',
      'data: {"candidates":\r\n\r\ndata: {}\r\n\r\n',
      /^provider error: malformed stream: .* in "\{\\"candidates\\":/,
    ],
    ['a page of a proxy', '<html>sign in</html>', /^stream interrupted \(stream ended early\)/],
    ['nothing', '', /^stream interrupted \(stream ended early\)/],
  ])('should say what is wrong with %s', async (_what, body, message) => {
    expect((await failure(body)).message).toMatch(message);
  });

  it('should take an event of 10 MB and refuse one that is longer than the limit', async () => {
    const long = sse(chunk([{ text: 'x'.repeat(10_000_000) }], {}, { finishReason: 'STOP' }));

    expect((await decode({ body: long })).error).toBeUndefined();
    const provider = geminiGenerateContent({
      fetch: fakeFetch({ body: long, split: [5_000_000] }),
      maxFrameLength: 1_000_000,
    });
    const { error } = await outcomeOf(provider.executeStream(request));
    expect(String(error)).toMatch(/provider error: an event is longer than 1000000 characters/);
  });

  it('should not leave half a character in the text', async () => {
    expect((await result(chunk([{ text: 'a\ud834' }]), chunk([{ text: '\udd1eb' }]), finish('STOP'))).content).toEqual([
      { type: 'text', text: 'a𝄞b' },
    ]);
  });
});

describe('geminiGenerateContent: both forms of the stream', () => {
  const chunks = [
    chunk([{ text: 'é "}]' }]),
    chunk([{ functionCall: { name: 'a' } }], { usageMetadata: { promptTokenCount: 1 } }, { finishReason: 'STOP' }),
  ];
  const array = JSON.stringify(chunks, null, 2);
  const merged = chunk(
    [{ text: 'é "}]' }, { functionCall: { name: 'a' } }],
    { usageMetadata: { promptTokenCount: 1 } },
    { finishReason: 'STOP' },
  );

  it.each([
    ['server-sent events', sse(...chunks), 'text/event-stream', 'sse'],
    ['an array', array, 'application/json', 'json-array'],
    ['an array where events were asked for', array, 'application/json; charset=UTF-8', 'sse'],
    ['events where an array was asked for', sse(...chunks), 'text/event-stream', 'json-array'],
    ['an array whose only chunk comes without brackets', JSON.stringify(merged), 'application/json', 'sse'],
    ['an array behind a byte order mark', `\ufeff\r\n${array}`, 'application/json', 'json-array'],
    ['events behind a byte order mark', `\ufeff${sse(...chunks)}`, 'text/event-stream', 'sse'],
  ] as const)('should read %s', async (_what, body, contentType, transport) => {
    const expected = await events(...chunks);

    for (const split of ['whole', 'bytes'] as const) {
      const fetch = fakeFetch({ body, split, headers: { 'content-type': contentType } });
      const outcome = await outcomeOf(geminiGenerateContent({ fetch, transport }).executeStream(request));

      expect(outcome).toEqual({ events: expected, error: undefined });
    }
  });

  it('should take an array that breaks off for an interruption, with what had arrived', async () => {
    for (const cut of [array.length - 1, array.length - 30, array.indexOf('functionCall')]) {
      const { events: sent, error } = await decode({
        body: array.slice(0, cut),
        headers: { 'content-type': 'application/json' },
      });

      // Only the bracket that ends the array is missing: every element has come.
      if (cut === array.length - 1) expect(sent.at(-1)?.type).toBe('stop');
      else
        expect(error).toMatchObject({
          kind: 'stream-interrupted',
          interruption: { kind: 'truncated' },
          snapshot: { text: 'é "}]' },
        });
    }
  });
});
