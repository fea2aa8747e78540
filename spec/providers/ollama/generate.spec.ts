import type { InferenceRequest } from '../../../src/index.js';
import { ollamaGenerate } from '../../../src/providers/ollama/index.js';
import { casesReadBy, describeCorpus, type CorpusCase } from '../../helpers/corpus.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';
import { answer, observe, proseOf, randomSplit } from '../bedrock/observe.js';

describeCorpus('ollamaGenerate on the recordings', () => {
  const cases = casesReadBy('ollama/generate').map((entry) => [entry.file, entry] as const);

  it('should find all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(3);
  });

  it.each(cases)('should read %s', async (_, entry) => {
    const { text, reasoning, stopReason, usage } = entry.expected;
    const result = await answer(stream(entry));
    const { prompt_eval_count = 0, eval_count = 0 } = usage as Record<string, number>;

    expect(proseOf(result, 'text')).toBe(text);
    expect(proseOf(result, 'reasoning')).toBe(reasoning);
    expect(result.toolCalls).toEqual([]);
    expect(stopReason).toBe('stop');
    expect(result.stopReason).toBe('end-turn');
    expect(result.usage).toEqual({
      promptTokens: prompt_eval_count,
      completionTokens: eval_count,
      totalTokens: prompt_eval_count + eval_count,
    });
  });

  it.each(cases)('should not mind how %s is split', async (_, entry) => {
    const whole = await observe(stream(entry));
    const { length } = entry.bytes();

    expect(await observe(stream(entry, 'bytes'))).toEqual(whole);
    for (const seed of [1, 2, 3]) expect(await observe(stream(entry, randomSplit(length, seed)))).toEqual(whole);
    expect(whole.events.at(-1)?.type).toBe('stop');
  });
});

const DONE = '{"response":"x","done":true,"done_reason":"stop"}\n';

describe('ollamaGenerate', () => {
  it('should send one prompt with its images and all settings', async () => {
    const image = { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'QUJD' } } as const;
    const { body, url } = await sent({
      model: 'gpt-oss:20b',
      system: 'Be brief.',
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be kind.' }] },
        { role: 'user', content: [{ type: 'text', text: 'What is it?' }, image] },
      ],
      overrides: {
        maxTokens: 9,
        reasoningEffort: 'max',
        responseFormat: { type: 'json' },
        providerOptions: { options: { num_ctx: 99 }, raw: true },
      },
    });

    expect(url).toBe('http://127.0.0.1:11434/api/generate');
    expect(body).toEqual({
      model: 'gpt-oss:20b',
      prompt: 'What is it?',
      system: 'Be brief.\n\nBe kind.',
      images: ['QUJD'],
      stream: true,
      think: 'high',
      format: 'json',
      options: { num_predict: 9, num_ctx: 99 },
      raw: true,
    });
  });

  it('should write a text that was cut off and the words to go on into the prompt', async () => {
    const { body } = await sent({ ...request, continuation: { prefix: 'Marbles roll', cancelledTools: [] } });
    const { prompt } = body as { prompt: string };

    expect(prompt).toMatch(/^hello\n\nMarbles roll\n\nMy connection dropped while you were answering/);
    expect(prompt).toContain('<last_words>Marbles roll</last_words>');
  });

  it('should refuse a conversation, tools and documents before any call', async () => {
    const turn = { role: 'assistant', content: [{ type: 'text', text: 'hi' }] } as const;
    const file = { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } } as const;
    const asked: Partial<InferenceRequest>[] = [
      { messages: [...request.messages, { ...turn, content: [...turn.content] }, ...request.messages] },
      { tools: [{ id: 't', name: 't', description: '', parameters: {} }] },
      { messages: [{ role: 'user', content: [file] }] },
    ];
    for (const extra of asked) {
      const fetch = fakeFetch({ body: DONE });
      const { error } = await observe(ollamaGenerate({ fetch }).executeStream({ ...request, ...extra }));

      expect(error).toMatchObject({ kind: 'invalid-request' });
      expect(error?.detail).toMatch(/^ollamaGenerate: the endpoint .*use ollamaChat$/);
      expect(fetch.requests).toEqual([]);
    }
  });

  it('should tell an error in the middle, and an end too early', async () => {
    const run = (body: string) => observe(ollamaGenerate({ fetch: fakeFetch({ body }) }).executeStream(request));
    const { error } = await run('{"response":"a","done":false}\n{"error":"model runner has stopped"}\n');
    const { error: early } = await run('{"response":"a","done":false}\n');

    expect(error).toMatchObject({ detail: 'model runner has stopped', snapshot: { text: 'a' } });
    expect(early).toMatchObject({ kind: 'stream-interrupted', interruption: { kind: 'truncated' } });
  });
});

async function sent(asked: InferenceRequest) {
  const fetch = fakeFetch({ body: DONE });
  await answer(ollamaGenerate({ fetch }).executeStream(asked));
  const [{ body, url }] = fetch.requests as [(typeof fetch.requests)[0]];
  return { body, url };
}

function stream(entry: CorpusCase, split: Split = 'whole') {
  const headers = { 'content-type': entry.contentType ?? 'application/x-ndjson' };
  return ollamaGenerate({ fetch: fakeFetch({ body: entry.bytes(), split, headers }) }).executeStream(request);
}
