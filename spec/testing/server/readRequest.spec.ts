import { readRequest } from '../../../src/testing/server/readRequest.js';
import { routeOf } from '../../../src/testing/server/routes.js';
import type { JsonObject } from '../../../src/contract/index.js';
import type { LlmWireName } from '../../../src/testing/index.js';

/** One conversation with a call and its result, in the words of every vendor. */
const CONVERSATIONS: [LlmWireName, JsonObject][] = [
  [
    'openaiChat',
    {
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
        {
          role: 'assistant',
          content: 'Let me look.',
          tool_calls: [{ id: '1', type: 'function', function: { name: 'w', arguments: '{"c":"B"}' } }],
        },
        { role: 'tool', tool_call_id: '1', content: 'sunny' },
        { role: 'assistant', content: 'It is' },
      ],
    },
  ],
  [
    'anthropicMessages',
    {
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [
        { role: 'user', content: 'Weather?' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm', signature: 's' },
            { type: 'text', text: 'Let me look.' },
            { type: 'tool_use', id: '1', name: 'w', input: { c: 'B' } },
          ],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: '1', content: [{ type: 'text', text: 'sunny' }] }],
        },
        { role: 'assistant', content: 'It is' },
      ],
    },
  ],
  [
    'openaiResponses',
    {
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'Weather?' }] },
        { type: 'reasoning', id: 'rs_1', summary: [] },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Let me look.' }] },
        { type: 'function_call', call_id: '1', name: 'w', arguments: '{"c":"B"}' },
        { type: 'function_call_output', call_id: '1', output: 'sunny' },
        { role: 'assistant', content: 'It is' },
      ],
    },
  ],
  [
    'geminiGenerateContent',
    {
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Weather?' }] },
        {
          role: 'model',
          parts: [
            { text: 'Hm', thought: true },
            { text: 'Let me look.' },
            { functionCall: { id: '1', name: 'w', args: { c: 'B' } } },
          ],
        },
        { role: 'user', parts: [{ functionResponse: { id: '1', name: 'w', response: { result: 'sunny' } } }] },
        { role: 'model', parts: [{ text: 'It is' }] },
      ],
    },
  ],
  [
    'geminiInteractions',
    {
      system_instruction: 'Be brief.',
      input: [
        { type: 'user_input', content: [{ type: 'text', text: 'Weather?' }] },
        { type: 'model_output', content: [{ type: 'text', text: 'Let me look.' }] },
        { type: 'function_call', id: '1', name: 'w', arguments: { c: 'B' } },
        { type: 'function_result', call_id: '1', name: 'w', result: 'sunny' },
        { type: 'model_output', content: [{ type: 'text', text: 'It is' }] },
      ],
    },
  ],
  [
    'bedrockConverse',
    {
      system: [{ text: 'Be brief.' }],
      messages: [
        { role: 'user', content: [{ text: 'Weather?' }] },
        {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: 'Hm' } } },
            { text: 'Let me look.' },
            { toolUse: { toolUseId: '1', name: 'w', input: { c: 'B' } } },
          ],
        },
        { role: 'user', content: [{ toolResult: { toolUseId: '1', content: [{ text: 'sunny' }] } }] },
        { role: 'assistant', content: [{ text: 'It is' }] },
      ],
    },
  ],
  [
    'ollamaChat',
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Weather?' },
        {
          role: 'assistant',
          content: 'Let me look.',
          tool_calls: [{ id: '1', function: { name: 'w', arguments: { c: 'B' } } }],
        },
        { role: 'tool', tool_call_id: '1', tool_name: 'w', content: 'sunny' },
        { role: 'assistant', content: 'It is' },
      ],
    },
  ],
  [
    'cohereChat',
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Weather?' },
        {
          role: 'assistant',
          tool_plan: 'Let me look.',
          tool_calls: [{ id: '1', type: 'function', function: { name: 'w', arguments: '{"c":"B"}' } }],
        },
        { role: 'tool', tool_call_id: '1', content: 'sunny' },
        { role: 'assistant', content: 'It is' },
      ],
    },
  ],
];

describe('readRequest', () => {
  it.each(CONVERSATIONS)('should read a conversation of %s', (format, body) => {
    const result = format === 'geminiGenerateContent' ? '{"result":"sunny"}' : 'sunny';

    expect(readRequest(format, body).messages).toEqual([
      { role: 'system', text: 'Be brief.', toolCalls: [] },
      { role: 'user', text: 'Weather?', toolCalls: [] },
      { role: 'assistant', text: 'Let me look.', toolCalls: [{ id: '1', name: 'w', arguments: '{"c":"B"}' }] },
      { role: 'tool', text: result, toolCalls: [], toolCallId: '1' },
      { role: 'assistant', text: 'It is', toolCalls: [] },
    ]);
  });

  it.each<[LlmWireName, JsonObject]>([
    ['openaiChat', { max_completion_tokens: 9, stop: ['#'] }],
    ['openaiResponses', { max_output_tokens: 9, stop: '#' }],
    ['anthropicMessages', { max_tokens: 9, stop_sequences: ['#'] }],
    ['geminiGenerateContent', { generationConfig: { maxOutputTokens: 9, stopSequences: ['#'] } }],
    ['bedrockConverse', { inferenceConfig: { maxTokens: 9, stopSequences: ['#'] } }],
    ['ollamaChat', { options: { num_predict: 9, stop: ['#'] } }],
  ])('should read the settings of %s', (format, body) => {
    expect(readRequest(format, body)).toMatchObject({ maxTokens: 9, stopSequence: '#' });
  });

  it.each<[LlmWireName, JsonObject]>([
    ['openaiResponses', { input: 'hi' }],
    ['geminiInteractions', { input: 'hi' }],
    ['geminiInteractions', { input: { type: 'text', text: 'hi' } }],
    ['geminiInteractions', { input: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }] }],
  ])('should read a bare input of %s', (format, body) => {
    expect(readRequest(format, body).messages).toEqual([{ role: 'user', text: 'hi', toolCalls: [] }]);
  });

  it.each(CONVERSATIONS.map(([format]) => format))('should take nonsense over %s for an empty request', (format) => {
    const nonsense: JsonObject = {
      messages: 3,
      input: [null, 7, [{}]],
      contents: [null, { parts: 'x' }],
      system: null,
      tools: {},
    };

    expect(() => readRequest(format, nonsense)).not.toThrow();
  });
});

describe('routeOf', () => {
  it.each([
    ['POST', '/v1/chat/completions', { format: 'openaiChat', kind: 'generate' }],
    ['POST', '/openai/deployments/d/chat/completions?api-version=1', { format: 'openaiChat', kind: 'generate' }],
    ['POST', '/v1/messages', { format: 'anthropicMessages', kind: 'generate' }],
    ['POST', '/v1/responses', { format: 'openaiResponses', kind: 'generate' }],
    [
      'GET',
      '/v1/responses/resp_1?stream=true&starting_after=7',
      { format: 'openaiResponses', kind: 'attach', runId: 'resp_1', after: '7' },
    ],
    ['GET', '/v1/responses/resp_1', { format: 'openaiResponses', kind: 'retrieve', runId: 'resp_1' }],
    ['POST', '/v1/responses/resp_1/cancel', { format: 'openaiResponses', kind: 'cancel', runId: 'resp_1' }],
    ['DELETE', '/v1/responses/resp_1', { format: 'openaiResponses', kind: 'delete', runId: 'resp_1' }],
    [
      'POST',
      '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
      { format: 'geminiGenerateContent', kind: 'generate', model: 'gemini-2.5-pro' },
    ],
    [
      'POST',
      '/v1beta/models/gemini-2.5-pro:streamGenerateContent',
      { format: 'geminiJsonArray', kind: 'generate', model: 'gemini-2.5-pro' },
    ],
    ['POST', '/v1beta/interactions?alt=sse', { format: 'geminiInteractions', kind: 'generate' }],
    [
      'GET',
      '/v1beta/interactions/v1_a?stream=true&last_event_id=e',
      { format: 'geminiInteractions', kind: 'attach', runId: 'v1_a', after: 'e' },
    ],
    [
      'POST',
      '/model/amazon.nova-lite-v1%3A0/converse-stream',
      { format: 'bedrockConverse', kind: 'generate', model: 'amazon.nova-lite-v1:0' },
    ],
    ['POST', '/api/chat', { format: 'ollamaChat', kind: 'generate' }],
    ['POST', '/v2/chat', { format: 'cohereChat', kind: 'generate' }],
    ['GET', '/v1/chat/completions', undefined],
    ['PUT', '/v1/responses/resp_1', undefined],
    ['GET', '/v1/responses/resp_1/cancel', undefined],
    ['POST', '/', undefined],
  ])('should route %s %s', (method, path, route) => {
    expect(routeOf(method, new URL(path, 'http://x'))).toEqual(route);
  });
});
