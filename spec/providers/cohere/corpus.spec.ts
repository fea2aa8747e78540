import type { StopReason } from '../../../src/index.js';
import { cohereChat } from '../../../src/providers/cohere/index.js';
import { describeCorpus, type CorpusCase, casesReadBy } from '../../helpers/corpus.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';
import { answer, observe, proseOf, randomSplit } from '../bedrock/observe.js';

const STOP: Record<string, StopReason> = {
  COMPLETE: 'end-turn',
  MAX_TOKENS: 'max-tokens',
  TOOL_CALL: 'tool-use',
  STOP_SEQUENCE: 'stop-sequence',
};

/** The usage in the words of the SDK, and in the API's own where the SDK does not know a member. */
interface Usage {
  tokens: { inputTokens: number; outputTokens: number; reasoning_tokens?: number };
  cachedTokens?: number;
}

describeCorpus('cohereChat on the recordings', () => {
  const cases = casesReadBy('cohere/corpus').map((entry) => [entry.file, entry] as const);

  it('should find all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(16);
  });

  it.each(cases)('should read %s', async (_, entry) => {
    const { text, reasoning, toolCalls, stopReason, usage, ...expected } = entry.expected;
    const result = await answer(stream(entry));

    expect(proseOf(result, 'text')).toBe(text);
    // The plan for its tools is what a model thinks; the other readers keep it apart.
    expect(proseOf(result, 'reasoning')).toBe(reasoning + ((expected['toolPlan'] as string | undefined) ?? ''));
    expect(result.toolCalls).toEqual(
      toolCalls.map(({ id, name, arguments: json }) => ({ id, name, arguments: JSON.parse(json || '{}') })),
    );
    expect(result.hasIncompleteToolCalls).toBe(false);
    expect(result.stopReason).toBe(STOP[String(stopReason)]);
    expect(result.content.filter(({ type }) => type === 'provider')).toHaveLength(Number(expected['citations'] ?? 0));
    const { tokens, cachedTokens } = usage as Partial<Usage> as Usage;
    expect(result.usage).toEqual({
      promptTokens: tokens.inputTokens,
      completionTokens: tokens.outputTokens,
      totalTokens: tokens.inputTokens + tokens.outputTokens,
      ...(cachedTokens !== undefined && { cacheReadTokens: cachedTokens }),
      ...(tokens.reasoning_tokens !== undefined && { thinkingTokens: tokens.reasoning_tokens }),
    });
  });

  it.each(cases)('should count as others do in %s', async (_, entry) => {
    const { usage } = await answer(stream(entry));
    const { inputTokens, outputTokens } = entry.expected['usageB'] as Record<string, { total: number }>;

    expect([usage?.promptTokens, usage?.completionTokens]).toEqual([inputTokens?.total, outputTokens?.total]);
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
});

function stream(entry: CorpusCase, split: Split = 'whole') {
  return cohereChat({ fetch: fakeFetch({ body: entry.bytes(), split }) }).executeStream(request);
}
