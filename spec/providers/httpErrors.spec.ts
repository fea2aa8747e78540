import { lastValueFrom } from 'rxjs';
import {
  errorFromResponse,
  InferenceExecutionError,
  type InferenceErrorKind,
  type LlmExecutor,
} from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { bedrockConverse } from '../../src/providers/bedrock/index.js';
import { cohereChat } from '../../src/providers/cohere/index.js';
import { geminiGenerateContent, geminiInteractions } from '../../src/providers/google/index.js';
import { ollamaChat } from '../../src/providers/ollama/index.js';
import { openaiChat, openaiCompatible, openaiResponses } from '../../src/providers/openai/index.js';
import { idsFrom, seededRandom } from '../../src/testing/random.js';
import { wireEncoder } from '../../src/testing/wire/index.js';
import { corpusCase, describeCorpus, casesReadBy } from '../helpers/corpus.js';
import { request } from '../helpers/events.js';
import { fakeFetch, type FakeFetch } from '../helpers/fakeFetch.js';

const apiKey = 'sk-very-secret-key';
const FACTORIES = {
  openaiChat: (fetch) => openaiChat({ fetch, apiKey }),
  openaiResponses: (fetch) => openaiResponses({ fetch, apiKey }),
  anthropicMessages: (fetch) => anthropicMessages({ fetch, apiKey }),
  geminiGenerateContent: (fetch) => geminiGenerateContent({ fetch, apiKey }),
  geminiInteractions: (fetch) => geminiInteractions({ fetch, apiKey }),
  bedrockConverse: (fetch) => bedrockConverse({ fetch, apiKey }),
  ollamaChat: (fetch) => ollamaChat({ fetch, apiKey }),
  cohereChat: (fetch) => cohereChat({ fetch, apiKey }),
} satisfies Record<string, (fetch: FakeFetch) => LlmExecutor>;
const NAMES = Object.keys(FACTORIES) as (keyof typeof FACTORIES)[];

/** Asks once, and gives the error; nothing may be left open behind it, and nobody may have tried again. */
async function failureOf(create: (fetch: FakeFetch) => LlmExecutor, answer: Parameters<typeof fakeFetch>[0]) {
  const fetch = fakeFetch(answer);
  const error: unknown = await lastValueFrom(create(fetch).executeStream(request)).then(
    () => new Error('no error came'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InferenceExecutionError)) throw error;
  expect([fetch.requests.length, fetch.open()]).toEqual([1, 0]);
  return error;
}

/** Recorded refusals: the factory of who refused, the kind, and what the vendor said. */
const RECORDED: Record<string, [(fetch: FakeFetch) => LlmExecutor, InferenceErrorKind, string]> = {
  'rig.http_errors.nonstreaming_unauthorized_preserves_status_and_body.json': [
    FACTORIES.openaiResponses,
    'unauthorized',
    'Could not parse your authentication token. Please try signing in again.',
  ],
  'rig.error_matrix.context_overflow_streaming.json': [
    (fetch) => openaiCompatible('llamacpp', { fetch }),
    'context-overflow',
    'request (2009 tokens) exceeds the available context size (512 tokens), try increasing it',
  ],
  'rig.error_envelope.nonexistent_model_streaming_error_preserves_status_and_body.json': [
    (fetch) => openaiCompatible({ name: 'venice', baseUrl: 'https://api.venice.ai/api/v1' }, { fetch, apiKey }),
    'model-not-found',
    'Specified model not found: venice-nonexistent-rig-test. Did you mean: venice-uncensored-1-2, venice-uncensored-role-play?',
  ],
  // The status and the exception that AWS has for a wrong model are those of any wrong request; only the words tell.
  'openinference.should-handle-streaming-api-errors-gracefully.json': [
    FACTORIES.bedrockConverse,
    'invalid-request',
    'The provided model identifier is invalid.',
  ],
  'dd-trace-js.claude-agent-sdk_v1_messages_beta_true_post_3f7425c4.json': [
    FACTORIES.anthropicMessages,
    'unauthorized',
    'invalid x-api-key',
  ],
  'dd-trace-py.anthropic_v1_messages_beta_true_post_7a2e5960.json': [
    FACTORIES.anthropicMessages,
    'unauthorized',
    'invalid x-api-key',
  ],
  'ruby-openai.gpt-3_5-turbo_streamed_chat_with_json_error_response.json': [
    FACTORIES.openaiChat,
    'invalid-request',
    'Test error',
  ],
  'chatlas.test_anthropic_images.1.json': [
    FACTORIES.bedrockConverse,
    'invalid-request',
    'messages.0.content.1.image.source.base64.data: URL sources are not supported',
  ],
  'openllmetry.test_agents_and_tools.2.json': [
    FACTORIES.openaiChat,
    'model-not-found',
    'The model `gpt-3.5-turbo-0613` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations',
  ],
};

describeCorpus('recorded refusals', () => {
  it('should be known, all of them', () => {
    expect(
      casesReadBy('httpErrors')
        .map(({ file }) => file)
        .sort(),
    ).toEqual(
      Object.keys(RECORDED)
        .map((file) => `http-error/${file}`)
        .sort(),
    );
  });

  it.each(Object.entries(RECORDED))(
    'should have their kind and their words: %s',
    async (file, [create, kind, detail]) => {
      const { httpStatus, contentType, bytes } = corpusCase(`http-error/${file}`);
      const answer = { status: httpStatus, headers: { 'content-type': String(contentType) }, body: bytes() };
      const error = await failureOf(create, answer);
      const bySingleBytes = await failureOf(create, { ...answer, split: 'bytes' });

      expect(error).toMatchObject({ kind, detail, status: httpStatus, retryAfter: undefined, isRetryable: false });
      expect(bySingleBytes).toMatchObject({ kind, detail, status: httpStatus });
    },
  );

  it.each(Object.entries(RECORDED))('should keep how long to wait: %s', async (file, [create]) => {
    const { httpStatus, bytes } = corpusCase(`http-error/${file}`);
    const answer = { status: httpStatus, body: bytes() };
    const waits = async (headers: Record<string, string>) =>
      (await failureOf(create, { ...answer, headers })).retryAfter;
    const date = 'Sun, 22 Nov 2026 19:57:00 GMT';

    expect(await waits({ 'retry-after': '7' })).toBe(7_000);
    expect(await waits({ 'retry-after': '0.25' })).toBe(250);
    expect(await waits({ 'retry-after': '7', 'retry-after-ms': '1500' })).toBe(1_500);
    expect(await waits({ date, 'retry-after': 'Sun, 22 Nov 2026 19:57:30 GMT' })).toBe(30_000);
    expect(await waits({ 'retry-after': '86400' })).toBe(60_000);
    expect(await waits({ 'retry-after': 'soon' })).toBeUndefined();
  });
});

describe('how long Google asks to wait', () => {
  const told = (retryDelay: unknown) => {
    const details = [
      { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [] },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
    ];
    return JSON.stringify({ error: { code: 429, message: 'Quota exceeded.', status: 'RESOURCE_EXHAUSTED', details } });
  };

  it.each<[unknown, number | undefined]>([
    ['34.074824224s', 34_075],
    ['0s', 0],
    ['86400s', 60_000],
    ['soon', undefined],
    [7, undefined],
    [null, undefined],
  ])('should be read from the body: %j', async (retryDelay, retryAfter) => {
    const body = told(retryDelay);
    const error = await failureOf(FACTORIES.geminiGenerateContent, { status: 429, body });

    expect(error).toMatchObject({ kind: 'rate-limited', detail: 'Quota exceeded.', retryAfter });
    // What is listed as an array is the same error.
    expect(errorFromResponse({ status: 429, body: `[${body}]` }).retryAfter).toBe(retryAfter);
  });

  it('should be asked of the header first, and be believed up to the cap', () => {
    const body = told('50s');

    expect(errorFromResponse({ status: 429, headers: { 'retry-after': '3' }, body }).retryAfter).toBe(3_000);
    expect(errorFromResponse({ status: 429, body, retryAfterCap: 20_000 }).retryAfter).toBe(20_000);
    expect(errorFromResponse({ status: 429, body: told('500s'), retryAfterCap: 900_000 }).retryAfter).toBe(500_000);
  });
});

/** What a status means, whoever sends it. */
const KINDS: [status: number, kind: InferenceErrorKind, isRetryable: boolean][] = [
  [400, 'invalid-request', false],
  [401, 'unauthorized', false],
  [403, 'unauthorized', false],
  [404, 'model-not-found', false],
  [408, 'timeout', true],
  [413, 'context-overflow', false],
  [422, 'invalid-request', false],
  [429, 'rate-limited', true],
  [500, 'provider', true],
  [502, 'provider', true],
  [503, 'overloaded', true],
  [504, 'timeout', true],
  [529, 'overloaded', true],
];

describe.each(NAMES)('a refusal of %s', (name) => {
  const wire = wireEncoder(name);
  const create = FACTORIES[name];

  it.each(KINDS)('should be, with the status %i, %s', async (status, kind, isRetryable) => {
    const message = `no. ${status} is what you get`;
    const body = wire.errorBody({ status, message }, idsFrom(seededRandom(1)));
    const headers = { 'content-type': 'application/json', 'retry-after': '3' };
    const error = await failureOf(create, { status, headers, body });

    expect(error).toMatchObject({ kind, status, isRetryable, retryAfter: 3_000, detail: message });
    expect(error.snapshot).toBeUndefined();
  });

  it('should be told in the words of a gateway that speaks HTML', async () => {
    const body = '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body></html>';
    const error = await failureOf(create, { status: 502, headers: { 'content-type': 'text/html' }, body });

    expect(error).toMatchObject({ kind: 'provider', status: 502 });
    expect(error.detail).toContain('502 Bad Gateway');
  });

  it.each(['', '{}', 'null', '[]', '{"error":', '{"error":null}', '"no"', '\u0000'])(
    'should have words, though the body is %j',
    async (body) => {
      const error = await failureOf(create, { status: 500, headers: { 'content-type': 'application/json' }, body });

      expect(error.kind).toBe('provider');
      expect(error.detail).not.toBe('');
    },
  );

  it('should not be a stream because its status is 200', async () => {
    const body = wire.errorBody({ status: 429, message: 'slow down' }, idsFrom(seededRandom(1)));
    const headers = { 'content-type': 'text/html', 'retry-after': '2' };
    const error = await failureOf(create, { status: 200, headers, body });

    expect(error.detail).toContain('slow down');
    expect(error.retryAfter).toBe(2_000);
  });

  it('should not repeat the key', async () => {
    const body = wire.errorBody({ status: 401, message: `the key ${apiKey} is wrong` }, idsFrom(seededRandom(1)));
    const error = await failureOf(create, { status: 401, headers: { 'content-type': 'application/json' }, body });

    expect(error.detail).toContain('is wrong');
    expect(JSON.stringify([error.message, error.detail, error.stack, String(error.cause)])).not.toContain(apiKey);
  });

  it('should end the wait for a body that never ends', async () => {
    const body = 'no '.repeat(30_000);
    const error = await failureOf(create, { status: 500, body, end: 'hang' });

    expect(error.kind).toBe('provider');
    expect(error.detail.length).toBeLessThan(1_000);
  });
});
