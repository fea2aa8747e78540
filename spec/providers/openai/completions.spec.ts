import { recover, type InferenceRequest, type StopReason } from '../../../src/index.js';
import { openaiCompletions } from '../../../src/providers/openai/index.js';
import { casesReadBy, describeCorpus, type CorpusCase } from '../../helpers/corpus.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';
import { answer, observe, proseOf, randomSplit } from '../bedrock/observe.js';

const STOP: Record<string, StopReason> = { stop: 'end-turn', length: 'max-tokens' };

describeCorpus('openaiCompletions on the recordings', () => {
  const cases = casesReadBy('openai/completions').map((entry) => [entry.file, entry] as const);

  it('should find all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(3);
  });

  it.each(cases)('should read %s', async (_, entry) => {
    const { text, stopReason } = entry.expected;
    const result = await answer(stream(entry));

    expect(proseOf(result, 'text')).toBe(text);
    expect(result.content.map(({ type }) => type)).toEqual(['text']);
    expect(result.toolCalls).toEqual([]);
    expect(result.stopReason).toBe(STOP[String(stopReason)]);
    // Nobody had asked for it.
    expect(result.usage).toBeUndefined();
  });

  it.each(cases)('should not mind how %s is split', async (_, entry) => {
    const whole = await observe(stream(entry));
    const { length } = entry.bytes();

    expect(await observe(stream(entry, 'bytes'))).toEqual(whole);
    for (const seed of [1, 2, 3]) expect(await observe(stream(entry, randomSplit(length, seed)))).toEqual(whole);
    expect(whole.events.at(-1)?.type).toBe('stop');
  });
});

const chunk = (text: string, reason: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'cmpl-1', choices: [{ text, index: 0, finish_reason: reason }] })}\n\n`;
const USAGE = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
const END = `data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`;

describe('openaiCompletions', () => {
  it('should send one prompt with all settings', async () => {
    const { body, url, headers } = await sent({
      ...request,
      system: 'Be brief.',
      overrides: {
        maxTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        stopSequences: ['\n'],
        seed: 7,
        providerOptions: { suffix: 'end' },
      },
    });

    expect(url).toBe('https://api.openai.com/v1/completions');
    expect(headers).toMatchObject({ authorization: 'Bearer k', accept: 'text/event-stream' });
    expect(body).toEqual({
      model: 'test-model',
      prompt: 'Be brief.\n\nhello',
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['\n'],
      seed: 7,
      suffix: 'end',
    });
  });

  it('should go on with a text that was cut off, behind the prompt', async () => {
    const fetch = fakeFetch(
      { body: chunk('Marbles ') + chunk('roll '), end: 'reset' },
      { body: chunk('on.', 'stop') + END },
    );
    const executor = openaiCompletions({ fetch });
    const result = await answer(
      executor
        .executeStream(request)
        .pipe(recover({ request, resubscribe: (next) => executor.executeStream(next), delay: 0 })),
    );

    expect(fetch.requests.map(({ body }) => (body as { prompt: string }).prompt)).toEqual([
      'hello',
      'helloMarbles roll ',
    ]);
    expect(proseOf(result, 'text')).toBe('Marbles roll on.');
  });

  it('should read usage behind the reason, the first of several choices, and errors', async () => {
    const other = `data: ${JSON.stringify({ choices: [{ text: 'no', index: 1, finish_reason: 'stop' }] })}\n\n`;
    const { events } = await run(chunk('a') + other + chunk('', 'content_filter') + END);
    const { error } = await run(`${chunk('a')}data: {"error":{"message":"busy","type":"overloaded"}}\n\n`);
    const { error: early } = await run(chunk('a'));

    expect(events).toEqual([
      { type: 'text-delta', text: 'a' },
      { type: 'usage', usage: { promptTokens: 5, completionTokens: 3, totalTokens: 8 } },
      { type: 'stop', reason: 'content-filter' },
    ]);
    expect(error).toMatchObject({ kind: 'overloaded', detail: 'busy', snapshot: { text: 'a' } });
    expect(early).toMatchObject({ kind: 'stream-interrupted', interruption: { kind: 'truncated' } });
  });

  it.each<[string, Partial<InferenceRequest>, string]>([
    ['tools', { tools: [{ id: 't', name: 't', description: '', parameters: {} }] }, 'the endpoint has no tools'],
    ['a tool choice', { overrides: { toolChoice: 'required' } }, 'no toolChoice; leave overrides.toolChoice out'],
    ['reasoning', { overrides: { reasoningEffort: 'high' } }, 'no reasoningEffort'],
    ['a schema', { overrides: { responseFormat: { type: 'json' } } }, 'no responseFormat'],
    ['metadata', { overrides: { metadata: { a: 1 } } }, 'no metadata'],
    [
      'an image',
      {
        messages: [
          { role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }] },
        ],
      },
      'no image blocks',
    ],
    [
      'a conversation',
      {
        messages: [
          ...request.messages,
          { role: 'assistant', content: [{ type: 'text', text: 'hi' }] },
          ...request.messages,
        ],
      },
      'takes one prompt and no conversation; write it as one user message, or use openaiChat',
    ],
    ['nothing', { messages: [] }, 'takes one prompt'],
  ])('should refuse %s before any call', async (_, extra, words) => {
    const fetch = fakeFetch({ body: '' });
    const { error } = await observe(openaiCompletions({ fetch }).executeStream({ ...request, ...extra }));

    expect(error).toMatchObject({ kind: 'invalid-request' });
    expect(error?.detail).toContain(words);
    expect(error?.detail).toContain('openaiChat');
    expect(fetch.requests).toEqual([]);
  });

  it('should take what asks for nothing', async () => {
    const { body } = await sent({
      ...request,
      overrides: { toolChoice: 'none', reasoningEffort: 'none', responseFormat: { type: 'text' } },
    });

    expect(Object.keys(body as object)).toEqual(['model', 'prompt', 'stream', 'stream_options']);
  });
});

function run(body: string) {
  return observe(openaiCompletions({ fetch: fakeFetch({ body }) }).executeStream(request));
}

async function sent(asked: InferenceRequest) {
  const fetch = fakeFetch({ body: chunk('a', 'stop') + END });
  await answer(openaiCompletions({ fetch, apiKey: 'k' }).executeStream(asked));
  const [{ body, url, init }] = fetch.requests as [(typeof fetch.requests)[0]];
  return { body, url, headers: init.headers };
}

function stream(entry: CorpusCase, split: Split = 'whole') {
  return openaiCompletions({ fetch: fakeFetch({ body: entry.bytes(), split }) }).executeStream(request);
}
