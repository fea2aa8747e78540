import { catchError, firstValueFrom, of, toArray } from 'rxjs';
import { collect, type InferenceExecutionError, type StopReason } from '../../../src/index.js';
import { openaiResponses } from '../../../src/providers/openai/index.js';
import { corpusCase, describeCorpus, type CorpusCase, casesReadBy } from '../../helpers/corpus.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';

/** The stream tells a failure: there is no result, but a typed error with what had arrived. */
const FAILS = 'openai-responses/vercel-ai.openai-error.1.sse';

/**
 * The token limit came in the middle of a call: `{"x":48151` is no JSON and never will be, so the call is left out and the
 * result says that one was. The readers hand the piece over as it is.
 */
const CUT_CALLS = ['openai-responses/rig.streaming_grammar.incomplete_mid_tool_call.sse'];

/** A custom tool takes text, not JSON; it is handed over as a string. */
const CUSTOM_TOOL = 'openai-responses/rust-genai.custom_grammar_tool.response_000.sse';

describeCorpus('openaiResponses on the recordings', () => {
  const cases = casesReadBy('openai/responsesCorpus');
  const whole = cases.filter(({ file }) => file !== FAILS).map((entry) => [entry.file, entry] as const);

  it('should find all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(64);
  });

  it.each(whole)('should read %s', async (file, entry) => {
    const { expected } = entry;
    const cut = CUT_CALLS.includes(file);
    const result = await collected(entry);

    expect(textOf(result.content, 'text')).toBe(expected.text);
    expect(textOf(result.content, 'reasoning')).toBe(expected.reasoning);
    expect(result.toolCalls).toEqual(cut ? [] : expected.toolCalls.map((call) => expectedCall(file, call)));
    expect(result.hasIncompleteToolCalls).toBe(cut);
    expect(result.stopReason).toBe(stopOf(entry));
    expect(result.usage).toEqual(usageOf(expected.usage ?? {}));
  });

  it.each(whole)('should count as others do in %s', async (_, entry) => {
    const { usage } = await collected(entry);
    const other = entry.expected['usageB'] as
      { inputTokens: Record<string, number>; outputTokens: Record<string, number> } | undefined;
    // Two of the readers throw; they have counted nothing.
    if (other === undefined) return expect(entry.expected.status).not.toBe('ok');

    expect([usage?.promptTokens, usage?.completionTokens]).toEqual([
      other.inputTokens['total'],
      other.outputTokens['total'],
    ]);
    expect([usage?.cacheReadTokens, usage?.thinkingTokens]).toEqual([
      other.inputTokens['cacheRead'],
      other.outputTokens['reasoning'],
    ]);
  });

  it.each(whole)('should keep what is opaque in %s', async (_, entry) => {
    const { content } = await collected(entry);
    const items = itemsOf(entry);
    const opaque = content.flatMap((block) => (block.type === 'provider' ? [block.block] : []));
    const encrypted = content.flatMap((block) =>
      block.type === 'reasoning' && block.encrypted ? [block.encrypted] : [],
    );
    const annotations = content.flatMap((block) =>
      block.type === 'text' ? ((block.providerMetadata?.['annotations'] as unknown[] | undefined) ?? []) : [],
    );
    const refusal = entry.expected.refusal;

    expect(opaque).toEqual([
      ...items.filter(({ type }) => !/^(message|reasoning|function_call|custom_tool_call)$/.test(type)),
      ...(refusal ? [{ type: 'refusal', refusal }] : []),
    ]);
    expect(opaque.map((block) => (block as { type: string }).type).filter((type) => type !== 'refusal')).toEqual(
      entry.expected['serverTools'] ?? [],
    );
    expect(encrypted).toEqual(items.flatMap((item) => (item.type === 'reasoning' && item.encrypted_content) || []));
    expect(annotations).toHaveLength(Number(entry.expected['annotations'] ?? 0));
  });

  it.each(cases.map((entry) => [entry.file, entry] as const))('should not mind how %s is split', async (_, entry) => {
    const events = await eventsOf(entry, 'whole');

    expect(await eventsOf(entry, 'bytes')).toEqual(events);
    for (const seed of [1, 2, 3]) expect(await eventsOf(entry, randomSplit(entry, seed))).toEqual(events);
    expect(events.filter(({ type }) => type === 'stop')).toHaveLength(entry.file === FAILS ? 0 : 1);
  });

  it('should tell a failure inside the stream as what it is', async () => {
    const { streamErrors } = corpusCase(FAILS).expected;
    const error = await failureOf(corpusCase(FAILS));

    expect(error).toMatchObject({ name: 'InferenceExecutionError', kind: 'rate-limited' });
    expect(error.detail).toBe((streamErrors?.[0] as { message: string }).message);
  });

  it('should break off where the terminal event is missing, with everything that had arrived', async () => {
    for (const entry of cases) {
      const text = new TextDecoder().decode(entry.bytes());
      const end = /(?:event: [^\n]*\n)?data: \{[^\n]*"type": ?"response\.(?:completed|incomplete|failed)"/.exec(text);
      if (entry.file === FAILS || end === null) continue;
      const executor = openaiResponses({ fetch: fakeFetch({ body: text.slice(0, end.index) }) });
      const error = await firstValueFrom(executor.executeStream(request).pipe(collect())).then(
        () => undefined,
        (thrown: InferenceExecutionError) => thrown,
      );

      expect({ file: entry.file, cause: error?.interruption }).toEqual({
        file: entry.file,
        cause: { kind: 'truncated' },
      });
      expect(error?.snapshot?.text ?? '').toBe(entry.expected.text);
      expect(error?.snapshot?.cursor ?? null).toBeNull();
    }
  });
});

function collected(entry: CorpusCase) {
  return firstValueFrom(executorOf(entry, 'whole').executeStream(request).pipe(collect()));
}

async function failureOf(entry: CorpusCase): Promise<InferenceExecutionError> {
  return firstValueFrom(executorOf(entry, 'whole').executeStream(request).pipe(collect())).then(
    () => {
      throw new Error('no error came');
    },
    (error: InferenceExecutionError) => error,
  );
}

/** The events, and the kind of the error behind them where one comes. */
async function eventsOf(entry: CorpusCase, split: Split): Promise<{ type: string }[]> {
  const toKind = (error: unknown) => of({ type: (error as InferenceExecutionError).kind });
  return firstValueFrom(executorOf(entry, split).executeStream(request).pipe(catchError(toKind), toArray()));
}

function executorOf(entry: CorpusCase, split: Split) {
  return openaiResponses({ fetch: fakeFetch({ body: entry.bytes(), split }) });
}

function expectedCall(file: string, { id, name, arguments: json }: CorpusCase['expected']['toolCalls'][number]) {
  return { id, name, arguments: file === CUSTOM_TOOL ? json : (JSON.parse(json || '{}') as unknown) };
}

function stopOf({ expected }: CorpusCase): StopReason {
  if (expected.stopReason === 'max_output_tokens') return 'max-tokens';
  if (expected.toolCalls.length > 0) return 'tool-use';
  return expected.refusal ? 'refusal' : 'end-turn';
}

/** What the contract makes of the API's own fields. */
function usageOf(raw: Record<string, unknown>) {
  const { input_tokens, output_tokens, total_tokens } = raw;
  const input = raw['input_tokens_details'] as Record<string, number> | undefined;
  const output = raw['output_tokens_details'] as Record<string, number> | undefined;
  return Object.fromEntries(
    Object.entries({
      promptTokens: input_tokens,
      completionTokens: output_tokens,
      totalTokens: total_tokens,
      cacheReadTokens: input?.['cached_tokens'],
      cacheCreationTokens: input?.['cache_write_tokens'],
      thinkingTokens: output?.['reasoning_tokens'],
    }).filter(([, value]) => value !== undefined),
  );
}

function textOf(content: readonly { type: string; text?: string }[], type: string): string {
  return content.map((block) => (block.type === type ? block.text : '')).join('');
}

/** The items of a recording, as they stand in it. */
function itemsOf(entry: CorpusCase): { type: string; encrypted_content?: string }[] {
  const lines = new TextDecoder().decode(entry.bytes()).split(/\r?\n/);
  const events = lines
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as { type: string; item: { type: string } });
  return events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
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
