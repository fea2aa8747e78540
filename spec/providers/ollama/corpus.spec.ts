import type { StopReason } from '../../../src/index.js';
import { ollamaChat } from '../../../src/providers/ollama/index.js';
import { describeCorpus, type CorpusCase, casesReadBy } from '../../helpers/corpus.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';
import { answer, observe, proseOf, randomSplit } from '../bedrock/observe.js';

const STOP: Record<string, StopReason> = { stop: 'end-turn', length: 'max-tokens' };

describeCorpus('ollamaChat on the recordings', () => {
  const cases = casesReadBy('ollama/corpus').map((entry) => [entry.file, entry] as const);

  it('should find all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(17);
  });

  it.each(cases)('should read %s', async (_, entry) => {
    const { text, reasoning, toolCalls, stopReason, usage } = entry.expected;
    const result = await answer(stream(entry));

    expect(proseOf(result, 'text')).toBe(text);
    expect(proseOf(result, 'reasoning')).toBe(reasoning);
    expect(result.toolCalls).toEqual(
      toolCalls.map(({ id, name, arguments: json }) => ({
        id: id ?? (expect.stringMatching(/^call_\d{20}_\d$/) as string),
        name,
        arguments: JSON.parse(json),
      })),
    );
    expect(result.hasIncompleteToolCalls).toBe(false);
    // An answer that calls tools says `stop` as well; the contract has a word of its own for it.
    expect(result.stopReason).toBe(toolCalls.length > 0 ? 'tool-use' : STOP[String(stopReason)]);
    const { prompt_eval_count = 0, eval_count = 0 } = usage as Record<string, number>;
    expect(result.usage).toEqual({
      promptTokens: prompt_eval_count,
      completionTokens: eval_count,
      totalTokens: prompt_eval_count + eval_count,
    });
  });

  it.each(cases)(
    'should not mind how %s is split',
    async (_, entry) => {
      const whole = await observe(stream(entry));
      const { length } = entry.bytes();

      expect(await observe(stream(entry, 'bytes'))).toEqual(whole);
      for (const seed of [1, 2, 3]) expect(await observe(stream(entry, randomSplit(length, seed)))).toEqual(whole);
      expect(whole.events.filter(({ type }) => type === 'stop')).toHaveLength(1);
      expect(whole.events.at(-1)?.type).toBe('stop');
    },
    60_000,
  );

  it('should give different calls different ids, also over several answers', async () => {
    const nameless = cases.filter(([, { oddities }]) => oddities.includes('tool call without id'));
    const ids: string[] = [];
    for (const [, entry] of nameless) ids.push(...(await answer(stream(entry))).toolCalls.map(({ id }) => id));

    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(3);
  });
});

function stream(entry: CorpusCase, split: Split = 'whole') {
  const headers = { 'content-type': entry.contentType ?? 'application/x-ndjson' };
  return ollamaChat({ fetch: fakeFetch({ body: entry.bytes(), split, headers }) }).executeStream(request);
}
