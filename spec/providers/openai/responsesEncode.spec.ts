import {
  assistantMessage,
  systemMessage,
  toolMessage,
  userMessage,
  type ContentBlock,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
  type Message,
  type ReasoningBlock,
} from '../../../src/index.js';
import { corpusCase, corpusCases, describeCorpus } from '../../helpers/corpus.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { openaiChat, openaiResponses } from '../../../src/providers/openai/index.js';
import { outcomeOf, read, refusalOf, resultOf, sentBy } from './responsesHelpers.js';

const asking = (...messages: Message[]): InferenceRequest => ({ model: 'gpt-5-mini', messages });
const withOverrides = (overrides: InferenceOverrides, over: Partial<InferenceRequest> = {}): InferenceRequest => ({
  ...asking(userMessage('Hi')),
  ...over,
  overrides,
});
const parameters: JsonObject = { type: 'object', properties: { city: { type: 'string' } } };
const tools = [{ id: 'weather', name: 'weather', description: 'Tells it', parameters }];
const weather = { type: 'function', name: 'weather', description: 'Tells it', parameters, strict: false };
const inputOf = async (...messages: Message[]): Promise<unknown> => (await sentBy(asking(...messages))).body['input'];
const turn = (...blocks: ContentBlock[]) => inputOf(assistantMessage(blocks), userMessage('?'));
const openai = (more: object) => ({ providerMetadata: { provider: 'openai', ...more } });
const next = { type: 'message', role: 'user', content: [{ type: 'input_text', text: '?' }] };

describe('openaiResponses: the request', () => {
  it('should ask for a stream that is not stored, with the reasoning carried along', async () => {
    const { url, init, headers, body } = await sentBy({ ...asking(userMessage('Hi')), system: 'Be brief.' });

    expect(url).toBe('https://api.openai.com/v1/responses');
    expect(init.method).toBe('POST');
    expect(headers).toEqual({
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: 'Bearer key',
    });
    expect(body).toEqual({
      model: 'gpt-5-mini',
      instructions: 'Be brief.',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }],
      stream: true,
      store: false,
      include: ['reasoning.encrypted_content'],
    });
  });

  it('should run in the background only where that is asked for', async () => {
    const { body } = await sentBy(asking(userMessage('Hi')), { background: true });

    expect(body).toMatchObject({ background: true, store: true, stream: true });
  });

  it('should go where the options say', async () => {
    const options = { baseUrl: 'https://x.test/openai/v1/', organization: 'o', project: 'p', apiKey: '' };
    const { url, headers } = await sentBy(asking(userMessage('Hi')), { ...options, headers: { 'api-key': 'k' } });

    expect(url).toBe('https://x.test/openai/v1/responses');
    expect(headers).toEqual({
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'openai-organization': 'o',
      'openai-project': 'p',
      'api-key': 'k',
    });
  });

  it.each([
    ['gpt-5', true],
    ['gpt-5.6-sol', true],
    ['o4-mini', true],
    ['openai/gpt-oss-20b', true],
    ['openai.gpt-5.6-luna', true],
    ['ft:o4-mini:acme', true],
    ['grok-4.3', true],
    ['gpt-5-chat-latest', false],
    ['gpt-4o', false],
    ['gpt-4.1-mini', false],
    ['chatgpt-4o-latest', false],
    ['deployment', false],
  ])('should ask %s for encrypted reasoning: %s', async (model, expected) => {
    const { body } = await sentBy({ ...asking(userMessage('Hi')), model });

    expect(body['include']).toEqual(expected ? ['reasoning.encrypted_content'] : undefined);
  });

  it('should take a model that is asked to reason for one that can', async () => {
    const asked = [{ reasoningEffort: 'low' as const }, { providerOptions: { reasoning: { summary: 'auto' } } }];

    for (const overrides of asked) {
      const { body } = await sentBy({ ...withOverrides(overrides), model: 'deployment' });
      expect(body['include']).toEqual(['reasoning.encrypted_content']);
    }
  });

  it('should encode every setting', async () => {
    const schema: JsonObject = { type: 'object' };
    const { body } = await sentBy(
      withOverrides(
        {
          model: 'o3',
          temperature: 0.5,
          topP: 0.9,
          maxTokens: 100,
          reasoningEffort: 'max',
          toolChoice: 'required',
          parallelToolCalls: false,
          metadata: { user: 'u' },
          responseFormat: { type: 'json-schema', schema, strict: true },
        },
        { tools },
      ),
    );

    expect(body).toMatchObject({
      model: 'o3',
      temperature: 0.5,
      top_p: 0.9,
      max_output_tokens: 100,
      reasoning: { effort: 'high' },
      tools: [weather],
      tool_choice: 'required',
      parallel_tool_calls: false,
      metadata: { user: 'u' },
      text: { format: { type: 'json_schema', name: 'answer', schema, strict: true } },
    });
  });

  it.each([
    [{ type: 'text' as const }, { type: 'text' }],
    [{ type: 'json' as const }, { type: 'json_object' }],
    [
      { type: 'json-schema' as const, name: 'n', schema: {} },
      { type: 'json_schema', name: 'n', schema: {} },
    ],
  ])('should encode the format %j', async (responseFormat, format) => {
    expect((await sentBy(withOverrides({ responseFormat }))).body['text']).toEqual({ format });
  });

  it('should merge what the caller adds', async () => {
    const search = { type: 'web_search', search_context_size: 'low' };
    const { body } = await sentBy(
      withOverrides(
        {
          reasoningEffort: 'low',
          responseFormat: { type: 'json' },
          providerOptions: {
            tools: [search, { type: 'function', name: 'weather', strict: true }],
            include: ['web_search_call.action.sources', 'reasoning.encrypted_content'],
            reasoning: { summary: 'auto' },
            text: { verbosity: 'low' },
            store: true,
            previous_response_id: 'resp_1',
          },
        },
        { tools },
      ),
    );

    expect(body).toMatchObject({
      tools: [{ ...weather, strict: true }, search],
      include: ['reasoning.encrypted_content', 'web_search_call.action.sources'],
      reasoning: { effort: 'low', summary: 'auto' },
      text: { format: { type: 'json_object' }, verbosity: 'low' },
      store: true,
      previous_response_id: 'resp_1',
    });
  });

  it.each([
    ['auto' as const, 'auto'],
    [{ name: 'weather' }, { type: 'function', name: 'weather' }],
    [{ name: 'patch' }, { type: 'custom', name: 'patch' }],
    [{ name: 'web_search' }, { type: 'web_search' }],
    [{ name: 'unknown' }, { type: 'function', name: 'unknown' }],
  ])('should choose the tool %j', async (toolChoice, expected) => {
    const providerOptions: JsonObject = { tools: [{ type: 'web_search' }, { type: 'custom', name: 'patch' }] };

    expect((await sentBy(withOverrides({ toolChoice, providerOptions }, { tools }))).body['tool_choice']).toEqual(
      expected,
    );
  });

  it('should not choose among tools that are not there', async () => {
    const { body } = await sentBy(withOverrides({ toolChoice: 'auto', parallelToolCalls: true }));

    expect(body).not.toHaveProperty('tool_choice');
    expect(body).not.toHaveProperty('parallel_tool_calls');
  });

  it.each(['required' as const, { name: 'weather' }])(
    'should refuse the choice %j without tools',
    async (toolChoice) => {
      expect((await refusalOf(withOverrides({ toolChoice })))?.detail).toMatch(/has no tools/);
    },
  );

  it('should send metadata as texts', async () => {
    expect((await sentBy(withOverrides({ metadata: { run: 7 } }))).body['metadata']).toEqual({ run: '7' });
  });
});

describe('openaiResponses: the messages', () => {
  it('should encode what a user says', async () => {
    const base64 = (mediaType: string) => ({ type: 'base64' as const, mediaType, data: 'QUJD' });
    const url = { type: 'url' as const, url: 'https://x.test/a' };
    const content: ContentBlock[] = [
      { type: 'text', text: 'Look' },
      { type: 'image', source: base64('image/png') },
      { type: 'image', source: url },
      { type: 'document', source: base64('application/pdf'), title: 'a.pdf' },
      { type: 'document', source: base64('application/pdf') },
      { type: 'document', source: url, title: 'a.pdf' },
    ];

    expect(await inputOf(userMessage(content))).toEqual([
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look' },
          { type: 'input_image', image_url: 'data:image/png;base64,QUJD' },
          { type: 'input_image', image_url: 'https://x.test/a' },
          { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,QUJD' },
          { type: 'input_file', filename: 'document.pdf', file_data: 'data:application/pdf;base64,QUJD' },
          { type: 'input_file', file_url: 'https://x.test/a' },
        ],
      },
    ]);
  });

  it('should call a system message by the word that the model knows', async () => {
    const messages = [systemMessage('Rule'), userMessage('?')];
    const older = await sentBy({ model: 'gpt-4o', messages });

    expect(await inputOf(...messages)).toEqual([{ type: 'message', role: 'developer', content: 'Rule' }, next]);
    expect((older.body['input'] as unknown[])[0]).toEqual({ type: 'message', role: 'system', content: 'Rule' });
  });

  it('should join the blocks of the system prompt', async () => {
    const system: ContentBlock[] = [
      { type: 'text', text: 'A' },
      { type: 'text', text: 'B' },
    ];

    expect((await sentBy({ ...asking(userMessage('?')), system })).body['instructions']).toBe('A\n\nB');
  });

  it('should encode results of tools before what the user says with them', async () => {
    const image: ContentBlock = { type: 'image', source: { type: 'url', url: 'https://x.test/a' } };
    const result = (toolCallId: string, content: ContentBlock[], isError?: boolean): ContentBlock => ({
      type: 'tool-result',
      toolCallId,
      content,
      ...(isError && { isError }),
    });
    const sent = await inputOf(
      assistantMessage([
        { type: 'tool-call', id: 'a', name: 'weather', arguments: { city: 'Rom' } },
        { type: 'tool-call', id: 'b', name: 'patch', arguments: 'x\ny', ...openai({ type: 'custom_tool_call' }) },
      ]),
      { role: 'user', content: [{ type: 'text', text: '?' }, result('a', [{ type: 'text', text: 'sunny' }])] },
      toolMessage('b', 'failed', { isError: true }),
      { role: 'tool', content: [result('c', [image]), result('d', [image], true)] },
    );

    expect(sent).toEqual([
      { type: 'function_call', call_id: 'a', name: 'weather', arguments: '{"city":"Rom"}' },
      { type: 'custom_tool_call', call_id: 'b', name: 'patch', input: 'x\ny' },
      { type: 'function_call_output', call_id: 'a', output: 'sunny' },
      next,
      { type: 'custom_tool_call_output', call_id: 'b', output: 'Error: failed' },
      { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_image', image_url: 'https://x.test/a' }] },
      {
        type: 'function_call_output',
        call_id: 'd',
        output: [
          { type: 'input_text', text: 'Error:' },
          { type: 'input_image', image_url: 'https://x.test/a' },
        ],
      },
    ]);
  });

  it('should shorten ids that are too long, in the call and in its result', async () => {
    const id = `toolu_${'x'.repeat(80)}`;
    const sent = (await inputOf(
      assistantMessage([{ type: 'tool-call', id, name: 'f', arguments: {} }]),
      toolMessage(id, 'ok'),
    )) as { call_id: string }[];

    expect(sent[0]!.call_id).toMatch(/^\w{24}$/);
    expect(sent[1]!.call_id).toBe(sent[0]!.call_id);
  });

  it('should replace lone surrogates', async () => {
    const { init } = await sentBy(asking(userMessage('a\ud83d')));

    expect(init.body as string).toContain('a\ufffd');
    expect(init.body as string).not.toContain('\\ud83d');
  });

  it('should replace lone surrogates in arguments', async () => {
    const call = { type: 'tool-call' as const, id: 'a', name: 'b', arguments: { text: '\ude00 \u{1f600}' } };
    const { body } = await sentBy(asking(userMessage('a'), assistantMessage([call]), toolMessage('a', 'c')));

    expect((body['input'] as JsonObject[])[1]?.['arguments']).toBe('{"text":"\ufffd \u{1f600}"}');
  });
});

describe('openaiResponses: assistant turns', () => {
  const thought = (more: Partial<ReasoningBlock> = {}): ReasoningBlock => ({
    type: 'reasoning',
    text: 'Hm',
    ...openai({ id: 'rs_0' }),
    ...more,
  });
  const said: ContentBlock = { type: 'text', text: 'Yes', ...openai({ id: 'msg_1' }) };

  it('should send reasoning back in its place, without ids', async () => {
    expect(
      await turn(
        thought(),
        thought({ text: 'So', encrypted: 'gAAA' }),
        said,
        thought({ text: '', encrypted: 'gBBB', ...openai({ id: 'rs_2' }) }),
        { type: 'tool-call', id: 'a', name: 'f', arguments: {}, ...openai({ id: 'fc_3', namespace: 'n' }) },
      ),
    ).toEqual([
      {
        type: 'reasoning',
        summary: [
          { type: 'summary_text', text: 'Hm' },
          { type: 'summary_text', text: 'So' },
        ],
        encrypted_content: 'gAAA',
      },
      { type: 'message', role: 'assistant', content: 'Yes' },
      { type: 'reasoning', summary: [], encrypted_content: 'gBBB' },
      { type: 'function_call', call_id: 'a', name: 'f', namespace: 'n', arguments: '{}' },
      next,
    ]);
  });

  it('should send a turn with opaque items back with all of its ids', async () => {
    const search = { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } };
    const annotations = [{ type: 'url_citation', url: 'https://x.test' }];

    expect(
      await turn(
        thought({ encrypted: 'gAAA' }),
        { type: 'provider', provider: 'openai', block: search },
        { type: 'text', text: 'Yes', ...openai({ id: 'msg_2', phase: 'final_answer', annotations }) },
        { type: 'tool-call', id: 'a', name: 'f', arguments: {}, ...openai({ id: 'fc_3' }) },
      ),
    ).toEqual([
      { type: 'reasoning', id: 'rs_0', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'gAAA' },
      search,
      {
        type: 'message',
        id: 'msg_2',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'Yes', annotations }],
        phase: 'final_answer',
      },
      { type: 'function_call', id: 'fc_3', call_id: 'a', name: 'f', arguments: '{}' },
      next,
    ]);
  });

  it('should drop reasoning that is not whole, not its own, or that nothing follows', async () => {
    const foreign = { ...thought({ encrypted: 'gAAA' }), providerMetadata: { provider: 'anthropic' } };

    expect(await turn(thought(), foreign, said, thought({ encrypted: 'gAAA', ...openai({ id: 'rs_2' }) }))).toEqual([
      { type: 'message', role: 'assistant', content: 'Yes' },
      next,
    ]);
    expect(await turn(thought({ encrypted: 'gAAA' }))).toEqual([next]);
  });

  it('should tell apart reasoning that is shown and its summary', async () => {
    expect(await turn(thought({ encrypted: 'gAAA', ...openai({ id: 'rs_0', part: 'reasoning_text' }) }), said)).toEqual(
      [
        {
          type: 'reasoning',
          summary: [],
          content: [{ type: 'reasoning_text', text: 'Hm' }],
          encrypted_content: 'gAAA',
        },
        { type: 'message', role: 'assistant', content: 'Yes' },
        next,
      ],
    );
  });

  it('should send pieces of one text as one, and messages apart', async () => {
    const plain = (text: string): ContentBlock => ({ type: 'text', text });
    const commentary: ContentBlock = { type: 'text', text: 'Wait.', ...openai({ phase: 'commentary' }) };

    expect(await turn(plain('a'), plain(''), plain('b'), commentary, said)).toEqual([
      { type: 'message', role: 'assistant', content: 'ab' },
      { type: 'message', role: 'assistant', content: 'Wait.', phase: 'commentary' },
      { type: 'message', role: 'assistant', content: 'Yes' },
      next,
    ]);
  });

  it('should echo its own opaque blocks only, and a refusal as a part of a message', async () => {
    const refusal = { type: 'refusal', refusal: 'No.' };
    const output = { type: 'local_shell_call_output', id: 'x', output: 'ok' };
    const block = (provider: string, value: JsonObject): ContentBlock => ({ type: 'provider', provider, block: value });
    const sent = await inputOf(
      assistantMessage([
        block('openai', refusal),
        block('openai', { annotations: [] }),
        block('anthropic', { type: 'server_tool_use' }),
      ]),
      { role: 'user', content: [block('openai', output), block('anthropic', output)] },
    );

    expect(sent).toEqual([{ type: 'message', role: 'assistant', content: [refusal] }, output]);
  });
});

describe('openaiResponses: what it cannot send', () => {
  const medium = (type: 'audio' | 'video' | 'image'): ContentBlock => ({
    type,
    source: { type: 'url', url: 'https://x' },
  });

  it.each([
    ['audio', asking(userMessage([medium('audio')])), /audio block; send a transcript/],
    ['video', asking(userMessage([medium('video')])), /video block; send frames/],
    ['an image from the assistant', asking(assistantMessage([medium('image')])), /image block in an assistant message/],
    ['an image in the system prompt', { ...asking(), system: [medium('image')] }, /image block in the system prompt/],
    [
      'text in a tool message',
      asking({ role: 'tool' as const, content: [{ type: 'text', text: 'a' }] }),
      /text block in a tool/,
    ],
    [
      'reasoning of a user',
      asking(userMessage([{ type: 'reasoning', text: 'a' }])),
      /reasoning block in a user message/,
    ],
    ['stop sequences', withOverrides({ stopSequences: ['x'] }), /stop sequences; .*openaiChat/],
    ['a seed', withOverrides({ seed: 1 }), /a seed; .*openaiChat/],
    ['a budget', withOverrides({ reasoningEffort: { budget: 9 } }), /budget in tokens; use a level/],
  ])('should refuse %s before anything is sent', async (_, request, words) => {
    const error = await refusalOf(request);

    expect(error?.kind).toBe('invalid-request');
    expect(error?.message).toMatch(words);
  });
});

describe('openaiResponses: continuation', () => {
  const continued = (over: object = {}): InferenceRequest => ({
    ...asking(userMessage('?')),
    continuation: { prefix: 'The first half of it', cancelledTools: [], ...over },
  });

  it('should ask by prompt', async () => {
    const [question, answer, rest, ...more] = (await sentBy(continued())).body['input'] as Record<string, unknown>[];

    expect([question, answer]).toEqual([next, { type: 'message', role: 'assistant', content: 'The first half of it' }]);
    expect(rest).toMatchObject({ type: 'message', role: 'user' });
    expect(more).toEqual([]);
  });

  it('should end in the assistant turn where the caller knows that it is continued', async () => {
    const { body } = await sentBy(continued(), { continuation: 'prefill' });

    expect(body['input']).toEqual([next, { type: 'message', role: 'assistant', content: 'The first half of it' }]);
  });

  it('should attach to a run', async () => {
    const cursor = { provider: 'openai', runId: 'resp/1', after: 42 };
    const { url, init, headers } = await sentBy(continued({ mechanism: 'reattach', cursor }), { background: true });

    expect(url).toBe('https://api.openai.com/v1/responses/resp%2F1?stream=true&starting_after=42');
    expect(init.method).toBe('GET');
    expect(init.body).toBeUndefined();
    expect(headers).toEqual({ accept: 'text/event-stream', authorization: 'Bearer key' });
  });

  it('should attach to a run from its beginning where no event of it is known', async () => {
    const cursor = { provider: 'openai', runId: 'resp_1' };
    const { url } = await sentBy(continued({ mechanism: 'reattach', cursor }));

    expect(url).toBe('https://api.openai.com/v1/responses/resp_1?stream=true');
  });

  it('should continue the text of a run that lives at another provider', async () => {
    const cursor = { provider: 'google', runId: 'x', after: 'e1' };
    const { url, body } = await sentBy(continued({ mechanism: 'reattach', cursor }));

    expect(url).toBe('https://api.openai.com/v1/responses');
    expect((body['input'] as unknown[])[1]).toMatchObject({ role: 'assistant', content: 'The first half of it' });
  });
});

describeCorpus('openaiResponses: history', () => {
  const cases = corpusCases('openai-responses', 'responses-compat').filter(({ expected }) => !expected.streamErrors);

  it.each(cases.map((entry) => [entry.file, entry] as const))('should send the answer of %s back', async (_, entry) => {
    const { content } = await resultOf(new TextDecoder().decode(entry.bytes()));
    const sent = (await inputOf(assistantMessage(content), userMessage('?'))) as Record<string, unknown>[];
    const items = sent.slice(0, -1);
    const calls = content.filter((block) => block.type === 'tool-call');
    const encrypted = content.flatMap((block) => (block.type === 'reasoning' ? (block.encrypted ?? []) : []));
    const texts = items
      .filter(({ role }) => role === 'assistant')
      .flatMap(({ content: said }) =>
        typeof said === 'string' ? said : (said as { text?: string }[]).map(({ text }) => text ?? ''),
      );

    expect(texts.join('')).toBe(entry.expected.text);
    expect(items.flatMap(({ call_id, name }) => (name && call_id ? [call_id] : []))).toEqual(calls.map(({ id }) => id));
    expect(items.at(-1)?.['type']).not.toBe('reasoning');
    // A turn of nothing but reasoning is dropped: nothing follows it.
    expect(items.flatMap(({ encrypted_content }) => encrypted_content ?? [])).toEqual(
      items.length > 0 ? encrypted : [],
    );
    for (const { block } of content.filter((part) => part.type === 'provider')) {
      const refusal = (block as { type: string }).type === 'refusal';
      expect(refusal ? items.map(({ content: parts }) => (parts as unknown[])[0]) : items).toContainEqual(block);
    }
  });

  it.each(corpusCases('http-error').map((entry) => [entry.file, entry] as const))(
    'should tell the HTTP error of %s as the other providers do',
    async (_, entry) => {
      const answer = { status: entry.httpStatus, headers: { 'content-type': 'application/json', 'retry-after': '2' } };
      const body = new TextDecoder().decode(entry.bytes());
      const { error } = await read(body, answer);
      const other = await outcomeOf(openaiChat({ fetch: fakeFetch({ ...answer, body }) }).executeStream(asking()));

      expect(error?.kind).toBe(other.error?.kind);
      expect(error?.detail).not.toBe('');
      expect(error?.status).toBe(entry.httpStatus);
      expect(error?.retryAfter).toBe(2_000);
    },
  );

  it('should give a call of another turn its own id again', async () => {
    // The vendor counts from `call_0` in each answer.
    const body = new TextDecoder().decode(
      corpusCase('responses-compat/pydantic-ai.test_reused_tool_call_ids-stream.0.sse').bytes(),
    );
    const first = await resultOf(body);
    const second = await resultOf(body, asking(userMessage('?'), assistantMessage(first.content)));

    expect(first.toolCalls[0]!.id).toBe('call_0');
    expect(second.toolCalls[0]!.id).toMatch(/^call_0_\w{16}$/);
  });

  it('should keep the executor cold: each subscription asks again', async () => {
    const fetch = fakeFetch({ body: 'data: {"type":"response.completed"}\n\n' });
    const events$ = openaiResponses({ fetch }).executeStream(asking(userMessage('?')));
    expect(fetch.requests).toHaveLength(0);
    await outcomeOf(events$);
    await outcomeOf(events$);

    expect(fetch.requests).toHaveLength(2);
  });
});
