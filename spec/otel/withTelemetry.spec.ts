import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { concat, map, mergeMap, NEVER, of, throwError, timer, type Observable } from 'rxjs';
import {
  createExecutor,
  InferenceExecutionError,
  userMessage,
  withRecovery,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
} from '../../src/index.js';
import { traceInference, withTelemetry } from '../../src/otel/index.js';
import { scriptedExecutor } from '../../src/testing/index.js';
import { args, broken, close, reasoning, request, start, stop, text, usage } from '../helpers/events.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { enableContext, recordings, type Recordings } from './recordings.js';

let recorded: Recordings;
let disableContext: () => void;

beforeEach(() => {
  recorded = recordings();
  disableContext = enableContext();
});

afterEach(async () => {
  disableContext();
  await recorded.close();
});

const answerOf = (executor: LlmExecutor, asked: InferenceRequest = request): Promise<LlmStreamEvent[] | Error> =>
  new Promise((resolve) => {
    const events: LlmStreamEvent[] = [];
    executor.executeStream(asked).subscribe({
      next: (event) => events.push(event),
      error: resolve,
      complete: () => resolve(events),
    });
  });

const onlySpan = () => {
  const spans = recorded.spans();
  expect(spans).toHaveLength(1);
  return spans[0]!;
};

/** Everything of a request and of an answer that nobody may see who has not asked for it. */
const SECRET = 'the user said this';
const telling: InferenceRequest = {
  model: 'gpt-4o',
  system: `system: ${SECRET}`,
  messages: [
    userMessage([
      { type: 'text', text: SECRET },
      { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'QUJD' } },
      { type: 'image', source: { type: 'url', url: 'https://bucket.example/a.png?X-Amz-Signature=abc' } },
    ]),
    { role: 'assistant', content: [{ type: 'tool-call', id: 'c1', name: 'look', arguments: { at: SECRET } }] },
    { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'c1', content: [{ type: 'text', text: SECRET }] }] },
  ],
  tools: [{ id: 'look', name: 'look', description: 'Looks.', parameters: { type: 'object' } }],
};

describe('withTelemetry', () => {
  it('should record one client span with the attributes of the GenAI conventions', async () => {
    const executor = scriptedExecutor(
      [[text('Hi'), usage(12, 3), { ...stop(), providerMetadata: { id: 'msg_1', model: 'claude-x' } }]],
      { name: 'anthropic' },
    );
    await answerOf(withTelemetry(executor, recorded.config), {
      ...request,
      overrides: {
        model: 'claude',
        maxTokens: 100,
        temperature: 0,
        topP: 0.5,
        stopSequences: ['END'],
        seed: 7,
        responseFormat: { type: 'json' },
      },
    });
    const span = onlySpan();

    expect([span.name, span.kind, span.status.code, span.ended]).toEqual([
      'chat claude',
      SpanKind.CLIENT,
      SpanStatusCode.UNSET,
      true,
    ]);
    expect(span.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.model': 'claude',
      'gen_ai.request.stream': true,
      'gen_ai.request.max_tokens': 100,
      'gen_ai.request.temperature': 0,
      'gen_ai.request.top_p': 0.5,
      'gen_ai.request.stop_sequences': ['END'],
      'gen_ai.request.seed': 7,
      'gen_ai.output.type': 'json',
      'gen_ai.response.id': 'msg_1',
      'gen_ai.response.model': 'claude-x',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.response.time_to_first_chunk': expect.any(Number),
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 3,
      'rx_llm.attempts': 1,
    });
  });

  it('should cover all attempts of a recovered answer with one span, and tell each interruption and resumption', async () => {
    const executor = scriptedExecutor([
      [text('One '), usage(10, 1), broken()],
      [text('two '), start('c1', 'look'), args('c1', '{"a'), broken({ kind: 'provider-5xx', status: 503 })],
      [text('three'), usage(10, 2), stop()],
    ]);
    const events = await answerOf(withTelemetry(withRecovery(executor, { count: 3, delay: 0 }), recorded.config));
    const span = onlySpan();

    expect(executor.requests).toHaveLength(3);
    expect(events).toContainEqual(stop());
    expect(span.events.map(({ name }) => name)).toEqual([
      'rx_llm.interrupted',
      'rx_llm.resumed',
      'rx_llm.interrupted',
      'rx_llm.tool_call_cancelled',
      'rx_llm.resumed',
    ]);
    expect(span.events[0]!.attributes).toEqual({
      'rx_llm.interruption.cause': 'connection-reset',
      'rx_llm.interruption.plan': 'continue-text',
      'rx_llm.attempt': 1,
      'rx_llm.interruption.delay_ms': 0,
    });
    expect(span.events[2]!.attributes).toMatchObject({
      'rx_llm.interruption.cause': 'provider-5xx',
      'rx_llm.interruption.plan': 'truncate-before-tool',
      'http.response.status_code': 503,
    });
    expect(span.events[3]!.attributes).toEqual({ 'gen_ai.tool.name': 'look', 'gen_ai.tool.call.id': 'c1' });
    expect(span.events[1]!.attributes).toMatchObject({ 'rx_llm.attempt': 2, 'rx_llm.seam.at': 4 });
    expect(span.attributes).toMatchObject({ 'rx_llm.attempts': 3, 'rx_llm.usage.estimated': true });
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect((await recorded.metrics())['rx_llm.interruptions']).toEqual([
      { attributes: expect.objectContaining({ 'rx_llm.interruption.cause': 'connection-reset' }), value: 1 },
      { attributes: expect.objectContaining({ 'rx_llm.interruption.cause': 'provider-5xx' }), value: 1 },
    ]);
  });

  it('should record a span for each attempt when recovery stands around it, those that go on marked', async () => {
    const executor = scriptedExecutor([
      [text('One '), broken()],
      [text('two'), stop()],
    ]);
    await answerOf(withRecovery(withTelemetry(executor, recorded.config), { delay: 0 }));

    expect(recorded.spans().map(({ attributes }) => attributes['rx_llm.continuation'])).toEqual([undefined, true]);
    expect(recorded.spans().map(({ attributes }) => attributes['error.type'])).toEqual([
      'stream-interrupted',
      undefined,
    ]);
  });

  it('should tell an error by its kind, with the status and the usage that came before, and pass it on unchanged', async () => {
    const failure = new InferenceExecutionError('overloaded', `quotes: ${SECRET}`, { status: 529 });
    const executor = scriptedExecutor([[text('x'), usage(5, 1), failure]]);
    const error = await answerOf(withTelemetry(executor, recorded.config));
    const span = onlySpan();

    expect(error).toBe(failure);
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'overloaded' });
    expect(span.attributes).toMatchObject({
      'error.type': 'overloaded',
      'http.response.status_code': 529,
      'gen_ai.usage.input_tokens': 5,
    });
    expect(JSON.stringify([span.attributes, span.status, span.events])).not.toContain(SECRET);
    expect((await recorded.metrics())['gen_ai.client.operation.duration']![0]!.attributes).toMatchObject({
      'error.type': 'overloaded',
    });
  });

  it('should tell an error that is none of this library, and an end without a stop', async () => {
    const odd = createExecutor({ name: 'odd', executeStream: () => throwError(() => new Error('boom')) });
    await answerOf(withTelemetry(odd, recorded.config));
    await answerOf(withTelemetry(scriptedExecutor([[text('x')]]), recorded.config));

    expect(recorded.spans().map(({ attributes }) => attributes['error.type'])).toEqual([
      'provider',
      'stream-interrupted',
    ]);
    expect(recorded.spans().map(({ status }) => status.code)).toEqual([SpanStatusCode.ERROR, SpanStatusCode.ERROR]);
  });

  it('should end the span as cancelled, without a status, when nobody listens any more', async () => {
    const executor = scriptedExecutor([[text('x'), 'silence']]);
    withTelemetry(executor, recorded.config).executeStream(request).subscribe().unsubscribe();
    const span = onlySpan();

    expect([span.attributes['rx_llm.cancelled'], span.status.code]).toEqual([true, SpanStatusCode.UNSET]);
    expect(executor.unsubscribed).toBe(1);
    expect((await recorded.metrics())['gen_ai.client.operation.duration']![0]!.attributes).toMatchObject({
      'rx_llm.cancelled': true,
    });
  });

  it('should take an answer as ended at its stop, even when nobody waits for the completion', () => {
    const executor = createExecutor({ name: 'open', executeStream: () => concat(of(text('x'), stop()), NEVER) });
    withTelemetry(executor, recorded.config).executeStream(request).subscribe().unsubscribe();

    expect(onlySpan().attributes).not.toHaveProperty(['rx_llm.cancelled']);
  });

  it('should measure tokens, durations, the first piece and the time between pieces, in seconds', async () => {
    createTestScheduler().run(({ cold, flush }) => {
      const values = { a: text('a'), r: reasoning('r'), c: start('c1', 'look'), d: args('c1', '{}'), e: close('c1') };
      const events: Record<string, LlmStreamEvent> = { ...values, u: usage(20, 4), s: stop('tool-use') };
      const executor = createExecutor({
        name: 'azure',
        executeStream: () => cold('-- 998ms r 99ms a 99ms c-d-e-u-(s|)', events),
      });
      withTelemetry(executor, recorded.config).executeStream(request).subscribe();
      flush();
    });
    const metrics = await recorded.metrics();
    const attributes = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'azure.ai.openai',
      'gen_ai.request.model': 'test-model',
    };

    expect(metrics['gen_ai.client.operation.time_to_first_chunk']).toEqual([{ attributes, count: 1, sum: 1 }]);
    expect(metrics['gen_ai.client.operation.time_per_output_chunk']).toEqual([
      { attributes, count: 3, sum: expect.closeTo(0.202) },
    ]);
    expect(metrics['gen_ai.client.operation.duration']).toEqual([{ attributes, count: 1, sum: expect.closeTo(1.208) }]);
    expect(metrics['gen_ai.client.token.usage']).toEqual([
      { attributes: { ...attributes, 'gen_ai.token.type': 'input' }, count: 1, sum: 20 },
      { attributes: { ...attributes, 'gen_ai.token.type': 'output' }, count: 1, sum: 4 },
    ]);
    expect(onlySpan().attributes['gen_ai.response.finish_reasons']).toEqual(['tool_call']);
  });

  it('should ask for the bucket boundaries of the conventions', async () => {
    await answerOf(withTelemetry(scriptedExecutor([[text('x'), usage(1, 1), stop()]]), recorded.config));
    const descriptors = await recorded.descriptors();
    const asked = descriptors.map(({ name, unit, boundaries }) => [name, [unit, Math.max(...boundaries)]] as const);
    const boundaries = Object.fromEntries(asked);

    expect(boundaries).toMatchObject({
      'gen_ai.client.token.usage': ['{token}', 67_108_864],
      'gen_ai.client.operation.duration': ['s', 81.92],
      'gen_ai.client.operation.time_to_first_chunk': ['s', 81.92],
    });
  });

  it('should record nothing of what was said unless it is asked to', async () => {
    const answer = [
      text(`answer: ${SECRET}`),
      start('c2', 'look'),
      args('c2', `{"at":"${SECRET}"}`),
      close('c2'),
      stop(),
    ];
    await answerOf(withTelemetry(scriptedExecutor([answer]), recorded.config), telling);
    const { attributes, events, status, name } = onlySpan();

    expect(JSON.stringify({ attributes, events, status, name })).not.toContain(SECRET);
    expect(JSON.stringify(await recorded.metrics())).not.toContain(SECRET);
  });

  it('should record what was said when it is asked to, without media and signatures', async () => {
    const answer = [
      reasoning('hm'),
      close(),
      text('Yes.'),
      close(),
      start('c2', 'look'),
      args('c2', '{"at":1}'),
      close('c2'),
      stop('tool-use'),
    ];
    await answerOf(withTelemetry(scriptedExecutor([answer]), { ...recorded.config, captureContent: true }), telling);
    const { attributes } = onlySpan();
    const parsed = (name: string): unknown => JSON.parse(String(attributes[name]));

    expect(parsed('gen_ai.system_instructions')).toEqual([{ type: 'text', content: `system: ${SECRET}` }]);
    expect(parsed('gen_ai.input.messages')).toEqual([
      {
        role: 'user',
        parts: [
          { type: 'text', content: SECRET },
          { type: 'blob', modality: 'image', mime_type: 'image/png' },
          { type: 'uri', modality: 'image', uri: 'https://bucket.example/a.png' },
        ],
      },
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'look', arguments: { at: SECRET } }] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: SECRET }] },
    ]);
    expect(parsed('gen_ai.output.messages')).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', content: 'hm' },
          { type: 'text', content: 'Yes.' },
          { type: 'tool_call', id: 'c2', name: 'look', arguments: { at: 1 } },
        ],
        finish_reason: 'tool_call',
      },
    ]);
    expect(parsed('gen_ai.tool.definitions')).toEqual([
      { type: 'function', name: 'look', description: 'Looks.', parameters: { type: 'object' } },
    ]);
  });

  it('should stand below the active span, and above what the source starts', async () => {
    const { tracer } = recorded.config;
    const executor = createExecutor({
      name: 'http',
      executeStream: () => {
        tracer.startSpan('POST').end();
        return of(text('x'), stop());
      },
    });
    await tracer.startActiveSpan('page', async (page) => {
      await answerOf(withTelemetry(withRecovery(executor), recorded.config));
      page.end();
    });
    const [http, chat, page] = ['POST', 'chat test-model', 'page'].map((name) =>
      recorded.spans().find((span) => span.name === name)!,
    );

    expect(http!.parentSpanContext?.spanId).toBe(chat!.spanContext().spanId);
    expect(chat!.parentSpanContext?.spanId).toBe(page!.spanContext().spanId);
    expect(trace.getActiveSpan()).toBeUndefined();
  });

  it.each<[string, (executor: LlmExecutor) => Observable<unknown>]>([
    ['stream', (executor) => executor.executeStream(request)],
    ['collected answer', (executor) => executor.execute(request)],
  ])('should not stand above what the reader of a %s starts, also when it comes late', async (_, ask) => {
    const { tracer } = recorded.config;
    const names = (name: string) => tracer.startSpan(name).end();
    const late = <T>(value: T) => timer(1).pipe(map(() => value));
    const executor: LlmExecutor = {
      name: 'late',
      executeStream: () => late(stop()),
      execute: () => late({ content: [], toolCalls: [], hasIncompleteToolCalls: false, stopReason: 'end-turn' }),
    };
    const failing: LlmExecutor = {
      name: 'late',
      executeStream: () => late(0).pipe(mergeMap(() => throwError(() => broken()))),
      execute: () => late(0).pipe(mergeMap(() => throwError(() => broken()))),
    };
    const read = (model: LlmExecutor) =>
      new Promise<void>((resolve) => {
        const told = (name: string) => () => {
          names(name);
          if (name !== 'next') resolve();
        };
        ask(withTelemetry(model, recorded.config)).subscribe({
          next: told('next'),
          error: told('error'),
          complete: told('complete'),
        });
      });
    await tracer.startActiveSpan('page', async (page) => {
      await read(executor);
      await read(failing);
      page.end();
    });
    const page = recorded.spans().find(({ name }) => name === 'page')!;
    const below = recorded.spans().filter((span) => span.parentSpanContext?.spanId === page.spanContext().spanId);

    expect(below.map(({ name }) => name).sort()).toEqual([
      'chat test-model',
      'chat test-model',
      'complete',
      'error',
      'next',
    ]);
  });

  it('should add the attributes of the caller, and let none of them break an answer', async () => {
    const executor = scriptedExecutor([[text('x'), stop()]]);
    const own = withTelemetry(executor, {
      ...recorded.config,
      provider: 'mine',
      operation: 'text_completion',
      attributes: ({ model }) => ({ 'gen_ai.conversation.id': `about ${model}` }),
    });
    const bad = withTelemetry(executor, {
      ...recorded.config,
      attributes: () => {
        throw new Error('no');
      },
    });
    await answerOf(own);

    expect(await answerOf(bad)).toEqual([text('x'), stop()]);
    expect(recorded.spans().map(({ name }) => name)).toEqual(['text_completion test-model', 'chat test-model']);
    expect(recorded.spans()[0]!.attributes).toMatchObject({
      'gen_ai.provider.name': 'mine',
      'gen_ai.conversation.id': 'about test-model',
    });
  });

  it('should record collected answers, their errors and their cancellation, without the times of pieces', async () => {
    const result = { content: [], toolCalls: [], hasIncompleteToolCalls: false, stopReason: 'max-tokens' as const };
    const asking = (execute: LlmExecutor['execute']) =>
      withTelemetry(createExecutor({ name: 'unary', execute }), recorded.config).execute(request);
    const errors: unknown[] = [];
    asking(() => of({ ...result, usage: { promptTokens: 1, completionTokens: 2 } })).subscribe();
    asking(() => throwError(() => new InferenceExecutionError('timeout', 'slow'))).subscribe({
      error: (error: unknown) => errors.push(error),
    });
    asking(() => NEVER)
      .subscribe()
      .unsubscribe();
    const [good, bad, left] = recorded.spans();

    expect(errors).toHaveLength(1);
    expect(good!.attributes).toMatchObject({
      'gen_ai.request.stream': false,
      'gen_ai.usage.output_tokens': 2,
      'gen_ai.response.finish_reasons': ['length'],
    });
    expect([bad!.attributes['error.type'], left!.attributes['rx_llm.cancelled']]).toEqual(['timeout', true]);
    expect(await recorded.metrics()).not.toHaveProperty(['gen_ai.client.operation.time_to_first_chunk']);
  });

  it('should have a span for each subscription, and none before it', async () => {
    const answer$ = withTelemetry(scriptedExecutor([[text('x'), stop()]]), recorded.config).executeStream(request);
    expect(recorded.spans()).toHaveLength(0);
    answer$.subscribe();
    answer$.subscribe();

    expect(new Set(recorded.spans().map((span) => span.spanContext().spanId)).size).toBe(2);
  });

  it('should work without a provider of telemetry', async () => {
    expect(await answerOf(withTelemetry(scriptedExecutor([[text('x'), stop()]])))).toEqual([text('x'), stop()]);
  });
});

describe('traceInference', () => {
  it('should mirror the source, and stop it when nobody listens any more', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { a: text('a'), s: stop() };
      const source = cold<LlmStreamEvent>('--a--a---s|', values);
      const unsubscribed = '               ------!    ';
      const sourceSubs = '                 ^-----!    ';
      const expected = '                   --a--a     ';

      const result = source.pipe(traceInference({ ...recorded.config, request, provider: 'openai' }));

      expectObservable(result, unsubscribed).toBe(expected, values);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
    expect(onlySpan().attributes).toMatchObject({ 'gen_ai.provider.name': 'openai', 'rx_llm.cancelled': true });
  });
});
