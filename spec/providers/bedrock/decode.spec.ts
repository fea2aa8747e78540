import { VirtualTimeScheduler } from 'rxjs';
import type { LlmStreamEvent } from '../../../src/index.js';
import { bedrockConverse } from '../../../src/providers/bedrock/index.js';
import { encodeAwsEventStream } from '../../../src/wire/awsEventStream.js';
import { args, close, request, start as call, text } from '../../helpers/events.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { answer, observe } from './observe.js';
import {
  bytes,
  decoded,
  delta,
  EVENT_STREAM,
  exception,
  frame,
  messageStart,
  messageStop,
  metadata,
  start,
  stop,
} from './stream.js';

const usage: LlmStreamEvent = { type: 'usage', usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } };
const ending = [messageStop('end_turn'), metadata()];

describe('bedrockConverse, reading', () => {
  it('should read text, whose blocks have no beginning on the wire', async () => {
    const { events } = await decoded([
      messageStart,
      delta(0, { text: 'Hel' }),
      delta(0, { text: '' }),
      delta(0, { text: 'lo' }),
      stop(0),
      ...ending,
    ]);

    expect(events).toEqual([text('Hel'), text('lo'), close(), usage, { type: 'stop', reason: 'end-turn' }]);
  });

  it('should read null as a member that is left out', async () => {
    const { events } = await decoded([
      messageStart,
      delta(0, { text: null, reasoningContent: { text: 'Hm' } }),
      stop(0),
      ...ending,
    ]);

    expect(events[0]).toEqual({ type: 'reasoning-delta', text: 'Hm' });
  });

  it('should read calls, several of them and without arguments', async () => {
    const { events } = await decoded([
      messageStart,
      start(0, { toolUse: { toolUseId: 'tooluse_1', name: 'weather' } }),
      delta(0, { toolUse: { input: '{"city":' } }),
      delta(0, { toolUse: { input: '"Rome"}' } }),
      stop(0),
      start(1, { toolUse: { toolUseId: 'tooluse_2', name: 'now' } }),
      delta(1, { toolUse: { input: '' } }),
      stop(1),
      messageStop('tool_use'),
      metadata(),
    ]);

    expect(events).toEqual([
      call('tooluse_1', 'weather'),
      args('tooluse_1', '{"city":'),
      args('tooluse_1', '"Rome"}'),
      close('tooluse_1'),
      call('tooluse_2', 'now'),
      close('tooluse_2'),
      usage,
      { type: 'stop', reason: 'tool-use' },
    ]);
  });

  it.each(['max_tokens', 'guardrail_intervened'])(
    'should not close a last call without arguments at %s',
    async (reason) => {
      const tool = (index: number) => [
        start(index, { toolUse: { toolUseId: `tooluse_${index}`, name: 'now' } }),
        stop(index),
      ];
      const ends = [messageStop(reason), metadata()];
      const { events } = await decoded([messageStart, ...tool(0), ...tool(1), ...ends]);
      const followed = await decoded([messageStart, ...tool(0), delta(1, { text: 'So' }), stop(1), ...ends]);

      expect(events.slice(0, 4)).toEqual([
        call('tooluse_0', 'now'),
        close('tooluse_0'),
        call('tooluse_1', 'now'),
        usage,
      ]);
      expect(followed.events.slice(0, 3)).toEqual([call('tooluse_0', 'now'), close('tooluse_0'), text('So')]);
    },
  );

  it('should send a signature when its block has stopped, whole, and for the model that made it', async () => {
    const asked = { ...request, model: 'us.anthropic.claude-haiku-4-5-20251001-v1:0' };
    const { events } = await decoded(
      [
        delta(0, { reasoningContent: { text: 'Hm' } }),
        delta(0, { reasoningContent: { signature: 'sig' } }),
        delta(0, { reasoningContent: { signature: 'ned' } }),
        stop(0),
        ...ending,
      ],
      {},
      asked,
    );

    expect(events.slice(0, 3)).toEqual([
      { type: 'reasoning-delta', text: 'Hm' },
      {
        type: 'reasoning-delta',
        text: '',
        providerMetadata: { provider: 'bedrock', model: asked.model, signature: 'signed' },
      },
      close(),
    ]);
  });

  it('should keep reasoning whose block never stopped without its signature', async () => {
    const fetch = fakeFetch({
      body: bytes(delta(0, { reasoningContent: { text: 'Hm', signature: 'si' } }), ...ending),
      headers: EVENT_STREAM,
    });

    const { content } = await answer(bedrockConverse({ fetch }).executeStream(request));

    expect(content).toEqual([{ type: 'reasoning', text: 'Hm' }]);
  });

  it('should join redacted reasoning by its bytes', async () => {
    const { events } = await decoded([
      delta(0, { reasoningContent: { redactedContent: btoa('a') } }),
      delta(0, { reasoningContent: { redactedContent: btoa('bc') } }),
      stop(0),
      delta(1, { reasoningContent: { redactedContent: 'anything+/==' } }),
      stop(1),
      ...ending,
    ]);

    expect(events.map(({ providerMetadata }) => providerMetadata?.encrypted).filter(Boolean)).toEqual([
      btoa('abc'),
      'anything+/==',
    ]);
  });

  it('should begin another block when one goes on as something else', async () => {
    const { events } = await decoded([
      delta(0, { reasoningContent: { text: 'Hm' } }),
      delta(0, { text: 'So' }),
      ...ending,
    ]);

    expect(events.slice(0, 3)).toEqual([{ type: 'reasoning-delta', text: 'Hm' }, close(), text('So')]);
  });

  it('should keep citations beside the text that they are about, in the shape in which they go back', async () => {
    const citation = { title: 'document-1', location: { documentPage: { documentIndex: 0, start: 1, end: 2 } } };
    const { events } = await decoded([
      delta(0, { text: 'A fact: ' }),
      stop(0),
      delta(1, { citation }),
      delta(1, { text: 'it ' }),
      delta(1, { text: 'rains' }),
      stop(1),
      delta(2, { citation }),
      stop(2),
      ...ending,
    ]);

    expect(events.slice(0, 7)).toEqual([
      text('A fact: '),
      close(),
      text('it '),
      text('rains'),
      close(),
      {
        type: 'provider-block',
        provider: 'bedrock',
        block: { citationsContent: { content: [{ text: 'it rains' }], citations: [citation] } },
      },
      { type: 'provider-block', provider: 'bedrock', block: { citationsContent: { citations: [citation] } } },
    ]);
  });

  it('should keep server tools, their results and pictures as they came', async () => {
    const { events } = await decoded([
      start(0, { toolUse: { toolUseId: 'tooluse_1', name: 'nova_grounding', type: 'server_tool_use' } }),
      delta(0, { toolUse: { input: '{"query":' } }),
      delta(0, { toolUse: { input: '"x"}' } }),
      stop(0),
      start(1, { toolResult: { toolUseId: 'tooluse_1', status: 'success', type: 'nova_grounding_result' } }),
      delta(1, { toolResult: [{ text: 'It ' }, { json: { a: 1 } }] }),
      delta(1, { toolResult: [{ text: 'ra' }] }),
      delta(1, { toolResult: [{ text: 'ins' }] }),
      stop(1),
      start(2, { image: { format: 'png' } }),
      delta(2, { image: { source: { bytes: 'AAAA' } } }),
      stop(2),
      ...ending,
    ]);

    expect(events.flatMap((event) => (event.type === 'provider-block' ? [event.block] : []))).toEqual([
      { toolUse: { toolUseId: 'tooluse_1', name: 'nova_grounding', type: 'server_tool_use', input: { query: 'x' } } },
      {
        toolResult: {
          toolUseId: 'tooluse_1',
          status: 'success',
          type: 'nova_grounding_result',
          content: [{ text: 'It ' }, { json: { a: 1 } }, { text: 'rains' }],
        },
      },
      { image: { format: 'png', source: { bytes: 'AAAA' } } },
    ]);
  });

  it('should leave out a server tool whose input was cut off', async () => {
    const { events } = await decoded([
      start(0, { toolUse: { toolUseId: 'tooluse_1', name: 'nova_grounding', type: 'server_tool_use' } }),
      delta(0, { toolUse: { input: '{"query":"x' } }),
      stop(0),
      messageStop('max_tokens'),
      metadata(),
    ]);

    expect(events).toEqual([usage, { type: 'stop', reason: 'max-tokens' }]);
  });

  it.each([
    ['end_turn', 'end-turn'],
    ['tool_use', 'tool-use'],
    ['max_tokens', 'max-tokens'],
    ['model_context_window_exceeded', 'max-tokens'],
    ['stop_sequence', 'stop-sequence'],
    ['guardrail_intervened', 'content-filter'],
    ['content_filtered', 'content-filter'],
    ['refusal', 'refusal'],
    ['constructor', 'end-turn'],
  ])('should read the stop reason %s', async (word, reason) => {
    const { events } = await decoded([messageStop(word), metadata()]);

    expect(events.at(-1)).toEqual({ type: 'stop', reason });
  });

  it.each(['malformed_tool_use', 'malformed_model_output'])(
    'should end in an error on %s, with the usage',
    async (word) => {
      const { error } = await decoded([delta(0, { text: 'So' }), messageStop(word), metadata()]);

      expect(error?.kind).toBe('provider');
      expect(error?.isRetryable).toBe(true);
      expect(error?.detail).toContain(word);
      expect(error?.snapshot).toMatchObject({ text: 'So', usage: { promptTokens: 3 } });
    },
  );

  it('should send the same events at once, whether the usage comes before the stop or after it', async () => {
    const after = await decoded([delta(0, { text: 'So' }), messageStop('end_turn'), metadata()]);

    expect(await decoded([delta(0, { text: 'So' }), metadata(), messageStop('end_turn')])).toEqual(after);
    // Neither waits for the end of the body, nor for a clock that stands still.
    for (const last of [bytes(metadata(), messageStop('end_turn')), bytes(messageStop('end_turn'), metadata())]) {
      const body = bytes(delta(0, { text: 'So' }), last);
      const fetch = fakeFetch({ body, headers: EVENT_STREAM, end: 'hang' });
      const stream = bedrockConverse({ fetch, scheduler: new VirtualTimeScheduler() }).executeStream(request);
      expect(await observe(stream)).toEqual(after);
    }
    expect(after.events).toHaveLength(3);
  });

  it('should count what the cache has read and taken in as input', async () => {
    const { events } = await decoded([
      messageStop('end_turn'),
      metadata({
        inputTokens: 6,
        outputTokens: 3,
        totalTokens: 29,
        cacheReadInputTokens: 15,
        cacheWriteInputTokens: 5,
      }),
    ]);

    expect(events[0]).toEqual({
      type: 'usage',
      usage: { promptTokens: 26, completionTokens: 3, totalTokens: 29, cacheReadTokens: 15, cacheCreationTokens: 5 },
    });
  });

  it('should tell what a guardrail and a model said with the stop', async () => {
    const { events } = await decoded([
      messageStop('stop_sequence', { additionalModelResponseFields: { delta: { stop_sequence: 'END' } } }),
      metadata({ inputTokens: 1, outputTokens: 1 }, { trace: { guardrail: { actionReason: 'none' } } }),
    ]);

    expect(events).toEqual([
      { type: 'usage', usage: { promptTokens: 1, completionTokens: 1, totalTokens: 2 } },
      {
        type: 'stop',
        reason: 'stop-sequence',
        providerMetadata: {
          provider: 'bedrock',
          additionalModelResponseFields: { delta: { stop_sequence: 'END' } },
          trace: { guardrail: { actionReason: 'none' } },
        },
      },
    ]);
  });

  it('should ignore events that it does not know, whatever they hold', async () => {
    const unknown = encodeAwsEventStream({ ':event-type': 'initial-response', ':message-type': 'event' }, '');
    const { events } = await decoded([
      unknown,
      frame('reasoningSummary', { x: 1 }),
      delta(0, { music: 'la' }),
      stop(9),
      ...ending,
    ]);

    expect(events).toEqual([usage, { type: 'stop', reason: 'end-turn' }]);
  });

  it.each([
    ['arguments for a block that is no call', delta(0, { toolUse: { input: '{}' } }), /block 0, which is no tool call/],
    ['a call without a name', start(0, { toolUse: { toolUseId: 'a' } }), /without a toolUseId or a name/],
    [
      'a payload that is no JSON',
      encodeAwsEventStream({ ':event-type': 'metadata', ':message-type': 'event' }, '{"a'),
      /JSON|Unterminated/,
    ],
  ])('should refuse %s', async (_, bad, words) => {
    const { error } = await decoded([delta(0, { text: 'So' }), stop(0), bad, ...ending]);

    expect(error?.kind).toBe('provider');
    expect(error?.detail).toMatch(/^malformed stream: /);
    expect(error?.detail).toMatch(words);
    expect(error?.snapshot?.text).toBe('So');
  });

  it('should refuse a second call of the same id', async () => {
    const again = start(0, { toolUse: { toolUseId: 'a', name: 'now' } });
    const { error } = await decoded([again, stop(0), again, ...ending]);

    expect(error?.detail).toMatch(/duplicate tool call "a"/);
  });

  it('should survive payloads of the wrong shape', async () => {
    const odd = ['null', '[]', '7', '{"delta":null}', '{"start":null}', '{"contentBlockIndex":"x"}'];
    const frames = ['contentBlockStart', 'contentBlockDelta', 'contentBlockStop'].flatMap((type) =>
      odd.map((data) => encodeAwsEventStream({ ':event-type': type, ':message-type': 'event' }, data)),
    );

    for (const bad of frames) {
      const { events, error } = await decoded([bad, ...ending]);
      expect(error?.detail ?? events.at(-1)?.type).toMatch(/^stop$|^malformed stream/);
      expect(error?.detail ?? '').not.toMatch(/of undefined|of null|not iterable/);
    }
  });

  it('should take arguments that name __proto__ for a call', async () => {
    const fetch = fakeFetch({
      body: bytes(
        start(0, { toolUse: { toolUseId: 'a', name: 'now' } }),
        delta(0, { toolUse: { input: '{"__proto__":{"polluted":1}}' } }),
        stop(0),
        messageStop('tool_use'),
        metadata(),
      ),
      headers: EVENT_STREAM,
    });

    const { toolCalls } = await answer(bedrockConverse({ fetch }).executeStream(request));

    expect(JSON.stringify(toolCalls[0]?.arguments)).toBe('{"__proto__":{"polluted":1}}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('bedrockConverse, broken off', () => {
  const whole = [messageStart, delta(0, { text: 'Hello' }), stop(0), ...ending];

  it('should call every cut before the stop an interruption, and every later one no matter', async () => {
    const all = bytes(...whole);
    const stopped = all.length - metadata().length;

    for (let length = 0; length <= all.length; length++) {
      const { events, error } = await decoded([all.slice(0, length)]);
      if (length < stopped) expect(error?.interruption).toEqual({ kind: 'truncated' });
      else expect(events.at(-1)).toEqual({ type: 'stop', reason: 'end-turn' });
    }
  });

  it('should give a socket that breaks its cause and what had arrived', async () => {
    const { events, error } = await decoded(whole.slice(0, 3), { end: 'reset' });

    expect(events).toEqual([text('Hello'), close()]);
    expect(error?.interruption).toEqual({ kind: 'connection-reset' });
    expect(error?.snapshot?.text).toBe('Hello');
  });

  it('should not wait for the usage for ever', async () => {
    const scheduler = new VirtualTimeScheduler();
    const body = bytes(delta(0, { text: 'Hello' }), messageStop('end_turn'));
    const fetch = fakeFetch({ body, headers: EVENT_STREAM, end: 'hang' });
    const events: LlmStreamEvent[] = [];

    bedrockConverse({ fetch, scheduler })
      .executeStream(request)
      .subscribe((event) => events.push(event));
    // The body comes through promises, which no scheduler moves.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(events).toEqual([text('Hello')]);
    scheduler.maxFrames = 1_001;
    scheduler.flush();

    expect(events).toEqual([text('Hello'), { type: 'stop', reason: 'end-turn' }]);
    expect(fetch.open()).toBe(0);
  });

  it.each([
    ['throttlingException', { message: 'Too many tokens, please wait before trying again.' }, 'rate-limited', 429],
    ['serviceUnavailableException', { message: 'Bedrock is unable to process your request.' }, 'overloaded', 503],
    ['internalServerException', { message: 'An internal server error occurred.' }, 'provider', 500],
    ['modelTimeoutException', { message: 'Model took too long.' }, 'timeout', 408],
    ['validationException', { message: 'The provided model identifier is invalid.' }, 'invalid-request', 400],
    ['validationException', { message: 'Input is too long for requested model.' }, 'context-overflow', 400],
    ['accessDeniedException', { message: 'You do not have access.' }, 'unauthorized', 403],
    ['resourceNotFoundException', { message: 'Model not found.' }, 'model-not-found', 404],
    ['modelStreamErrorException', { message: 'Model Stream Error', originalStatusCode: 500 }, 'provider', 500],
    ['modelStreamErrorException', { message: 'Model Stream Error', originalStatusCode: 424 }, 'provider', undefined],
    ['modelStreamErrorException', { message: 'Slow down', originalStatusCode: 429 }, 'rate-limited', 429],
    ['somethingNewException', '', 'provider', undefined],
  ] as const)('should give %s %j its kind', async (type, payload, kind, status) => {
    const { events, error } = await decoded([...whole.slice(0, 3), exception(type, payload)]);

    expect(events).toEqual([text('Hello'), close()]);
    expect({ kind: error?.kind, status: error?.status }).toEqual({ kind, status });
    expect(error?.detail).toBe(payload === '' ? type : payload.message);
    expect(error?.snapshot?.text).toBe('Hello');
  });

  it('should tell what the model itself said, and what a frame of the type error says', async () => {
    const original = { message: 'Model Stream Error', originalMessage: 'The model stream failed.' };
    const headers = { ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'Something broke' };

    expect((await decoded([exception('modelStreamErrorException', original)])).error?.detail).toBe(
      'Model Stream Error: The model stream failed.',
    );
    expect((await decoded([encodeAwsEventStream(headers, '')])).error?.detail).toBe('Something broke');
  });

  it('should not mind an exception after the stop', async () => {
    const { events, error } = await decoded([messageStop('end_turn'), exception('internalServerException', {})]);

    expect(error).toBeUndefined();
    expect(events).toEqual([{ type: 'stop', reason: 'end-turn' }]);
  });

  it('should tell a message that was changed on the way, with what had arrived', async () => {
    const early = await decoded([
      delta(0, { text: 'Hello' }),
      Uint8Array.from(delta(0, { text: 'x' }), (byte, i) => (i === 60 ? byte ^ 1 : byte)),
    ]);

    expect(early.error?.detail).toMatch(/checksum/);
    expect(early.error?.snapshot?.text).toBe('Hello');
  });

  it('should take a long event, and refuse one beyond the limit', async () => {
    const long = delta(0, { text: 'x'.repeat(100_000) });
    const fetch = fakeFetch({ body: bytes(long, ...ending), headers: EVENT_STREAM });

    expect((await decoded([long, ...ending])).events[0]).toEqual(text('x'.repeat(100_000)));
    const { error } = await observe(bedrockConverse({ fetch, maxFrameLength: 99_999 }).executeStream(request));
    expect(error?.detail).toMatch(/maxFrameLength/);
  });
});
