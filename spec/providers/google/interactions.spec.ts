import {
  assistantMessage,
  InferenceExecutionError,
  systemMessage,
  toolMessage,
  userMessage,
  type ContentBlock,
  type InferenceOverrides,
  type InferenceRequest,
  type LlmStreamEvent,
} from '../../../src/contract/index.js';
import { InteractionsDecoder } from '../../../src/providers/google/interactionsDecode.js';
import { encodeInteraction } from '../../../src/providers/google/interactionsEncode.js';
import { geminiInteractions, type InteractionsOptions } from '../../../src/providers/google/index.js';
import { Accumulator } from '../../../src/recovery/accumulator.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { outcomeOf, sse } from './streams.js';

const request: InferenceRequest = { model: 'gemini-2.5-flash', messages: [userMessage('hello')] };
const created = { event_type: 'interaction.created', interaction: { id: 'run-1', status: 'in_progress' } };
const begin = (index: number, step: object): object => ({ event_type: 'step.start', index, step });
const delta = (index: number, piece: object, more: object = {}): object => ({
  event_type: 'step.delta',
  index,
  delta: piece,
  ...more,
});
const text = (index: number, value: string): object => delta(index, { type: 'text', text: value });
const end = (index: number): object => ({ event_type: 'step.stop', index });
const done = (status = 'completed', more: object = {}): object => ({
  event_type: 'interaction.completed',
  interaction: { id: 'run-1', status, ...more },
});

async function decode(...events: object[]) {
  const body = sse(...events) + 'event: done\r\ndata: [DONE]\r\n\r\n';
  const outcome = await outcomeOf(geminiInteractions({ fetch: fakeFetch({ body }) }).executeStream(request));
  const seen = new Accumulator();
  for (const event of outcome.events) seen.push(event);
  return { ...outcome, result: seen.result() };
}

async function events(...sent: object[]): Promise<LlmStreamEvent[]> {
  const outcome = await decode(...sent);
  expect(outcome.error).toBeUndefined();
  return outcome.events;
}

async function failure(...sent: object[]): Promise<InferenceExecutionError> {
  const { error } = await decode(...sent);
  if (!(error instanceof InferenceExecutionError)) throw new Error(`expected a failure, got ${String(error)}`);
  return error;
}

const ID = { provider: 'google-interactions', id: 'run-1' };

describe('geminiInteractions: the answer', () => {
  it('should tell thoughts, text and the end, step by step', async () => {
    expect(
      await events(
        created,
        { event_type: 'interaction.status_update', status: 'in_progress' },
        begin(0, { type: 'thought' }),
        delta(0, { type: 'thought_summary', content: { type: 'text', text: 'Hm' } }),
        delta(0, { type: 'thought_signature', signature: 'S' }),
        end(0),
        begin(1, { type: 'model_output' }),
        text(1, 'Hel'),
        text(1, 'lo'),
        end(1),
        done(),
      ),
    ).toEqual([
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'reasoning-delta', text: '', providerMetadata: { provider: 'google-interactions', signature: 'S' } },
      { type: 'content-block-stop' },
      { type: 'text-delta', text: 'Hel' },
      { type: 'text-delta', text: 'lo' },
      { type: 'content-block-stop' },
      { type: 'stop', reason: 'end-turn', providerMetadata: ID },
    ]);
  });

  it('should read the form in which the stream was before there were steps', async () => {
    const began = (index: number, content: object): object => ({ event_type: 'content.start', index, content });
    const piece = (index: number, value: object): object => ({ event_type: 'content.delta', index, delta: value });
    const ended = (index: number): object => ({ event_type: 'content.stop', index });

    expect(
      await events(
        { event_type: 'interaction.start', interaction: { id: 'run-1', status: 'in_progress' } },
        began(0, { type: 'thought' }),
        piece(0, { type: 'thought_summary', content: { type: 'text', text: 'Hm' } }),
        piece(0, { type: 'thought_signature', signature: 'S' }),
        ended(0),
        began(1, { type: 'text' }),
        piece(1, { type: 'text', text: 'Hello' }),
        ended(1),
        began(2, { type: 'function_call' }),
        piece(2, { type: 'function_call', id: 'c1', name: 'weather', arguments: { city: 'Bern' } }),
        ended(2),
        piece(3, { type: 'function_call', id: 'c2', name: 'now', arguments: {} }),
        ended(3),
        began(4, { type: 'google_search_call', id: 'g', arguments: { queries: ['x'] } }),
        ended(4),
        {
          event_type: 'interaction.complete',
          interaction: {
            id: 'run-1',
            status: 'requires_action',
            usage: { total_input_tokens: 5, total_output_tokens: 3, total_tokens: 8 },
          },
        },
      ),
    ).toEqual([
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'reasoning-delta', text: '', providerMetadata: { provider: 'google-interactions', signature: 'S' } },
      { type: 'content-block-stop' },
      { type: 'text-delta', text: 'Hello' },
      { type: 'content-block-stop' },
      { type: 'tool-call-start', id: 'c1', name: 'weather' },
      { type: 'tool-call-delta', id: 'c1', argsDelta: '{"city":"Bern"}' },
      { type: 'content-block-stop', id: 'c1' },
      { type: 'tool-call-start', id: 'c2', name: 'now' },
      { type: 'content-block-stop', id: 'c2' },
      {
        type: 'provider-block',
        provider: 'google-interactions',
        block: { type: 'google_search_call', id: 'g', arguments: { queries: ['x'] } },
      },
      { type: 'usage', usage: { promptTokens: 5, completionTokens: 3, totalTokens: 8 } },
      { type: 'stop', reason: 'tool-use', providerMetadata: ID },
    ]);
  });

  it('should read what a step brings with its beginning', async () => {
    const { result } = await decode(
      created,
      begin(0, { type: 'thought', summary: [{ type: 'text', text: 'Hm' }], signature: 'S' }),
      end(0),
      begin(1, { type: 'model_output', content: [{ type: 'text', text: 'Hi' }] }),
      text(1, ' you'),
      end(1),
      done(),
    );

    expect(result.content).toEqual([
      { type: 'reasoning', text: 'Hm', signature: 'S', providerMetadata: { provider: 'google-interactions' } },
      { type: 'text', text: 'Hi you' },
    ]);
  });

  it('should tell calls with their pieces', async () => {
    expect(
      await events(
        created,
        begin(0, { type: 'function_call', id: 'c1', name: 'a', arguments: {}, signature: 'S' }),
        delta(0, { type: 'arguments_delta', arguments: '{"x"' }),
        delta(0, { type: 'arguments_delta', arguments: ':1}' }),
        end(0),
        begin(1, { type: 'function_call', id: '', name: 'b', arguments: { y: 2 }, signature: '' }),
        end(1),
        begin(2, { type: 'function_call', id: 'c3', name: 'c' }),
        end(2),
        done('requires_action'),
      ),
    ).toEqual([
      {
        type: 'tool-call-start',
        id: 'c1',
        name: 'a',
        providerMetadata: { provider: 'google-interactions', signature: 'S' },
      },
      { type: 'tool-call-delta', id: 'c1', argsDelta: '{"x"' },
      { type: 'tool-call-delta', id: 'c1', argsDelta: ':1}' },
      { type: 'content-block-stop', id: 'c1' },
      { type: 'tool-call-start', id: 'call_run-1_1', name: 'b' },
      { type: 'tool-call-delta', id: 'call_run-1_1', argsDelta: '{"y":2}' },
      { type: 'content-block-stop', id: 'call_run-1_1' },
      { type: 'tool-call-start', id: 'c3', name: 'c' },
      { type: 'content-block-stop', id: 'c3' },
      { type: 'stop', reason: 'tool-use', providerMetadata: ID },
    ]);
  });

  it('should take the pieces of arguments for the whole when the beginning has some too', async () => {
    const { result } = await decode(
      created,
      begin(0, { type: 'function_call', id: 'c1', name: 'a', arguments: { x: 1 } }),
      delta(0, { type: 'arguments_delta', arguments: '{"x":1}' }),
      end(0),
      done('requires_action'),
    );

    expect(result.toolCalls).toEqual([{ id: 'c1', name: 'a', arguments: { x: 1 } }]);
  });

  it('should put the steps of tools that run at Google together, and pass on pictures and citations', async () => {
    const annotations = [{ type: 'url_citation', url: 'https://x.test' }];

    expect(
      await events(
        created,
        begin(0, { type: 'code_execution_call', id: 'e1' }),
        delta(0, { type: 'code_execution_call', arguments: { code: '1' }, signature: 'S' }),
        end(0),
        begin(1, { type: 'mcp_server_tool_call', id: 'm1', name: 'a' }),
        delta(1, { type: 'arguments_delta', arguments: '{"q":' }),
        delta(1, { type: 'arguments_delta', arguments: '"x"}' }),
        end(1),
        begin(2, { type: 'model_output' }),
        text(2, 'see'),
        delta(2, { type: 'image', data: 'AAA=', mime_type: 'image/png' }),
        delta(2, { type: 'text_annotation_delta', annotations }),
        end(2),
        begin(3, { type: 'user_input' }),
        text(3, 'echo'),
        end(3),
        done(),
      ),
    ).toEqual([
      {
        type: 'provider-block',
        provider: 'google-interactions',
        block: { type: 'code_execution_call', id: 'e1', arguments: { code: '1' }, signature: 'S' },
      },
      {
        type: 'provider-block',
        provider: 'google-interactions',
        block: { type: 'mcp_server_tool_call', id: 'm1', name: 'a', arguments: { q: 'x' } },
      },
      { type: 'text-delta', text: 'see' },
      {
        type: 'provider-block',
        provider: 'google-interactions',
        block: { type: 'model_output', content: [{ type: 'image', data: 'AAA=', mime_type: 'image/png' }] },
      },
      {
        type: 'provider-block',
        provider: 'google-interactions',
        block: { type: 'text_annotation_delta', annotations },
      },
      { type: 'content-block-stop' },
      { type: 'stop', reason: 'end-turn', providerMetadata: ID },
    ]);
  });

  it('should report usage as it grows, with the id for the next turn', async () => {
    const usage = {
      total_input_tokens: 10,
      total_tool_use_tokens: 5,
      total_output_tokens: 3,
      total_thought_tokens: 2,
      total_cached_tokens: 4,
      total_tokens: 20,
    };
    const sent = await events(
      created,
      delta(0, { type: 'text', text: 'a' }, { metadata: { total_usage: { total_input_tokens: 10 } } }),
      delta(0, { type: 'text', text: 'b' }, { metadata: { total_usage: { total_input_tokens: 10 } } }),
      done('completed', { usage }),
    );

    expect(sent.filter(({ type }) => type === 'usage')).toEqual([
      {
        type: 'usage',
        usage: { promptTokens: 10, totalTokens: 10 },
      },
      {
        type: 'usage',
        usage: { promptTokens: 15, completionTokens: 5, totalTokens: 20, cacheReadTokens: 4, thinkingTokens: 2 },
      },
    ]);
  });

  it.each([
    ['completed', 'end-turn'],
    ['incomplete', 'max-tokens'],
    ['budget_exceeded', 'max-tokens'],
    ['requires_action', 'tool-use'],
    ['something_new', 'end-turn'],
  ])('should end for %s in %s', async (status, reason) => {
    expect((await events(created, text(0, 'a'), done(status))).at(-1)).toEqual({
      type: 'stop',
      reason,
      providerMetadata: ID,
    });
  });

  it('should not take a last call without arguments for whole where the answer was cut off', async () => {
    const tool = (index: number) => [begin(index, { type: 'function_call', id: `c${index}`, name: 'a' }), end(index)];
    const cut = await decode(created, ...tool(0), ...tool(1), done('incomplete'));
    const whole = await decode(created, ...tool(0), ...tool(1), done());

    expect(cut.result).toMatchObject({ toolCalls: [{ id: 'c0' }], hasIncompleteToolCalls: true });
    expect(whole.result).toMatchObject({ toolCalls: [{ id: 'c0' }, { id: 'c1' }], hasIncompleteToolCalls: false });
    expect(whole.events.filter(({ type }) => type === 'content-block-stop')).toHaveLength(2);
  });

  it.each([
    ['completed', 1],
    ['incomplete', 0],
  ])('should still know behind a cut that a call without arguments has ended, in a run that is %s', (status, stops) => {
    const seen: LlmStreamEvent[] = [];
    const read = (decoder: InteractionsDecoder, ...sent: object[]): void => {
      for (const event of sent) decoder.decode({ data: JSON.stringify(event) }, (told) => seen.push(told));
    };
    const tool = begin(1, { type: 'function_call', id: 'c', name: 'a' });
    const background = true;

    read(
      new InteractionsDecoder({ background }),
      created,
      begin(0, { type: 'model_output' }),
      tool,
      end(1),
      text(0, 'So'),
    );
    const second = new InteractionsDecoder({ background, cursor: seen.at(-1)?.providerMetadata?.cursor });
    read(second, done(status));

    expect(second.carried).toEqual([{ type: 'tool-call-start', id: 'c', name: 'a' }]);
    expect(seen.filter((event) => event.type === 'content-block-stop' && event.id === 'c')).toHaveLength(stops);
  });

  it('should end in tool-use when an interaction that has made a call is called completed', async () => {
    const { result } = await decode(created, begin(0, { type: 'function_call', id: 'c', name: 'a' }), end(0), done());

    expect(result.stopReason).toBe('tool-use');
  });

  it('should have finished with the terminal event, and not before', () => {
    const decoder = new InteractionsDecoder({ background: false });
    const finished = [created, text(0, 'a'), done()].map((event) => {
      decoder.decode({ data: JSON.stringify(event) }, () => undefined);
      return decoder.finished;
    });

    expect(finished).toEqual([false, false, true]);
  });

  it('should carry no cursor and cancel nothing where the run ends with the connection', async () => {
    const fetch = fakeFetch({ body: sse(created, text(0, 'a')), end: 'hang' });
    const sent: LlmStreamEvent[] = [];
    await new Promise<void>((resolve) => {
      const subscription = geminiInteractions({ fetch, apiKey: 'k' })
        .executeStream(request)
        .subscribe((event) => {
          sent.push(event);
          resolve();
        });
      void Promise.resolve().then(() => setImmediate(() => subscription.unsubscribe()));
    });

    expect(sent).toEqual([{ type: 'text-delta', text: 'a' }]);
    expect(fetch.requests).toHaveLength(1);
  });

  it.each([
    ['events that are new', [{ event_type: 'news', x: 1 }]],
    ['pieces of steps that are unknown', [delta(9, { type: 'arguments_delta', arguments: 'x' }), end(9)]],
    ['empty pieces', [text(0, ''), delta(0, {}), begin(0, {}), {}]],
  ])('should make nothing of %s', async (_what, odd) => {
    const sent = await events(created, ...odd, begin(1, { type: 'model_output' }), text(1, 'ok'), done());

    expect(sent.filter(({ type }) => type !== 'provider-block')).toEqual([
      { type: 'text-delta', text: 'ok' },
      { type: 'stop', reason: 'end-turn', providerMetadata: ID },
    ]);
  });
});

describe('geminiInteractions: failures', () => {
  it.each([
    [{ code: 'resource_exhausted', message: 'quota' }, 'rate-limited'],
    [{ code: 'UNAVAILABLE', message: 'busy' }, 'overloaded'],
    [{ code: 'invalid_argument', message: 'bad' }, 'invalid-request'],
    [{ code: 'internal', message: 'oops' }, 'provider'],
    [{ code: 499, message: 'cancelled' }, 'stream-interrupted'],
  ])('should know the error event %j', async (error, kind) => {
    const told = await failure(created, text(0, 'Hi'), { event_type: 'error', error });

    expect(told).toMatchObject({ kind, detail: error.message });
    expect(told.snapshot?.text).toBe('Hi');
  });

  it('should tell an interaction that failed, with its usage', async () => {
    const error = await failure(created, text(0, 'Hi'), done('failed', { usage: { total_input_tokens: 7 } }));

    expect(error.message).toBe('provider error: the interaction failed at Google');
    expect(error.snapshot).toMatchObject({ text: 'Hi', usage: { promptTokens: 7 } });
    expect((await failure(created, done('failed', { error: { code: 'unavailable', message: 'busy' } }))).kind).toBe(
      'overloaded',
    );
  });

  it('should not go on after somebody has cancelled the interaction', async () => {
    expect(await failure(created, text(0, 'Hi'), done('cancelled'))).toMatchObject({
      kind: 'cancelled',
      isRetryable: false,
    });
  });

  it.each([
    ['failed', 'provider'],
    ['cancelled', 'cancelled'],
    ['in_progress', 'stream-interrupted'],
  ])('should take an end without the terminal event after the status %s for %s', async (status, kind) => {
    expect((await failure(created, text(0, 'Hi'), { event_type: 'interaction.status_update', status })).kind).toBe(
      kind,
    );
  });
});

function encode(asked: Partial<InferenceRequest>, options: InteractionsOptions = {}) {
  const { body, ...rest } = encodeInteraction({ ...request, ...asked }, undefined, options, 'key-1');
  return { ...rest, body: JSON.parse(String(body)) as Record<string, unknown> };
}

describe('geminiInteractions: requests', () => {
  it('should create an interaction, with the key in a header', () => {
    const { url, method, headers, body } = encode({});

    expect({ url, method }).toEqual({
      url: 'https://generativelanguage.googleapis.com/v1beta/interactions',
      method: undefined,
    });
    expect(headers).toEqual({
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'api-revision': '2026-05-20',
      'x-goog-api-key': 'key-1',
    });
    expect(body).toEqual({
      model: 'gemini-2.5-flash',
      input: [{ type: 'user_input', content: [{ type: 'text', text: 'hello' }] }],
      stream: true,
    });
    expect(encode({}, { background: true }).body['background']).toBe(true);
  });

  it('should encode every kind of turn as steps', () => {
    const code = { type: 'code_execution_call', id: 'e1' };
    const provider = 'google-interactions';
    const messages = [
      systemMessage('two'),
      userMessage([
        { type: 'text', text: 'see' },
        { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAA=' } },
        { type: 'document', source: { type: 'url', url: 'https://x.test/a.pdf' } },
      ]),
      assistantMessage([
        { type: 'reasoning', text: 'mine', signature: 'S', providerMetadata: { provider } },
        { type: 'reasoning', text: 'theirs', signature: 'X', providerMetadata: { provider: 'google' } },
        { type: 'reasoning', text: 'half' },
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
        { type: 'provider', provider, block: code },
        { type: 'text', text: 'c' },
        { type: 'provider', provider, block: { type: 'text_annotation_delta', annotations: [] } },
        { type: 'provider', provider: 'google', block: { executableCode: {} } },
        { type: 'tool-call', id: 'c1', name: 'f', arguments: { x: 1 }, providerMetadata: { provider, signature: 'T' } },
        {
          type: 'tool-call',
          id: 'c2',
          name: 'g',
          arguments: {},
          providerMetadata: { provider: 'google', signature: 'U' },
        },
      ]),
      toolMessage('c1', 'one'),
      toolMessage(
        'c2',
        [
          { type: 'text', text: 'no' },
          { type: 'image', source: { type: 'url', url: 'gs://b/i.webp' } },
        ],
        { isError: true },
      ),
    ];
    const { body } = encode({ system: 'one', messages });

    expect(body['system_instruction']).toBe('one\n\ntwo');
    expect(body['input']).toEqual([
      {
        type: 'user_input',
        content: [
          { type: 'text', text: 'see' },
          { type: 'image', data: 'AAA=', mime_type: 'image/png' },
          { type: 'document', uri: 'https://x.test/a.pdf', mime_type: 'application/pdf' },
        ],
      },
      { type: 'thought', signature: 'S', summary: [{ type: 'text', text: 'mine' }] },
      {
        type: 'model_output',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      code,
      { type: 'model_output', content: [{ type: 'text', text: 'c' }] },
      { type: 'function_call', id: 'c1', name: 'f', arguments: { x: 1 }, signature: 'T' },
      { type: 'function_call', id: 'c2', name: 'g', arguments: {} },
      { type: 'function_result', call_id: 'c1', name: 'f', result: 'one' },
      {
        type: 'function_result',
        call_id: 'c2',
        name: 'g',
        result: [
          { type: 'text', text: 'no' },
          { type: 'image', uri: 'gs://b/i.webp', mime_type: 'image/webp' },
        ],
        is_error: true,
      },
    ]);
  });

  it('should encode settings, tools and formats', () => {
    const tool = { id: 't', name: 'f', description: 'd', parameters: { type: 'object' } };
    const schema = { type: 'object' };
    const overrides: InferenceOverrides = {
      temperature: 0,
      topP: 0.5,
      maxTokens: 9,
      stopSequences: ['X'],
      seed: 1,
      reasoningEffort: 'high',
      toolChoice: { name: 'f' },
      responseFormat: { type: 'json-schema', schema },
      metadata: { team: 'a', n: 1 },
      providerOptions: {
        previous_interaction_id: 'run-0',
        tools: [{ type: 'google_search' }],
        generation_config: { thinking_summaries: 'none' },
      },
    };

    expect(encode({ tools: [tool], overrides }).body).toEqual({
      model: 'gemini-2.5-flash',
      input: expect.anything(),
      tools: [
        { type: 'function', name: 'f', description: 'd', parameters: { type: 'object' } },
        { type: 'google_search' },
      ],
      generation_config: {
        temperature: 0,
        top_p: 0.5,
        max_output_tokens: 9,
        stop_sequences: ['X'],
        seed: 1,
        thinking_level: 'high',
        thinking_summaries: 'none',
        tool_choice: { allowed_tools: { mode: 'any', tools: ['f'] } },
      },
      response_format: { type: 'text', mime_type: 'application/json', schema },
      labels: { team: 'a', n: '1' },
      previous_interaction_id: 'run-0',
      stream: true,
    });
    expect(encode({ tools: [tool], overrides: { toolChoice: 'required' } }).body['generation_config']).toEqual({
      tool_choice: 'any',
    });
    expect(encode({ overrides: { toolChoice: 'auto' } }).body).not.toHaveProperty('generation_config');
    expect(encode({ overrides: { reasoningEffort: 'none' } }).body['generation_config']).toEqual({
      thinking_level: 'minimal',
    });
    const pro = encode({ overrides: { model: 'gemini-3.1-pro-preview', reasoningEffort: 'minimal' } });
    expect(pro.body['generation_config']).toMatchObject({ thinking_level: 'low' });
  });

  it('should leave the model out where an agent is asked', () => {
    const { body } = encode({ overrides: { providerOptions: { agent: 'deep-research-preview' } } });

    expect(body).toMatchObject({ agent: 'deep-research-preview' });
    expect(body).not.toHaveProperty('model');
  });

  const result: ContentBlock = { type: 'tool-result', toolCallId: 'c', content: [{ type: 'reasoning', text: 'x' }] };
  it.each<[Partial<InferenceRequest>, string]>([
    [{ overrides: { reasoningEffort: { budget: 5 } } }, 'cannot send a reasoning budget'],
    [{ overrides: { parallelToolCalls: false } }, 'leave parallelToolCalls out'],
    [{ overrides: { toolChoice: 'required' } }, 'the request has no tools'],
    [
      { messages: [userMessage([{ type: 'reasoning', text: 'x' }])] },
      'geminiInteractions cannot send a reasoning block of the user',
    ],
    [{ messages: [assistantMessage([result])] }, 'geminiInteractions cannot send a tool-result block of the assistant'],
    [
      { messages: [{ role: 'tool', content: [result] }] },
      'geminiInteractions cannot send a reasoning block in a tool result',
    ],
    [
      { system: [{ type: 'image', source: { type: 'url', url: 'x' } }] },
      'geminiInteractions cannot send an image block in the system prompt',
    ],
  ])('should refuse %j', (asked, words) => {
    expect(() => encode(asked)).toThrow(words);
  });
});
