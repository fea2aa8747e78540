import { firstValueFrom, toArray } from 'rxjs';
import {
  collect,
  type LlmStreamEvent,
  type StopReason,
  type StreamResult,
  type TokenUsage,
} from '../../../src/index.js';
import { anthropicMessages } from '../../../src/providers/anthropic/index.js';
import { describeCorpus, type CorpusCase, casesReadBy } from '../../helpers/corpus.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';
import { request } from '../../helpers/events.js';

const STOP: Record<string, StopReason> = {
  end_turn: 'end-turn',
  max_tokens: 'max-tokens',
  tool_use: 'tool-use',
  stop_sequence: 'stop-sequence',
  refusal: 'refusal',
};

/**
 * Its reader B adds the compaction's own iteration (60,385 and 522 tokens) to the totals; the API's totals, which reader A
 * gives and we report, leave it out.
 */
const OTHER_TOTALS_IN_B = 'anthropic/vercel-ai.anthropic-compaction.1.sse';

describeCorpus('anthropicMessages on the recordings', () => {
  const cases = casesReadBy('anthropic/corpus');

  it('should find all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(51);
  });

  it.each(cases.map((entry) => [entry.file, entry] as const))('should read %s', async (_, entry) => {
    const result = await collected(entry);
    const { expected } = entry;

    expect(textOf(result, 'text')).toBe(expected.text);
    expect(textOf(result, 'reasoning')).toBe(expected.reasoning);
    expect(result.toolCalls).toEqual(
      expected.toolCalls.map(({ id, name, arguments: json }) => ({ id, name, arguments: JSON.parse(json || '{}') })),
    );
    expect(result.hasIncompleteToolCalls).toBe(false);
    expect(result.stopReason).toBe(STOP[String(expected.stopReason)]);
    expect(result.usage).toEqual(usageOf(expected.usage ?? {}));
  });

  it.each(cases.map((entry) => [entry.file, entry] as const))(
    'should count as others do in %s',
    async (file, entry) => {
      const { usage = {} } = await collected(entry);
      const other = entry.expected['usageB'] as { inputTokens?: Counts; outputTokens?: Counts } | undefined;

      const agrees =
        other?.inputTokens?.total === usage.promptTokens && other?.outputTokens?.total === usage.completionTokens;
      expect(agrees).toBe(file !== OTHER_TOTALS_IN_B);
    },
  );

  it.each(cases.map((entry) => [entry.file, entry] as const))('should keep what is opaque in %s', async (_, entry) => {
    const { content } = await collected(entry);
    const { expected } = entry;
    const blocks = content.flatMap((block) => (block.type === 'provider' ? [labelOf(block.block)] : []));
    const thoughts = content.filter((block) => block.type === 'reasoning');
    const citations = content.flatMap((block) =>
      block.type === 'text' ? (block.providerMetadata?.['citations'] ?? []) : [],
    );

    expect(blocks).toEqual(expected['serverBlocks'] ?? []);
    expect(thoughts.flatMap(({ signature }) => (signature ? [`${signature.length} chars`] : []))).toEqual(
      expected['signatures'] ?? [],
    );
    expect(thoughts.filter(({ encrypted }) => encrypted !== undefined)).toHaveLength(
      Number(expected['redactedThinking'] ?? 0),
    );
    expect(citations).toHaveLength(Number(expected['citations'] ?? 0));
  });

  it.each(cases.map((entry) => [entry.file, entry] as const))('should not mind how %s is split', async (_, entry) => {
    const whole = await events(entry, 'whole');

    expect(await events(entry, 'bytes')).toEqual(whole);
    for (const seed of [1, 2, 3]) expect(await events(entry, randomSplit(entry, seed))).toEqual(whole);
    expect(whole.filter(({ type }) => type === 'stop')).toHaveLength(1);
    expect(whole.at(-1)?.type).toBe('stop');
  });
});

interface Counts {
  total?: number;
}

function executor(entry: CorpusCase, split: Split) {
  return anthropicMessages({ fetch: fakeFetch({ body: entry.bytes(), split }) });
}

function collected(entry: CorpusCase): Promise<StreamResult> {
  return firstValueFrom(executor(entry, 'whole').executeStream(request).pipe(collect()));
}

function events(entry: CorpusCase, split: Split): Promise<LlmStreamEvent[]> {
  return firstValueFrom(executor(entry, split).executeStream(request).pipe(toArray()));
}

function textOf({ content }: StreamResult, type: 'text' | 'reasoning'): string {
  return content.map((block) => (block.type === type ? block.text : '')).join('');
}

/** What the contract makes of the API's own fields. */
function usageOf(raw: Record<string, unknown>): TokenUsage {
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = raw as Record<
    string,
    number
  >;
  const details = raw['output_tokens_details'] as { thinking_tokens: number } | undefined;
  const promptTokens = (input_tokens ?? 0) + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0);
  const usage: TokenUsage = { promptTokens, completionTokens: output_tokens ?? 0 };
  usage.totalTokens = promptTokens + (output_tokens ?? 0);
  if (cache_read_input_tokens !== undefined) usage.cacheReadTokens = cache_read_input_tokens;
  if (cache_creation_input_tokens !== undefined) usage.cacheCreationTokens = cache_creation_input_tokens;
  if (details) usage.thinkingTokens = details.thinking_tokens;
  return usage;
}

function labelOf(block: unknown): string {
  const { type, name } = block as { type: string; name?: string };
  return name === undefined ? type : `${type}:${name}`;
}

/** Some 40 offsets; the same ones for the same seed. */
function randomSplit(entry: CorpusCase, seed: number): number[] {
  const { length } = entry.bytes();
  let state = seed * 2_654_435_761;
  return Array.from({ length: 40 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % length;
  });
}
