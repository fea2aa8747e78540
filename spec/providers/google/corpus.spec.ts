import {
  InferenceExecutionError,
  userMessage,
  type InferenceRequest,
  type LlmExecutor,
  type StopReason,
  type StreamResult,
  type TokenUsage,
} from '../../../src/contract/index.js';
import { contentText } from '../../../src/contract/content.js';
import { Accumulator } from '../../../src/recovery/accumulator.js';
import { geminiGenerateContent, geminiInteractions } from '../../../src/providers/google/index.js';
import { describeCorpus, type CorpusCase, type CorpusExpectation, casesReadBy } from '../../helpers/corpus.js';
import { fakeFetch, type Split } from '../../helpers/fakeFetch.js';
import { outcomeOf, randomSplit, type Outcome } from './streams.js';

const request: InferenceRequest = { model: 'gemini-2.5-flash', messages: [userMessage('hello')] };

function run({ dialect, bytes, contentType }: CorpusCase, split: Split = 'whole'): Promise<Outcome> {
  const json = dialect === 'gemini-json-array';
  const headers = { 'content-type': contentType ?? (json ? 'application/json' : 'text/event-stream') };
  const fetch = fakeFetch({ body: bytes(), headers, split });
  const options = { apiKey: 'test-key', fetch };
  const provider: LlmExecutor =
    dialect === 'gemini-interactions'
      ? geminiInteractions(options)
      : geminiGenerateContent({ ...options, transport: json ? 'json-array' : 'sse' });
  return outcomeOf(provider.executeStream(request));
}

/**
 * Files whose `expected.json` does not call the answer whole, and what becomes of them here. The values of `expected.json`
 * are what had arrived, and are compared with the snapshot of the error.
 */
const ERRORS: Record<string, { kind: string; interruption: string; why: string }> = {
  'gemini/vertexai-test-data.streaming-failure-error-mid-stream.sse': {
    kind: 'stream-interrupted',
    interruption: 'connection-reset',
    why: 'Google cancels in mid-stream: {"error":{"code":499,"status":"CANCELLED"}} after two chunks. Their STOP is no end: this model says it on every chunk.',
  },
  'gemini/vertexai-test-data.streaming-success-quotes-escaped.sse': {
    kind: 'stream-interrupted',
    interruption: 'truncated',
    why: 'No chunk has a finishReason: the last one ends in the middle of a sentence ("…not related, and pin").',
  },
  'gemini/lmnr-ts.google-genai-creates-a-streaming-genai-span.sse': {
    kind: 'stream-interrupted',
    interruption: 'truncated',
    why: 'No chunk has a finishReason, so a whole answer cannot be told from one that was cut off.',
  },
};

/** Kinds of stop by Google's words and the numbers that Vertex AI gives with `enum-encoding=int`. */
function expectedStop({ stopReason, toolCalls, promptBlocked }: CorpusExpectation): StopReason {
  if (promptBlocked !== undefined) return 'content-filter';
  switch (stopReason) {
    case 'STOP':
    case 1:
    case 'completed':
    case 'requires_action':
      return toolCalls.length > 0 ? 'tool-use' : 'end-turn';
    case 'MAX_TOKENS':
    case 'incomplete':
      return 'max-tokens';
    default:
      return 'content-filter';
  }
}

/**
 * Google's fields as the contract counts. The reader in `usageB` leaves `toolUsePromptTokenCount` out of the input; Google
 * says that it is "provided back to the model as input" and counts it in `totalTokenCount`, so it is input here.
 */
function expectedUsage(usage: Record<string, unknown> | null | undefined): TokenUsage | undefined {
  if (!usage) return undefined;
  const count = (...names: string[]): number | undefined => {
    const found = names.map((name) => usage[name]).filter((value) => typeof value === 'number');
    return found.length > 0 ? found.reduce((sum, value) => sum + value, 0) : undefined;
  };
  const promptTokens = count(
    'promptTokenCount',
    'toolUsePromptTokenCount',
    'total_input_tokens',
    'total_tool_use_tokens',
  );
  const completionTokens = count(
    'candidatesTokenCount',
    'thoughtsTokenCount',
    'total_output_tokens',
    'total_thought_tokens',
  );
  const cacheReadTokens = count('cachedContentTokenCount', 'total_cached_tokens');
  const thinkingTokens = count('thoughtsTokenCount', 'total_thought_tokens');
  return {
    promptTokens,
    completionTokens,
    totalTokens: count('totalTokenCount', 'total_tokens') ?? (promptTokens ?? 0) + (completionTokens ?? 0),
    ...(cacheReadTokens !== undefined && { cacheReadTokens }),
    ...(thinkingTokens !== undefined && { thinkingTokens }),
  };
}

function resultOf({ events }: Outcome): StreamResult {
  const seen = new Accumulator();
  for (const event of events) seen.push(event);
  return seen.result();
}

function reasoningOf({ content }: Pick<StreamResult, 'content'>): string {
  return content.map((block) => (block.type === 'reasoning' ? block.text : '')).join('');
}

function parsed(json: string): unknown {
  return json === '' ? {} : JSON.parse(json);
}

function expectContent(result: Pick<StreamResult, 'content' | 'toolCalls'>, expected: CorpusExpectation): void {
  expect(contentText(result.content)).toBe(expected.text);
  expect(reasoningOf(result)).toBe(expected.reasoning);
  expect(
    result.toolCalls.map((call, index) => ({ ...call, id: expected.toolCalls[index]?.id ? call.id : 'made' })),
  ).toEqual(
    expected.toolCalls.map(({ id, name, arguments: args }) => ({ id: id ?? 'made', name, arguments: parsed(args) })),
  );
  expect(new Set(result.toolCalls.map(({ id }) => id)).size).toBe(expected.toolCalls.length);
}

/** What the second reader says of the output; its input lacks what server tools gave back. */
function expectOutputAsTold({ usage }: StreamResult, { usageB }: CorpusExpectation): void {
  const { outputTokens } = (usageB ?? {}) as { outputTokens?: { total?: number; reasoning?: number } };
  if (outputTokens?.total === undefined) return;
  expect({ total: usage?.completionTokens, reasoning: usage?.thinkingTokens ?? 0 }).toEqual({
    total: outputTokens.total,
    reasoning: outputTokens.reasoning,
  });
}

describeCorpus('Google recordings', () => {
  const cases = casesReadBy('google/corpus');

  it('should be all there', () => {
    expect(cases.length).toBeGreaterThanOrEqual(54);
    expect(Object.keys(ERRORS).filter((file) => !cases.some((entry) => entry.file === file))).toEqual([]);
  });

  it.each(cases.filter(({ file }) => !(file in ERRORS)).map((entry) => [entry.file, entry] as const))(
    'should read %s',
    async (_file, entry) => {
      const { expected } = entry;
      const outcome = await run(entry);
      const result = resultOf(outcome);

      expect(outcome.error).toBeUndefined();
      expectContent(result, expected);
      expect(result.stopReason).toBe(expectedStop(expected));
      expect(result.usage).toEqual(expectedUsage(expected.usage));
      expectOutputAsTold(result, expected);
      expect(result.hasIncompleteToolCalls).toBe(false);
    },
  );

  it.each(Object.entries(ERRORS).map(([file, told]) => [file, told] as const))(
    'should tell that %s did not end well',
    async (file, { kind, interruption }) => {
      const entry = cases.find((candidate) => candidate.file === file);
      if (!entry) throw new Error(`no recording is called ${file}`);
      const { error } = await run(entry);

      expect(error).toBeInstanceOf(InferenceExecutionError);
      if (!(error instanceof InferenceExecutionError)) return;
      expect({ kind: error.kind, interruption: error.interruption?.kind }).toEqual({ kind, interruption });
      expect(error.snapshot?.text).toBe(entry.expected.text);
      expect(error.snapshot?.completedToolCalls).toEqual([]);
    },
  );

  it.each(cases.map((entry) => [entry.file, entry] as const))(
    'should send the same events of %s whatever the split',
    async (_file, entry) => {
      const whole = await run(entry);
      const { length } = entry.bytes();
      const splits: Split[] = ['bytes', ...[1, 2, 3].map((seed) => randomSplit(length, seed))];

      for (const split of splits) {
        const { events, error } = await run(entry, split);

        expect(events).toEqual(whole.events);
        expect(String(error)).toBe(String(whole.error));
      }
    },
  );
});
