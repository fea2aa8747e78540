import { resultText, type LlmStreamEvent } from '../../../src/index.js';
import { openaiChat, openaiCompatible } from '../../../src/providers/openai/index.js';
import { args, close, start, stop, text, usage } from '../../helpers/events.js';
import { chunk, finish, read, resultOf, sse, type Factory } from './chatHelpers.js';

const openrouter: Factory = (options) => openaiCompatible('openrouter', options);
const mistral: Factory = (options) => openaiCompatible('mistral', options);

async function events(body: string, factory: Factory = openaiChat): Promise<LlmStreamEvent[]> {
  const { events: all, error } = await read(factory, body);
  if (error) throw error;
  return all;
}

const think = (value: string, provider?: string): LlmStreamEvent => ({
  type: 'reasoning-delta',
  text: value,
  ...(provider !== undefined && { providerMetadata: { provider } }),
});

describe('the answers that openaiChat reads', () => {
  it('should be text, then usage that follows the reason, then the stop', async () => {
    const body = sse(
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      finish('stop'),
      { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
      '[DONE]',
    );

    expect(await events(body)).toEqual([
      text('Hel'),
      text('lo'),
      { type: 'usage', usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } },
      stop(),
    ]);
  });

  it('should be the same where usage comes before or with the reason', async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    const expected = [
      text('a'),
      { type: 'usage', usage: expect.objectContaining({ promptTokens: 3 }) as unknown },
      stop(),
    ];

    expect(await events(sse(chunk({ content: 'a' }, {}, { usage }), finish('stop'), '[DONE]'))).toEqual(expected);
    expect(await events(sse(chunk({ content: 'a' }), finish('stop', { usage }), '[DONE]'))).toEqual(expected);
  });

  it('should end at the end of the body where [DONE] is missing', async () => {
    expect(await events(sse(chunk({ content: 'a' }), finish('stop')))).toEqual([text('a'), stop()]);
  });

  it('should end at [DONE], whatever follows it', async () => {
    const body = sse(
      chunk({ content: 'a' }),
      finish('stop'),
      '[DONE]',
      { choices: [], cost: '0' },
      'rubbish',
      '[DONE]',
    );

    expect(await events(body)).toEqual([text('a'), stop()]);
  });

  it('should end at [DONE] after the usage where the wire knows no finish reasons, as that of Snowflake', async () => {
    const summed = { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } };
    const bare = (delta: object) => ({ choices: [{ index: 0, delta }] });
    const tool = { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
    const said = sse(bare({ content: 'a' }), summed, '[DONE]');
    const called = sse(bare({ tool_calls: [tool] }), summed, '[DONE]');

    expect(await events(said)).toEqual([text('a'), usage(1, 1), stop()]);
    expect(await events(called)).toEqual([start('a', 'f'), args('a', '{}'), usage(1, 1), close('a'), stop('tool-use')]);
  });

  it.each([
    ['and nothing else', { choices: [{ index: 0, delta: { content: 'a' } }] }],
    [
      'where finish reasons are usual',
      chunk({ content: 'a' }, {}, { usage: { prompt_tokens: 1, completion_tokens: 1 } }),
    ],
  ])(
    'should not take [DONE] %s for the end of an answer, since gateways write it when they give up',
    async (_, said) => {
      const { error } = await read(openaiChat, sse(said, '[DONE]'));

      expect(error).toMatchObject({ interruption: { kind: 'truncated' }, snapshot: { text: 'a' } });
    },
  );

  it.each([
    ['llama.cpp', 'error: {"code":400,"message":"the context size has been exceeded"}\n\n', 'context-overflow'],
    ['Groq', sse({ choices: [], x_groq: { id: 'req_1', error: 'over_capacity' } }), 'provider'],
  ])('should tell the failure that %s writes in its own way, also before [DONE]', async (_, told, kind) => {
    const { error } = await read(openaiChat, sse(chunk({ content: 'a' })) + told + sse('[DONE]'));

    expect(error).toMatchObject({ kind, snapshot: { text: 'a' } });
    expect(error?.detail).toMatch(/context size|over_capacity/);
  });

  it('should go on with text that follows a finish reason', async () => {
    const body = sse(chunk({ content: 'a' }), finish('stop'), chunk({ content: 'b' }), finish('length'), '[DONE]');

    expect(await events(body)).toEqual([text('a'), text('b'), stop('max-tokens')]);
  });

  it('should read a chunk whose end of line is missing at the end of the body', async () => {
    const body = sse(chunk({ content: 'a' }), finish('stop')).trimEnd();

    expect(await events(body)).toEqual([text('a'), stop()]);
  });

  it('should pass over comments, empty events, unknown chunks and null members', async () => {
    const body = [
      ': keepalive\n\n',
      'event: keepalive\ndata: {}\n\n',
      'data:\n\n',
      'data: null\n\n',
      sse(
        { choices: [], prompt_filter_results: [{ prompt_index: 0 }] },
        { choices: null, usage: null },
        { choices: [null] },
        { id: 'x', choices: [{ index: 0, finish_reason: null, content_filter_results: {} }] },
        chunk({ content: null, tool_calls: null, refusal: null, reasoning: null, function_call: null }),
        chunk({ content: 'a' }, { finish_reason: '' }),
        finish('stop'),
        '[DONE]',
      ),
    ].join('');

    expect(await events(body)).toEqual([text('a'), stop()]);
  });

  it('should read the first of several choices', async () => {
    const other = { choices: [{ index: 1, delta: { content: 'no' }, finish_reason: 'length' }] };
    const both = {
      choices: [
        { index: 1, delta: { content: 'no' } },
        { index: 0, delta: { content: 'b' } },
      ],
    };

    expect(await events(sse(other, chunk({ content: 'a' }), both, finish('stop'), other, '[DONE]'))).toEqual([
      text('a'),
      text('b'),
      stop(),
    ]);
  });

  it('should not read a message beside the deltas, but one that stands alone', async () => {
    const message = { content: 'a' };
    const whole = { choices: [{ index: 0, message, finish_reason: 'stop' }] };

    expect(await events(sse(chunk({ content: 'a' }, { message }), finish('stop'), '[DONE]'))).toEqual([
      text('a'),
      stop(),
    ]);
    expect(await events(sse(chunk({ content: 'a' }), whole, '[DONE]'))).toEqual([text('a'), stop()]);
    expect(await events(sse(whole, '[DONE]'))).toEqual([text('a'), stop()]);
  });

  it('should tell a refusal as an opaque block and by the reason, apart from the text', async () => {
    const body = sse(
      chunk({ content: null, refusal: '' }),
      chunk({ refusal: 'I ca' }),
      chunk({ refusal: "n't." }),
      finish('stop'),
    );
    const refusal = { type: 'provider-block', provider: 'openai', block: { type: 'refusal', refusal: "I can't." } };

    expect(await events(body)).toEqual([refusal, stop('refusal')]);
    expect(resultText(await resultOf(openaiChat, body))).toBe('');
  });

  it.each([
    ['stop', 'end-turn'],
    ['eos', 'end-turn'],
    ['something_new', 'end-turn'],
    ['length', 'max-tokens'],
    ['model_length', 'max-tokens'],
    ['tool_calls', 'tool-use'],
    ['function_call', 'tool-use'],
    ['content_filter', 'content-filter'],
    ['stop_sequence', 'stop-sequence'],
  ] as const)('should call the reason %s %s', async (word, reason) => {
    expect(await events(sse(chunk({ content: 'a' }), finish(word)))).toEqual([text('a'), stop(reason)]);
  });

  it('should tell a stop string that vLLM or SGLang has met from the end of the text', async () => {
    const met = (more: object) => events(sse(chunk({ content: 'a' }), chunk({}, { finish_reason: 'stop', ...more })));

    expect(await met({ stop_reason: 'END' })).toEqual([text('a'), stop('stop-sequence')]);
    expect(await met({ matched_stop: 'END' })).toEqual([text('a'), stop('stop-sequence')]);
    expect(await met({ stop_reason: 128009 })).toEqual([text('a'), stop()]);
    expect(await met({ finish_reason: { type: 'length' }, stop_reason: null })).toEqual([
      text('a'),
      stop('max-tokens'),
    ]);
  });
});

describe('the usage that openaiChat reads', () => {
  const usageIn = async (...chunks: object[]) => {
    const all = await events(sse(chunk({ content: 'a' }), ...chunks, finish('stop'), '[DONE]'));
    return all.flatMap((event) => (event.type === 'usage' ? [event.usage] : []));
  };

  it.each<[string, object, object]>([
    [
      'OpenAI',
      { prompt_tokens_details: { cached_tokens: 4 }, completion_tokens_details: { reasoning_tokens: 2 } },
      { cacheReadTokens: 4, thinkingTokens: 2 },
    ],
    [
      'OpenRouter',
      { prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 3 } },
      { cacheReadTokens: 4, cacheCreationTokens: 3 },
    ],
    ['DeepSeek', { prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 6 }, { cacheReadTokens: 4 }],
    ['Moonshot', { cached_tokens: 4 }, { cacheReadTokens: 4 }],
    [
      'Databricks',
      { cache_read_input_tokens: 4, cache_creation_input_tokens: 1 },
      { cacheReadTokens: 4, cacheCreationTokens: 1 },
    ],
    ['others, by null', { prompt_tokens_details: null, completion_tokens_details: { reasoning_tokens: null } }, {}],
  ])('should know the names of %s', async (_, members, expected) => {
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, ...members };

    expect(await usageIn({ choices: [], usage })).toEqual([
      { promptTokens: 10, completionTokens: 5, totalTokens: 15, ...expected },
    ]);
  });

  it('should count the reasoning into the output where the total shows that it is apart', async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 20 } };

    expect(await usageIn({ choices: [], usage: { ...usage, total_tokens: 35 } })).toEqual([
      { promptTokens: 10, completionTokens: 25, totalTokens: 35, thinkingTokens: 20 },
    ]);
    expect(await usageIn({ choices: [], usage: { ...usage, total_tokens: 15 } })).toEqual([
      { promptTokens: 10, completionTokens: 5, totalTokens: 15, thinkingTokens: 20 },
    ]);
  });

  it('should find it where Groq and Moonshot put it', async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const expected = [{ promptTokens: 1, completionTokens: 2, totalTokens: 3 }];

    expect(await usageIn({ choices: [], x_groq: { usage } })).toEqual(expected);
    expect(await usageIn({ choices: [{ index: 0, delta: {}, usage }] })).toEqual(expected);
  });

  it('should report a figure once, however often it is repeated, and the last of a running total', async () => {
    const usage = (completion: number | null) => ({
      choices: [],
      usage: { prompt_tokens: 1, completion_tokens: completion, total_tokens: null },
    });

    expect(await usageIn(usage(1), usage(1), usage(2), usage(2))).toEqual([
      { promptTokens: 1, completionTokens: 1 },
      { promptTokens: 1, completionTokens: 2 },
    ]);
    expect(await usageIn({ choices: [], usage: { prompt_tokens: null } })).toEqual([]);
  });
});

describe('the reasoning that openaiChat reads', () => {
  it.each(['reasoning', 'reasoning_content', 'reasoning_text'])('should stand in %s', async (member) => {
    const body = sse(
      chunk({ [member]: 'hm' }),
      chunk({ [member]: 'm', content: 'a' }),
      chunk({ [member]: 'x' }),
      finish('stop'),
    );

    expect(await events(body)).toEqual([think('hm', 'openai'), think('m'), text('a'), think('x', 'openai'), stop()]);
  });

  it('should be told once where it stands in both', async () => {
    const body = sse(chunk({ reasoning: 'hm', reasoning_content: 'hm' }), chunk({ content: 'a' }), finish('stop'));

    expect(await events(body)).toEqual([think('hm', 'openai'), text('a'), stop()]);
  });

  it('should stand in the parts of Databricks', async () => {
    const reasoning = (value: string) => ({ type: 'reasoning', summary: [{ type: 'summary_text', text: value }] });
    const body = sse(
      chunk({ content: [reasoning('h')] }),
      chunk({ content: [reasoning('m')] }),
      chunk({ content: [{ type: 'text', text: 'a' }] }),
      chunk({ content: 'b' }),
      finish('stop'),
    );

    const all = await events(body);
    const prose = (type: string) =>
      all.map((event) => (event.type === type && 'text' in event ? event.text : '')).join('');
    expect([prose('reasoning-delta'), prose('text-delta')]).toEqual(['hm', 'ab']);
    expect(all.filter(({ type }) => type === 'provider-block')).toEqual([]);
  });

  it('should stand in parts of the content, with Mistral', async () => {
    const body = sse(
      chunk({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] }),
      chunk({
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'm' }], closed: true },
          { type: 'text', text: 'a' },
        ],
      }),
      chunk({ content: [{ type: 'reference', reference_ids: [1] }, 'b', null, { type: 'text', text: '' }] }),
      finish('stop'),
    );

    expect(await events(body, mistral)).toEqual([
      think('hm', 'mistral'),
      think('m'),
      text('a'),
      { type: 'provider-block', provider: 'mistral', block: { type: 'reference', reference_ids: [1] } },
      text('b'),
      stop(),
    ]);
  });

  it('should keep each of the reasoning details as a block of its own', async () => {
    const detail = { type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0 };
    const sealed = { type: 'reasoning.encrypted', data: 'abc', id: 'rs_1', format: 'openai-responses-v1', index: 0 };
    const body = sse(
      chunk({ reasoning: 'hm', reasoning_details: [{ ...detail, text: 'hm' }] }),
      chunk({ reasoning: 'm', reasoning_details: [{ ...detail, text: 'm' }] }),
      chunk({ reasoning_details: [{ ...detail, text: '', signature: 'sig' }] }),
      chunk({ reasoning_details: [sealed] }),
      chunk({ content: 'a' }),
      finish('stop'),
    );

    expect(await events(body, openrouter)).toEqual([
      { ...think('hm'), providerMetadata: { provider: 'openrouter', detail } },
      think('m'),
      { ...think(''), providerMetadata: { provider: 'openrouter', signature: 'sig' } },
      close(),
      {
        ...think(''),
        providerMetadata: {
          provider: 'openrouter',
          encrypted: 'abc',
          detail: { type: 'reasoning.encrypted', id: 'rs_1', format: 'openai-responses-v1', index: 0 },
        },
      },
      text('a'),
      stop(),
    ]);
    expect((await resultOf(openrouter, body)).content).toEqual([
      { type: 'reasoning', text: 'hmm', signature: 'sig', providerMetadata: { provider: 'openrouter', detail } },
      {
        type: 'reasoning',
        text: '',
        encrypted: 'abc',
        providerMetadata: {
          provider: 'openrouter',
          detail: { type: 'reasoning.encrypted', id: 'rs_1', format: 'openai-responses-v1', index: 0 },
        },
      },
      { type: 'text', text: 'a' },
    ]);
  });

  it('should read summaries, details without plain text beside them, and details that say something else', async () => {
    const summary = { type: 'reasoning.summary', index: 0 };
    const alone = sse(
      chunk({ reasoning_details: [{ ...summary, summary: 'hm' }] }),
      chunk({ content: 'a' }),
      finish('stop'),
    );
    const differs = sse(
      chunk({
        reasoning: 'plain',
        reasoning_details: [{ type: 'reasoning.text', text: 'other', signature: 's' }, null],
      }),
      chunk({ content: 'a' }),
      finish('stop'),
    );

    expect(await events(alone, openrouter)).toEqual([
      { ...think('hm'), providerMetadata: { provider: 'openrouter', detail: summary } },
      text('a'),
      stop(),
    ]);
    expect((await resultOf(openrouter, differs)).content[0]).toEqual({
      type: 'reasoning',
      text: 'plain',
      signature: 's',
      providerMetadata: { provider: 'openrouter' },
    });
  });
});

describe('what openaiChat has no word for', () => {
  it('should be told as opaque blocks: tools that ran at the vendor, pictures, speech', async () => {
    const block = (value: object) => ({ type: 'provider-block', provider: 'openai', block: value });
    const executed_tools = [{ index: 0, type: 'search', output: '…' }];
    const images = [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }];
    const audio = { id: 'audio_1', data: 'AA' };

    expect(await events(sse(chunk({ executed_tools }), chunk({ images, audio }), finish('stop')))).toEqual([
      block({ executed_tools }),
      block({ images }),
      block({ audio }),
      stop(),
    ]);
  });

  it('should be told once at the end: citations, which Perplexity repeats, and annotations', async () => {
    const citations = ['https://a.test'];
    const search_results = [{ title: 'A' }];
    const annotation = { type: 'url_citation', url_citation: { url: 'https://b.test' } };
    const body = sse(
      chunk({ content: 'a' }, {}, { citations, search_results }),
      chunk({ content: 'b', annotations: [annotation] }, {}, { citations, search_results }),
      finish('stop', { citations, search_results }),
    );

    expect(await events(body)).toEqual([
      text('a'),
      text('b'),
      { type: 'provider-block', provider: 'openai', block: { citations, search_results } },
      { type: 'provider-block', provider: 'openai', block: { annotations: [annotation] } },
      stop(),
    ]);
  });

  it('should be told of search results without citations', async () => {
    const search_results = [{ title: 'A' }];

    expect(await events(sse(chunk({ content: 'a' }, {}, { search_results }), finish('stop')))).toEqual([
      text('a'),
      { type: 'provider-block', provider: 'openai', block: { search_results } },
      stop(),
    ]);
  });

  it('should keep the thought signature of a call of Gemini', async () => {
    const extra_content = { google: { thought_signature: 'abc' } };
    const calls = [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' }, extra_content }];

    expect(await events(sse(chunk({ tool_calls: calls }), finish('tool_calls')))).toEqual([
      { ...start('a', 'f'), providerMetadata: { provider: 'openai', extra_content } },
      args('a', '{}'),
      close('a'),
      stop('tool-use'),
    ]);
  });
});
