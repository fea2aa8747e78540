import { cohereChat } from '../../../src/providers/cohere/index.js';
import { args, close, reasoning, request, start, text, usage } from '../../helpers/events.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { answer, observe } from '../bedrock/observe.js';
import { argument, begin, block, call, callEnd, content, decoded, DONE, end, event } from './stream.js';

const ending = [usage(3, 2), { type: 'stop', reason: 'end-turn' }];

describe('cohereChat, reading', () => {
  it('should read thoughts and text, and tell when the thoughts are whole', async () => {
    const { events } = await decoded(
      begin + block(0, 'thinking', 'H', 'm') + block(1, 'text', 'So', '') + end() + DONE,
    );

    expect(events).toEqual([
      reasoning('H'),
      reasoning('m'),
      { type: 'content-block-stop', providerMetadata: { provider: 'cohere', model: 'test-model', complete: true } },
      text('So'),
      close(),
      ...ending,
    ]);
  });

  it('should read text that comes with the beginning of its block', async () => {
    const { events } = await decoded(begin + content(0, { type: 'text', text: 'So' }, 'content-start') + end());

    expect(events).toEqual([text('So'), ...ending]);
  });

  it('should read the plan for tools as reasoning, and calls with and without arguments', async () => {
    const { events } = await decoded(
      begin +
        event('tool-plan-delta', { tool_plan: 'I will' }) +
        call(0, 'weather_1', 'weather') +
        argument(0, '{"city":') +
        argument(0, '"Rome"}') +
        callEnd(0) +
        call(1, 'now_1', 'now') +
        callEnd(1) +
        call(2, 'x_1', 'x', '{}') +
        callEnd(2) +
        end('TOOL_CALL') +
        DONE,
    );

    expect(events).toEqual([
      reasoning('I will'),
      start('weather_1', 'weather'),
      args('weather_1', '{"city":'),
      args('weather_1', '"Rome"}'),
      close('weather_1'),
      start('now_1', 'now'),
      close('now_1'),
      start('x_1', 'x'),
      args('x_1', '{}'),
      close('x_1'),
      usage(3, 2),
      { type: 'stop', reason: 'tool-use' },
    ]);
  });

  it('should give no arguments the value {}', async () => {
    const fetch = fakeFetch({ body: begin + call(0, 'now_1', 'now') + callEnd(0) + end('TOOL_CALL') + DONE });

    expect((await answer(cohereChat({ fetch }).executeStream(request))).toolCalls).toEqual([
      { id: 'now_1', name: 'now', arguments: {} },
    ]);
  });

  it('should name a call that has no name of its own after its answer', async () => {
    const { events } = await decoded(begin + call(4, '', 'now') + callEnd(4) + end('TOOL_CALL'));

    expect(events.slice(0, 2)).toEqual([start('call_2941521ab87a_4', 'now'), close('call_2941521ab87a_4')]);
  });

  it('should keep citations where they come', async () => {
    const citation = { start: 0, end: 2, text: 'So', sources: [{ type: 'tool', id: 'a:0' }], type: 'TEXT_CONTENT' };
    const cited =
      event('citation-start', { citations: citation }, { index: 0 }) + event('citation-end', undefined, { index: 0 });
    const { events } = await decoded(
      begin +
        content(0, { type: 'text', text: '' }, 'content-start') +
        content(0, { text: 'So' }) +
        cited +
        content(0, { text: ' it is' }) +
        end(),
    );

    expect(events.slice(0, 3)).toEqual([
      text('So'),
      { type: 'provider-block', provider: 'cohere', block: { citation } },
      text(' it is'),
    ]);
  });

  it.each([
    ['COMPLETE', 'end-turn'],
    ['STOP_SEQUENCE', 'stop-sequence'],
    ['MAX_TOKENS', 'max-tokens'],
    ['TOOL_CALL', 'tool-use'],
    ['ERROR_TOXIC', 'content-filter'],
    ['toString', 'end-turn'],
  ])('should read the finish reason %s', async (word, reason) => {
    expect((await decoded(begin + end(word) + DONE)).events.at(-1)).toEqual({ type: 'stop', reason });
  });

  it('should drop a call that the token limit cut off', async () => {
    const fetch = fakeFetch({ body: begin + call(0, 'a', 'weather') + argument(0, '{"city":"Ro') + end('MAX_TOKENS') });

    const { toolCalls, hasIncompleteToolCalls, stopReason } = await answer(
      cohereChat({ fetch }).executeStream(request),
    );

    expect({ toolCalls, hasIncompleteToolCalls, stopReason }).toEqual({
      toolCalls: [],
      hasIncompleteToolCalls: true,
      stopReason: 'max-tokens',
    });
  });

  it.each(['MAX_TOKENS', 'ERROR_TOXIC'])('should not close a last call without arguments at %s', async (reason) => {
    const tool = (index: number) => call(index, `c${index}`, 'now') + callEnd(index);
    const { events } = await decoded(begin + tool(0) + tool(1) + end(reason));
    const followed = await decoded(begin + tool(0) + block(0, 'text', 'So', '') + end(reason));

    expect(events.slice(0, 4)).toEqual([start('c0', 'now'), close('c0'), start('c1', 'now'), usage(3, 2)]);
    expect(followed.events.slice(0, 3)).toEqual([start('c0', 'now'), close('c0'), text('So')]);
  });

  it('should count all tokens where they are told, and what is billed where not', async () => {
    const counted = async (used: object) => (await decoded(begin + end('COMPLETE', { usage: used }))).events[0];

    expect(
      await counted({ tokens: { input_tokens: 9, output_tokens: 4, reasoning_tokens: 1 }, cached_tokens: 8 }),
    ).toEqual({
      type: 'usage',
      usage: { promptTokens: 9, completionTokens: 4, totalTokens: 13, cacheReadTokens: 8, thinkingTokens: 1 },
    });
    expect(await counted({ billed_units: { input_tokens: 2, output_tokens: 1 } })).toEqual(usage(2, 1));
    expect(await counted({})).toEqual({ type: 'stop', reason: 'end-turn' });
  });

  it.each([
    ['ERROR', { error: 'upstream failed' }, 'provider', 'upstream failed'],
    [null, { error: 'upstream failed' }, 'provider', 'upstream failed'],
    ['ERROR', {}, 'provider', 'the generation failed'],
    ['TIMEOUT', {}, 'timeout', 'the generation took too long'],
  ])('should end in an error on %s %j', async (reason, more, kind, detail) => {
    const { events, error } = await decoded(begin + block(0, 'text', 'So') + end(reason, more) + DONE);

    expect(events).toEqual([text('So'), close(), usage(3, 2)]);
    expect(error).toMatchObject({ kind, detail, isRetryable: true });
    expect(error?.snapshot).toMatchObject({ text: 'So', usage: { promptTokens: 3 } });
  });

  it('should tell an error that comes as it would outside of a stream', async () => {
    const told = (data: object) => decoded(`${begin}${block(0, 'text', 'So')}data: ${JSON.stringify(data)}\n\n`);

    expect((await told({ message: 'too many requests' })).error).toMatchObject({
      kind: 'rate-limited',
      detail: 'too many requests',
    });
    expect((await told({ error: { message: 'overloaded', type: 'overloaded_error' } })).error?.kind).toBe('overloaded');
    expect((await told({ id: 'x' })).error?.interruption).toEqual({ kind: 'truncated' });
  });

  it('should ignore events that it does not know', async () => {
    expect(
      (
        await decoded(
          begin +
            event('debug', undefined, { prompt: 'x' }) +
            event('news', undefined, { message: 'x' }) +
            end() +
            DONE,
        )
      ).events,
    ).toEqual(ending);
  });

  it.each([
    ['arguments of a call that has not begun', argument(3, '{'), /tool call 3, which has not begun/],
    ['a call without a name', call(0, 'a', ''), /without the name of a function/],
    ['a second call of the same id', call(0, 'a', 'x') + call(1, 'a', 'x'), /duplicate tool call "a"/],
    ['data that is no JSON', 'data: oops\n\n', /oops/],
  ])('should refuse %s', async (_, bad, words) => {
    const { error } = await decoded(begin + block(0, 'text', 'So') + bad + end());

    expect(error?.kind).toBe('provider');
    expect(error?.detail).toMatch(words);
    expect(error?.snapshot?.text).toBe('So');
  });

  it('should survive data of the wrong shape', async () => {
    const shapes = [
      'null',
      '7',
      '[]',
      '{}',
      '{"type":"content-delta"}',
      '{"type":"content-delta","delta":{"message":{"content":null}}}',
    ];
    const more = [
      '{"type":"tool-call-end","index":9}',
      '{"type":"citation-start"}',
      '{"type":"message-start","delta":null}',
    ];
    for (const odd of [...shapes, ...more]) {
      const { events, error } = await decoded(`data: ${odd}\n\n${end()}`);
      expect(error).toBeUndefined();
      expect(events).toEqual(ending);
    }
  });
});

describe('cohereChat, broken off', () => {
  it('should call every cut before the last event an interruption, [DONE] or not', async () => {
    const body = begin + block(0, 'text', 'é😀');
    const all = new TextEncoder().encode(body + end());
    const stopped = all.length - 2;

    for (let length = 0; length < stopped; length++) {
      expect((await decoded(all.slice(0, length))).error?.interruption).toEqual({ kind: 'truncated' });
    }
    expect((await decoded(all.slice(0, stopped))).events).toEqual([text('é😀'), close(), ...ending]);
    expect((await decoded(body + DONE)).error?.interruption).toEqual({ kind: 'truncated' });
  });

  it('should give a socket that breaks its cause, and not mind what breaks after the end', async () => {
    const broken = await decoded(begin + block(0, 'text', 'So'), { end: 'reset' });

    expect(broken.events).toEqual([text('So'), close()]);
    expect(broken.error?.interruption).toEqual({ kind: 'connection-reset' });
    expect((await decoded(begin + end(), { end: 'reset' })).events).toEqual(ending);
  });

  it.each([
    [401, { message: 'invalid api token' }, 'unauthorized'],
    [404, { message: "model 'nope' not found" }, 'model-not-found'],
    [400, { message: 'too many tokens: total number of tokens in the prompt cannot exceed 4081' }, 'context-overflow'],
    [422, { message: 'invalid request: messages must not be empty' }, 'invalid-request'],
    [429, { message: 'You are using a Trial key, which is limited to 20 API calls / minute.' }, 'rate-limited'],
    [500, { message: 'internal server error' }, 'provider'],
    [503, { message: 'please retry' }, 'overloaded'],
  ] as const)('should give the status %i its kind', async (status, body, kind) => {
    const headers = { 'content-type': 'application/json', 'retry-after': '3' };
    const { error } = await decoded(JSON.stringify(body), { status, headers });

    expect(error).toMatchObject({ kind, status, detail: body.message, retryAfter: 3_000 });
  });

  it('should keep its key out of errors', async () => {
    const fetch = fakeFetch({
      status: 401,
      body: '{"message":"no such key: co-secret"}',
      headers: { 'content-type': 'application/json' },
    });

    const { error } = await observe(cohereChat({ fetch, apiKey: 'co-secret' }).executeStream(request));

    expect(error?.detail).toBe('no such key: [redacted]');
  });
});
