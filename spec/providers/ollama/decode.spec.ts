import type { LlmStreamEvent } from '../../../src/index.js';
import { assistantMessage } from '../../../src/index.js';
import { ollamaChat } from '../../../src/providers/ollama/index.js';
import { args, close, reasoning, request, start as call, text, usage } from '../../helpers/events.js';
import { fakeFetch } from '../../helpers/fakeFetch.js';
import { answer, observe } from '../bedrock/observe.js';
import { decoded, done, line, NDJSON } from './stream.js';

const thought: LlmStreamEvent = {
  type: 'content-block-stop',
  providerMetadata: { provider: 'ollama', complete: true },
};
const ending = [usage(3, 2), { type: 'stop', reason: 'end-turn' }];

describe('ollamaChat, reading', () => {
  it('should read thoughts and text', async () => {
    const { events } = await decoded(
      line({ content: '', thinking: 'H' }) + line({ content: '', thinking: 'm' }) + line({ content: 'So' }) + done(),
    );

    expect(events).toEqual([reasoning('H'), reasoning('m'), thought, text('So'), ...ending]);
  });

  it('should read text on the line that ends the answer', async () => {
    expect((await decoded(done('stop', 'So'))).events).toEqual([text('So'), ...ending]);
  });

  it('should read counts that are null as ones that are left out', async () => {
    const last = { message: { role: 'assistant', content: 'So' }, done: true, done_reason: 'stop' };
    const body = `${JSON.stringify({ ...last, prompt_eval_count: null, eval_count: 2 })}\n`;

    expect((await decoded(body)).events).toContainEqual({ type: 'usage', usage: { completionTokens: 2 } });
  });

  it('should read calls, whose arguments are objects, and end as they ask for', async () => {
    const { events } = await decoded(
      line({
        content: '',
        tool_calls: [
          { id: 'call_a', function: { index: 0, name: 'weather', arguments: { city: 'Rome' } } },
          { id: 'call_b', function: { index: 1, name: 'now', arguments: {} } },
        ],
      }) + done(),
    );

    expect(events).toEqual([
      call('call_a', 'weather'),
      args('call_a', '{"city":"Rome"}'),
      close('call_a'),
      call('call_b', 'now'),
      args('call_b', '{}'),
      close('call_b'),
      usage(3, 2),
      { type: 'stop', reason: 'tool-use' },
    ]);
  });

  it('should name calls that have no name, each differently and each time the same', async () => {
    const calls = [{ function: { name: 'now', arguments: {} } }, { function: { name: 'now', arguments: {} } }];
    const body = line({ tool_calls: calls }) + line({ tool_calls: calls.slice(1) }) + done();
    const ids = async () => {
      const fetch = fakeFetch({ body, headers: NDJSON });
      return (await answer(ollamaChat({ fetch }).executeStream(request))).toolCalls.map(({ id }) => id);
    };

    expect(await ids()).toEqual([
      'call_20261122101112123456_0',
      'call_20261122101112123456_1',
      'call_20261122101112123456_2',
    ]);
    expect(await ids()).toEqual(await ids());
  });

  it('should count on from the calls of the conversation when a line does not tell the time', async () => {
    const history = assistantMessage([{ type: 'tool-call', id: 'call_0', name: 'now', arguments: {} }]);
    const body = `${JSON.stringify({ message: { tool_calls: [{ function: { name: 'now' } }] }, done: true })}\n`;

    const { events } = await decoded(body, {}, { messages: [...request.messages, history] });

    expect(events.slice(0, 3)).toEqual([call('call_1', 'now'), args('call_1', '{}'), close('call_1')]);
  });

  it('should take arguments that come as text, and none', async () => {
    const fetch = fakeFetch({
      body:
        line({ tool_calls: [{ id: 'a', function: { name: 'now', arguments: '{"x":1}' } }] }) +
        line({ tool_calls: [{ id: 'b', function: { name: 'now', arguments: null } }] }) +
        done(),
      headers: NDJSON,
    });

    expect((await answer(ollamaChat({ fetch }).executeStream(request))).toolCalls).toEqual([
      { id: 'a', name: 'now', arguments: { x: 1 } },
      { id: 'b', name: 'now', arguments: {} },
    ]);
  });

  it('should call thoughts that the token limit cut off not whole', async () => {
    const { events } = await decoded(line({ thinking: 'Hm' }) + done('length'));

    expect(events).toEqual([reasoning('Hm'), usage(3, 2), { type: 'stop', reason: 'max-tokens' }]);
  });

  it('should report the tokens that the server tells, and no others', async () => {
    const last = (more: object) => decoded(line({ content: '' }, { done: true, done_reason: 'stop', ...more }));

    expect((await last({ eval_count: 2 })).events[0]).toEqual({ type: 'usage', usage: { completionTokens: 2 } });
    expect((await last({})).events).toEqual([{ type: 'stop', reason: 'end-turn' }]);
  });

  it('should tell an error in the middle of a stream, with what had arrived', async () => {
    const words = 'model runner has unexpectedly stopped, this may be due to resource limitations';
    const { events, error } = await decoded(line({ content: 'So' }) + `{"error":"${words}"}\n`);

    expect(events).toEqual([text('So')]);
    expect(error).toMatchObject({ kind: 'provider', detail: words, isRetryable: true });
    expect(error?.snapshot?.text).toBe('So');
  });

  it.each([
    ['a line that is no JSON', 'oops\n', /in "oops"/],
    ['a call without a name', line({ tool_calls: [{ function: {} }] }), /without the name of a function/],
    [
      'a second call of the same id',
      line({ tool_calls: [0, 1].map(() => ({ id: 'a', function: { name: 'x' } })) }),
      /duplicate tool call "a"/,
    ],
  ])('should refuse %s', async (_, bad, words) => {
    const { error } = await decoded(line({ content: 'So' }) + bad + done());

    expect(error?.kind).toBe('provider');
    expect(error?.detail).toMatch(words);
    expect(error?.snapshot?.text).toBe('So');
  });

  it('should survive lines of the wrong shape', async () => {
    for (const odd of [
      'null',
      '7',
      '[]',
      '""',
      '{}',
      '{"message":null}',
      '{"message":7}',
      '{"message":{"tool_calls":[]}}',
      '{"error":null}',
    ]) {
      const { events, error } = await decoded(`${odd}\n${done()}`);
      expect(error).toBeUndefined();
      expect(events).toEqual(ending);
    }
  });

  it('should not read on after the line that ends the answer', async () => {
    expect((await decoded(`${done()}{"error":"late"}\n`)).events).toEqual(ending);
  });
});

describe('ollamaChat, broken off', () => {
  it('should call every cut before the end of the last line an interruption', async () => {
    const body = line({ content: 'é😀' }) + done();
    const bytes = new TextEncoder().encode(body);

    for (let length = 0; length < bytes.length - 1; length++) {
      const { error } = await decoded(bytes.slice(0, length));
      expect(error?.interruption).toEqual({ kind: 'truncated' });
    }
    expect((await decoded(bytes.slice(0, -1))).events).toEqual([text('é😀'), ...ending]);
  });

  it('should give a socket that breaks its cause', async () => {
    const { events, error } = await decoded(line({ content: 'So' }), { end: 'reset' });

    expect(events).toEqual([text('So')]);
    expect(error?.interruption).toEqual({ kind: 'connection-reset' });
  });

  it.each([
    [404, "model 'nope' not found", 'model-not-found'],
    [400, 'registry.ollama.ai/library/gemma3:1b does not support tools', 'invalid-request'],
    [500, 'model requires more system memory (9.0 GiB) than is available (1.0 GiB)', 'provider'],
    [503, 'server busy, please try again.  maximum pending requests exceeded', 'overloaded'],
  ] as const)('should give the status %i its kind', async (status, words, kind) => {
    const headers = { 'content-type': 'application/json; charset=utf-8', 'retry-after': '3' };
    const { error } = await decoded(JSON.stringify({ error: words }), { status, headers });

    expect(error).toMatchObject({ kind, status, detail: words, retryAfter: 3_000 });
  });

  it('should take a line of many characters, and refuse one beyond the limit', async () => {
    const long = line({ content: 'x'.repeat(100_000) });
    const fetch = fakeFetch({ body: long + done(), headers: NDJSON });

    expect((await decoded(long + done())).events[0]).toEqual(text('x'.repeat(100_000)));
    const { error } = await observe(ollamaChat({ fetch, maxFrameLength: 99_999 }).executeStream(request));
    expect(error?.detail).toMatch(/maxFrameLength/);
  });
});
