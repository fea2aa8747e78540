import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { concatMap, delay, from, NEVER, of, tap } from 'rxjs';
import {
  converse,
  createExecutor,
  InferenceExecutionError,
  type ConverseConfig,
  type ConverseEvent,
  type LlmStreamEvent,
} from '../../src/index.js';
import { traceConversation, withTelemetry, type TraceConversationConfig } from '../../src/otel/index.js';
import { scriptedExecutor, type ScriptedAttempt } from '../../src/testing/index.js';
import { args, close, request, start, stop, text, usage } from '../helpers/events.js';
import { counted, heard } from '../tools/talk.js';
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

const SECRET = 'the user said this';
const calling = (id: string, name: string): ScriptedAttempt => [
  start(id, name),
  args(id, `{"q":"${SECRET}"}`),
  close(id),
  usage(10, 2),
  stop('tool-use'),
];
const done: ScriptedAttempt = [text('Done.'), usage(20, 3), stop()];

function traced(attempts: ScriptedAttempt[], config: ConverseConfig, options: TraceConversationConfig = {}) {
  const model = withTelemetry(scriptedExecutor(attempts), recorded.config);
  return converse(model, request, config).pipe(traceConversation<ConverseEvent>({ ...recorded.config, ...options }));
}

const named = (name: string): ReadableSpan => {
  const found = recorded.spans().filter((span) => span.name === name);
  expect(found.map((span) => span.name)).toEqual([name]);
  return found[0]!;
};

describe('traceConversation', () => {
  it('should record the conversation, and below it its answers and its tools', async () => {
    const look = counted('look', () => `seen: ${SECRET}`);
    const events = await heard(
      traced([calling('c1', 'look'), done], { tools: [look] }, { agent: 'clerk', conversationId: 'talk-1' }),
    );
    const agent = named('invoke_agent clerk');
    const tool = named('execute_tool look');
    const below = (span: ReadableSpan): boolean => span.parentSpanContext?.spanId === agent.spanContext().spanId;

    expect(events.at(-1)?.type).toBe('conversation-end');
    expect(recorded.spans().map(({ name }) => name)).toEqual([
      'chat test-model',
      'execute_tool look',
      'chat test-model',
      'invoke_agent clerk',
    ]);
    expect(recorded.spans().filter(below)).toHaveLength(3);
    expect([agent.kind, tool.kind, tool.status.code]).toEqual([
      SpanKind.INTERNAL,
      SpanKind.INTERNAL,
      SpanStatusCode.UNSET,
    ]);
    expect(agent.attributes).toEqual({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'clerk',
      'gen_ai.conversation.id': 'talk-1',
      'gen_ai.usage.input_tokens': 30,
      'gen_ai.usage.output_tokens': 5,
      'rx_llm.conversation.end': 'done',
      'rx_llm.conversation.steps': 2,
    });
    expect(tool.attributes).toEqual({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'look',
      'gen_ai.tool.call.id': 'c1',
      'gen_ai.tool.type': 'function',
    });
    expect(await recorded.metrics()).toMatchObject({
      'gen_ai.invoke_agent.duration': [{ attributes: { 'gen_ai.agent.name': 'clerk' }, count: 1 }],
      'gen_ai.execute_tool.duration': [{ attributes: { 'gen_ai.tool.name': 'look' }, count: 1 }],
    });
  });

  it('should stand above its turns and what the tools start, and beside what the reader starts', async () => {
    const { tracer } = recorded.config;
    const later = (...events: LlmStreamEvent[]) => from(events).pipe(concatMap((event) => of(event).pipe(delay(1))));
    const look = counted('look', async () => {
      await Promise.resolve();
      tracer.startSpan('query').end();
    });
    const turns = [
      later(start('a', 'look'), args('a', '{}'), close('a'), stop('tool-use')),
      later(start('b', 'look'), args('b', '{}'), close('b'), stop('tool-use')),
      later(text('x'), stop()),
    ];
    const model = createExecutor({ name: 'slow', executeStream: () => turns.shift()! });
    const talk$ = converse(withTelemetry(model, recorded.config), request, { tools: [look], recover: false });
    await tracer.startActiveSpan('page', async (page) => {
      const heardOf = tap(({ type }: ConverseEvent) => {
        if (type === 'stop' || type === 'conversation-end') tracer.startSpan(`heard ${type}`).end();
      });
      await heard(talk$.pipe(traceConversation<ConverseEvent>(recorded.config), heardOf));
      page.end();
    });
    const spans = recorded.spans();
    const above = ({ parentSpanContext: above }: ReadableSpan) =>
      spans.find((span) => span.spanContext().spanId === above?.spanId)?.name;

    expect(spans.map((span) => `${span.name} < ${above(span)}`).sort()).toEqual([
      ...Array<string>(3).fill('chat test-model < invoke_agent'),
      ...Array<string>(2).fill('execute_tool look < invoke_agent'),
      'heard conversation-end < page',
      ...Array<string>(3).fill('heard stop < page'),
      'invoke_agent < page',
      'page < undefined',
      ...Array<string>(2).fill('query < invoke_agent'),
    ]);
  });

  it('should record arguments and results only when it is asked to', async () => {
    const look = counted('look', () => `seen: ${SECRET}`);
    await heard(traced([calling('c1', 'look'), done], { tools: [look] }));
    const silent = JSON.stringify(
      recorded.spans().map(({ attributes, events, status }) => [attributes, events, status]),
    );
    await heard(traced([calling('c2', 'look'), done], { tools: [look] }, { captureContent: true }));
    const tool = recorded.spans().filter(({ name }) => name === 'execute_tool look')[1]!;

    expect(silent).not.toContain(SECRET);
    expect(tool.attributes).toMatchObject({
      'gen_ai.tool.call.arguments': `{"q":"${SECRET}"}`,
      'gen_ai.tool.call.result': `seen: ${SECRET}`,
    });
  });

  it('should tell failed tools and timeouts as errors', async () => {
    const fails = counted('fails', () => {
      throw new Error(`no: ${SECRET}`);
    });
    const slow = counted('slow', () => NEVER, { timeout: 5 });
    await heard(traced([calling('c1', 'fails'), calling('c2', 'slow'), done], { tools: [fails, slow] }));

    expect(named('execute_tool fails').status).toEqual({ code: SpanStatusCode.ERROR, message: 'failed' });
    expect(named('execute_tool fails').attributes['error.type']).toBe('failed');
    expect(named('execute_tool slow').attributes['error.type']).toBe('timeout');
  });

  it('should tell a call that is not run as an event, and a suspended one on its span', async () => {
    const unsure = counted('unsure', (_, { suspend }) => suspend('sure?'));
    await heard(traced([calling('c1', 'unknown'), calling('c2', 'unsure'), done], { tools: [unsure] }));

    expect(named('invoke_agent').events.map(({ name, attributes }) => [name, attributes])).toEqual([
      [
        'rx_llm.tool_call_not_run',
        { 'gen_ai.tool.name': 'unknown', 'gen_ai.tool.call.id': 'c1', 'rx_llm.tool.status': 'failed' },
      ],
    ]);
    expect(named('execute_tool unsure').attributes['rx_llm.suspended']).toBe(true);
  });

  it('should end every open span as cancelled when nobody listens any more', async () => {
    const slow = counted('slow', () => NEVER);
    await new Promise<void>((resolve) => {
      const subscription = traced([calling('c1', 'slow')], { tools: [slow] }).subscribe(({ type }) => {
        if (type !== 'tool-execution-start') return;
        queueMicrotask(() => {
          subscription.unsubscribe();
          resolve();
        });
      });
    });

    for (const name of ['execute_tool slow', 'invoke_agent']) {
      expect([named(name).attributes['rx_llm.cancelled'], named(name).status.code]).toEqual([
        true,
        SpanStatusCode.UNSET,
      ]);
    }
  });

  it('should tell an error by its kind and pass it on', async () => {
    const failure = new InferenceExecutionError('unauthorized', SECRET);
    const error = await heard(traced([[failure]], {})).catch((reason: unknown) => reason);
    const agent = named('invoke_agent');

    expect(error).toBe(failure);
    expect([agent.status, agent.attributes['error.type']]).toEqual([
      { code: SpanStatusCode.ERROR, message: 'unauthorized' },
      'unauthorized',
    ]);
  });
});
