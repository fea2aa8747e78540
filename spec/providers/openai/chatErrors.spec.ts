import { interruptCauseOf, type InferenceErrorKind } from '../../../src/index.js';
import { openaiChat, openaiCompatible } from '../../../src/providers/openai/index.js';
import { corpusCases, describeCorpus } from '../../helpers/corpus.js';
import { stop, text } from '../../helpers/events.js';
import { call, chunk, finish, read, sse, type Factory } from './chatHelpers.js';

const said = chunk({ content: 'so far' });
const openrouter: Factory = (options) => openaiCompatible('openrouter', options);

async function failure(body: string, factory: Factory = openaiChat) {
  const { events, error } = await read(factory, body);
  expect(events.some(({ type }) => type === 'stop')).toBe(false);
  return error;
}

describe('the errors that openaiChat finds in a stream', () => {
  it.each<[string, object | string, InferenceErrorKind, string]>([
    ['of OpenAI', { error: { message: 'Server busy', type: 'server_error', code: null } }, 'provider', 'Server busy'],
    [
      'of OpenRouter, by a word',
      { error: { code: 'server_error', message: 'Provider disconnected' }, choices: [] },
      'provider',
      'Provider disconnected',
    ],
    [
      'of OpenRouter, by a number',
      { error: { code: 429, message: 'slow down' }, choices: [] },
      'rate-limited',
      'slow down',
    ],
    [
      'of OpenRouter, by its metadata',
      { error: { code: 502, message: 'x', metadata: { error_type: 'provider_overloaded' } } },
      'provider',
      'x',
    ],
    [
      'of Anthropic behind a gateway',
      { error: { type: 'overloaded_error', message: 'Overloaded' } },
      'overloaded',
      'Overloaded',
    ],
    ['as a text', { error: 'context length exceeded' }, 'context-overflow', 'context length exceeded'],
    ['of old vLLM', { object: 'error', message: 'bad', type: 'BadRequestError', code: 400 }, 'invalid-request', 'bad'],
    ['of a FastAPI server', { detail: 'upstream died' }, 'provider', 'upstream died'],
    ['as a bare message', { message: 'Internal Server Error' }, 'provider', 'Internal Server Error'],
    [
      'of Google, in an array',
      [{ error: { code: 503, message: 'gone', status: 'UNAVAILABLE' } }],
      'overloaded',
      'gone',
    ],
    ['without a word', { error: {}, choices: [] }, 'provider', 'the provider broke off'],
    ['of Azure', { error: { code: 'content_filter', message: 'filtered' } }, 'content-filtered', 'filtered'],
  ])('should be told: %s', async (_, told, kind, words) => {
    const error = await failure(sse(said, told, '[DONE]'));

    expect(error).toMatchObject({ kind, detail: expect.stringContaining(words) as string });
    expect(error?.snapshot?.text).toBe('so far');
  });

  it('should be told by the finish reason, after what the same chunk brings, and [DONE] changes nothing', async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const broken = chunk({ content: '…' }, { finish_reason: 'error' }, { usage });
    const error = await failure(sse(said, broken, '[DONE]'), openrouter);

    expect(error).toMatchObject({ kind: 'provider', isRetryable: true });
    expect(error?.snapshot).toMatchObject({ text: 'so far…', usage: { promptTokens: 1, completionTokens: 2 } });
    expect(interruptCauseOf(error)).not.toBeNull();
  });

  it.each(['abort', 'network_error'])('should be told by the finish reason %s', async (word) => {
    expect(await failure(sse(said, finish(word), '[DONE]'))).toMatchObject({ kind: 'provider' });
  });

  it('should be told where DeepSeek has no resources to go on', async () => {
    expect(await failure(sse(said, finish('insufficient_system_resource'), '[DONE]'))).toMatchObject({
      kind: 'overloaded',
    });
  });

  it('should be told by the name of the event, also with plain text', async () => {
    const named = (data: string) => `${sse(said)}event: error\ndata: ${data}\n\n`;

    expect(await failure(named('{"message":"nope","type":"overloaded"}'))).toMatchObject({
      kind: 'overloaded',
      detail: 'nope',
    });
    expect(await failure(named('upstream timed out'))).toMatchObject({ kind: 'timeout', detail: 'upstream timed out' });
  });

  it('should be found where they are written into the stream without a frame', async () => {
    const bare = `${sse(said)}{\n"error": {"message": "cancelled", "code": 499}\n}\n`;

    expect(await failure(bare)).toMatchObject({ kind: 'invalid-request', detail: 'cancelled', status: 499 });
  });

  it.each<[string, string]>([
    ['an error chunk', sse({ error: { code: 500, message: 'late' }, choices: [] }, '[DONE]')],
    ['an error event', 'event: error\ndata: late\n\n'],
    ['an error that is no JSON object', sse([{ error: { message: 'late' } }])],
    ['a chunk that does not parse', 'data: {"choices":[\n\n'],
  ])('should change nothing after a finish reason: %s', async (_, late) => {
    const { events, error } = await read(openaiChat, sse(said, finish('stop')) + late);

    expect(error).toBeUndefined();
    expect(events).toEqual([text('so far'), stop()]);
  });

  it('should not keep usage back that follows an error behind the finish reason', async () => {
    const late = { error: { code: 400, message: 'late' }, choices: [] };
    const usage = { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } };
    const { events } = await read(openaiChat, sse(said, finish('stop'), late, usage, '[DONE]'));

    expect(events.map(({ type }) => type)).toEqual(['text-delta', 'usage', 'stop']);
  });

  it('should count after a finish reason only where a second one says so', async () => {
    expect(await failure(sse(said, finish('stop'), finish('error')))).toMatchObject({ kind: 'provider' });
  });

  it('should let a socket that breaks after the finish reason change nothing', async () => {
    const { events, error } = await read(openaiChat, sse(said, finish('stop')), { end: 'reset' });

    expect([events, error]).toEqual([[text('so far'), stop()], undefined]);
  });
});

describe('the streams that openaiChat finds cut off', () => {
  const truncated = { kind: 'stream-interrupted', interruption: { kind: 'truncated' } };

  it.each<[string, string]>([
    ['without a finish reason', sse(said)],
    ['in the middle of a chunk', sse(said) + 'data: {"choices":[{"ind'],
    ['in the middle of [DONE]', sse(said) + 'data: [DO'],
    ['with nothing at all', ''],
    ['with comments only', ': OPENROUTER PROCESSING\n\n'],
    ['with [DONE] and no answer', sse('[DONE]')],
    ['with usage, [DONE] and no answer', sse({ choices: [], usage: { prompt_tokens: 1 } }, '[DONE]')],
    ['with [DONE] in the middle of a call', sse(said, call(0, 'a', 'f', '{"x":'), '[DONE]')],
    ['with [DONE] before the arguments of a call', sse(said, call(0, 'a', 'f', ''), '[DONE]')],
  ])('should never pass for an answer: %s', async (_, body) => {
    expect(await failure(body)).toMatchObject(truncated);
  });

  it('should be interrupted after every byte before the finish reason', async () => {
    const body = sse(chunk({ content: 'é😀' }), call(0, 'a', 'f', '{"x":1}'), finish('tool_calls'), '[DONE]');
    const bytes = new TextEncoder().encode(body);
    const end =
      new TextEncoder().encode(body.slice(0, body.indexOf('"tool_calls"}'))).length + '"tool_calls"}]}'.length;
    const outcomes = await Promise.all(
      Array.from({ length: bytes.length }, async (_, cut) => {
        const { events, error } = await read(openaiChat, '', { body: bytes.slice(0, cut) });
        return error === undefined ? events.at(-1)?.type : error.kind;
      }),
    );

    expect(new Set(outcomes.slice(0, end))).toEqual(new Set(['stream-interrupted']));
    expect(new Set(outcomes.slice(end))).toEqual(new Set(['stop']));
  });
});

describe('the nonsense that openaiChat refuses', () => {
  it.each<[string, string, RegExp]>([
    ['JSON that does not parse', 'data: {"choices": nonsense}\n\n', /malformed stream: .*nonsense/],
    ['words that are no JSON', 'data: hello\n\n', /malformed stream: .*hello/],
    [
      'arguments for a call that was never opened',
      sse(call(4, undefined, undefined, '{}')),
      /tool call 4, which has not been opened/,
    ],
    ['two calls of the same id', sse(call(0, 'a', 'f', '{}'), call(1, 'a', 'g', '{}')), /duplicate tool call "a"/],
    [
      'arguments behind whole ones',
      sse(call(0, 'a', 'f', '{}'), call(1, 'b', 'g', ''), call(0, undefined, undefined, '{}')),
      /unknown tool call "a"/,
    ],
  ])('should be a provider error with what had arrived: %s', async (_, body, words) => {
    const error = await failure(sse(said) + body + sse(finish('stop'), '[DONE]'));

    expect(error).toMatchObject({ kind: 'provider' });
    expect(error?.message).toMatch(words);
    expect(error?.snapshot?.text).toBe('so far');
  });

  it.each<[string, object]>([
    ['choices that are no array', { choices: { delta: {} } }],
    ['a delta that is a number', { choices: [{ index: 0, delta: 5 }] }],
    ['content that is a number', chunk({ content: 5 })],
    ['content parts of no kind', chunk({ content: [5, null, { type: 'thinking', thinking: null }] })],
    ['calls that are no array', chunk({ tool_calls: { index: 0 } })],
    ['a call without a function', chunk({ tool_calls: [{ index: 0 }] })],
    ['details of no kind', chunk({ reasoning_details: [null, 5, {}] })],
    ['usage that is a text', { choices: [], usage: 'none' }],
    ['usage with odd members', { choices: [], usage: { prompt_tokens: '5', completion_tokens: -1 } }],
  ])('should not be tripped by %s', async (_, odd) => {
    const { events, error } = await read(openaiChat, sse(odd, said, finish('stop'), '[DONE]'));

    expect(error).toBeUndefined();
    expect(events.filter(({ type }) => type !== 'provider-block')).toEqual([text('so far'), stop()]);
  });

  it('should read an event of 10 MB and refuse one of more than 16', async () => {
    const long = 'x'.repeat(10_000_000);
    const { events } = await read(openaiChat, sse(chunk({ content: long }), finish('stop')));
    // A frame counts while it is put together: one that comes whole costs no more than its chunk.
    const { error } = await read(openaiChat, sse(chunk({ content: long + long })), { split: [17_000_000] });

    expect(events[0]).toEqual(text(long));
    expect(error).toMatchObject({ kind: 'provider' });
    expect(error?.message).toMatch(/longer than 16777216 characters; raise maxFrameLength/);
  });

  it('should never let a lone surrogate through', async () => {
    const { events } = await read(
      openaiChat,
      sse(chunk({ content: 'a\ud83d' }), chunk({ content: '\ude00b\ud83d' }), finish('stop')),
    );

    expect(events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')).toBe('a😀b\ufffd');
    expect(events.at(-1)).toEqual(stop());
  });
});

describeCorpus('openaiChat on recorded HTTP errors', () => {
  it.each(corpusCases('http-error').map((entry) => [entry.file, entry] as const))(
    'should tell %s',
    async (_, entry) => {
      const body = new TextDecoder().decode(entry.bytes());
      const answer = { status: entry.httpStatus, headers: { 'content-type': 'application/json', 'retry-after': '2' } };
      const { events, error } = await read(openaiChat, body, answer);

      expect(events).toEqual([]);
      expect(error?.status).toBe(entry.httpStatus);
      expect(error?.retryAfter).toBe(2_000);
      expect(error?.detail).not.toBe('');
      // The words of this one say more than its status.
      const overflow = entry.file.includes('context_overflow');
      expect(error?.kind).toBe(overflow ? 'context-overflow' : KINDS[entry.httpStatus]);
    },
  );
});

const KINDS: Record<number, InferenceErrorKind> = {
  400: 'invalid-request',
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'model-not-found',
  422: 'invalid-request',
  429: 'rate-limited',
  500: 'provider',
  503: 'overloaded',
};
