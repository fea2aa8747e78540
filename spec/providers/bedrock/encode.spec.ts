import {
  assistantMessage,
  collect,
  systemMessage,
  toolMessage,
  userMessage,
  type ContentBlock,
  type InferenceRequest,
  type Message,
} from '../../../src/index.js';
import { bedrockConverse } from '../../../src/providers/bedrock/index.js';
import { corpusCases, describeCorpus } from '../../helpers/corpus.js';
import { request } from '../../helpers/events.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { answer, observe } from './observe.js';
import { bytes, delta, EVENT_STREAM, messageStop, metadata, refusal, sent, start, stop } from './stream.js';

const CLAUDE = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const tools = [
  { id: 'weather', name: 'weather', description: 'Tells it.', parameters: { type: 'object', properties: {} } },
];
const hello = { role: 'user', content: [{ text: 'hello' }] };

async function bodyOf(asked: Partial<InferenceRequest>) {
  return (await sent(asked)).body;
}

/** The messages that a conversation becomes. */
async function turns(messages: Message[], model = CLAUDE) {
  return (await bodyOf({ model, messages }))['messages'];
}

const refused = (asked: Partial<InferenceRequest>) => refusal(asked, (fetch) => bedrockConverse({ fetch }));

describe('bedrockConverse, asking', () => {
  it('should send no more than it was given', async () => {
    const { url, headers, body } = await sent({ model: 'amazon.nova-lite-v1:0' });

    expect(url).toBe('https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse-stream');
    expect(headers).toEqual({ 'content-type': 'application/json', accept: 'application/vnd.amazon.eventstream' });
    expect(body).toEqual({ messages: [hello] });
  });

  it('should send every setting in its place', async () => {
    const overrides = {
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      stopSequences: ['END'],
      metadata: { user: 'u1', tries: 2 },
      responseFormat: { type: 'json-schema', name: 'City', schema: { type: 'object' } },
      toolChoice: 'required',
    } as const;

    const { system, messages, ...rest } = await bodyOf({
      system: 'Be brief.',
      tools,
      overrides: { ...overrides, stopSequences: ['END'] },
    });

    expect(system).toEqual([{ text: 'Be brief.' }]);
    expect(messages).toEqual([hello]);
    expect(rest).toEqual({
      inferenceConfig: { maxTokens: 100, temperature: 0.5, topP: 0.9, stopSequences: ['END'] },
      toolConfig: {
        tools: [
          {
            toolSpec: {
              name: 'weather',
              description: 'Tells it.',
              inputSchema: { json: { type: 'object', properties: {} } },
            },
          },
        ],
        toolChoice: { any: {} },
      },
      outputConfig: {
        textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'City', schema: '{"type":"object"}' } } },
      },
      requestMetadata: { user: 'u1', tries: '2' },
    });
  });

  it.each([
    ['auto', undefined],
    ['required', { any: {} }],
    [{ name: 'weather' }, { tool: { name: 'weather' } }],
  ] as const)('should send the tool choice %j', async (toolChoice, expected) => {
    const { toolConfig } = await bodyOf({ tools, overrides: { toolChoice } });

    expect(toolConfig).toMatchObject({ tools: [{ toolSpec: { name: 'weather' } }] });
    expect((toolConfig as { toolChoice?: unknown }).toolChoice).toEqual(expected);
  });

  it('should leave the tools out when none may be used', async () => {
    expect((await bodyOf({ tools, overrides: { toolChoice: 'none' } }))['toolConfig']).toBeUndefined();
  });

  it('should keep the tools of the history known when the request has none', async () => {
    const { toolConfig } = await bodyOf({
      messages: [
        userMessage('hi'),
        assistantMessage([{ type: 'tool-call', id: 'a', name: 'old', arguments: {} }]),
        toolMessage('a', 'x'),
      ],
    });

    expect(toolConfig).toMatchObject({
      tools: [{ toolSpec: { name: 'old', inputSchema: { json: { type: 'object' } } } }],
    });
  });

  it('should switch parallel calls off, beside a choice of its own and without one', async () => {
    const only = async (toolChoice: 'auto' | 'required') =>
      (await bodyOf({ model: CLAUDE, tools, overrides: { parallelToolCalls: false, toolChoice } }))[
        'additionalModelRequestFields'
      ];

    expect(await only('auto')).toEqual({ tool_choice: { type: 'auto', disable_parallel_tool_use: true } });
    expect(await only('required')).toEqual({ tool_choice: { disable_parallel_tool_use: true } });
  });

  it.each([
    [CLAUDE, 'low', undefined, { thinking: { type: 'enabled', budget_tokens: 4096 } }],
    [CLAUDE, 'high', 10_000, { thinking: { type: 'enabled', budget_tokens: 8000 } }],
    [CLAUDE, { budget: 2000 }, 4000, { thinking: { type: 'enabled', budget_tokens: 2000 } }],
    [CLAUDE, 'none', undefined, undefined],
    [
      'anthropic.claude-opus-4-6-v1',
      'minimal',
      undefined,
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'low' } },
    ],
    ['anthropic.claude-opus-4-6-v1', 'none', undefined, { thinking: { type: 'disabled' } }],
    ['anthropic.claude-fable-5-1', 'none', undefined, { output_config: { effort: 'low' } }],
    [
      'anthropic.claude-opus-5',
      'max',
      undefined,
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'max' } },
    ],
    [
      'us.amazon.nova-2-lite-v1:0',
      'medium',
      undefined,
      { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' } },
    ],
    ['us.amazon.nova-2-lite-v1:0', { budget: 0 }, undefined, { reasoningConfig: { type: 'disabled' } }],
    ['amazon.nova-lite-v1:0', 'none', undefined, undefined],
    ['openai.gpt-oss-120b-1:0', 'max', undefined, { reasoning_effort: 'high' }],
    ['openai.gpt-5.6', 'none', undefined, { reasoning_effort: 'none' }],
    ['meta.llama3-8b-instruct-v1:0', 'none', undefined, undefined],
  ] as const)('should ask %s for the effort %j', async (model, reasoningEffort, maxTokens, expected) => {
    const body = await bodyOf({ model, overrides: { reasoningEffort, maxTokens } });

    expect(body['additionalModelRequestFields']).toEqual(expected);
  });

  it('should put the model of the override into the address, and nothing beside it', async () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0';
    const evil = '../../other?x=1#y';

    expect((await sent({ overrides: { model: arn } })).url).toBe(
      `https://bedrock-runtime.us-east-1.amazonaws.com/model/${encodeURIComponent(arn)}/converse-stream`,
    );
    expect(new URL((await sent({ model: evil })).url).pathname).toBe(
      '/model/..%2F..%2Fother%3Fx%3D1%23y/converse-stream',
    );
    for (const model of ['', '.', '..']) expect((await refused({ model })).detail).toMatch(/no model of Bedrock/);
  });

  it('should add what the caller says in the words of the API, and let it win', async () => {
    const body = await bodyOf({
      model: CLAUDE,
      tools,
      overrides: {
        temperature: 0.5,
        maxTokens: 9,
        reasoningEffort: { budget: 0 },
        providerOptions: {
          inferenceConfig: { maxTokens: 10 },
          guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: 'DRAFT' },
          additionalModelRequestFields: { top_k: 5 },
          toolConfig: { tools: [{ systemTool: { name: 'nova_grounding' } }], toolChoice: { auto: {} } },
        },
      },
    });

    expect(body).toEqual({
      messages: [hello],
      inferenceConfig: { temperature: 0.5, maxTokens: 10 },
      guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: 'DRAFT' },
      additionalModelRequestFields: { top_k: 5 },
      toolConfig: {
        tools: [
          expect.objectContaining({ toolSpec: expect.anything() as unknown }),
          { systemTool: { name: 'nova_grounding' } },
        ],
        toolChoice: { auto: {} },
      },
    });
  });

  it('should mark what is stable for the cache, as far as the family takes marks', async () => {
    const mark = { cachePoint: { type: 'default' } };
    const asked = { system: 'Be brief.', tools, enablePromptCache: true };
    const results = [
      ...request.messages,
      assistantMessage([{ type: 'tool-call', id: 'a', name: 'weather', arguments: {} }]),
      toolMessage('a', 'x'),
    ];

    const claude = await bodyOf({ ...asked, model: CLAUDE, messages: results });
    const nova = await bodyOf({ ...asked, model: 'amazon.nova-lite-v1:0' });
    const novaResults = await bodyOf({ ...asked, model: 'amazon.nova-lite-v1:0', messages: results });
    const llama = JSON.stringify(await bodyOf({ ...asked, model: 'meta.llama3-8b-instruct-v1:0' }));

    expect(claude['system']).toEqual([{ text: 'Be brief.' }, mark]);
    expect((claude['toolConfig'] as { tools: unknown[] }).tools.at(-1)).toEqual(mark);
    expect((claude['messages'] as { content: unknown[] }[]).at(-1)?.content.at(-1)).toEqual(mark);
    expect(nova['system']).toEqual([{ text: 'Be brief.' }, mark]);
    expect((nova['toolConfig'] as { tools: unknown[] }).tools).toHaveLength(1);
    expect(nova['messages']).toEqual([{ role: 'user', content: [{ text: 'hello' }, mark] }]);
    expect((novaResults['messages'] as { content: unknown[] }[]).at(-1)?.content).toHaveLength(1);
    expect(llama).not.toContain('cachePoint');
  });

  it.each([
    ['a seed', { seed: 1 }, /no seed/],
    ['JSON without a schema', { responseFormat: { type: 'json' } }, /json-schema/],
    ['one call at a time of a model without the switch', { parallelToolCalls: false }, /parallelToolCalls/],
    ['reasoning of an unknown model', { reasoningEffort: 'low' }, /additionalModelRequestFields/],
  ] as const)('should refuse %s', async (_, overrides, words) => {
    const { kind, detail } = await refused({ tools, overrides });

    expect(kind).toBe('invalid-request');
    expect(detail).toMatch(/^bedrockConverse: /);
    expect(detail).toMatch(words);
  });

  it.each([
    ['amazon.nova-lite-v1:0', 'low', undefined, /Nova 2/],
    ['us.amazon.nova-2-lite-v1:0', { budget: 9 }, undefined, /name a level/],
    ['openai.gpt-oss-20b-1:0', 'none', undefined, /the least is low/],
    ['openai.gpt-oss-20b-1:0', { budget: 9 }, undefined, /name a level/],
    ['anthropic.claude-opus-4-7', { budget: 2000 }, undefined, /name a level/],
    [CLAUDE, { budget: 2000 }, 2000, /less than maxTokens \(2000\)/],
    [CLAUDE, { budget: 1000 }, undefined, /at least 1024/],
    [CLAUDE, 'low', 1024, /less than maxTokens/],
  ] as const)('should refuse to ask %s for %j', async (model, reasoningEffort, maxTokens, words) => {
    expect((await refused({ model, overrides: { reasoningEffort, maxTokens } })).detail).toMatch(words);
  });

  it('should refuse a choice of tools that cannot be had', async () => {
    const called = assistantMessage([{ type: 'tool-call', id: 'a', name: 'weather', arguments: {} }]);
    const messages = [...request.messages, called, toolMessage('a', 'x')];

    expect((await refused({ overrides: { toolChoice: 'required' } })).detail).toMatch(/has none/);
    expect((await refused({ messages, tools, overrides: { toolChoice: 'none' } })).detail).toMatch(
      /cannot forbid tools/,
    );
  });
});

describe('bedrockConverse, telling the conversation', () => {
  it('should put system messages into the system prompt and join turns of one side', async () => {
    const body = await bodyOf({
      system: [{ type: 'text', text: 'One.' }],
      messages: [
        systemMessage('Two.'),
        userMessage('a'),
        userMessage('b'),
        assistantMessage('c'),
        systemMessage('Three.'),
        assistantMessage('d'),
        userMessage(' \n'),
      ],
    });

    expect(body['system']).toEqual([{ text: 'One.' }, { text: 'Two.' }, { text: 'Three.' }]);
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ text: 'a' }, { text: 'b' }] },
      { role: 'assistant', content: [{ text: 'c' }, { text: 'd' }] },
    ]);
  });

  it('should send calls and put all their results into one turn', async () => {
    const messages = [
      userMessage('hi'),
      assistantMessage([
        { type: 'text', text: 'Let me see.' },
        { type: 'tool-call', id: 'tooluse_1', name: 'weather', arguments: { city: 'Rome' } },
        { type: 'tool-call', id: 'tooluse_2', name: 'now', arguments: null },
      ]),
      toolMessage('tooluse_1', 'sunny'),
      toolMessage('tooluse_2', [{ type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' } }], {
        isError: true,
      }),
      toolMessage('tooluse_3', ''),
      userMessage('Well?'),
    ];

    expect(await turns(messages)).toEqual([
      { role: 'user', content: [{ text: 'hi' }] },
      {
        role: 'assistant',
        content: [
          { text: 'Let me see.' },
          { toolUse: { toolUseId: 'tooluse_1', name: 'weather', input: { city: 'Rome' } } },
          { toolUse: { toolUseId: 'tooluse_2', name: 'now', input: { value: null } } },
        ],
      },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: 'tooluse_1', content: [{ text: 'sunny' }] } },
          {
            toolResult: {
              toolUseId: 'tooluse_2',
              content: [{ image: { format: 'png', source: { bytes: 'AAAA' } } }],
              status: 'error',
            },
          },
          { toolResult: { toolUseId: 'tooluse_3', content: [{ text: '(no output)' }] } },
          { text: 'Well?' },
        ],
      },
    ]);
  });

  it('should say that a tool failed to models that know no status', async () => {
    const messages = [userMessage('hi'), toolMessage('a', 'boom', { isError: true })];

    expect(await turns(messages, 'meta.llama3-8b-instruct-v1:0')).toEqual([
      {
        role: 'user',
        content: [
          { text: 'hi' },
          { toolResult: { toolUseId: 'a', content: [{ text: 'The tool failed:' }, { text: 'boom' }] } },
        ],
      },
    ]);
  });

  it('should make ids valid, the same in the call and in its result, and different for different calls', async () => {
    const foreign = ['call|1', 'call/1', `fc_${'x'.repeat(450)}`, `fc_${'x'.repeat(449)}y`, 'call_ok-1'];
    const messages = [
      userMessage('hi'),
      assistantMessage(foreign.map((id) => ({ type: 'tool-call', id, name: 'weather', arguments: {} }))),
      ...foreign.map((id) => toolMessage(id, 'x')),
    ];

    for (const [model, rule] of [
      [CLAUDE, /^[a-zA-Z0-9_-]{1,64}$/],
      ['mistral.mistral-large-2407-v1:0', /^[a-zA-Z0-9]{9}$/],
    ] as const) {
      const [, assistant, user] = (await turns(messages, model)) as {
        content: Record<string, { toolUseId: string }>[];
      }[];
      const calls = assistant!.content.map(({ toolUse }) => toolUse!.toolUseId);
      expect(user!.content.map(({ toolResult }) => toolResult!.toolUseId)).toEqual(calls);
      expect(new Set(calls).size).toBe(foreign.length);
      for (const id of calls) expect(id).toMatch(rule);
    }
    const [, claude] = (await turns(messages)) as { content: { toolUse: { toolUseId: string } }[] }[];
    expect(claude!.content.at(-1)?.toolUse.toolUseId).toBe('call_ok-1');
  });

  it.each([
    ['image', 'image/jpg', { image: { format: 'jpeg', source: { bytes: 'AAAA' } } }],
    ['image', 'image/webp; q=1', { image: { format: 'webp', source: { bytes: 'AAAA' } } }],
    ['audio', 'audio/mpeg', { audio: { format: 'mp3', source: { bytes: 'AAAA' } } }],
    ['video', 'video/3gpp', { video: { format: 'three_gp', source: { bytes: 'AAAA' } } }],
    ['video', 'video/quicktime', { video: { format: 'mov', source: { bytes: 'AAAA' } } }],
    ['document', 'application/pdf', { document: { format: 'pdf', name: 'document', source: { bytes: 'AAAA' } } }],
    ['document', 'text/plain', { document: { format: 'txt', name: 'document', source: { bytes: 'AAAA' } } }],
  ] as const)('should send %s of the type %s', async (type, mediaType, expected) => {
    const block = { type, source: { type: 'base64', mediaType, data: 'AAAA' } } as ContentBlock;

    expect(await turns([userMessage([block])])).toEqual([{ role: 'user', content: [expected] }]);
  });

  it('should send what lies in S3 by its address, and what lies in an address as bytes', async () => {
    const at = (url: string): ContentBlock => ({ type: 'image', source: { type: 'url', url } });

    expect(await turns([userMessage([at('s3://bucket/a/photo.png'), at('data:image/gif;base64,R0lG')])])).toEqual([
      {
        role: 'user',
        content: [
          { image: { format: 'png', source: { s3Location: { uri: 's3://bucket/a/photo.png' } } } },
          { image: { format: 'gif', source: { bytes: 'R0lG' } } },
        ],
      },
    ]);
  });

  it('should name documents as Bedrock wants it, each differently', async () => {
    const document = (title?: string): ContentBlock => ({
      type: 'document',
      source: { type: 'base64', mediaType: 'text/csv', data: 'AAAA' },
      ...(title !== undefined && { title }),
    });
    const [turn] = (await turns([
      userMessage([document('Report: Q1_2026.csv'), document('Report: Q1_2026.csv'), document(), document('日本')]),
    ])) as {
      content: { document: { name: string } }[];
    }[];

    expect(turn?.content.map(({ document: { name } }) => name)).toEqual([
      'Report Q1 2026 csv',
      'Report Q1 2026 csv 2',
      'document',
      'document 2',
    ]);
  });

  it.each([
    [
      'an image of another type',
      { type: 'image', source: { type: 'base64', mediaType: 'image/tiff', data: '' } },
      /image\/tiff.*png, jpeg, gif, webp/,
    ],
    [
      'a type that is a member of every object',
      { type: 'image', source: { type: 'base64', mediaType: 'image/constructor', data: '' } },
      /constructor/,
    ],
    [
      'a film by its web address',
      { type: 'video', source: { type: 'url', url: 'https://x.test/a.mp4' } },
      /video block by its web address/,
    ],
  ] as const)('should refuse %s', async (_, block, words) => {
    const { kind, detail } = await refused({ messages: [userMessage([block])] });

    expect(kind).toBe('invalid-request');
    expect(detail).toMatch(words);
  });

  it('should refuse what has no place: sound in results, pictures in the system prompt, nothing at all', async () => {
    const image: ContentBlock = { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'A' } };
    const sound: ContentBlock = { type: 'audio', source: { type: 'base64', mediaType: 'audio/wav', data: 'A' } };

    expect((await refused({ messages: [toolMessage('a', [sound])] })).detail).toMatch(/audio block in a tool's result/);
    expect((await refused({ system: [image] })).detail).toMatch(/no image block/);
    expect((await refused({ messages: [userMessage('')] })).detail).toMatch(/not blank/);
  });

  it('should send reasoning back whole, and to the family of the model that made it only', async () => {
    const signed = (provider: string, model?: string): ContentBlock => ({
      type: 'reasoning',
      text: 'Hm',
      signature: 's',
      providerMetadata: { provider, ...(model !== undefined && { model }) },
    });
    const blocks: ContentBlock[] = [
      signed('bedrock', 'anthropic.claude-opus-4-6-v1'),
      { type: 'reasoning', text: '', encrypted: 'e', providerMetadata: { provider: 'bedrock' } },
      signed('bedrock', 'us.amazon.nova-2-lite-v1:0'),
      signed('anthropic'),
      { type: 'reasoning', text: 'half', providerMetadata: { provider: 'bedrock' } },
      { type: 'reasoning', text: 'unknown', signature: 's' },
      { type: 'provider', provider: 'openai', block: { type: 'x' } },
      { type: 'text', text: 'So' },
    ];

    expect(await turns([userMessage('hi'), assistantMessage(blocks)])).toEqual([
      { role: 'user', content: [{ text: 'hi' }] },
      {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'Hm', signature: 's' } } },
          { reasoningContent: { redactedContent: 'e' } },
          { text: 'So' },
        ],
      },
    ]);
  });

  it('should send no turn of Claude that ends in its thoughts, and results before what else is said', async () => {
    const thought: ContentBlock = {
      type: 'reasoning',
      text: 'Hm',
      signature: 's',
      providerMetadata: { provider: 'bedrock' },
    };
    const call: ContentBlock = { type: 'tool-call', id: 'tooluse_1', name: 'weather', arguments: {} };
    const result = { type: 'tool-result', toolCallId: 'tooluse_1', name: 'weather', content: [] } as ContentBlock;
    const messages: Message[] = [
      userMessage('a'),
      assistantMessage([thought]),
      userMessage('b'),
      assistantMessage([thought, { type: 'text', text: 'c' }, call, thought]),
      { role: 'user', content: [{ type: 'text', text: 'd' }, result] },
    ];
    const reasoning = { reasoningContent: { reasoningText: { text: 'Hm', signature: 's' } } };

    expect(await turns(messages)).toEqual([
      { role: 'user', content: [{ text: 'a' }, { text: 'b' }] },
      { role: 'assistant', content: [reasoning, { text: 'c' }, { toolUse: expect.anything() }] },
      { role: 'user', content: [{ toolResult: expect.anything() }, { text: 'd' }] },
    ]);
  });

  it('should not ask Claude up to 4.5 to think where tools have answered a turn without thoughts', async () => {
    const turn = assistantMessage([{ type: 'tool-call', id: 'tooluse_1', name: 'weather', arguments: {} }]);
    const asked = (model: string) =>
      bodyOf({
        model,
        messages: [userMessage('a'), turn, toolMessage('tooluse_1', 'sunny')],
        overrides: { reasoningEffort: 'low' },
      });

    expect(await asked('anthropic.claude-sonnet-4-5-20250929-v1:0')).not.toHaveProperty('additionalModelRequestFields');
    expect(await asked('anthropic.claude-opus-4-6-v1')).toHaveProperty('additionalModelRequestFields.thinking');
  });

  it('should replace lone surrogates wherever they stand, and leave what only looks like one', async () => {
    const fetch = fakeFetch({ body: bytes(messageStop('end_turn'), metadata()), headers: EVENT_STREAM });
    const messages = [
      userMessage('a\ud800b \\udc00 😀'),
      assistantMessage([{ type: 'tool-call', id: 'a', name: 'weather', arguments: { 'k\udc00': '\ud83d' } }]),
    ];

    await answer(bedrockConverse({ fetch }).executeStream({ ...request, messages }));

    expect(fetch.requests[0]?.body).toMatchObject({
      messages: [
        { content: [{ text: 'a\ufffdb \\udc00 😀' }] },
        { content: [{ toolUse: { input: { 'k\ufffd': '\ufffd' } } }] },
      ],
    });
  });
});

describe('bedrockConverse, from answer to history', () => {
  const citation = { location: { web: { url: 'https://x.test', domain: 'x.test' } } };
  const body = bytes(
    delta(0, { reasoningContent: { text: 'Hm' } }),
    delta(0, { reasoningContent: { signature: 'sig' } }),
    stop(0),
    start(1, { toolUse: { toolUseId: 's1', name: 'nova_grounding', type: 'server_tool_use' } }),
    delta(1, { toolUse: { input: '{}' } }),
    stop(1),
    start(2, { toolResult: { toolUseId: 's1', status: 'success' } }),
    delta(2, { toolResult: [{ text: '[HIDDEN]' }] }),
    stop(2),
    delta(3, { text: 'It ' }),
    stop(3),
    delta(4, { citation }),
    delta(4, { text: 'rains' }),
    stop(4),
    delta(5, { text: '.\n\n' }),
    stop(5),
    delta(6, { citation }),
    stop(6),
    start(7, { toolUse: { toolUseId: 't1', name: 'weather' } }),
    stop(7),
    messageStop('tool_use'),
    metadata(),
  );

  it('should send everything back in its order, cited text once', async () => {
    const fetch = fakeFetch({ body, headers: EVENT_STREAM });
    const { content } = await answer(bedrockConverse({ fetch }).executeStream({ ...request, model: CLAUDE }));
    const [, assistant] = (await turns([userMessage('hi'), assistantMessage(content), toolMessage('t1', 'x')])) as {
      content: unknown[];
    }[];

    expect(assistant?.content).toEqual([
      { reasoningContent: { reasoningText: { text: 'Hm', signature: 'sig' } } },
      { toolUse: { toolUseId: 's1', name: 'nova_grounding', type: 'server_tool_use', input: {} } },
      { toolResult: { toolUseId: 's1', status: 'success', content: [{ text: '[HIDDEN]' }] } },
      { text: 'It ' },
      { citationsContent: { content: [{ text: 'rains' }], citations: [citation] } },
      { text: '.\n\n' },
      { citationsContent: { citations: [citation] } },
      { toolUse: { toolUseId: 't1', name: 'weather', input: {} } },
    ]);
  });

  it('should find cited text also where it was joined with the text before', async () => {
    const blocks: ContentBlock[] = [
      { type: 'text', text: 'It rains' },
      {
        type: 'provider',
        provider: 'bedrock',
        block: { citationsContent: { content: [{ text: 'rains' }], citations: [citation] } },
      },
    ];

    expect(await turns([userMessage('hi'), assistantMessage(blocks)])).toEqual([
      { role: 'user', content: [{ text: 'hi' }] },
      {
        role: 'assistant',
        content: [{ text: 'It ' }, { citationsContent: { content: [{ text: 'rains' }], citations: [citation] } }],
      },
    ]);
  });
});

describeCorpus('bedrockConverse on the recorded failures', () => {
  const cases = corpusCases('http-error').filter(({ provider }) => provider === 'bedrock');

  it.each(cases.map((entry) => [entry.file, entry] as const))('should give %s its kind', async (_, entry) => {
    const { body } = entry.expected.httpError as { body: { message: string } };
    const headers = { 'content-type': 'application/json', 'retry-after': '2' };
    const fetch = fakeFetch({ status: entry.httpStatus, body: entry.bytes(), headers });

    const { error } = await observe(bedrockConverse({ fetch }).executeStream(request));

    expect(error).toMatchObject({ kind: 'invalid-request', status: 400, detail: body.message, retryAfter: 2_000 });
  });

  it('should find both', () => {
    expect(cases).toHaveLength(2);
  });
});

describe('bedrockConverse, refused', () => {
  it.each([
    [424, 'The system encountered an error while processing the model.', 'provider', true],
    [429, 'Too many requests, please wait before trying again.', 'rate-limited', true],
    [503, 'Bedrock is unable to process your request.', 'overloaded', true],
    [408, 'Model has timed out in processing the request.', 'timeout', true],
    [403, 'The security token included in the request is invalid.', 'unauthorized', false],
    [404, 'Could not resolve the foundation model.', 'model-not-found', false],
    [400, 'Input is too long for requested model.', 'context-overflow', false],
  ] as const)('should give the status %i its kind', async (status, message, kind, isRetryable) => {
    const fetch = fakeFetch({
      status,
      body: JSON.stringify({ message }),
      headers: { 'content-type': 'application/json' },
    });

    const { error } = await observe(bedrockConverse({ fetch }).executeStream(request));

    expect(error).toMatchObject({ kind, isRetryable, status, detail: message });
  });
});

describe('bedrockConverse, going on', () => {
  const continuation = { prefix: 'Once upon a time \n', cancelledTools: [] };
  const going = async (model: string, overrides: InferenceRequest['overrides'] = {}) => {
    const fetch = fakeFetch({
      body: bytes(delta(0, { text: 'on' }), messageStop('end_turn'), metadata()),
      headers: EVENT_STREAM,
    });
    const events = await new Promise<unknown[]>((resolve, reject) => {
      const seen: unknown[] = [];
      bedrockConverse({ fetch })
        .executeStream({ ...request, model, continuation, overrides })
        .subscribe({ next: (event) => seen.push(event), error: reject, complete: () => resolve(seen) });
    });
    return {
      note: (events[0] as { providerMetadata?: { continuation?: unknown } }).providerMetadata?.continuation,
      body: fetch.requests[0]?.body,
    };
  };

  it('should continue the turn of a Claude up to 4.5, without the white space that it refuses', async () => {
    const { note, body } = await going(CLAUDE);

    expect(body).toEqual({ messages: [hello, { role: 'assistant', content: [{ text: 'Once upon a time' }] }] });
    expect(note).toEqual({ mechanism: 'prefill', trimmed: ' \n' });
  });

  it.each(['anthropic.claude-opus-4-6-v1', 'us.amazon.nova-lite-v1:0', 'meta.llama3-8b-instruct-v1:0'])(
    'should ask %s to go on',
    async (model) => {
      const { note, body } = await going(model);

      expect((body as { messages: unknown[] }).messages).toEqual([
        hello,
        { role: 'assistant', content: [{ text: 'Once upon a time' }] },
        { role: 'user', content: [{ text: expect.stringContaining('My connection dropped') as string }] },
      ]);
      expect(note).toMatchObject({ mechanism: 'prompt' });
    },
  );

  it('should not continue a turn while Claude thinks, or under a schema', async () => {
    const responseFormat = { type: 'json-schema', schema: {} } as const;
    const thinking = { additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1024 } } };

    for (const overrides of [
      { reasoningEffort: 'low' },
      { responseFormat },
      { providerOptions: thinking },
      { providerOptions: { outputConfig: { textFormat: {} } } },
    ] as const) {
      expect((await going(CLAUDE, overrides)).note).toMatchObject({ mechanism: 'prompt' });
    }
    for (const overrides of [{ reasoningEffort: 'none' }, { reasoningEffort: { budget: 0 } }] as const) {
      expect((await going(CLAUDE, overrides)).note).toMatchObject({ mechanism: 'prefill' });
    }
  });

  it('should ask to go on when the model refuses to continue a turn, once', async () => {
    const words = {
      message: 'This model does not support assistant message prefill. The conversation must end with a user message.',
    };
    const fetch = fakeFetch(
      { status: 400, body: JSON.stringify(words), headers: { 'content-type': 'application/json' } },
      { body: bytes(delta(0, { text: 'on' }), messageStop('end_turn'), metadata()), headers: EVENT_STREAM },
    );
    const bedrock = bedrockConverse({ fetch });

    for (let time = 0; time < 2; time++) {
      await new Promise((resolve, reject) => {
        bedrock
          .executeStream({ ...request, model: CLAUDE, continuation })
          .pipe(collect())
          .subscribe({ next: resolve, error: reject });
      });
    }

    const sides = fetch.requests.map(({ body }) => (body as { messages: { role: string }[] }).messages.at(-1)?.role);
    expect(sides).toEqual(['assistant', 'user', 'user']);
  });
});
