import type { StopReason, TokenUsage } from '../../../src/index.js';
import { bedrockConverse } from '../../../src/providers/bedrock/index.js';
import { describeCorpus, type CorpusCase, casesReadBy } from '../../helpers/corpus.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';
import { answer, observe, proseOf, randomSplit } from './observe.js';

const STOP: Record<string, StopReason> = {
  end_turn: 'end-turn',
  max_tokens: 'max-tokens',
  tool_use: 'tool-use',
  guardrail_intervened: 'content-filter',
};

interface Counts {
  total?: number;
  cacheRead?: number;
  cacheWrite?: number;
}

describeCorpus('bedrockConverse on the recordings', () => {
  const cases = casesReadBy('bedrock/corpus').map((entry) => [entry.file, entry] as const);

  it('should find all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(24);
  });

  it.each(cases)('should read %s', async (_, entry) => {
    const { expected } = entry;
    const result = await answer(stream(entry));

    expect(proseOf(result, 'text')).toBe(expected.text);
    expect(proseOf(result, 'reasoning')).toBe(expected.reasoning);
    expect(result.toolCalls).toEqual(
      expected.toolCalls.map(({ id, name, arguments: json }) => ({ id, name, arguments: JSON.parse(json || '{}') })),
    );
    expect(result.hasIncompleteToolCalls).toBe(false);
    expect(result.stopReason).toBe(STOP[String(expected.stopReason)]);
    expect(result.usage).toEqual(usageOf(expected.usage ?? {}));
  });

  it.each(cases)('should count as others do in %s', async (_, entry) => {
    const { usage } = await answer(stream(entry));
    const { inputTokens, outputTokens } = entry.expected['usageB'] as Record<string, Counts>;

    expect(usage?.promptTokens).toBe(inputTokens?.total);
    expect(usage?.completionTokens).toBe(outputTokens?.total);
    expect(usage?.cacheReadTokens ?? 0).toBe(inputTokens?.cacheRead);
    expect(usage?.cacheCreationTokens ?? 0).toBe(inputTokens?.cacheWrite);
  });

  it.each(cases)('should keep what is opaque in %s', async (_, { expected, ...entry }) => {
    const { content } = await answer(stream(entry));
    const thoughts = content.filter((block) => block.type === 'reasoning');
    const blocks = content.flatMap((block) => (block.type === 'provider' ? [block.block as Blocks] : []));

    expect(thoughts.flatMap(({ signature }) => (signature ? [`${signature.length} chars`] : []))).toEqual(
      expected['reasoningSignature'] ? [expected['reasoningSignature']] : [],
    );
    expect(thoughts.some(({ encrypted }) => encrypted !== undefined)).toBe(expected['reasoningRedacted'] ?? false);
    expect(blocks.flatMap(({ toolUse }) => (toolUse ? [toolUse.name] : []))).toEqual(expected['serverTools'] ?? []);
    expect(blocks.flatMap(({ citationsContent }) => citationsContent?.citations ?? [])).toHaveLength(
      Number(expected['citations'] ?? 0),
    );
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

  it('should tell what a guardrail said with the stop', async () => {
    const guarded = cases.filter(([, { features }]) => features.includes('guardrail-trace'));

    for (const [, entry] of guarded) {
      const { events } = await observe(stream(entry));
      expect(events.at(-1)?.providerMetadata).toMatchObject({ provider: 'bedrock', trace: { guardrail: {} } });
    }
    expect(guarded).toHaveLength(2);
  });
});

interface Blocks {
  toolUse?: { name: string };
  citationsContent?: { citations: unknown[] };
}

function stream(entry: Pick<CorpusCase, 'bytes'>, split: Split = 'whole') {
  const fetch = fakeFetch({
    body: entry.bytes(),
    split,
    headers: { 'content-type': 'application/vnd.amazon.eventstream' },
  });
  return bedrockConverse({ fetch }).executeStream(request);
}

/** What the contract makes of the API's own fields. */
function usageOf(raw: Record<string, unknown>): TokenUsage {
  const { inputTokens = 0, outputTokens = 0, totalTokens = 0, ...cache } = raw as Record<string, number>;
  const { cacheReadInputTokens, cacheWriteInputTokens } = cache;
  return {
    promptTokens: inputTokens + (cacheReadInputTokens ?? 0) + (cacheWriteInputTokens ?? 0),
    completionTokens: outputTokens,
    totalTokens,
    ...(cacheReadInputTokens !== undefined && { cacheReadTokens: cacheReadInputTokens }),
    ...(cacheWriteInputTokens !== undefined && { cacheCreationTokens: cacheWriteInputTokens }),
  };
}
