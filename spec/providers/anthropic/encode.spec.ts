import {
  assistantMessage,
  systemMessage,
  toolMessage,
  userMessage,
  type ContentBlock,
  type InferenceRequest,
} from '../../../src/index.js';
import { refusal, sent, settings } from './stream.js';

const weather = {
  id: 'weather',
  name: 'weather',
  description: 'Tells the weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const said = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] });

/** What becomes of one block in a turn of the user's. */
async function asUser(block: ContentBlock) {
  const { body } = await sent({ messages: [userMessage([block])] });
  return (body['messages'] as { content: unknown[] }[])[0]?.content;
}

describe('the encoder of anthropicMessages', () => {
  describe('the request', () => {
    it('should post to the Messages API with the key and the version', async () => {
      const { url, headers, body } = await sent({ model: 'claude-sonnet-4-5' }, { apiKey: 'sk-ant' });

      expect(url).toBe('https://api.anthropic.com/v1/messages');
      expect(headers).toEqual({
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
        'x-api-key': 'sk-ant',
      });
      expect(body).toEqual({ model: 'claude-sonnet-4-5', max_tokens: 32_000, stream: true, messages: [said('hello')] });
    });

    it('should send the version, the betas and the headers that were asked for, and no key where there is none', async () => {
      const { headers } = await sent(
        {},
        { version: '2026-10-21', betas: ['a-1', 'b-2'], headers: { authorization: 'Bearer t' } },
      );

      expect(headers).toEqual({
        'content-type': 'application/json',
        'anthropic-version': '2026-10-21',
        'anthropic-beta': 'a-1,b-2',
        authorization: 'Bearer t',
      });
    });

    it('should send the opt-in of browsers only when the caller exposes the key', async () => {
      const header = 'anthropic-dangerous-direct-browser-access';

      expect((await sent({})).headers).not.toHaveProperty(header);
      expect((await sent({}, { dangerouslyExposeKeyInBrowser: false })).headers).not.toHaveProperty(header);
      expect((await sent({}, { dangerouslyExposeKeyInBrowser: true })).headers).toHaveProperty(header, 'true');
    });

    it.each([
      ['https://proxy.example/anthropic', 'https://proxy.example/anthropic/v1/messages'],
      ['https://proxy.example/', 'https://proxy.example/v1/messages'],
      ['https://api.anthropic.com/v1', 'https://api.anthropic.com/v1/messages'],
    ])('should find the endpoint of %s', async (baseUrl, url) => {
      expect((await sent({}, { baseUrl })).url).toBe(url);
    });

    it('should ask the model of the overrides', async () => {
      expect((await sent({ model: 'a', overrides: { model: 'b' } })).body['model']).toBe('b');
    });

    it.each([
      ['claude-2.1', 4_096],
      ['anthropic.claude-v2:1', 4_096],
      ['claude-instant-1.2', 4_096],
      ['claude-3-haiku-20240307', 4_096],
      ['claude-3-5-sonnet@20241022', 8_192],
      ['claude-haiku-3-5', 8_192],
      ['claude-3-7-sonnet-latest', 32_000],
      ['claude-opus-4-20250514', 32_000],
      ['claude-fable-5', 32_000],
      ['claude-of-tomorrow', 32_000],
      ['MiniMax-M2.7', 8_192],
    ])('should let %s answer in %d tokens by default', async (model, maxTokens) => {
      expect((await settings({}, model))['max_tokens']).toBe(maxTokens);
      expect((await settings({ maxTokens: 5 }, model))['max_tokens']).toBe(5);
    });
  });

  describe('the conversation', () => {
    it('should put the system prompt and system messages into one', async () => {
      const { body } = await sent({
        system: 'Be brief.',
        messages: [systemMessage('Be kind.'), userMessage('Hi'), systemMessage(' ')],
      });

      expect(body['system']).toEqual([
        { type: 'text', text: 'Be brief.' },
        { type: 'text', text: 'Be kind.' },
      ]);
      expect(body['messages']).toEqual([said('Hi')]);
    });

    it('should send a whole conversation with tools', async () => {
      const { body } = await sent({
        tools: [weather],
        messages: [
          userMessage('Weather?'),
          assistantMessage([
            { type: 'reasoning', text: 'Hm.', signature: 'c2ln', providerMetadata: { provider: 'anthropic' } },
            { type: 'reasoning', text: '', encrypted: 'ZGF0YQ==', providerMetadata: { provider: 'anthropic' } },
            { type: 'text', text: 'Let me see. ' },
            { type: 'tool-call', id: 'toolu_a', name: 'weather', arguments: { city: 'Rome' } },
            {
              type: 'tool-call',
              id: 'toolu_b',
              name: 'weather',
              arguments: {},
              providerMetadata: {
                provider: 'anthropic',
                caller: { type: 'code_execution_20260120', tool_id: 'srvtoolu_1' },
              },
            },
          ]),
          userMessage('Hurry!'),
          toolMessage('toolu_a', 'Sun'),
          toolMessage('toolu_b', [{ type: 'text', text: '' }], { isError: true }),
        ],
      });

      expect(body['tools']).toEqual([
        { name: 'weather', description: 'Tells the weather', input_schema: weather.parameters },
      ]);
      expect(body['messages']).toEqual([
        said('Weather?'),
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
            { type: 'redacted_thinking', data: 'ZGF0YQ==' },
            { type: 'text', text: 'Let me see. ' },
            { type: 'tool_use', id: 'toolu_a', name: 'weather', input: { city: 'Rome' } },
            {
              type: 'tool_use',
              id: 'toolu_b',
              name: 'weather',
              input: {},
              caller: { type: 'code_execution_20260120', tool_id: 'srvtoolu_1' },
            },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_a', content: [{ type: 'text', text: 'Sun' }] },
            { type: 'tool_result', tool_use_id: 'toolu_b', is_error: true },
            { type: 'text', text: 'Hurry!' },
          ],
        },
      ]);
    });

    it('should leave out what is blank, unsigned, or of another provider', async () => {
      const { body } = await sent({
        messages: [
          userMessage('Hi'),
          assistantMessage([
            { type: 'reasoning', text: 'half a thought' },
            { type: 'reasoning', text: 'Hm.', signature: 'c2ln', providerMetadata: { provider: 'google' } },
            { type: 'reasoning', text: '', encrypted: 'ZGF0YQ==', providerMetadata: { provider: 'openai' } },
            { type: 'provider', provider: 'openai', block: { type: 'web_search_call' } },
            { type: 'text', text: '\n\n' },
            { type: 'text', text: 'Hello', providerMetadata: { provider: 'openai', citations: [{}] } },
          ]),
          userMessage('Bye'),
          assistantMessage([{ type: 'text', text: ' ' }]),
          userMessage('Now'),
        ],
      });

      expect(body['messages']).toEqual([
        said('Hi'),
        { role: 'assistant', content: [{ type: 'text', text: 'Hello' }] },
        { role: 'user', content: [...said('Bye').content, ...said('Now').content] },
      ]);
    });

    it('should not end a turn of the model with a thought, nor keep one that holds nothing else', async () => {
      const thought: ContentBlock = { type: 'reasoning', text: 'Hm.', signature: 'c2ln' };
      const { body } = await sent({
        messages: [
          userMessage('a'),
          assistantMessage([thought, { type: 'text', text: 'b' }, thought, { ...thought, encrypted: 'RQ==' }]),
          userMessage('c'),
          assistantMessage([thought]),
          userMessage('d'),
        ],
      });

      expect(body['messages']).toEqual([
        said('a'),
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'user', content: [...said('c').content, ...said('d').content] },
      ]);
    });

    it('should send a paused answer back as it came, as the last turn', async () => {
      const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'rain' } };
      const result = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] };
      const cited = [{ type: 'web_search_result_location', encrypted_index: 'RQ==' }];
      const { body } = await sent({
        messages: [
          userMessage('Weather?'),
          assistantMessage([
            { type: 'text', text: 'Rain ', providerMetadata: { provider: 'anthropic', citations: cited } },
            { type: 'provider', provider: 'anthropic', block: search },
            { type: 'provider', provider: 'anthropic', block: result },
          ]),
        ],
      });

      expect((body['messages'] as unknown[])[1]).toEqual({
        role: 'assistant',
        content: [{ type: 'text', text: 'Rain ', citations: cited }, search, result],
      });
    });

    it("should trim the end of a caller's own prefill, which the API refuses otherwise", async () => {
      const { body } = await sent({ messages: [userMessage('Hi'), assistantMessage('The answer is \n')] });

      expect((body['messages'] as unknown[])[1]).toEqual({
        role: 'assistant',
        content: [{ type: 'text', text: 'The answer is' }],
      });
    });

    it.each([
      ['toolu_01A-b_C', 'toolu_01A-b_C'],
      ['call|fc_1.x', 'call_fc_1_x_'],
      ['', '_'],
      ['x'.repeat(450), `${'x'.repeat(48)}_`],
    ])('should make the id %j valid, the same for the call and its result', async (id, beginning) => {
      const { body } = await sent({
        messages: [
          userMessage('Hi'),
          assistantMessage([{ type: 'tool-call', id, name: 'weather', arguments: null }]),
          toolMessage(id, 'Sun'),
        ],
      });

      const [, call, result] = body['messages'] as { content: Record<string, string>[] }[];
      expect(call?.content[0]?.['id']).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      expect(call?.content[0]?.['id']?.startsWith(beginning)).toBe(true);
      expect(result?.content[0]?.['tool_use_id']).toBe(call?.content[0]?.['id']);
      expect(call?.content[0]?.['input']).toEqual({});
    });

    it('should keep ids apart that differ only in what is replaced or cut off', async () => {
      const ids = ['a.b', 'a|b', 'a_b', 'x'.repeat(449) + 'y', 'x'.repeat(450)];
      const { body } = await sent({
        messages: [
          userMessage('Hi'),
          assistantMessage(ids.map((id) => ({ type: 'tool-call', id, name: 'weather', arguments: 12 }))),
          userMessage('Bye'),
        ],
      });

      const calls = (body['messages'] as { content: { id: string; input: unknown }[] }[])[1]?.content ?? [];
      expect(new Set(calls.map(({ id }) => id)).size).toBe(ids.length);
      expect(calls[0]?.input).toEqual({ value: 12 });
    });

    it('should never send a lone surrogate', async () => {
      const { body } = await sent({
        system: 'a\ud800',
        messages: [
          userMessage('b\udc00\u{1f600}'),
          assistantMessage([{ type: 'tool-call', id: 'toolu_a', name: 'weather', arguments: { city: '\ud83d' } }]),
          toolMessage('toolu_a', '\ude00'),
        ],
      });

      const text = JSON.stringify(body);
      expect(text).not.toMatch(/\\ud[89a-f]/i);
      expect(text).toContain('b\ufffd\u{1f600}');
    });
  });

  describe('media', () => {
    const base64 = (mediaType: string, data = 'QUJD') => ({ type: 'base64', mediaType, data }) as const;
    const url = { type: 'url', url: 'https://example.com/x' } as const;

    it.each<[string, ContentBlock, object]>([
      [
        'an image',
        { type: 'image', source: base64('image/png') },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } },
      ],
      ['an image by its address', { type: 'image', source: url }, { type: 'image', source: url }],
      [
        'a PDF with its title',
        { type: 'document', source: base64('application/pdf'), title: 'Report' },
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'QUJD' }, title: 'Report' },
      ],
      ['a document by its address', { type: 'document', source: url }, { type: 'document', source: url }],
      [
        'a text, as text',
        { type: 'document', source: base64('text/markdown', 'R3LDvMOfZQ==') },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Grüße' } },
      ],
      [
        'a block in the words of the API',
        {
          type: 'provider',
          provider: 'anthropic',
          block: { type: 'search_result', source: 's', title: 't', content: [] },
        },
        { type: 'search_result', source: 's', title: 't', content: [] },
      ],
    ])('should send %s, in a turn and in the result of a tool', async (_, block, encoded) => {
      expect(await asUser(block)).toEqual([encoded]);
      expect(await asUser({ type: 'tool-result', toolCallId: 'toolu_a', content: [block] })).toEqual([
        { type: 'tool_result', tool_use_id: 'toolu_a', content: [encoded] },
      ]);
    });

    it.each<[string, Partial<InferenceRequest>, RegExp]>([
      [
        'audio',
        { messages: [userMessage([{ type: 'audio', source: url }])] },
        /a block of type "audio" cannot be sent as user content; send a transcript/,
      ],
      [
        'video',
        { messages: [userMessage([{ type: 'video', source: url }])] },
        /a block of type "video" cannot be sent as user content/,
      ],
      [
        'a strange image',
        { messages: [userMessage([{ type: 'image', source: base64('image/tiff') }])] },
        /an image block cannot be image\/tiff; convert it/,
      ],
      [
        'a strange document',
        { messages: [userMessage([{ type: 'document', source: base64('application/msword') }])] },
        /a document block cannot be application\/msword/,
      ],
      [
        'a broken text',
        { messages: [userMessage([{ type: 'document', source: base64('text/plain', '%') }])] },
        /is not base64/,
      ],
      [
        'an image in the system prompt',
        { system: [{ type: 'image', source: url }] },
        /a block of type "image" cannot be sent as system content/,
      ],
      [
        'an image of the model',
        { messages: [assistantMessage([{ type: 'image', source: url }])] },
        /a block of type "image" cannot be sent as assistant content/,
      ],
      [
        'a call of the user',
        { messages: [userMessage([{ type: 'tool-call', id: 'a', name: 'b', arguments: {} }])] },
        /a block of type "tool-call" cannot be sent as user content/,
      ],
      ['nothing at all', { messages: [userMessage(' ')] }, /at least one message/],
    ])('should refuse %s before any call', async (_, asked, words) => {
      const error = await refusal(asked);

      expect(error.kind).toBe('invalid-request');
      expect(error.message).toMatch(words);
    });
  });
});
