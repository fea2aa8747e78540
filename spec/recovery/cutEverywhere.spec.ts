import { lastValueFrom } from 'rxjs';
import { collect, contentText, recover } from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { openaiChat } from '../../src/providers/openai/index.js';
import {
  encodeAnswerBytes,
  seededRandom,
  startLlmServer,
  type AnswerScript,
  type LlmServer,
} from '../../src/testing/index.js';
import { corpusCase, describeCorpus } from '../helpers/corpus.js';
import { faultsOf, readCut, readWhole, scriptOf, type Cut, type Stream } from '../helpers/cutting.js';
import { request } from '../helpers/events.js';

const OWN: Record<string, AnswerScript> = {
  'plain text': 'Marbles roll along a line, one after the other, until the line ends.',
  'text that is not ASCII': 'Grüße aus 東京 👩🏽‍🚀! «Naïve» cafés – and then some: ﷽ e\u0301 🇯🇵 end.',
  'text and a tool call': [
    { text: 'Let me look that up in the catalogue of lights.\n\n' },
    { toolCall: { name: 'count_marbles', arguments: { place: 'lighthouse «Süd»', deep: { n: [1, 2, 3] } } } },
  ],
  'two tool calls': [
    { text: 'Two things at once. ' },
    { toolCall: { name: 'first', arguments: { a: 1 } } },
    { toolCall: { name: 'second', arguments: { b: 'two' } } },
  ],
  'a call without arguments': [{ toolCall: { name: 'now', arguments: {} } }],
  'code and lists':
    'Like this:\n\n```ts\nof(1, 2);\nof(1, 2);\n```\n\n- one\n- two\n- two\n\n| a | b |\n| - | - |\n| a | b |\n',
};

const FORMATS = {
  anthropicMessages: {
    model: 'claude-sonnet-4-5',
    provider: (fetch) => anthropicMessages({ fetch, apiKey: 'k' }),
    own: {
      ...OWN,
      reasoning: [
        { reasoning: 'The user wants marbles.', signature: 'c2ln' },
        { text: 'Here are your marbles, all of them.' },
      ],
    },
    recorded: [
      'anthropic/logfire.test_sync_messages_stream_version_v1_only.sse',
      'anthropic/rust-genai.minimax_stream.response_000.sse',
      'anthropic/simonw-llm-anthropic.test_tools.0.sse',
      'anthropic/prism.stream-with-tools-2.sse',
      'anthropic/rig.messages_tool_args.unicode_arguments_streaming.sse',
      'anthropic/ruby_llm.chat_function_calling_anthropic_claude-haiku-4-5_can_use_tools_with_multi-turn_streaming_conversations.1.sse',
      'anthropic/rig.reasoning_usage_matrix.streaming_opus_model.sse',
    ],
  },
  openaiChat: {
    model: 'gpt-4o',
    provider: (fetch) => openaiChat({ fetch, apiKey: 'k' }),
    own: OWN,
    recorded: [
      'openai-chat/fantasy.TestOpenAICommon.openai-gpt-5.simple_streaming.sse',
      'openai-chat/rig.prompt_caching.chat_completions_streaming_probe.0.sse',
      'openai-chat/logfire.test_sync_chat_completions_stream_version_latest.sse',
      'openai-chat/chatlas.test_openai_tool_variations_async.0.sse',
      'openai-chat/lmnr-python.test_litellm_completion_streaming_with_tool_call_openai.sse',
      'openai-chat/elastic-otel.test_chat_stream_with_parallel_tools_and_capture_message_content.sse',
    ],
  },
} as const satisfies Record<
  string,
  Pick<Stream, 'model' | 'provider'> & { own: Record<string, AnswerScript>; recorded: readonly string[] }
>;
type Format = keyof typeof FORMATS;

const streamOf = (format: Format, name: string, bytes: Uint8Array): Stream => ({
  name,
  format,
  bytes,
  ...FORMATS[format],
});
const ownStreams = (format: Format): Stream[] =>
  Object.entries<AnswerScript>(FORMATS[format].own).map(([name, script]) =>
    streamOf(format, name, encodeAnswerBytes(format, script)),
  );
const recordedStreams = (format: Format): Stream[] =>
  FORMATS[format].recorded.map((file) => streamOf(format, file, corpusCase(file).bytes()));

let made = 0;

/** Cuts a stream after every byte, and says where something was lost, doubled or left open. */
async function cutEverywhere(stream: Stream): Promise<string[]> {
  const { result: whole } = await readWhole(stream);
  const script = scriptOf(whole);
  const wrong: string[] = [];
  for (let after = 0; after < stream.bytes.length; after++) {
    const end = after % 2 === 0 ? 'reset' : 'close';
    const seen = await readCut(stream, script, [{ after, end }]);
    made++;
    const faults = faultsOf(seen, whole);
    if (seen.requests > 2) faults.push(`${seen.requests} requests`);
    if (faults.length > 0) wrong.push(`${end} after byte ${after}: ${faults.join('; ')}`);
  }
  return wrong;
}

/** Cuts a stream and its continuation at seeded places. */
async function cutTwice(stream: Stream, times: number): Promise<string[]> {
  const { result: whole } = await readWhole(stream);
  const script = scriptOf(whole);
  const random = seededRandom(stream.bytes.length);
  const wrong: string[] = [];
  for (let i = 0; i < times; i++) {
    const cuts = [0, 1].map((): Cut => ({
      after: Math.floor(random() * stream.bytes.length),
      end: random() < 0.5 ? 'reset' : 'close',
    }));
    const faults = faultsOf(await readCut(stream, script, cuts), whole);
    made++;
    if (faults.length > 0) wrong.push(`${JSON.stringify(cuts)}: ${faults.join('; ')}`);
  }
  return wrong;
}

const NAMES = Object.keys(FORMATS) as Format[];
/** Pairs of cuts a stream, so that the streams of both formats together get 2,000. */
const PAIRS = 80;

afterAll(() => {
  process.stdout.write(`cut everywhere: ${made} cuts\n`);
});

describe.each(NAMES)('a stream of %s that is cut after every byte', (format) => {
  it.each(ownStreams(format).map((stream) => [stream.name, stream] as const))(
    'should arrive whole: %s',
    async (_, stream) => {
      expect(await cutEverywhere(stream)).toEqual([]);
    },
    120_000,
  );

  it.each(ownStreams(format).map((stream) => [stream.name, stream] as const))(
    'should arrive whole when its continuation is cut too: %s',
    async (_, stream) => {
      expect(await cutTwice(stream, PAIRS)).toEqual([]);
    },
    120_000,
  );
});

describeCorpus('recorded streams that are cut after every byte', () => {
  const streams = NAMES.flatMap(recordedStreams);

  it.each(streams.map((stream) => [stream.name, stream] as const))(
    'should arrive whole: %s',
    async (_, stream) => {
      expect(await cutEverywhere(stream)).toEqual([]);
    },
    120_000,
  );

  it.each(streams.map((stream) => [stream.name, stream] as const))(
    'should arrive whole when the continuation is cut too: %s',
    async (_, stream) => {
      expect(await cutTwice(stream, PAIRS)).toEqual([]);
    },
    120_000,
  );
});

describe('streams that are cut over real HTTP', () => {
  /** Cuts for each of the two formats. */
  const TIMES = 150;
  let server: LlmServer;

  beforeAll(async () => {
    server = await startLlmServer({ answer: '' });
  });
  afterAll(() => server.close());

  it.each(NAMES)(
    'should arrive whole over %s',
    async (format) => {
      const random = seededRandom(99);
      const scripts = Object.values<AnswerScript>(FORMATS[format].own);
      const executor =
        format === 'openaiChat'
          ? openaiChat({ baseUrl: server.baseUrl.openaiChat, apiKey: 'k' })
          : anthropicMessages({ baseUrl: server.baseUrl.anthropicMessages, apiKey: 'k' });
      const asked = { ...request, model: FORMATS[format].model };
      const wrong: string[] = [];
      for (let i = 0; i < TIMES; i++) {
        const script = scripts[i % scripts.length]!;
        const after = Math.floor(random() * encodeAnswerBytes(format, script).length);
        const fault = i % 2 === 0 ? { cutAfterBytes: after } : { endAfterBytes: after };
        server.use({ answer: script, faults: [fault] });
        const result = await lastValueFrom(
          executor
            .executeStream(asked)
            .pipe(
              recover({ request: asked, resubscribe: (next) => executor.executeStream(next), delay: 0 }),
              collect(),
            ),
        );
        made++;
        const text =
          typeof script === 'string' ? script : script.map((part) => ('text' in part ? part.text : '')).join('');
        if (contentText(result.content) !== text)
          wrong.push(`${JSON.stringify(fault)}: ${contentText(result.content)}`);
      }
      await server.idle();

      expect(wrong).toEqual([]);
      expect(server.openResponses).toBe(0);
    },
    120_000,
  );
});
