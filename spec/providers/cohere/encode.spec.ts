import {
  assistantMessage,
  systemMessage,
  toolMessage,
  userMessage,
  type ContentBlock,
  type InferenceRequest,
  type Message,
  type ToolDescriptor,
} from '../../../src/index.js';
import { cohereChat } from '../../../src/providers/cohere/index.js';
import { request } from '../../helpers/events.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { answer } from '../bedrock/observe.js';
import { begin, block, call, callEnd, content, end, event, refusal, sent } from './stream.js';

const COMMAND = 'command-a-03-2025';
const REASONING = 'command-a-reasoning-08-2025';
const tools: ToolDescriptor[] = [
  { id: 'weather', name: 'weather', description: 'Tells it.', parameters: { properties: {} } },
  { id: 'now', name: 'now', description: '', parameters: { type: 'object' } },
];
const hello = { role: 'user', content: 'hello' };
const calls: ContentBlock[] = [{ type: 'tool-call', id: 'now_1', name: 'now', arguments: { a: 1 } }];
const sentCalls = [{ id: 'now_1', type: 'function', function: { name: 'now', arguments: '{"a":1}' } }];

async function turns(messages: Message[], asked: Partial<InferenceRequest> = {}) {
  return (await sent({ model: COMMAND, messages, ...asked })).body['messages'];
}

describe('cohereChat, asking', () => {
  it('should send no more than it was given', async () => {
    expect(await sent({ model: COMMAND }, { apiKey: 'co-key' })).toEqual({
      url: 'https://api.cohere.com/v2/chat',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: 'Bearer co-key' },
      body: { model: COMMAND, messages: [hello], stream: true },
    });
    expect((await sent({}, { baseUrl: 'http://127.0.0.1:8000/cohere/' })).url).toBe(
      'http://127.0.0.1:8000/cohere/v2/chat',
    );
  });

  it('should send every setting in its place, and what the caller says beside it', async () => {
    const { body } = await sent({
      system: 'Be brief.',
      tools,
      overrides: {
        model: COMMAND,
        maxTokens: 100,
        temperature: 0.5,
        topP: 0.9,
        stopSequences: ['END'],
        seed: 7,
        reasoningEffort: { budget: 500 },
        responseFormat: { type: 'json-schema', schema: { type: 'object' } },
        toolChoice: 'required',
        parallelToolCalls: true,
        providerOptions: { safety_mode: 'OFF', documents: [{ data: { text: 'x' } }], seed: 8 },
      },
    });

    expect(body).toEqual({
      model: COMMAND,
      messages: [{ role: 'system', content: 'Be brief.' }, hello],
      stream: true,
      tools: [
        {
          type: 'function',
          function: { name: 'weather', description: 'Tells it.', parameters: { type: 'object', properties: {} } },
        },
        { type: 'function', function: { name: 'now', description: '', parameters: { type: 'object' } } },
      ],
      tool_choice: 'REQUIRED',
      response_format: { type: 'json_object', json_schema: { type: 'object' } },
      thinking: { type: 'enabled', token_budget: 500 },
      max_tokens: 100,
      temperature: 0.5,
      p: 0.9,
      stop_sequences: ['END'],
      seed: 8,
      safety_mode: 'OFF',
      documents: [{ data: { text: 'x' } }],
    });
  });

  it('should force a certain tool by naming no other', async () => {
    const { body } = await sent({ tools, overrides: { toolChoice: { name: 'now' } } });

    expect(body).toMatchObject({ tools: [{ function: { name: 'now' } }], tool_choice: 'REQUIRED' });
    expect(body['tools']).toHaveLength(1);
  });

  it('should send the other choices', async () => {
    expect((await sent({ tools, overrides: { toolChoice: 'none' } })).body).toMatchObject({ tool_choice: 'NONE' });
    expect((await sent({ overrides: { toolChoice: 'none' } })).body).not.toHaveProperty('tool_choice');
    expect((await sent({ tools, overrides: { toolChoice: 'auto' } })).body).not.toHaveProperty('tool_choice');
    expect((await sent({ overrides: { responseFormat: { type: 'json' } } })).body).toMatchObject({
      response_format: { type: 'json_object' },
    });
  });

  it.each([
    ['none', { type: 'disabled' }],
    [{ budget: 0 }, { type: 'disabled' }],
    ['minimal', { type: 'enabled', token_budget: 1_024 }],
    ['high', { type: 'enabled', token_budget: 16_384 }],
    ['max', { type: 'enabled' }],
  ] as const)('should ask for the effort %j', async (reasoningEffort, thinking) => {
    expect((await sent({ overrides: { reasoningEffort } })).body['thinking']).toEqual(thinking);
  });

  it.each([
    ['a tool that it does not have', { toolChoice: { name: 'other' } }, /does not have/],
    ['one call at a time', { parallelToolCalls: false }, /parallelToolCalls/],
    ['metadata', { metadata: { user: 'a' } }, /metadata/],
  ] as const)('should refuse %s', async (_, overrides, words) => {
    const { kind, detail } = await refusal({ tools, overrides });

    expect(kind).toBe('invalid-request');
    expect(detail).toMatch(/^cohereChat: /);
    expect(detail).toMatch(words);
  });

  it('should refuse to force a tool when there is none', async () => {
    expect((await refusal({ overrides: { toolChoice: 'required' } })).detail).toMatch(/does not have/);
  });
});

describe('cohereChat, telling the conversation', () => {
  it('should send text, pictures, calls and results', async () => {
    const messages = [
      systemMessage('One.'),
      userMessage([
        { type: 'text', text: 'a' },
        { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' } },
        { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
      ]),
      assistantMessage(calls),
      toolMessage('now_1', 'noon'),
      toolMessage('now_2', 'boom', { isError: true }),
      assistantMessage('So'),
      userMessage(''),
    ];

    expect(await turns(messages)).toEqual([
      { role: 'system', content: 'One.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
        ],
      },
      { role: 'assistant', tool_calls: sentCalls },
      { role: 'tool', tool_call_id: 'now_1', content: 'noon' },
      { role: 'tool', tool_call_id: 'now_2', content: '{"error":"boom"}' },
      { role: 'assistant', content: 'So' },
    ]);
  });

  it('should put text beside calls where the model takes it', async () => {
    const spoken = assistantMessage([{ type: 'text', text: 'Let me see.' }, ...calls]);

    expect(await turns([spoken])).toEqual([{ role: 'assistant', tool_plan: 'Let me see.', tool_calls: sentCalls }]);
    expect(await turns([spoken], { model: REASONING })).toEqual([
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'Let me see.' }], tool_calls: sentCalls },
    ]);
    expect(await turns([spoken], { model: REASONING, overrides: { reasoningEffort: 'none' } })).toEqual([
      { role: 'assistant', tool_plan: 'Let me see.', tool_calls: sentCalls },
    ]);
  });

  it('should show the thoughts before a call to the model that had them, when they are whole, and nobody else', async () => {
    const thought = (providerMetadata?: Record<string, unknown>): ContentBlock => ({
      type: 'reasoning',
      text: 'Hm',
      ...(providerMetadata && { providerMetadata }),
    });
    const own = thought({ provider: 'cohere', model: REASONING, complete: true });
    const whole = { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm' }], tool_calls: sentCalls };
    const none = { role: 'assistant', tool_calls: sentCalls };

    expect(await turns([assistantMessage([own, ...calls])], { model: REASONING })).toEqual([whole]);
    expect(await turns([assistantMessage([own, ...calls])])).toEqual([none]);
    expect(
      await turns([assistantMessage([own, ...calls])], { model: REASONING, overrides: { reasoningEffort: 'none' } }),
    ).toEqual([none]);
    for (const other of [
      thought(),
      thought({ provider: 'cohere', model: REASONING }),
      thought({ provider: 'ollama', model: REASONING, complete: true }),
    ]) {
      expect(await turns([assistantMessage([other, ...calls])], { model: REASONING })).toEqual([none]);
    }
    expect(await turns([assistantMessage([own, { type: 'text', text: 'So' }])], { model: REASONING })).toEqual([
      { role: 'assistant', content: 'So' },
    ]);
  });

  it('should send an answer back as history: text in one piece, with its citations', async () => {
    const citation = { start: 0, end: 2, text: 'So', sources: [], type: 'TEXT_CONTENT' };
    const body =
      begin +
      content(0, { text: 'So' }) +
      event('citation-start', { citations: citation }, { index: 0 }) +
      content(0, { text: ' it is' }) +
      end();
    const { content: blocks } = await answer(cohereChat({ fetch: fakeFetch({ body }) }).executeStream(request));

    expect(blocks).toHaveLength(3);
    expect(await turns([assistantMessage(blocks)])).toEqual([
      { role: 'assistant', content: 'So it is', citations: [citation] },
    ]);
  });

  it('should send a turn of thoughts and calls back as history', async () => {
    const body =
      begin + block(0, 'thinking', 'Hm') + call(0, 'now_1', 'now', '{"a":1}') + callEnd(0) + end('TOOL_CALL');
    const { content: blocks } = await answer(
      cohereChat({ fetch: fakeFetch({ body }) }).executeStream({ ...request, model: REASONING }),
    );

    expect(await turns([assistantMessage(blocks), toolMessage('now_1', 'noon')], { model: REASONING })).toEqual([
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm' }], tool_calls: sentCalls },
      { role: 'tool', tool_call_id: 'now_1', content: 'noon' },
    ]);
  });

  it('should leave the plan and what is not its own out', async () => {
    const body =
      begin +
      event('tool-plan-delta', { tool_plan: 'I will' }) +
      call(0, 'now_1', 'now', '{"a":1}') +
      callEnd(0) +
      end('TOOL_CALL');
    const { content: blocks } = await answer(
      cohereChat({ fetch: fakeFetch({ body }) }).executeStream({ ...request, model: COMMAND }),
    );
    const foreign: ContentBlock = { type: 'provider', provider: 'openai', block: { citation: { text: 'x' } } };

    expect(blocks[0]).toEqual({ type: 'reasoning', text: 'I will' });
    expect(await turns([assistantMessage(blocks), assistantMessage([foreign, { type: 'text', text: 'So' }])])).toEqual([
      { role: 'assistant', tool_calls: sentCalls },
      { role: 'assistant', content: 'So' },
    ]);
  });

  it.each(['document', 'audio', 'video'] as const)('should refuse a block of the type %s', async (type) => {
    const odd = { type, source: { type: 'base64', mediaType: 'x/y', data: '' } } as ContentBlock;

    for (const message of [
      userMessage([odd]),
      toolMessage('a', [odd]),
      assistantMessage([odd, ...calls]),
      systemMessage([odd]),
    ]) {
      const { kind, detail } = await refusal({ messages: [message] });
      expect(kind).toBe('invalid-request');
      expect(detail).toContain(`${type} block`);
    }
  });

  it('should replace lone surrogates', async () => {
    const call = { type: 'tool-call' as const, id: 'a', name: 'b', arguments: { text: '\ude00 \u{1f600}' } };
    const said = await turns([userMessage('a'), assistantMessage([call])]);

    expect(await turns([userMessage('a\udc00')])).toEqual([{ role: 'user', content: 'a\ufffd' }]);
    expect(JSON.stringify(said)).toContain(JSON.stringify('{"text":"\ufffd \u{1f600}"}'));
  });
});

describe('cohereChat, going on', () => {
  it('should ask the model to go on', async () => {
    const { body } = await sent({ continuation: { prefix: 'Once upon a ', cancelledTools: [] } });

    expect(body['messages']).toEqual([
      hello,
      { role: 'assistant', content: 'Once upon a' },
      { role: 'user', content: expect.stringContaining('My connection dropped') as string },
    ]);
  });
});
