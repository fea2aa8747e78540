import {
  assistantMessage,
  systemMessage,
  toolMessage,
  userMessage,
  type ContentBlock,
  type InferenceRequest,
  type Message,
} from '../../../src/index.js';
import { ollamaChat } from '../../../src/providers/ollama/index.js';
import { request } from '../../helpers/events.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { answer, observe } from '../bedrock/observe.js';
import { done, line, NDJSON, refusal, sent } from './stream.js';

const tools = [{ id: 'weather', name: 'weather', description: 'Tells it.', parameters: { properties: {} } }];
const hello = { role: 'user', content: 'hello' };
const png: ContentBlock = { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' } };

async function turns(messages: Message[], asked: Partial<InferenceRequest> = {}) {
  return (await sent({ messages, ...asked })).body['messages'];
}

describe('ollamaChat, asking', () => {
  it('should send no more than it was given', async () => {
    expect(await sent({ model: 'qwen3:4b' })).toEqual({
      url: 'http://127.0.0.1:11434/api/chat',
      headers: { 'content-type': 'application/json' },
      body: { model: 'qwen3:4b', messages: [hello], stream: true },
    });
  });

  it('should send every setting in its place, and what the caller says beside it', async () => {
    const { body } = await sent({
      system: 'Be brief.',
      tools,
      overrides: {
        model: 'qwen3:8b',
        maxTokens: 100,
        temperature: 0,
        topP: 0.9,
        stopSequences: ['END'],
        seed: 7,
        reasoningEffort: 'none',
        responseFormat: { type: 'json-schema', schema: { type: 'object' } },
        toolChoice: 'auto',
        parallelToolCalls: true,
        providerOptions: { keep_alive: '1h', options: { num_ctx: 8192, seed: 8 } },
      },
    });

    expect(body).toEqual({
      model: 'qwen3:8b',
      messages: [{ role: 'system', content: 'Be brief.' }, hello],
      stream: true,
      tools: [
        {
          type: 'function',
          function: { name: 'weather', description: 'Tells it.', parameters: { type: 'object', properties: {} } },
        },
      ],
      think: false,
      format: { type: 'object' },
      options: { num_predict: 100, temperature: 0, top_p: 0.9, stop: ['END'], seed: 8, num_ctx: 8192 },
      keep_alive: '1h',
    });
  });

  it.each([
    ['qwen3:4b', 'low', true],
    ['qwen3:4b', { budget: 0 }, false],
    ['gpt-oss:20b', 'minimal', 'low'],
    ['gpt-oss:20b', 'medium', 'medium'],
    ['gpt-oss:20b', 'max', 'high'],
  ] as const)('should ask %s for the effort %j', async (model, reasoningEffort, think) => {
    expect((await sent({ model, overrides: { reasoningEffort } })).body['think']).toBe(think);
  });

  it('should ask for JSON, and leave the tools out when none may be used', async () => {
    const { body } = await sent({ tools, overrides: { responseFormat: { type: 'json' }, toolChoice: 'none' } });

    expect(body).toMatchObject({ format: 'json' });
    expect(body).not.toHaveProperty('tools');
    expect((await sent({ overrides: { responseFormat: { type: 'text' } } })).body).not.toHaveProperty('format');
  });

  it('should send a key where there is one, to where it lives', async () => {
    const { url, headers } = await sent({}, { apiKey: 'k', baseUrl: 'https://ollama.com/' });

    expect(url).toBe('https://ollama.com/api/chat');
    expect(headers).toMatchObject({ authorization: 'Bearer k' });
  });

  it.each([
    ['a forced tool', { toolChoice: 'required' }, /cannot force a tool/],
    ['a certain tool', { toolChoice: { name: 'weather' } }, /cannot force a tool/],
    ['one call at a time', { parallelToolCalls: false }, /parallelToolCalls/],
    ['a budget', { reasoningEffort: { budget: 100 } }, /name a level/],
    ['metadata', { metadata: { user: 'a' } }, /metadata/],
  ] as const)('should refuse %s', async (_, overrides, words) => {
    const { kind, detail } = await refusal({ tools, overrides });

    expect(kind).toBe('invalid-request');
    expect(detail).toMatch(/^ollamaChat: /);
    expect(detail).toMatch(words);
  });
});

describe('ollamaChat, telling the conversation', () => {
  it('should send text, pictures, calls and results', async () => {
    const messages = [
      systemMessage('One.'),
      userMessage([{ type: 'text', text: 'a' }, png, { type: 'text', text: 'b' }]),
      assistantMessage([
        { type: 'text', text: 'Let ' },
        { type: 'text', text: 'me see.' },
        { type: 'tool-call', id: 'call_a', name: 'weather', arguments: { city: 'Rome' } },
        { type: 'tool-call', id: 'call_b', name: 'now', arguments: null },
      ]),
      toolMessage('call_a', 'sunny'),
      toolMessage('call_b', [png], { isError: true }),
      toolMessage('call_c', 'x', { name: 'named' }),
    ];

    expect(await turns(messages)).toEqual([
      { role: 'system', content: 'One.' },
      { role: 'user', content: 'a\n\nb', images: ['AAAA'] },
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [
          { id: 'call_a', type: 'function', function: { name: 'weather', arguments: { city: 'Rome' } } },
          { id: 'call_b', type: 'function', function: { name: 'now', arguments: { value: null } } },
        ],
      },
      { role: 'tool', content: 'sunny', tool_name: 'weather', tool_call_id: 'call_a' },
      { role: 'tool', content: 'Error: ', tool_name: 'now', tool_call_id: 'call_b', images: ['AAAA'] },
      { role: 'tool', content: 'x', tool_name: 'named', tool_call_id: 'call_c' },
    ]);
  });

  it('should send its own whole thoughts back, and no others', async () => {
    const thoughts = (providerMetadata?: Record<string, unknown>): ContentBlock => ({
      type: 'reasoning',
      text: 'Hm',
      ...(providerMetadata && { providerMetadata }),
    });
    const blocks = [
      thoughts({ provider: 'ollama', complete: true }),
      thoughts({ provider: 'ollama' }),
      thoughts({ provider: 'cohere', complete: true }),
      thoughts(),
      { type: 'provider', provider: 'ollama', block: {} },
      { type: 'text', text: 'So' },
    ] satisfies ContentBlock[];

    expect(await turns([assistantMessage(blocks), assistantMessage([thoughts()])])).toEqual([
      { role: 'assistant', content: 'So', thinking: 'Hm' },
    ]);
  });

  it('should send an answer back as history', async () => {
    const fetch = fakeFetch({
      body:
        line({ thinking: 'Hm' }) +
        line({ content: 'Let me see.' }) +
        line({ tool_calls: [{ function: { name: 'now', arguments: { a: [1] } } }] }) +
        done(),
      headers: NDJSON,
    });
    const { content } = await answer(ollamaChat({ fetch }).executeStream(request));

    expect(
      await turns([...request.messages, assistantMessage(content), toolMessage('call_20261122101112123456_0', 'x')]),
    ).toEqual([
      hello,
      {
        role: 'assistant',
        content: 'Let me see.',
        thinking: 'Hm',
        tool_calls: [
          { id: 'call_20261122101112123456_0', type: 'function', function: { name: 'now', arguments: { a: [1] } } },
        ],
      },
      { role: 'tool', content: 'x', tool_name: 'now', tool_call_id: 'call_20261122101112123456_0' },
    ]);
  });

  it('should send the bytes of a picture in an address, and refuse one that has to be loaded', async () => {
    const at = (url: string): ContentBlock => ({ type: 'image', source: { type: 'url', url } });

    expect(await turns([userMessage([at('data:image/png;base64,AAAA')])])).toEqual([
      { role: 'user', content: '', images: ['AAAA'] },
    ]);
    expect((await refusal({ messages: [userMessage([at('https://x.test/a.png')])] })).detail).toMatch(
      /image block by its address/,
    );
  });

  it.each(['document', 'audio', 'video'] as const)('should refuse a block of the type %s', async (type) => {
    const block = { type, source: { type: 'base64', mediaType: 'x/y', data: '' } } as ContentBlock;

    for (const message of [userMessage([block]), toolMessage('a', [block]), assistantMessage([block])]) {
      const { kind, detail } = await refusal({ messages: [message] });
      expect(kind).toBe('invalid-request');
      expect(detail).toContain(`${type} block`);
    }
  });

  it('should replace lone surrogates', async () => {
    expect(await turns([userMessage('a\ud800')])).toEqual([{ role: 'user', content: 'a\ufffd' }]);
  });
});

describe('ollamaChat, going on', () => {
  const continuation = { prefix: 'Once upon a ', cancelledTools: [{ id: 'a', name: 'weather' }] };

  it('should ask the model to go on, since only its template knows whether it would', async () => {
    const { body } = await sent({ continuation });

    expect(body['messages']).toEqual([
      hello,
      { role: 'assistant', content: 'Once upon a' },
      { role: 'user', content: expect.stringMatching(/My connection dropped[^]*`weather`/) as string },
    ]);
  });

  it('should continue the turn where the caller says that the template does', async () => {
    const fetch = fakeFetch({ body: line({ content: 'time' }) + done(), headers: NDJSON });
    const { events } = await observe(
      ollamaChat({ fetch, continuation: 'prefill' }).executeStream({ ...request, continuation }),
    );

    expect(fetch.requests[0]?.body).toMatchObject({
      messages: [hello, { role: 'assistant', content: 'Once upon a ' }],
    });
    expect(events[0]?.providerMetadata?.continuation).toEqual({ mechanism: 'prefill', trimmed: '' });
  });
});
