import {
  assistantMessage,
  systemMessage,
  toolMessage,
  userMessage,
  type ContentBlock,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
} from '../../../src/index.js';
import { openaiChat } from '../../../src/providers/openai/index.js';
import { refusalOf, sentBy } from './chatHelpers.js';

const hello: InferenceRequest = { model: 'gpt-4o', messages: [userMessage('hello')] };
const png = { type: 'base64', mediaType: 'image/png', data: 'AAAA' } as const;
const weather = {
  id: 'weather',
  name: 'weather',
  description: 'Tells the weather.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
};

async function bodyOf(request: Partial<InferenceRequest>) {
  return (await sentBy(openaiChat, { ...hello, ...request })).body;
}

async function settingsOf(overrides: InferenceOverrides, request: Partial<InferenceRequest> = {}) {
  const {
    model: _model,
    messages: _messages,
    stream: _stream,
    stream_options: _options,
    ...rest
  } = await bodyOf({
    ...request,
    overrides,
  });
  return rest;
}

describe('the requests of openaiChat', () => {
  it.each<[string, Partial<Record<'none' | 'minimal' | 'low' | 'high' | 'max', string>>]>([
    ['o3', { none: 'low', minimal: 'low', low: 'low', high: 'high', max: 'high' }],
    ['gpt-5', { none: 'minimal', minimal: 'minimal', max: 'high' }],
    ['gpt-5-mini-2025-08-07', { none: 'minimal', minimal: 'minimal', max: 'high' }],
    ['gpt-5-codex', { none: 'low', minimal: 'low', max: 'high' }],
    ['gpt-5.1', { none: 'none', minimal: 'low', max: 'high' }],
    ['gpt-5.1-codex-max', { minimal: 'low', max: 'xhigh' }],
    ['gpt-5.2', { none: 'none', minimal: 'low', max: 'xhigh' }],
    ['gpt-5.6-sol', { none: 'none', minimal: 'low', high: 'high', max: 'max' }],
    ['gpt-5.10', { max: 'max' }],
    ['gpt-6', { max: 'max' }],
    ['a-deployment', { none: 'none', minimal: 'low', max: 'high' }],
  ])('should ask %s for the efforts that it knows', async (model, words) => {
    for (const [effort, word] of Object.entries(words)) {
      const { reasoning_effort: sent } = await settingsOf({ model, reasoningEffort: effort as 'max' });
      expect([effort, sent]).toEqual([effort, word]);
    }
  });

  it('should be as small as the question allows', async () => {
    const { url, headers, body } = await sentBy(openaiChat, hello);

    expect(url).toBe('https://api.openai.com/v1/chat/completions');
    expect(headers).toEqual({
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: 'Bearer key',
    });
    expect(body).toEqual({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'hello' }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('should send no authorization without a key, and the organization and project when asked', async () => {
    const factory = (options: object) => openaiChat({ ...options, organization: 'org-1', project: 'proj-1' });
    const { headers } = await sentBy(factory, hello, { apiKey: '' });

    expect(headers).toEqual({
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'openai-organization': 'org-1',
      'openai-project': 'proj-1',
    });
  });

  it('should go to another address, also with a slash at its end', async () => {
    const { url } = await sentBy(openaiChat, hello, { baseUrl: 'https://proxy.test/openai/v1/' });

    expect(url).toBe('https://proxy.test/openai/v1/chat/completions');
  });

  it.each([
    ['gpt-4o', 'system'],
    ['gpt-4.1-mini', 'system'],
    ['o3', 'developer'],
    ['o4-mini', 'developer'],
    ['gpt-5-mini', 'developer'],
  ])('should give the system prompt of %s as %s', async (model, role) => {
    const messages = [systemMessage('be kind'), userMessage('hello')];

    expect((await bodyOf({ model, system: 'be brief', messages })).messages).toEqual([
      { role, content: 'be brief' },
      { role, content: 'be kind' },
      { role: 'user', content: 'hello' },
    ]);
  });

  it('should keep the blocks of a system prompt apart, and leave an empty one out', async () => {
    const system: ContentBlock[] = [
      { type: 'text', text: 'one' },
      { type: 'text', text: 'two' },
    ];

    expect((await bodyOf({ system })).messages[0]?.content).toEqual([
      { type: 'text', text: 'one' },
      { type: 'text', text: 'two' },
    ]);
    expect((await bodyOf({ system: '' })).messages).toHaveLength(1);
  });

  it('should send text, pictures, documents and sound', async () => {
    const content: ContentBlock[] = [
      { type: 'text', text: 'what is this?' },
      { type: 'image', source: png },
      { type: 'image', source: { type: 'url', url: 'https://pictures.test/cat.png' } },
      { type: 'document', title: 'a.pdf', source: { type: 'base64', mediaType: 'application/pdf', data: 'BBBB' } },
      { type: 'audio', source: { type: 'base64', mediaType: 'audio/mpeg', data: 'CCCC' } },
      { type: 'audio', source: { type: 'base64', mediaType: 'audio/x-wav', data: 'DDDD' } },
    ];

    expect((await bodyOf({ messages: [userMessage(content)] })).messages[0]?.content).toEqual([
      { type: 'text', text: 'what is this?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      { type: 'image_url', image_url: { url: 'https://pictures.test/cat.png' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' } },
      { type: 'input_audio', input_audio: { data: 'CCCC', format: 'mp3' } },
      { type: 'input_audio', input_audio: { data: 'DDDD', format: 'wav' } },
    ]);
  });

  const url = { type: 'url', url: 'https://files.test/x' } as const;
  it.each<[string, InferenceRequest['messages'][number], RegExp]>([
    ['a video', userMessage([{ type: 'video', source: url }]), /video block; send frames/],
    ['a document by URL', userMessage([{ type: 'document', source: url }]), /document by its URL; send the bytes/],
    ['sound by URL', userMessage([{ type: 'audio', source: url }]), /audio by its URL; send the bytes/],
    ['a picture of the system', systemMessage([{ type: 'image', source: png }]), /image block in a system message/],
    [
      'a picture of the model',
      assistantMessage([{ type: 'image', source: png }]),
      /image block in an assistant message/,
    ],
    ['a picture of a tool', toolMessage('a', [{ type: 'image', source: png }]), /image block inside a tool result/],
    ['a call of the user', userMessage([{ type: 'tool-call', id: 'a', name: 'b', arguments: {} }]), /tool-call block/],
    [
      'a tool without a result',
      { role: 'tool', content: [{ type: 'text', text: 'x' }] },
      /text block in a tool message/,
    ],
  ])('should refuse %s before any call, and say what to do', async (_, message, words) => {
    const error = await refusalOf(openaiChat, { ...hello, messages: [message] });

    expect(error.kind).toBe('invalid-request');
    expect(error.message).toMatch(/^invalid request: openai chat cannot send /);
    expect(error.detail).toMatch(words);
  });

  it('should tell the turns with tools', async () => {
    const messages = [
      userMessage('weather in Paris and Rome?'),
      assistantMessage([
        { type: 'text', text: 'Let me ' },
        { type: 'tool-call', id: 'call_1', name: 'weather', arguments: { city: 'Paris' } },
        { type: 'text', text: 'look.' },
        { type: 'tool-call', id: 'call_2', name: 'weather', arguments: {} },
      ]),
      toolMessage('call_1', 'sunny'),
      userMessage([
        { type: 'text', text: 'and?' },
        { type: 'tool-result', toolCallId: 'call_2', isError: true, content: [{ type: 'text', text: 'no city' }] },
      ]),
      assistantMessage([{ type: 'tool-call', id: 'call_3', name: 'weather', arguments: null }]),
    ];
    const body = await bodyOf({ messages, tools: [weather] });

    expect(body['tools']).toEqual([
      {
        type: 'function',
        function: { name: 'weather', description: weather.description, parameters: weather.parameters },
      },
    ]);
    expect(body.messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: 'Let me look.',
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
          { id: 'call_2', type: 'function', function: { name: 'weather', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
      { role: 'tool', tool_call_id: 'call_2', content: 'Error: no city' },
      { role: 'user', content: 'and?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_3', type: 'function', function: { name: 'weather', arguments: '{}' } }],
      },
    ]);
  });

  it('should shorten the ids of another vendor, in calls and results alike', async () => {
    const long = `toolu_${'x'.repeat(60)}`;
    const other = `toolu_${'y'.repeat(60)}`;
    const { messages } = await bodyOf({
      messages: [
        assistantMessage([
          { type: 'tool-call', id: long, name: 'weather', arguments: {} },
          { type: 'tool-call', id: other, name: 'weather', arguments: {} },
        ]),
        toolMessage(long, 'one'),
        toolMessage(other, 'two'),
      ],
    });
    const [first, second] = messages[0]?.tool_calls?.map(({ id }) => id) ?? [];

    expect([first, second]).toEqual([messages[1]?.tool_call_id, messages[2]?.tool_call_id]);
    expect(first).toMatch(/^[a-zA-Z0-9]{24}$/);
    expect(second).not.toBe(first);
  });

  it('should send every setting by its own name', async () => {
    const overrides: InferenceOverrides = {
      temperature: 0,
      topP: 0.5,
      maxTokens: 100,
      stopSequences: ['END'],
      seed: 7,
      metadata: { run: 'a' },
      reasoningEffort: 'max',
      toolChoice: { name: 'weather' },
      parallelToolCalls: false,
      responseFormat: { type: 'json-schema', name: 'city', schema: { type: 'object' }, strict: true },
      providerOptions: { service_tier: 'flex', top_p: 0.9 },
    };

    expect(await settingsOf(overrides, { tools: [weather] })).toEqual({
      temperature: 0,
      top_p: 0.9,
      max_completion_tokens: 100,
      stop: ['END'],
      seed: 7,
      metadata: { run: 'a' },
      reasoning_effort: 'high',
      tools: [expect.objectContaining({ type: 'function' })],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: false,
      response_format: { type: 'json_schema', json_schema: { name: 'city', schema: { type: 'object' }, strict: true } },
      service_tier: 'flex',
    });
  });

  it.each(['auto', 'none', 'required'] as const)('should choose tools by %s', async (toolChoice) => {
    expect((await settingsOf({ toolChoice }, { tools: [weather] }))['tool_choice']).toBe(toolChoice);
  });

  it('should say nothing of tools where there are none, since that is refused', async () => {
    expect(await settingsOf({ toolChoice: 'none', parallelToolCalls: true }, { tools: [] })).toEqual({});
  });

  it('should refuse to ask for a call where there are no tools', async () => {
    const overrides: InferenceOverrides = { toolChoice: { name: 'weather' } };

    expect((await refusalOf(openaiChat, { ...hello, overrides: { toolChoice: 'required' } })).detail).toMatch(
      /has no tools/,
    );
    expect((await refusalOf(openaiChat, { ...hello, overrides })).kind).toBe('invalid-request');
  });

  it('should put tools of the vendor beside those of the request, of which one may be replaced', async () => {
    const search = { type: 'web_search' };
    const own = { type: 'function', function: { name: 'weather', strict: true } };
    const toolsOf = async (tools: JsonObject[]) =>
      (await settingsOf({ providerOptions: { tools } }, { tools: [weather] }))['tools'];

    expect(await toolsOf([search])).toEqual([expect.objectContaining({ type: 'function' }), search]);
    expect(await toolsOf([own])).toEqual([own]);
    expect(await settingsOf({ toolChoice: 'required', providerOptions: { tools: [own] } })).toEqual({
      tools: [own],
      tool_choice: 'required',
    });
  });

  it('should send no empty list of stop strings, and metadata as texts', async () => {
    expect(await settingsOf({ stopSequences: [], metadata: { run: 7, team: 'a' } })).toEqual({
      metadata: { run: '7', team: 'a' },
    });
  });

  it('should know the plain formats, and name a schema that has no name', async () => {
    const schema = { type: 'object' };

    expect(await settingsOf({ responseFormat: { type: 'text' } })).toEqual({ response_format: { type: 'text' } });
    expect(await settingsOf({ responseFormat: { type: 'json' } })).toEqual({
      response_format: { type: 'json_object' },
    });
    expect(await settingsOf({ responseFormat: { type: 'json-schema', schema } })).toEqual({
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    });
  });

  it('should refuse a reasoning budget in tokens, which OpenAI does not know', async () => {
    const error = await refusalOf(openaiChat, { ...hello, overrides: { reasoningEffort: { budget: 1000 } } });

    expect(error.message).toBe(
      "invalid request: openai chat cannot send a reasoning budget in tokens; use a level, such as 'medium'",
    );
  });

  it('should ask the model of the overrides, and need nothing for the prompt cache', async () => {
    const plain = await bodyOf({ overrides: { model: 'gpt-4.1' } });
    const cached = await bodyOf({ overrides: { model: 'gpt-4.1' }, enablePromptCache: true });

    expect(plain['model']).toBe('gpt-4.1');
    expect(cached).toEqual(plain);
  });

  it('should never send a lone surrogate', async () => {
    const { json, body } = await sentBy(openaiChat, {
      ...hello,
      messages: [
        userMessage('half \ud83d'),
        assistantMessage([{ type: 'tool-call', id: 'a', name: 'b', arguments: { text: '\ude00 whole \ud83d\ude00' } }]),
      ],
    });

    expect(json).not.toMatch(/\\ud[89a-f]/i);
    expect(body.messages[0]?.content).toBe('half \ufffd');
    expect(JSON.parse(body.messages[1]?.tool_calls?.[0]?.function.arguments ?? '')).toEqual({
      text: '\ufffd whole \ud83d\ude00',
    });
  });

  it('should ask for the rest of an answer that was cut off with a user turn', async () => {
    const continuation = { prefix: 'The answer is ', cancelledTools: [{ id: 'a', name: 'weather' }] };
    const { messages } = await bodyOf({ continuation });

    expect(messages).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'The answer is' },
      { role: 'user', content: expect.stringMatching(/The answer is[\s\S]*`weather`/) as string },
    ]);
  });
});
