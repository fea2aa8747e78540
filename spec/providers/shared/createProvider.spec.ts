import { openaiChat } from '../../../src/providers/openai/index.js';
import { lastValueFrom, toArray } from 'rxjs';
import {
  assistantMessage,
  contentText,
  InferenceExecutionError,
  recover,
  userMessage,
  type InferenceRequest,
  type LlmStreamEvent,
} from '../../../src/index.js';
import { createProvider, type WireFormat } from '../../../src/providers/shared/createProvider.js';
import { encodeContinuation } from '../../../src/providers/shared/encodeContinuation.js';
import type { ContinuationRule } from '../../../src/providers/shared/continuationTable.js';
import type { ProviderOptions } from '../../../src/providers/shared/options.js';
import { SSE_MEDIA_TYPE, sseFraming, type SseFrame } from '../../../src/wire/sse.js';
import { request, stop, text } from '../../helpers/events.js';
import { fakeFetch, type FakeAnswer, type FakeFetch } from '../../helpers/fakeFetch.js';

const prefill: ContinuationRule = { model: /^/, mechanism: 'prefill', trimsTrailing: true };
const prompt: ContinuationRule = { model: /^/, mechanism: 'prompt' };

const continued = (prefix: string, over: object = {}): InferenceRequest => ({
  ...request,
  continuation: { prefix, cancelledTools: [], ...over },
});

const roles = (asked: InferenceRequest): [string, string][] =>
  asked.messages.map(({ role, content }) => [role, contentText(content)]);

describe('encodeContinuation', () => {
  it.each([0, -1, NaN])('should throw at the call on a livenessTimeout of %d', (livenessTimeout) => {
    expect(() => openaiChat({ livenessTimeout })).toThrow(RangeError);
  });

  it('should leave a request alone that continues nothing', () => {
    expect(encodeContinuation(request, prefill)).toBeUndefined();
  });

  it('should put the prefix into a trailing assistant turn, and remember the white space that it cut', () => {
    const encoded = encodeContinuation(continued('Hello \n'), prefill)!;

    expect(roles(encoded.request)).toEqual([
      ['user', 'hello'],
      ['assistant', 'Hello'],
    ]);
    expect(encoded.note).toEqual({ mechanism: 'prefill', trimmed: ' \n' });
    expect(encoded.request.continuation).toBeUndefined();
  });

  it('should keep the white space of a prefix for a vendor that takes it', () => {
    const encoded = encodeContinuation(continued('Hello '), { ...prefill, trimsTrailing: false, echoesPrefix: true })!;

    expect(roles(encoded.request).at(-1)).toEqual(['assistant', 'Hello ']);
    expect(encoded.note).toEqual({ mechanism: 'prefill', trimmed: '', echoesPrefix: true });
  });

  it('should quote only the last words to a model that is asked by prompt', () => {
    const prefix = `${'The beginning of a long answer. '.repeat(20)}And these are its very last words`;
    const encoded = encodeContinuation(continued(prefix), prompt)!;
    const [, assistant, user] = roles(encoded.request);

    expect(assistant).toEqual(['assistant', prefix]);
    expect(user![0]).toBe('user');
    expect(user![1].length).toBeLessThan(1_000);
    expect(prefix.endsWith(encoded.note.anchor!)).toBe(true);
    expect(user![1]).toContain(`<last_words>${encoded.note.anchor}</last_words>`);
    expect(encoded.note.mechanism).toBe('prompt');
  });

  it('should name the calls that did not run, and say that a code block is open', () => {
    const tools = [
      { id: '1', name: 'search' },
      { id: '2', name: 'search' },
      { id: '3', name: '' },
    ];
    const encoded = encodeContinuation(continued('Look:\n```ts\nconst a = 1;', { cancelledTools: tools }), prompt)!;

    const words = roles(encoded.request).at(-1)![1];
    expect(words).toContain('begun to call `search`;');
    expect(words).toContain('code block that is still open');
    expect(words).toContain('all tools still apply');
  });

  it('should use another tag than one that the answer holds', () => {
    const words = roles(encodeContinuation(continued('We write </last_words> to end it'), prompt)!.request).at(-1)![1];

    expect(words).toContain('<last_words_>');
  });

  it('should go on with a prefix of the caller in the same turn', () => {
    const own = { ...continued('world'), messages: [userMessage('hi'), assistantMessage('Hello ')] };

    expect(roles(encodeContinuation(own, prefill)!.request)).toEqual([
      ['user', 'hi'],
      ['assistant', 'Hello world'],
    ]);
  });

  it('should continue nothing where only white space was shown', () => {
    const encoded = encodeContinuation(continued(' \n'), prompt)!;

    expect(encoded.request.messages).toEqual(request.messages);
    expect(encoded.note).toEqual({ mechanism: 'prefill', trimmed: ' \n' });
  });

  it('should take the mechanism that the request names', () => {
    const cursor = { provider: 'openai', runId: 'r', after: 1 };

    expect(encodeContinuation(continued('Hello', { mechanism: 'prompt' }), prefill)!.note.mechanism).toBe('prompt');
    expect(encodeContinuation(continued('Hello', { mechanism: 'reattach', cursor }), prompt, 'openai')).toMatchObject({
      request: { messages: request.messages },
      note: { mechanism: 'reattach' },
      cursor,
    });
  });

  it('should ask for the rest in its own way when the run is that of another provider', () => {
    const cursor = { provider: 'openai', runId: 'r', after: 1 };
    const foreign = continued('Hello', { mechanism: 'reattach', cursor });

    expect(encodeContinuation(foreign, prefill)!.note).toEqual({ mechanism: 'prefill', trimmed: '' });
    expect(encodeContinuation(foreign, { ...prompt, mechanism: 'reattach' }, 'google')!.note.mechanism).toBe('prompt');
  });
});

/** A wire format that sends each data line as text until `END`. */
const toy: WireFormat<SseFrame> = {
  name: 'toy',
  provider: 'toy',
  encode: (asked, _, apiKey) => {
    if (asked.messages.length === 0) throw new InferenceExecutionError('invalid-request', 'no messages');
    return { url: 'http://localhost', headers: { 'x-api-key': apiKey }, body: JSON.stringify(asked) };
  },
  decoder: () => ({
    finished: false,
    decode: ({ data }, emit) => emit(data === 'END' ? stop() : text(data)),
    end: () => undefined,
  }),
  framing: sseFraming,
  accepts: SSE_MEDIA_TYPE,
};

const answerOf = (...data: string[]): FakeAnswer => ({ body: data.map((line) => `data: ${line}\n\n`).join('') });
const refusal: FakeAnswer = {
  status: 400,
  body: JSON.stringify({
    error: {
      type: 'invalid_request_error',
      message: 'This model does not support assistant message prefill. The conversation must end with a user message.',
    },
  }),
};

function provider(fetch: FakeFetch, options: ProviderOptions = {}) {
  return createProvider(toy, { fetch, apiKey: 'key-123', continuation: 'prefill', ...options });
}

const eventsOf = (executor: ReturnType<typeof provider>, asked: InferenceRequest): Promise<LlmStreamEvent[]> =>
  lastValueFrom(executor.executeStream(asked).pipe(toArray()));

describe('createProvider', () => {
  it('should tell in the first event how the continuation was asked for', async () => {
    const fetch = fakeFetch(answerOf('world', 'END'));

    const [first, ...rest] = await eventsOf(provider(fetch), continued('Hello '));

    expect(first).toEqual({
      ...text('world'),
      providerMetadata: { continuation: { mechanism: 'prefill', trimmed: '' } },
    });
    expect(rest).toEqual([stop()]);
  });

  it('should fall to the prompt form when prefill is refused, once, and remember the model', async () => {
    const fetch = fakeFetch(refusal, answerOf('a', 'END'));
    const executor = provider(fetch);
    const roleOfLast = (index: number): unknown =>
      (fetch.requests[index]!.body as InferenceRequest).messages.at(-1)!.role;

    const [first] = await eventsOf(executor, continued('Hello'));
    await eventsOf(executor, continued('Hello again'));

    expect(first!.providerMetadata?.continuation).toMatchObject({ mechanism: 'prompt' });
    expect([0, 1, 2].map(roleOfLast)).toEqual(['assistant', 'user', 'user']);
    expect(fetch.requests).toHaveLength(3);
  });

  it('should fall to the prompt form when a request that names prefill is refused', async () => {
    const fetch = fakeFetch(refusal, answerOf('a', 'END'));
    const executor = provider(fetch, { continuation: [prompt] });

    const [first] = await eventsOf(executor, continued('Hello', { mechanism: 'prefill' }));

    expect(first!.providerMetadata?.continuation).toMatchObject({ mechanism: 'prompt' });
    expect(fetch.requests).toHaveLength(2);
  });

  it.each(['Hello', ' \n'])(
    'should ask twice and no more when every form is refused, going on from %j',
    async (prefix) => {
      const fetch = fakeFetch(refusal, refusal, answerOf('a', 'END'));

      await expect(eventsOf(provider(fetch), continued(prefix))).rejects.toMatchObject({ kind: 'invalid-request' });
      expect(fetch.requests).toHaveLength(2);
    },
  );

  it('should not ask twice when something else is wrong with the request', async () => {
    const fetch = fakeFetch({ status: 400, body: '{"error":{"message":"temperature must be <= 1"}}' });

    await expect(eventsOf(provider(fetch), continued('Hello'))).rejects.toMatchObject({ kind: 'invalid-request' });
    expect(fetch.requests).toHaveLength(1);
  });

  it('should ask the function for the key at each request', async () => {
    let keys = 0;
    const fetch = fakeFetch(answerOf('END'));
    const executor = provider(fetch, { apiKey: async () => `key-${++keys}` });

    await eventsOf(executor, request);
    await eventsOf(executor, request);

    expect(fetch.requests.map(({ init }) => (init.headers as Record<string, string>)['x-api-key'])).toEqual([
      'key-1',
      'key-2',
    ]);
  });

  it('should say so when the key cannot be had, and when a request cannot be encoded', async () => {
    const fetch = fakeFetch(answerOf('END'));
    const keyless = provider(fetch, {
      apiKey: () => {
        throw new Error('vault is sealed');
      },
    });

    await expect(eventsOf(keyless, request)).rejects.toMatchObject({ kind: 'unauthorized' });
    await expect(eventsOf(provider(fetch), { ...request, messages: [] })).rejects.toMatchObject({
      kind: 'invalid-request',
    });
    expect(fetch.requests).toHaveLength(0);
  });

  it('should let headers of the caller win', async () => {
    const fetch = fakeFetch(answerOf('END'));

    await eventsOf(provider(fetch, { headers: { 'x-api-key': 'own', 'x-extra': '1' } }), request);

    expect(fetch.requests[0]!.init.headers).toMatchObject({ 'x-api-key': 'own', 'x-extra': '1' });
  });

  it('should be joined by recover without a word lost or doubled', async () => {
    const fetch = fakeFetch({ ...answerOf('Hello ', 'there, '), end: 'reset' }, answerOf(' ', 'world', 'END'));
    const executor = provider(fetch, { continuation: [prefill] });

    const events = await lastValueFrom(
      executor
        .executeStream(request)
        .pipe(
          recover({ request, resubscribe: (continuation) => executor.executeStream(continuation), delay: 0 }),
          toArray(),
        ),
    );

    expect(events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')).toBe('Hello there, world');
  });
});
