import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What independent readers make of a recording; see the README beside the recordings. */
export interface CorpusExpectation {
  status: 'ok' | 'ok-single-oracle' | 'ok-b-throws' | 'disagree' | 'sdk-throws';
  /** The reader whose values are given: the official SDK, the AI SDK, or a plain accumulator. */
  pick: 'A' | 'B' | 'C';
  /** The reason, when the readers disagree or one of them throws. */
  why?: string;
  text: string;
  reasoning: string;
  /** `arguments` is a string as the reader leaves it: a call without arguments may be `''` or `'{}'`. */
  toolCalls: { id: string | null; name: string; arguments: string }[];
  /** The provider's own word. */
  stopReason?: string | number | null;
  /** The provider's own fields. */
  usage?: Record<string, unknown> | null;
  refusal?: string;
  streamErrors?: unknown[];
  httpError?: unknown;
  [field: string]: unknown;
}

/** One recorded response body. */
export interface CorpusCase {
  /** Path below the corpus folder; names the case. */
  file: string;
  dialect: string;
  wire: string;
  provider?: string | null;
  model?: string | null;
  httpStatus: number;
  contentType?: string | null;
  features: string[];
  oddities: string[];
  /** Path and body of the request, where they were recorded. */
  request: { method?: string; url?: string; body?: unknown };
  expected: CorpusExpectation;
  /** Reads the recorded bytes. */
  bytes(): Uint8Array;
}

const folder = resolve(process.cwd(), '../shared/corpus');

/** True when the recordings lie beside the project. They are other people's and never part of it. */
export const corpusAvailable = existsSync(resolve(folder, 'manifest.json'));

const CHAT_DIALECTS = [
  'openai-chat',
  'azure-chat',
  'mistral',
  'deepseek',
  'xai',
  'groq',
  'openrouter',
  'perplexity',
  'vllm',
  'llamacpp',
  'ollama-openai',
  'gemini-openai',
  'copilot',
  'compat-other',
];

/** The specs in spec/providers that decode recordings, one test a file, and the dialects that each of them takes. */
export const READERS = {
  'anthropic/corpus': ['anthropic'],
  'bedrock/corpus': ['bedrock-converse'],
  'bedrock/invoke': ['bedrock-invoke'],
  'cohere/chatV1': ['cohere-v1'],
  'cohere/corpus': ['cohere-v2'],
  'google/corpus': ['gemini', 'gemini-json-array', 'gemini-interactions'],
  'ollama/corpus': ['ollama'],
  'ollama/generate': ['ollama-generate'],
  'openai/chatCorpus': CHAT_DIALECTS,
  'openai/completions': ['openai-completions'],
  'openai/responsesCorpus': ['openai-responses', 'responses-compat'],
  httpErrors: ['http-error'],
} as const satisfies Record<string, readonly string[]>;

/** The recordings that a spec has to decode, all of them. */
export function casesReadBy(reader: keyof typeof READERS): CorpusCase[] {
  return corpusCases(...READERS[reader]);
}

let loaded: CorpusCase[] | undefined;

/** The recorded cases, of some dialects or of all of them. */
export function corpusCases(...dialects: string[]): CorpusCase[] {
  loaded ??= loadCases();
  return dialects.length === 0 ? loaded : loaded.filter(({ dialect }) => dialects.includes(dialect));
}

/** The recorded case of that file. Throws when there is none. */
export function corpusCase(file: string): CorpusCase {
  const found = corpusCases().find((candidate) => candidate.file === file);
  if (found === undefined) throw new Error(`no recording is called ${file}`);
  return found;
}

/**
 * Describes tests that read the recordings. Where they are missing, one test that says so stands in for all of them; it
 * passes on a person's machine and fails in CI, which is known to have them.
 */
export function describeCorpus(name: string, tests: () => void): void {
  describe(name, () => {
    if (corpusAvailable) {
      tests();
      return;
    }
    it('should read the recordings, but ../shared/corpus is missing: nothing of it was checked', () => {
      process.stderr.write(`${name}: skipped, the recordings in ../shared/corpus are missing\n`);
      expect({ recordings: corpusAvailable, requiredInCI: process.env['CI'] === 'true' }).toEqual({
        recordings: false,
        requiredInCI: false,
      });
    });
  });
}

function loadCases(): CorpusCase[] {
  const manifest = readJson('manifest.json') as { cases: Omit<CorpusCase, 'expected' | 'bytes'>[] };
  const { cases } = readJson('expected.json') as { cases: Record<string, CorpusExpectation> };

  return manifest.cases.map((entry) => {
    const expected = cases[entry.file];
    if (expected === undefined) throw new Error(`expected.json says nothing about ${entry.file}`);
    return { ...entry, expected, bytes: () => new Uint8Array(readFileSync(resolve(folder, entry.file))) };
  });
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(resolve(folder, name), 'utf8'));
}
