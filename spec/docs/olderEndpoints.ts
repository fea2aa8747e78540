import type { ContinuationMechanism } from '../../src/index.js';
import { bedrockInvoke } from '../../src/providers/bedrock/index.js';
import { cohereChatV1 } from '../../src/providers/cohere/index.js';
import { ollamaGenerate } from '../../src/providers/ollama/index.js';
import { openaiCompletions } from '../../src/providers/openai/index.js';
import { encodeAnswer, type AnswerScript } from '../../src/testing/index.js';
import { readContinuation } from '../../src/testing/server/continuation.js';
import { readRequest } from '../../src/testing/server/readRequest.js';
import { encodeAwsEventStream } from '../../src/wire/awsEventStream.js';
import type { Subject } from './providerFacts.js';

/** Models that are asked to go on in words, all of them. */
export const byPrompt = (...models: string[]) => [{ mechanism: 'prompt', said: '', models }] as const;

/** What every answer reports. */
export const USAGE = {
  promptTokens: 1_000,
  completionTokens: 200,
  cacheReadTokens: 400,
  cacheCreationTokens: 80,
  thinkingTokens: 70,
};
export const THOUGHT = 'marbles are round';
export const SIGNATURE = 'c2lnbmVkIGFuZCBzZWFsZWQ=';
/** Everything that a wire can say in the ordinary course. */
export const WHOLE: AnswerScript = [
  { reasoning: THOUGHT, signature: SIGNATURE },
  { toolCall: { name: 'weather', arguments: { city: 'Bern' } } },
  { usage: USAGE },
];

const lines = (...events: object[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join('');

/** Anthropic's events as Bedrock hands them on. */
function invoked(script: AnswerScript): Uint8Array {
  const payloads = encodeAnswer('anthropicMessages', script).map((frame) => /^data: (.*)$/m.exec(String(frame))?.[1]);
  const frames = payloads.map((json) => {
    const bytes = Buffer.from(String(json)).toString('base64');
    return encodeAwsEventStream({ ':event-type': 'chunk', ':message-type': 'event' }, JSON.stringify({ bytes }));
  });
  return Buffer.concat(frames);
}

/** A prompt that ends in what was said is gone on with; one with the last words in it asks for them. */
function byText(text: unknown): ContinuationMechanism | undefined {
  if (typeof text !== 'string') return undefined;
  if (text.endsWith('helloMarbles roll')) return 'prefill';
  return text.includes('<last_words>Marbles roll</last_words>') ? 'prompt' : undefined;
}

/** Endpoints that the vendors have put something newer in the place of. */
export const OLDER: readonly Subject[] = [
  {
    factory: 'openaiCompletions',
    own: {
      answer: `data: ${lines({ choices: [{ index: 0, text: 'Fine.', finish_reason: 'stop' }] })}\ndata: ${lines({
        choices: [],
        usage: { prompt_tokens: 1_000, completion_tokens: 200 },
      })}\ndata: [DONE]\n\n`,
      contentType: 'text/event-stream',
      mechanism: ({ prompt }) => byText(prompt),
    },
    create: openaiCompletions,
    models: ['gpt-3.5-turbo-instruct'],
    continuation: [{ mechanism: 'prefill', said: '', models: ['gpt-3.5-turbo-instruct', 'davinci-002'] }],
  },
  {
    factory: 'bedrockInvoke',
    own: {
      answer: invoked(WHOLE),
      contentType: 'application/vnd.amazon.eventstream',
      mechanism: (body) => {
        if (!('messages' in body)) return byText(body['prompt'] ?? body['inputText'] ?? body['message']);
        const format = 'anthropic_version' in body ? 'anthropicMessages' : 'bedrockConverse';
        return readContinuation(readRequest(format, body).messages).continuation?.mechanism;
      },
    },
    create: bedrockInvoke,
    models: ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'anthropic.claude-opus-4-6-v1'],
    continuation: [
      {
        mechanism: 'prefill',
        said: 'Claude up to 4.5, Titan, Llama, older Mistral',
        models: [
          'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
          'amazon.titan-text-express-v1',
          'meta.llama3-8b-instruct-v1:0',
          'mistral.mistral-7b-instruct-v0:2',
        ],
      },
      {
        mechanism: 'prompt',
        said: '',
        models: ['anthropic.claude-opus-4-6-v1', 'amazon.nova-lite-v1:0', 'cohere.command-r-v1:0'],
      },
    ],
  },
  {
    factory: 'ollamaGenerate',
    own: {
      answer: lines(
        { thinking: THOUGHT, response: '', done: false },
        { response: 'Fine.', done: true, done_reason: 'stop', prompt_eval_count: 1_000, eval_count: 200 },
      ),
      contentType: 'application/x-ndjson',
      mechanism: ({ prompt }) => byText(prompt),
    },
    create: ollamaGenerate,
    models: ['qwen3', 'gpt-oss:20b'],
    continuation: byPrompt('qwen3', 'llama3.2'),
  },
  {
    factory: 'cohereChatV1',
    own: {
      answer: lines(
        { event_type: 'text-generation', text: 'Fine.' },
        {
          event_type: 'stream-end',
          response: {
            finish_reason: 'COMPLETE',
            meta: { tokens: { input_tokens: 1_000, output_tokens: 200 }, cached_tokens: 400 },
          },
        },
      ),
      contentType: 'application/stream+json',
      mechanism: ({ message }) => byText(message),
    },
    create: cohereChatV1,
    models: ['command-r-08-2024'],
    continuation: byPrompt('command-r-08-2024'),
  },
];
