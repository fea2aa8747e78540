import type { LlmExecutor } from '../../src/index.js';
import { bedrockConverse } from '../../src/providers/bedrock/index.js';
import { cohereChat } from '../../src/providers/cohere/index.js';
import { geminiGenerateContent, geminiInteractions } from '../../src/providers/google/index.js';
import { ollamaChat } from '../../src/providers/ollama/index.js';
import { openaiResponses } from '../../src/providers/openai/index.js';
import { encodeAnswerBytes, seededRandom, type AnswerScript } from '../../src/testing/index.js';
import { corpusCase, describeCorpus } from '../helpers/corpus.js';
import { faultsOf, readCut, readWhole, scriptOf, type Cut, type Stream } from '../helpers/cutting.js';
import type { FakeFetch } from '../helpers/fakeFetch.js';

/** Everything that a model says in the ordinary course. */
const OWN: AnswerScript = [
  { reasoning: 'They want marbles.', signature: 'c2lnbmVk' },
  { text: 'Grüße aus 東京 👩🏽‍🚀! «Naïve» e\u0301 🇯🇵, two at once.' },
  { toolCall: { name: 'first', arguments: { place: '«Süd»', deep: { n: [1, 2] } } } },
  { toolCall: { name: 'second', arguments: {} } },
];

interface Wire {
  format: Stream['format'];
  model: string;
  provider: (fetch: FakeFetch) => LlmExecutor;
  recorded: readonly string[];
}

const WIRES: readonly Wire[] = [
  {
    format: 'openaiResponses',
    model: 'gpt-5',
    provider: (fetch) => openaiResponses({ fetch, apiKey: 'k' }),
    recorded: ['openai-responses/lmnr-python.test_litellm_responses_streaming.sse'],
  },
  {
    format: 'geminiGenerateContent',
    model: 'gemini-2.5-flash',
    provider: (fetch) => geminiGenerateContent({ fetch, apiKey: 'k' }),
    recorded: [
      'gemini/lmnr-python.test_google_genai_no_tokens.0.sse',
      'gemini/braintrust.genkit-v1-latest.cassette.1.sse',
    ],
  },
  {
    format: 'geminiJsonArray',
    model: 'gemini-3.6-flash',
    provider: (fetch) => geminiGenerateContent({ fetch, apiKey: 'k' }),
    recorded: [
      'gemini-json-array/openinference.test_gemini_token_counts_streaming.json',
      'gemini-json-array/simonw-llm-gemini.test_tools_with_gemini_3_thought_signatures.1.json',
    ],
  },
  {
    format: 'geminiInteractions',
    model: 'gemini-3-flash-preview',
    provider: (fetch) => geminiInteractions({ fetch, apiKey: 'k' }),
    recorded: [
      'gemini-interactions/rig.streaming_grammar.interactions_signature_without_summaries.sse',
      'gemini-interactions/vercel-ai.tool-call-step1.sse',
    ],
  },
  {
    format: 'bedrockConverse',
    model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    provider: (fetch) => bedrockConverse({ fetch, apiKey: 'k' }),
    recorded: [
      'bedrock-converse/rig.raw_streaming.raw_stream_emits_tool_call_before_text.bin',
      'bedrock-converse/pydantic-ai.test_bedrock_model_stream_empty_text_delta.bin',
    ],
  },
  {
    format: 'ollamaChat',
    model: 'qwen3',
    provider: (fetch) => ollamaChat({ fetch }),
    recorded: [
      'ollama/rust-genai.simple_stream.response_000.ndjson',
      'ollama/prism.stream-with-tools-1.ndjson',
      'ollama/prism.stream-with-tools-3.ndjson',
    ],
  },
  {
    format: 'cohereChat',
    model: 'command-a-03-2025',
    provider: (fetch) => cohereChat({ fetch, apiKey: 'k' }),
    recorded: [
      'cohere-v2/ruby_llm.chat_function_calling_cohere_command-a-03-2025_can_use_tools_without_parameters_in_multi-turn_streaming_conversations.2.sse',
      'cohere-v2/rig.streaming_tools.streaming_tool_call_roundtrip.1.sse',
    ],
  },
];

const streamOf = ({ format, model, provider }: Wire, name: string, bytes: Uint8Array): Stream => ({
  name: `${format}, ${name}`,
  format,
  model,
  provider,
  bytes,
});
const own = WIRES.map((wire) => streamOf(wire, 'our own', encodeAnswerBytes(wire.format, OWN, { chunkSize: 24 })));

/** Pairs of cuts a stream. */
const PAIRS = 40;
let made = 0;

afterAll(() => {
  process.stdout.write(`cut everywhere, the other wires: ${made} cuts\n`);
});

/** Cuts a stream after every byte, and its continuation at seeded places; says where something was lost, doubled or left open. */
async function cutEverywhere(stream: Stream): Promise<string[]> {
  const { result: whole } = await readWhole(stream);
  const script = scriptOf(whole);
  const random = seededRandom(stream.bytes.length);
  const { length } = stream.bytes;
  const wrong: string[] = [];
  const cut = async (...cuts: Cut[]): Promise<void> => {
    const seen = await readCut(stream, script, cuts);
    made++;
    const faults = faultsOf(seen, whole);
    if (seen.requests > cuts.length + 1) faults.push(`${seen.requests} requests`);
    if (faults.length > 0) wrong.push(`${JSON.stringify(cuts)}: ${faults.join('; ')}`);
  };
  const cuts = Array.from({ length }, (_, after): Cut[] => [{ after, end: after % 2 === 0 ? 'reset' : 'close' }]);
  for (let i = 0; i < PAIRS; i++) {
    cuts.push([
      { after: Math.floor(random() * length), end: 'reset' },
      { after: Math.floor(random() * length), end: 'close' },
    ]);
  }
  // Many at a time: what each of them waits for is a timer of a millisecond.
  while (cuts.length > 0) await Promise.all(cuts.splice(0, 100).map((places) => cut(...places)));
  return wrong;
}

describe('a stream of another wire that is cut after every byte', () => {
  it.each(own.map((stream) => [stream.name, stream] as const))(
    'should arrive whole: %s',
    async (_, stream) => {
      expect(await cutEverywhere(stream)).toEqual([]);
    },
    300_000,
  );
});

describeCorpus('recorded streams of the other wires that are cut after every byte', () => {
  const streams = WIRES.flatMap((wire) => wire.recorded.map((file) => streamOf(wire, file, corpusCase(file).bytes())));

  it.each(streams.map((stream) => [stream.name, stream] as const))(
    'should arrive whole: %s',
    async (_, stream) => {
      expect(await cutEverywhere(stream)).toEqual([]);
    },
    300_000,
  );
});
