import { asyncScheduler, firstValueFrom, from, type Observable } from 'rxjs';
import {
  collect,
  InferenceExecutionError,
  type LlmExecutor,
  type LlmStreamEvent,
  type StopReason,
  type StreamResult,
  type TokenUsage,
} from '../../../src/index.js';
import {
  compatiblePresets,
  openaiChat,
  openaiCompatible,
  type CompatiblePreset,
  type CompatiblePresetName,
} from '../../../src/providers/openai/index.js';
import { ChatDecoder } from '../../../src/providers/openai/decodeChat.js';
import { decodeStream } from '../../../src/wire/decodeStream.js';
import { sseFraming } from '../../../src/wire/sse.js';
import type { FetchLike } from '../../../src/wire/Transport.js';
import { corpusCases, describeCorpus, type CorpusCase, casesReadBy } from '../../helpers/corpus.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';

const PRESETS: Record<string, CompatiblePresetName> = {
  'azure-chat': 'azure',
  mistral: 'mistral',
  deepseek: 'deepseek',
  xai: 'xai',
  groq: 'groq',
  openrouter: 'openrouter',
  perplexity: 'perplexity',
  vllm: 'vllm',
  llamacpp: 'llamacpp',
  'ollama-openai': 'ollama',
};

const STOP: Record<string, StopReason> = {
  stop: 'end-turn',
  eos: 'end-turn',
  length: 'max-tokens',
  tool_calls: 'tool-use',
  // Snowflake sends none; [DONE] is all that ends its answers.
  null: 'end-turn',
};

/** An error and no finish reason: the answer is an error with everything that had arrived. */
const ERRS = new Set(['groq/pydantic-ai.test_tool_use_failed_error_streaming.0.sse']);

/**
 * Gemini reports running totals: 4 and 0 tokens in the first two chunks, 3 and 11 in the last. The official SDK, whose value
 * is given, keeps the first report; reader B and we keep the last, which is the one that is billed.
 */
const RUNNING_USAGE: Record<string, TokenUsage> = {
  'gemini-openai/magentic.test_openai_chat_model_gemini_acomplete-Say-hello-output_types0-str.sse': {
    promptTokens: 3,
    completionTokens: 11,
    totalTokens: 14,
  },
};

/** Reader B adds the reasoning to the output where the total shows that it is not in it (xAI), and so do we. */
interface Counts {
  total?: number;
  cacheRead?: number;
  reasoning?: number;
}

describeCorpus('openaiChat and openaiCompatible on the recordings', () => {
  const cases = casesReadBy('openai/chatCorpus').map((entry) => [entry.file, entry] as const);
  const answers = cases.filter(([file]) => !ERRS.has(file));

  it('should find all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(187);
    expect(new Set(cases.map(([, { wire }]) => wire))).toEqual(new Set(['openai-chat']));
  });

  it.each(answers)('should read %s', async (_, entry) => {
    const { expected } = entry;
    const result = await collected(entry);

    expect(textOf(result, 'text')).toBe(expected.text);
    expect(textOf(result, 'reasoning')).toBe(expected.reasoning);
    // A call that the token limit has cut off before its arguments began is not one without arguments (rig's recordings
    // say so by their names: …empty_arguments_on_length_are_not_invoked).
    const cut = expected.stopReason === 'length' ? expected.toolCalls.at(-1) : undefined;
    const whole = expected.toolCalls.filter(
      (call) => parsed(call.arguments) !== undefined && !(call === cut && call.arguments === ''),
    );
    expect(result.toolCalls).toEqual(
      whole.map(({ id, name, arguments: json }) => ({
        id: id || (expect.stringMatching(/^call_[a-zA-Z0-9]{12}_\d+$/) as string),
        name,
        arguments: parsed(json),
      })),
    );
    expect(result.hasIncompleteToolCalls).toBe(whole.length < expected.toolCalls.length);
    expect(refusalOf(result)).toBe(expected.refusal ?? '');
    expect(result.stopReason).toBe(expected.refusal ? 'refusal' : STOP[String(expected.stopReason)]);
    expect(result.usage).toEqual(RUNNING_USAGE[entry.file] ?? usageOf(expected.usage));
  });

  it.each(answers.filter(([, { expected }]) => totalB(expected) !== undefined))(
    'should count as others do in %s',
    async (_, entry) => {
      const { usage } = await collected(entry);
      const { inputTokens, outputTokens } = entry.expected['usageB'] as UsageB;

      expect([usage?.promptTokens, usage?.completionTokens]).toEqual([inputTokens?.total, outputTokens?.total]);
      expect([usage?.cacheReadTokens ?? 0, usage?.thinkingTokens ?? 0]).toEqual([
        inputTokens?.cacheRead ?? 0,
        outputTokens?.reasoning ?? 0,
      ]);
    },
  );

  it('should report no usage where others report none, except where the other reader gives up on an error', async () => {
    const without = answers.filter(([, { expected }]) => totalB(expected) === undefined);
    const results = await Promise.all(without.map(async ([file, entry]) => [file, (await collected(entry)).usage]));

    expect(results.filter(([, usage]) => usage !== undefined).map(([file]) => file)).toEqual([
      'openrouter/pydantic-ai.test_openrouter_stream_error.sse',
    ]);
  });

  it.each(cases)('should not mind how %s is split', async (_, entry) => {
    const whole = await notifications(streamOf(entry, 'whole'));

    expect(await notifications(byteByByte(entry))).toEqual(whole);
    for (const seed of [1, 2, 3]) {
      expect(await notifications(streamOf(entry, randomSplit(entry, seed)))).toEqual(whole);
    }
    expect(whole.events.filter(({ type }) => type === 'stop')).toHaveLength(ERRS.has(entry.file) ? 0 : 1);
    expect(whole.events.at(-1)?.type === 'stop').toBe(!ERRS.has(entry.file));
  });

  it.each(answers)('should read %s with openaiChat just as with its preset', async (_, entry) => {
    const fetch = fakeFetch({ body: entry.bytes() });
    const result = await firstValueFrom(openaiChat({ fetch }).executeStream(request).pipe(collect()));

    expect(withoutProvider(result)).toEqual(withoutProvider(await collected(entry)));
  });

  it('should tell the error in the middle of a Groq stream, with what had arrived', async () => {
    const [entry] = corpusCases('groq').filter(({ file }) => ERRS.has(file));
    const error: unknown = await collected(entry!).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(InferenceExecutionError);
    const { kind, status, detail, snapshot } = error as InferenceExecutionError;
    const [told] = entry!.expected.streamErrors as { message: string; status_code: number }[];
    expect({ kind, status, detail }).toEqual({
      kind: 'invalid-request',
      status: told!.status_code,
      detail: told!.message,
    });
    expect(snapshot?.reasoning).toBe(entry!.expected.reasoning);
  });

  it('should let an answer stand whose error comes after its finish reason', async () => {
    const [entry] = corpusCases('openrouter').filter(({ file }) => file.endsWith('test_openrouter_stream_error.sse'));

    expect(entry!.expected.streamErrors).toEqual([{ code: 400, message: 'Token limit reached' }]);
    expect((await collected(entry!)).stopReason).toBe('max-tokens');
  });
});

interface UsageB {
  inputTokens?: Counts;
  outputTokens?: Counts;
}

function totalB(expected: CorpusCase['expected']): number | undefined {
  return (expected['usageB'] as UsageB | undefined)?.inputTokens?.total;
}

function executor(entry: CorpusCase, fetch: FetchLike): LlmExecutor {
  const preset = PRESETS[entry.dialect];
  if (preset === undefined) return openaiChat({ fetch });
  return openaiCompatible(preset, { fetch, baseUrl: 'http://llm.test' });
}

function collected(entry: CorpusCase): Promise<StreamResult> {
  const fetch = fakeFetch({ body: entry.bytes() });
  return firstValueFrom(executor(entry, fetch).executeStream(request).pipe(collect()));
}

function streamOf(entry: CorpusCase, split: Split): Observable<LlmStreamEvent> {
  return executor(entry, fakeFetch({ body: entry.bytes(), split })).executeStream(request);
}

/** Without a response body around them, since that costs more than all the rest. */
function byteByByte(entry: CorpusCase): Observable<LlmStreamEvent> {
  const name = PRESETS[entry.dialect] ?? 'openai';
  const preset: CompatiblePreset | undefined = name === 'openai' ? undefined : compatiblePresets[name];
  const bytes = Array.from(entry.bytes(), (byte) => Uint8Array.of(byte));
  return from(bytes).pipe(
    decodeStream({
      framing: sseFraming,
      decoder: () => new ChatDecoder(request, { provider: name, thinkTags: preset?.thinkTags }),
      maxFrameLength: 1_000_000,
      trailerTimeout: 1_000,
      scheduler: asyncScheduler,
    }),
  );
}

async function notifications(
  stream: Observable<LlmStreamEvent>,
): Promise<{ events: LlmStreamEvent[]; error: unknown }> {
  const events: LlmStreamEvent[] = [];
  const error = await new Promise((resolve) => {
    stream.subscribe({ next: (event) => events.push(event), error: resolve, complete: () => resolve(undefined) });
  });
  return { events, error };
}

function textOf({ content }: StreamResult, type: 'text' | 'reasoning'): string {
  return content.map((block) => (block.type === type ? block.text : '')).join('');
}

function refusalOf({ content }: StreamResult): string {
  return content
    .map((block) => (block.type === 'provider' ? (block.block as { refusal?: string }).refusal : ''))
    .join('');
}

function parsed(json: string): unknown {
  if (json.trim() === '') return {};
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** What the contract makes of the vendors' own fields. */
function usageOf(raw: Record<string, unknown> | null | undefined): TokenUsage | undefined {
  if (!raw) return undefined;
  const details = raw as Record<string, Record<string, number> | null | undefined>;
  const input = details['prompt_tokens_details'] ?? {};
  const output = details['completion_tokens_details'] ?? {};
  const { prompt_tokens, completion_tokens, total_tokens, promptTokens, completionTokens, totalTokens } = raw as Record<
    string,
    number
  >;
  const thinking = output['reasoning_tokens'] ?? (raw['reasoning_tokens'] as number | undefined);
  const prompt = prompt_tokens ?? promptTokens ?? 0;
  const completion = completion_tokens ?? completionTokens ?? 0;
  const total = total_tokens ?? totalTokens;
  const apart = thinking !== undefined && thinking > 0 && prompt + completion + thinking === total;
  const entries = {
    promptTokens: prompt,
    completionTokens: apart ? completion + thinking : completion,
    totalTokens: total,
    cacheReadTokens: input['cached_tokens'] ?? raw['prompt_cache_hit_tokens'] ?? raw['cached_tokens'],
    cacheCreationTokens: input['cache_write_tokens'] ?? raw['cache_creation_input_tokens'],
    thinkingTokens: thinking,
  };
  entries.cacheReadTokens ??= raw['cache_read_input_tokens'];
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined && value !== null));
}

function withoutProvider(result: StreamResult): unknown {
  const json = JSON.stringify(result, (key, value: unknown) => (key === 'provider' ? undefined : value));
  return JSON.parse(json) as unknown;
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
