import {
  assistantMessage,
  toolMessage,
  userMessage,
  type ContentBlock,
  type InferenceRequest,
} from '../../../src/index.js';
import {
  openaiChat,
  openaiCompatible,
  type CompatiblePreset,
  type CompatiblePresetName,
} from '../../../src/providers/openai/index.js';
import { corpusCase, describeCorpus } from '../../helpers/corpus.js';
import { call, chunk, finish, resultOf, sentBy, sse, type Factory } from './chatHelpers.js';

const preset =
  (name: CompatiblePresetName | CompatiblePreset): Factory =>
  (options) =>
    openaiCompatible(name, options);

/** The assistant turn that an answer becomes when it is sent back as history. */
async function sentBack(content: ContentBlock[], factory: Factory): Promise<Record<string, unknown> | undefined> {
  const request: InferenceRequest = {
    model: 'm',
    messages: [userMessage('go'), assistantMessage(content), userMessage('on')],
  };
  const { body } = await sentBy(factory, request);
  const messages = body.messages as Record<string, unknown>[];
  return messages.find(({ role }) => role === 'assistant');
}

async function roundTrip(body: string, from: Factory, to = from) {
  return sentBack((await resultOf(from, body)).content, to);
}

const thought = { reasoning_content: 'hm', content: null };
const f = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } };

describe('an answer that is sent back as history', () => {
  it('should bring its text and calls back', async () => {
    const body = sse(
      chunk({ content: 'Look' }),
      call(0, 'a', 'f', '{"x":'),
      call(0, '', '', '1}'),
      finish('tool_calls'),
    );

    expect(await roundTrip(body, openaiChat)).toEqual({ role: 'assistant', content: 'Look', tool_calls: [f] });
  });

  it('should bring a refusal back to its own vendor, as the part that it was', async () => {
    const body = sse(chunk({ refusal: 'No.' }), finish('stop'));

    expect(await roundTrip(body, openaiChat)).toEqual({
      role: 'assistant',
      content: [{ type: 'refusal', refusal: 'No.' }],
    });
    expect(await roundTrip(body, openaiChat, preset('groq'))).toBeUndefined();
  });

  it.each<[CompatiblePresetName, Record<string, unknown>]>([
    ['deepseek', { reasoning_content: 'hm' }],
    ['moonshot', { reasoning_content: 'hm' }],
    ['xai', { reasoning_content: 'hm' }],
    ['vllm', { reasoning: 'hm' }],
    ['groq', { reasoning: 'hm' }],
    ['cerebras', { reasoning: 'hm' }],
    ['ollama', { reasoning: 'hm' }],
    ['together', {}],
    ['perplexity', {}],
  ])('should bring the reasoning before a call back to %s, and not that before a text', async (name, members) => {
    const asked = sse(chunk(thought), call(0, 'a', 'f', '{"x":1}'), finish('tool_calls'));
    const answered = sse(chunk(thought), chunk({ content: 'done' }), finish('stop'));

    expect(await roundTrip(asked, preset(name))).toEqual({
      role: 'assistant',
      content: null,
      tool_calls: [f],
      ...members,
    });
    expect(await roundTrip(answered, preset(name))).toEqual({ role: 'assistant', content: 'done' });
  });

  it('should bring the reasoning of Mistral back as a part of the content', async () => {
    const body = sse(
      chunk({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] }),
      chunk({ content: 'done' }),
      finish('stop'),
    );

    expect(await roundTrip(body, preset('mistral'))).toEqual({
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
        { type: 'text', text: 'done' },
      ],
    });
  });

  it('should bring reasoning details back verbatim and in order', async () => {
    const details = [
      { type: 'reasoning.text', text: 'hm', signature: 'sig', format: 'anthropic-claude-v1', index: 0 },
      { type: 'reasoning.summary', summary: 'so', id: 'rs_1', format: 'openai-responses-v1', index: 0 },
      { type: 'reasoning.encrypted', data: 'abc', id: 'rs_1', format: 'openai-responses-v1', index: 0 },
    ];
    const body = sse(chunk({ reasoning_details: details }), call(0, 'a', 'f', '{"x":1}'), finish('tool_calls'));

    expect(await roundTrip(body, preset('openrouter'))).toEqual({
      role: 'assistant',
      content: null,
      reasoning_details: details,
      tool_calls: [f],
    });
  });

  it('should drop the reasoning of another vendor', async () => {
    const body = sse(chunk(thought), call(0, 'a', 'f', '{"x":1}'), finish('tool_calls'));

    expect(await roundTrip(body, preset('groq'), preset('ollama'))).toEqual({
      role: 'assistant',
      content: null,
      tool_calls: [f],
    });
    // A turn with a call has to have the member, or DeepSeek refuses the whole history.
    expect(await roundTrip(body, preset('groq'), preset('deepseek'))).toEqual({
      role: 'assistant',
      content: null,
      reasoning_content: '',
      tool_calls: [f],
    });
  });

  it('should drop reasoning that was cut off: without its signature, or with nothing behind it', async () => {
    const provider = 'openrouter';
    const claude = { type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0 };
    const unsigned: ContentBlock = { type: 'reasoning', text: 'hm', providerMetadata: { provider, detail: claude } };
    const plain: ContentBlock = { type: 'reasoning', text: 'hm', providerMetadata: { provider } };
    const done: ContentBlock = { type: 'text', text: 'done' };

    expect(await sentBack([unsigned, done], preset('openrouter'))).toEqual({ role: 'assistant', content: 'done' });
    expect(await sentBack([done, plain], preset('openrouter'))).toEqual({ role: 'assistant', content: 'done' });
    expect(await sentBack([plain], preset('openrouter'))).toBeUndefined();
    expect(await sentBack([plain, done], preset('openrouter'))).toEqual({
      role: 'assistant',
      content: 'done',
      reasoning_details: [{ type: 'reasoning.text', text: 'hm' }],
    });
  });

  it('should echo of the opaque blocks only what the vendor takes', async () => {
    const reference = { type: 'reference', reference_ids: [1] };
    const content: ContentBlock[] = [
      { type: 'text', text: 'a' },
      { type: 'provider', provider: 'mistral', block: reference },
      { type: 'provider', provider: 'mistral', block: { citations: ['x'] } },
      { type: 'provider', provider: 'mistral', block: null },
      { type: 'provider', provider: 'anthropic', block: reference },
      { type: 'text', text: 'b' },
    ];

    expect(await sentBack(content, preset('mistral'))).toEqual({
      role: 'assistant',
      content: [{ type: 'text', text: 'a' }, reference, { type: 'text', text: 'b' }],
    });
    expect(await sentBack(content, openaiChat)).toEqual({ role: 'assistant', content: 'ab' });
  });

  it('should give every call and its result an id that Mistral takes, and leave those it made itself', async () => {
    const messages = [
      userMessage('go'),
      assistantMessage([
        { type: 'tool-call', id: 'call_1234567890', name: 'f', arguments: {} },
        { type: 'tool-call', id: 'D681PevKs', name: 'f', arguments: {} },
      ]),
      toolMessage('call_1234567890', 'one'),
      toolMessage('D681PevKs', 'two'),
    ];
    const { body } = await sentBy(preset('mistral'), { model: 'm', messages });
    const calls = body.messages[1]?.tool_calls ?? [];
    const results = body.messages.slice(2);

    expect(calls.map(({ id }) => id)).toEqual([expect.stringMatching(/^[a-zA-Z0-9]{9}$/), 'D681PevKs']);
    expect(results.map((result) => result.tool_call_id)).toEqual(calls.map(({ id }) => id));
  });

  it('should bring the thought signature of a call back', async () => {
    const extra_content = { google: { thought_signature: 'abc' } };
    const calls = [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":1}' }, extra_content }];
    const gemini = preset({ name: 'gemini', baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai' });
    const body = sse(chunk({ tool_calls: calls }), finish('stop'));

    expect(await roundTrip(body, gemini)).toMatchObject({ tool_calls: [{ ...f, extra_content }] });
    expect(await roundTrip(body, gemini, openaiChat)).toMatchObject({ tool_calls: [f] });
  });
});

describeCorpus('a recorded answer of OpenRouter that is sent back', () => {
  it.each([
    'openrouter/rig.reasoning_tool_order_matrix.streaming_signed_agent_roundtrip.0.sse',
    'openrouter/fantasy.TestOpenRouterCommon.gemini.multi_tool_streaming.0.sse',
    'openrouter/fantasy.TestOpenRouterCommon.grok.tool_streaming.1.sse',
    'openrouter/rig.streaming_tools.stream_encrypted_reasoning_survives_into_the_next_turn.0.sse',
  ])('should bring its opaque reasoning back: %s', async (file) => {
    const body = new TextDecoder().decode(corpusCase(file).bytes());
    const opaque = [...body.matchAll(/"(?:signature|data)":\s*"([^"]+)"/g)].map((match) => match[1]);
    const message = await roundTrip(body, preset('openrouter'));
    const details = message?.['reasoning_details'] as { signature?: string; data?: string }[];

    expect(opaque.length).toBeGreaterThan(0);
    expect(details.flatMap(({ signature, data }) => signature ?? data ?? [])).toEqual(opaque);
  });
});
