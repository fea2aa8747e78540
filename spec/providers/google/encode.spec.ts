import {
  assistantMessage,
  systemMessage,
  toolMessage,
  userMessage,
  type ContentBlock,
  type InferenceOverrides,
  type InferenceRequest,
  type JsonObject,
  type ToolDescriptor,
} from '../../../src/contract/index.js';
import { encodeGenerateContent } from '../../../src/providers/google/encode.js';
import type { GeminiOptions } from '../../../src/providers/google/index.js';

const weather: ToolDescriptor = {
  id: 't1',
  name: 'get_weather',
  description: 'Tells the weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, additionalProperties: false },
};

function encode(request: Partial<InferenceRequest>, options: GeminiOptions = {}) {
  const whole = { model: 'gemini-2.5-flash', messages: [userMessage('Hi')], ...request };
  const { body, ...rest } = encodeGenerateContent(whole, options, 'key-1');
  return { ...rest, body: JSON.parse(String(body)) as Record<string, unknown> };
}

function contents(model: string, ...messages: InferenceRequest['messages']): unknown {
  return encode({ model, messages }).body['contents'];
}

function config(overrides: InferenceOverrides, model = 'gemini-2.5-flash'): unknown {
  return encode({ model, overrides }).body['generationConfig'];
}

describe('geminiGenerateContent: where to', () => {
  it('should post to the model, with the key in a header and nowhere else', () => {
    const { url, headers, body } = encode({});

    expect(url).toBe(
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    );
    expect(headers).toEqual({ 'content-type': 'application/json', 'x-goog-api-key': 'key-1' });
    expect(body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] });
  });

  it('should send no key where there is none, as with the bearer token of Vertex AI', () => {
    expect(encodeGenerateContent({ model: 'm', messages: [] }, {}, '').headers).toEqual({
      'content-type': 'application/json',
    });
  });

  const vertex =
    'https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers/google';
  it.each<[string, GeminiOptions, string]>([
    [
      'gemini-2.5-flash',
      { transport: 'json-array' },
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent',
    ],
    [
      'gemini-2.5-flash',
      { apiVersion: 'v1' },
      'https://generativelanguage.googleapis.com/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    ],
    [
      'gemini-2.5-flash',
      { baseUrl: 'http://127.0.0.1:8080/' },
      'http://127.0.0.1:8080/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    ],
    [
      'gemini-2.5-flash',
      { baseUrl: 'https://proxy.test/v1alpha' },
      'https://proxy.test/v1alpha/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    ],
    ['gemini-2.5-flash', { baseUrl: vertex }, `${vertex}/models/gemini-2.5-flash:streamGenerateContent?alt=sse`],
    [
      'tunedModels/mine',
      {},
      'https://generativelanguage.googleapis.com/v1beta/tunedModels/mine:streamGenerateContent?alt=sse',
    ],
    ['a?b', {}, 'https://generativelanguage.googleapis.com/v1beta/models/a%3Fb:streamGenerateContent?alt=sse'],
  ])('should address %s with %j', (model, options, url) => {
    expect(encode({ model }, options).url).toBe(url);
  });

  it('should ask for the model of the overrides', () => {
    expect(encode({ overrides: { model: 'gemini-3-pro' } }).url).toContain('/models/gemini-3-pro:');
  });

  it.each(['', '..', 'models/..', 'models//x'])('should refuse the model %j', (model) => {
    expect(() => encode({ model })).toThrow(/invalid request: .* is no model of Google/);
  });
});

describe('geminiGenerateContent: messages', () => {
  it('should put all system prompts into the system instruction', () => {
    const { body } = encode({
      system: [{ type: 'text', text: 'one' }],
      messages: [systemMessage('two'), userMessage('Hi'), systemMessage('three')],
    });

    expect(body['systemInstruction']).toEqual({ parts: [{ text: 'one' }, { text: 'two' }, { text: 'three' }] });
    expect(body['contents']).toEqual([{ role: 'user', parts: [{ text: 'Hi' }] }]);
    expect(encode({ system: 'alone' }).body['systemInstruction']).toEqual({ parts: [{ text: 'alone' }] });
  });

  it('should send media as bytes or by address, with a type where one can be told', () => {
    const blocks: ContentBlock[] = [
      { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAA=' } },
      { type: 'document', source: { type: 'base64', mediaType: 'application/pdf', data: 'BBB=' }, title: 'not sent' },
      { type: 'audio', source: { type: 'url', url: 'gs://bucket/a.mp3' } },
      { type: 'video', source: { type: 'url', url: 'https://www.youtube.com/watch?v=x' } },
      { type: 'image', source: { type: 'url', url: 'data:image/webp;base64,CCC=' } },
    ];

    expect(contents('gemini-2.5-flash', userMessage(blocks))).toEqual([
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'image/png', data: 'AAA=' } },
          { inlineData: { mimeType: 'application/pdf', data: 'BBB=' } },
          { fileData: { mimeType: 'audio/mpeg', fileUri: 'gs://bucket/a.mp3' } },
          { fileData: { fileUri: 'https://www.youtube.com/watch?v=x' } },
          { inlineData: { mimeType: 'image/webp', data: 'CCC=' } },
        ],
      },
    ]);
  });

  it('should match results to calls by name, and put those of one turn together', () => {
    const turns = contents(
      'gemini-2.5-flash',
      userMessage('Weather?'),
      assistantMessage([
        { type: 'tool-call', id: 'call_r_0', name: 'get_weather', arguments: { city: 'A' } },
        { type: 'tool-call', id: 'call_r_1', name: 'get_time', arguments: {} },
      ]),
      toolMessage('call_r_1', '12:00'),
      toolMessage('call_r_0', 'no such city', { isError: true }),
      userMessage('And?'),
    );

    expect(turns).toEqual([
      { role: 'user', parts: [{ text: 'Weather?' }] },
      {
        role: 'model',
        parts: [
          { functionCall: { name: 'get_weather', args: { city: 'A' } } },
          { functionCall: { name: 'get_time', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'get_time', response: { output: '12:00' } } },
          { functionResponse: { name: 'get_weather', response: { error: 'no such city' } } },
        ],
      },
      { role: 'user', parts: [{ text: 'And?' }] },
    ]);
  });

  it('should send the ids that Google gave, and no others', () => {
    const own = {
      type: 'tool-call' as const,
      id: 'x1',
      name: 'a',
      arguments: {},
      providerMetadata: { provider: 'google', id: 'x1', signature: 'S' },
    };
    const foreign = {
      type: 'tool-call' as const,
      id: 'toolu_1',
      name: 'b',
      arguments: {},
      providerMetadata: { provider: 'anthropic', id: 'toolu_1', signature: 'T' },
    };

    expect(
      contents(
        'gemini-2.5-flash',
        assistantMessage([own, foreign]),
        toolMessage('x1', '1'),
        toolMessage('toolu_1', '2'),
      ),
    ).toEqual([
      {
        role: 'model',
        parts: [
          { functionCall: { id: 'x1', name: 'a', args: {} }, thoughtSignature: 'S' },
          { functionCall: { name: 'b', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'x1', name: 'a', response: { output: '1' } } },
          { functionResponse: { name: 'b', response: { output: '2' } } },
        ],
      },
    ]);
  });

  it('should take the name of a result whose call is not in the history', () => {
    expect(contents('m', toolMessage('gone', 'ok', { name: 'a' }))).toEqual([
      { role: 'user', parts: [{ functionResponse: { name: 'a', response: { output: 'ok' } } }] },
    ]);
    expect(() => contents('m', toolMessage('gone', 'ok'))).toThrow(
      /matches results by name.*"gone": give the tool-result block a name/,
    );
  });

  it('should put media of a result into it from Gemini 3 on, and beside it before', () => {
    const image: ContentBlock = { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAA=' } };
    const message = toolMessage('c', [{ type: 'text', text: 'see' }, image], { name: 'draw' });
    const inlineData = { mimeType: 'image/png', data: 'AAA=' };

    expect(contents('gemini-3-flash-preview', message)).toEqual([
      {
        role: 'user',
        parts: [{ functionResponse: { name: 'draw', response: { output: 'see' }, parts: [{ inlineData }] } }],
      },
    ]);
    expect(contents('gemini-2.5-flash', message)).toEqual([
      { role: 'user', parts: [{ functionResponse: { name: 'draw', response: { output: 'see' } } }, { inlineData }] },
    ]);
  });

  const call: ContentBlock = { type: 'tool-call', id: 'c', name: 'a', arguments: {} };
  const signed: ContentBlock = { ...call, id: 'd', providerMetadata: { provider: 'google', signature: 'S' } };
  it.each<[string, ContentBlock[], (string | undefined)[]]>([
    ['gemini-3-pro-preview', [call, call], ['skip_thought_signature_validator', undefined]],
    ['gemini-flash-latest', [call], ['skip_thought_signature_validator']],
    ['publishers/google/models/gemini-3.5-flash', [call], ['skip_thought_signature_validator']],
    ['gemini-3-pro-preview', [signed, call], ['S', undefined]],
    ['gemini-2.5-pro', [call], [undefined]],
    ['gemini-2.5-pro', [signed], ['S']],
    ['gemma-3-27b-it', [call], [undefined]],
  ])('should sign the calls that %s is shown', (model, blocks, signatures) => {
    const [turn] = contents(model, assistantMessage(blocks)) as { parts: { thoughtSignature?: string }[] }[];

    expect(turn?.parts.map(({ thoughtSignature }) => thoughtSignature)).toEqual(signatures);
  });

  it('should sign the first call of each turn', () => {
    const turns = contents(
      'gemini-3-pro',
      assistantMessage([call]),
      toolMessage('c', '1'),
      assistantMessage([{ ...call, id: 'e' }]),
    );

    expect(JSON.stringify(turns).match(/skip_thought_signature_validator/g)).toHaveLength(2);
  });

  it('should send its own signed thoughts and blocks, and drop what is half, foreign or about the answer', () => {
    const code = { executableCode: { code: '1' }, thoughtSignature: 'T' };

    expect(
      contents(
        'gemini-2.5-flash',
        assistantMessage([
          { type: 'reasoning', text: 'half' },
          { type: 'reasoning', text: 'mine', signature: 'S', providerMetadata: { provider: 'google' } },
          { type: 'reasoning', text: 'theirs', signature: 'X', providerMetadata: { provider: 'anthropic' } },
          { type: 'provider', provider: 'google', block: code },
          { type: 'provider', provider: 'google', block: { groundingMetadata: { webSearchQueries: [] } } },
          { type: 'provider', provider: 'google-interactions', block: { type: 'google_search_call' } },
          { type: 'provider', provider: 'openai', block: { type: 'web_search_call' } },
          { type: 'text', text: '' },
          { type: 'text', text: 'signed by another', providerMetadata: { provider: 'openai', signature: 'X' } },
        ]),
      ),
    ).toEqual([
      {
        role: 'model',
        parts: [{ thought: true, text: 'mine', thoughtSignature: 'S' }, code, { text: 'signed by another' }],
      },
    ]);
  });

  it('should leave out a turn of which nothing is left, and join results around it', () => {
    const unsigned: ContentBlock = { type: 'reasoning', text: 'half' };

    expect(contents('m', userMessage('a'), assistantMessage([unsigned]), userMessage('b'))).toEqual([
      { role: 'user', parts: [{ text: 'a' }] },
      { role: 'user', parts: [{ text: 'b' }] },
    ]);
  });

  it.each<[string, InferenceRequest['messages'], InferenceRequest['system']]>([
    ['a reasoning block of the user', [userMessage([{ type: 'reasoning', text: 'x' }])], undefined],
    ['a tool-call block of the user', [userMessage([call])], undefined],
    [
      'a tool-result block of the assistant',
      [assistantMessage([{ type: 'tool-result', toolCallId: 'c', content: [] }])],
      undefined,
    ],
    [
      'a reasoning block in a tool result',
      [toolMessage('c', [{ type: 'reasoning', text: 'x' }], { name: 'a' })],
      undefined,
    ],
    [
      'an image block in the system prompt',
      [],
      [{ type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } }],
    ],
  ])('should refuse %s by name', (what, messages, system) => {
    expect(() => encode({ messages, system })).toThrow(`geminiGenerateContent cannot send ${what}`);
  });

  it('should never send half a character', () => {
    const { body } = encode({
      system: 'a\ud834',
      messages: [assistantMessage([{ type: 'tool-call', id: 'c', name: 'a', arguments: { 'k\udd1e': 'v\ud834' } }])],
    });

    expect(JSON.stringify(body)).not.toMatch(/\\ud/i);
    expect(body['systemInstruction']).toEqual({ parts: [{ text: 'a\ufffd' }] });
  });
});

describe('geminiGenerateContent: settings', () => {
  it('should declare tools by their JSON Schema', () => {
    expect(encode({ tools: [weather] }).body['tools']).toEqual([
      {
        functionDeclarations: [
          { name: 'get_weather', description: 'Tells the weather', parametersJsonSchema: weather.parameters },
        ],
      },
    ]);
  });

  it('should put the caller’s own tools behind the functions', () => {
    const providerOptions: JsonObject = { tools: [{ googleSearch: {} }, { codeExecution: {} }] };
    const { body } = encode({ tools: [weather], overrides: { providerOptions } });

    expect(body['tools']).toEqual([
      { functionDeclarations: [expect.anything()] },
      { googleSearch: {} },
      { codeExecution: {} },
    ]);
    expect(encode({ overrides: { providerOptions } }).body['tools']).toEqual(providerOptions['tools']);
  });

  it.each<[InferenceOverrides['toolChoice'], object]>([
    ['auto', { mode: 'AUTO' }],
    ['none', { mode: 'NONE' }],
    ['required', { mode: 'ANY' }],
    [{ name: 'get_weather' }, { mode: 'ANY', allowedFunctionNames: ['get_weather'] }],
  ])('should encode the tool choice %j', (toolChoice, functionCallingConfig) => {
    expect(encode({ tools: [weather], overrides: { toolChoice } }).body['toolConfig']).toEqual({
      functionCallingConfig,
    });
  });

  it.each(['auto', 'none'] as const)('should not send the tool choice %j where there is no tool', (toolChoice) => {
    expect(encode({ overrides: { toolChoice } }).body).not.toHaveProperty('toolConfig');
  });

  it('should encode sampling, limits and formats', () => {
    const schema = { type: 'object', properties: { a: { type: 'number' } } };

    expect(
      config({
        temperature: 0,
        topP: 0.9,
        maxTokens: 10,
        stopSequences: ['END'],
        seed: 7,
        responseFormat: { type: 'json-schema', name: 'x', schema },
      }),
    ).toEqual({
      temperature: 0,
      topP: 0.9,
      maxOutputTokens: 10,
      stopSequences: ['END'],
      seed: 7,
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
    });
    expect(config({ responseFormat: { type: 'json' } })).toEqual({ responseMimeType: 'application/json' });
    expect(config({ responseFormat: { type: 'text' } })).toBeUndefined();
  });

  it.each<[string, InferenceOverrides['reasoningEffort'], object]>([
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0, includeThoughts: false }],
    ['gemini-2.5-flash', 'low', { thinkingBudget: 1024, includeThoughts: true }],
    ['gemini-2.5-flash', 'medium', { thinkingBudget: 8192, includeThoughts: true }],
    ['gemini-2.5-flash', 'max', { thinkingBudget: 24_576, includeThoughts: true }],
    ['gemini-2.5-pro', 'max', { thinkingBudget: 32_768, includeThoughts: true }],
    ['gemini-3-flash-preview', 'none', { thinkingLevel: 'MINIMAL', includeThoughts: false }],
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128, includeThoughts: false }],
    ['gemini-3.1-pro-preview', 'none', { thinkingLevel: 'LOW', includeThoughts: false }],
    ['gemini-3.8-flash', 'minimal', { thinkingLevel: 'LOW', includeThoughts: true }],
    ['gemini-3.5-flash-lite', 'minimal', { thinkingLevel: 'LOW', includeThoughts: true }],
    ['gemini-3.1-flash-lite', 'minimal', { thinkingLevel: 'MINIMAL', includeThoughts: true }],
    ['gemini-3-pro-preview', 'low', { thinkingLevel: 'LOW', includeThoughts: true }],
    ['gemini-3.8-flash', 'max', { thinkingLevel: 'HIGH', includeThoughts: true }],
    ['gemini-3-pro-preview', { budget: 500 }, { thinkingBudget: 500, includeThoughts: true }],
    ['gemini-2.5-flash', { budget: 0 }, { thinkingBudget: 0, includeThoughts: false }],
  ])('should tell %s to think %j', (model, reasoningEffort, thinkingConfig) => {
    expect(config({ reasoningEffort }, model)).toEqual({ thinkingConfig });
  });

  it('should merge provider options into the body, member by member where both have an object', () => {
    const providerOptions = {
      generationConfig: { topK: 5, temperature: 1 },
      cachedContent: 'cachedContents/x',
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      toolConfig: { includeServerSideToolInvocations: true },
    };

    expect(
      encode({
        tools: [weather],
        enablePromptCache: true,
        overrides: { temperature: 0, maxTokens: 5, toolChoice: 'auto', providerOptions },
      }).body,
    ).toMatchObject({
      generationConfig: { topK: 5, temperature: 1, maxOutputTokens: 5 },
      cachedContent: 'cachedContents/x',
      safetySettings: providerOptions.safetySettings,
      toolConfig: { functionCallingConfig: { mode: 'AUTO' }, includeServerSideToolInvocations: true },
    });
  });

  it('should send metadata as labels to Vertex AI, and refuse it elsewhere', () => {
    const overrides = { metadata: { team: 'a', run: 7 } };
    const vertex = { baseUrl: 'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google' };

    expect(encode({ overrides }, vertex).body['labels']).toEqual({ team: 'a', run: '7' });
    expect(() => encode({ overrides })).toThrow('invalid request: the Gemini API takes no metadata');
  });

  it.each<[InferenceOverrides, string]>([
    [{ parallelToolCalls: false }, 'leave parallelToolCalls out'],
    [{ toolChoice: 'required' }, 'the request has no tools'],
    [{ toolChoice: { name: 'a' } }, 'the request has no tools'],
  ])('should refuse %j', (overrides, words) => {
    expect(() => encode({ overrides })).toThrow(words);
  });
});
