import { toolMessage, type InferenceRequest, type LlmStreamEvent } from '../../../src/index.js';
import { openaiChat, openaiCompatible } from '../../../src/providers/openai/index.js';
import { args, close, request, start, stop, text } from '../../helpers/events.js';
import { call, chunk, finish, read, resultOf, sse } from './chatHelpers.js';

async function events(...chunks: object[]): Promise<LlmStreamEvent[]> {
  const { events: all, error } = await read(openaiChat, sse(...chunks, '[DONE]'));
  if (error) throw error;
  return all;
}

const more = (index: number | undefined, argsDelta: string | null) => call(index, undefined, undefined, argsDelta);

describe('the tool calls that openaiChat reads', () => {
  it('should open with their name, fill up and close', async () => {
    expect(await events(call(0, 'a', 'f', ''), more(0, '{"x"'), more(0, ':1}'), finish('tool_calls'))).toEqual([
      start('a', 'f'),
      args('a', '{"x"'),
      args('a', ':1}'),
      close('a'),
      stop('tool-use'),
    ]);
  });

  it('should close when the next one begins', async () => {
    const all = await events(
      chunk({ content: 'Look: ' }),
      call(0, 'a', 'f', '{"x":1}'),
      call(1, 'b', 'g', ''),
      more(1, '{}'),
      finish('tool_calls'),
    );

    expect(all).toEqual([
      text('Look: '),
      start('a', 'f'),
      args('a', '{"x":1}'),
      close('a'),
      start('b', 'g'),
      args('b', '{}'),
      close('b'),
      stop('tool-use'),
    ]);
  });

  it('should be told apart where their pieces are interleaved', async () => {
    const all = await events(
      call(0, 'a', 'f', ''),
      call(1, 'b', 'g', ''),
      more(0, '{"x":'),
      more(1, '{"y":'),
      more(0, '1}'),
      more(1, '2}'),
      finish('tool_calls'),
    );

    expect(all.slice(2)).toEqual([
      args('a', '{"x":'),
      args('b', '{"y":'),
      args('a', '1}'),
      args('b', '2}'),
      close('a'),
      close('b'),
      stop('tool-use'),
    ]);
  });

  it('should not mind white space behind arguments that are whole', async () => {
    expect(
      await events(
        call(0, 'a', 'f', '{}'),
        call(1, 'b', 'g', '{}'),
        more(0, '\n'),
        more(1, '\n'),
        finish('tool_calls'),
      ),
    ).toEqual([
      start('a', 'f'),
      args('a', '{}'),
      close('a'),
      start('b', 'g'),
      args('b', '{}'),
      args('b', '\n'),
      close('b'),
      stop('tool-use'),
    ]);
  });

  it('should keep their id and name where later pieces have empty ones', async () => {
    expect(
      await events(call(0, 'a', 'f', null), call(0, '', '', '{"x":1'), call(0, '', 'f', '}'), finish('tool_calls')),
    ).toEqual([start('a', 'f'), args('a', '{"x":1'), args('a', '}'), close('a'), stop('tool-use')]);
  });

  it('should wait for a name that comes after the id', async () => {
    expect(await events(call(0, 'a'), more(0, '{'), call(0, undefined, 'f', '}'), finish('tool_calls'))).toEqual([
      start('a', 'f'),
      args('a', '{'),
      args('a', '}'),
      close('a'),
      stop('tool-use'),
    ]);
  });

  it('should be dropped, and said to be incomplete, where the name never comes', async () => {
    const result = await resultOf(openaiChat, sse(call(0, 'a', undefined, '{}'), finish('tool_calls')));

    expect(result.toolCalls).toEqual([]);
    expect(result.hasIncompleteToolCalls).toBe(true);
  });

  it('should be read without an index: by id, and by name where there is none', async () => {
    const ids = await events(
      chunk({
        tool_calls: [
          { id: 'a', function: { name: 'f', arguments: '{"x":1}' } },
          { id: 'b', function: { name: 'g', arguments: '{' } },
        ],
      }),
      call(undefined, 'b', '', '}'),
      finish('tool_calls'),
    );
    const bare = await resultOf(
      openaiChat,
      sse(
        call(undefined, '', 'f', '{"x":1}'),
        call(undefined, undefined, 'f', '{"x":'),
        more(undefined, '2}'),
        finish('stop'),
      ),
    );

    expect(ids).toEqual([
      start('a', 'f'),
      args('a', '{"x":1}'),
      close('a'),
      start('b', 'g'),
      args('b', '{'),
      args('b', '}'),
      close('b'),
      stop('tool-use'),
    ]);
    expect(bare.toolCalls.map(({ name, arguments: value }) => [name, value])).toEqual([
      ['f', { x: 1 }],
      ['f', { x: 2 }],
    ]);
    expect(bare.stopReason).toBe('end-turn');
  });

  it('should be read with a hole before their index', async () => {
    expect(await events(call(3, 'a', 'f', '{}'), finish('tool_calls'))).toEqual([
      start('a', 'f'),
      args('a', '{}'),
      close('a'),
      stop('tool-use'),
    ]);
  });

  it('should be told apart where a gateway numbers all of them 0', async () => {
    const { toolCalls } = await resultOf(
      openaiChat,
      sse(call(0, 'a', 'f', '{"x":1}'), call(0, 'b', 'f', '{"x":2}'), finish('tool_calls')),
    );
    const nameless = await resultOf(
      openaiChat,
      sse(call(0, '', 'f', '{"x":1}'), call(0, '', 'f', '{"x":2}'), finish('tool_calls')),
    );

    expect(toolCalls).toEqual([
      { id: 'a', name: 'f', arguments: { x: 1 } },
      { id: 'b', name: 'f', arguments: { x: 2 } },
    ]);
    expect(nameless.toolCalls.map((made) => made.arguments)).toEqual([{ x: 1 }, { x: 2 }]);
  });

  it('should have arguments that a gateway has parsed already, and none at all', async () => {
    const parsed = { index: 0, id: 'a', function: { name: 'f', arguments: { x: 1 } } };
    const result = await resultOf(
      openaiChat,
      sse(chunk({ tool_calls: [parsed, 7, null] }), call(1, 'b', 'g', ''), finish('tool_calls')),
    );

    expect(result.toolCalls).toEqual([
      { id: 'a', name: 'f', arguments: { x: 1 } },
      { id: 'b', name: 'g', arguments: {} },
    ]);
  });

  it('should be read in the form before tool calls', async () => {
    const { toolCalls, stopReason } = await resultOf(
      openaiChat,
      sse(
        chunk({ function_call: { name: 'f', arguments: '' } }),
        chunk({ function_call: { arguments: '{"x":1}' } }),
        finish('function_call'),
      ),
    );

    expect(toolCalls).toEqual([{ id: expect.stringMatching(/^call_\w{12}_0$/), name: 'f', arguments: { x: 1 } }]);
    expect(stopReason).toBe('tool-use');
  });

  it('should keep a __proto__ in the arguments as plain data', async () => {
    const json = '{"__proto__":{"polluted":true}}';
    const { toolCalls } = await resultOf(openaiChat, sse(call(0, 'a', 'f', json), finish('tool_calls')));

    expect(JSON.stringify(toolCalls[0]?.arguments)).toBe(json);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('the ids that openaiChat makes', () => {
  const idsOf = async (request: InferenceRequest, id?: string): Promise<string[]> => {
    const nameless = (name: string): object => ({ ...call(undefined, '', name, '{}'), id });
    const body = sse(nameless('f'), nameless('g'), finish('tool_calls'));
    return (await resultOf(openaiChat, body, request)).toolCalls.map((made) => made.id);
  };

  it('should be the same at each reading and differ within an answer', async () => {
    const ids = await idsOf(request, 'chatcmpl-1');

    expect(await idsOf(request, 'chatcmpl-1')).toEqual(ids);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id.length).toBeLessThanOrEqual(40);
  });

  it('should differ from answer to answer, and from turn to turn where the answers have no id', async () => {
    const [first] = await idsOf(request);
    const asked = { type: 'tool-call', id: first!, name: 'f', arguments: {} } as const;
    const next = { ...request, messages: [...request.messages, { role: 'assistant', content: [asked] } as const] };
    const history: InferenceRequest = { ...request, messages: [...next.messages, toolMessage(first!, 'x')] as never };

    const [second] = await idsOf(history);
    const trimmed = { ...asked, id: second! };
    const window: InferenceRequest = { ...request, messages: [{ role: 'assistant', content: [trimmed] }] };

    // A history that is cut at its beginning holds as many calls as before.
    expect(await idsOf(window)).not.toContain(second);
    expect(await idsOf(request, 'chatcmpl-2')).not.toEqual(await idsOf(request, 'chatcmpl-3'));
    expect(await idsOf(history)).not.toContain(first);
  });
});

describe('the tool calls that openaiChat finds cut off', () => {
  it('should stay open where the token limit fell into them, and keep those before', async () => {
    const result = await resultOf(
      openaiChat,
      sse(call(0, 'a', 'f', ''), call(1, 'b', 'g', '{"x":"trunc'), finish('length'), '[DONE]'),
    );

    expect(result.toolCalls).toEqual([{ id: 'a', name: 'f', arguments: {} }]);
    expect(result.hasIncompleteToolCalls).toBe(true);
    expect(result.stopReason).toBe('max-tokens');
  });

  it('should not count as calls without arguments where the limit fell before the first of these', async () => {
    const result = await resultOf(openaiChat, sse(call(0, 'a', 'f', ''), finish('length'), '[DONE]'));

    expect(result.toolCalls).toEqual([]);
    expect(result.hasIncompleteToolCalls).toBe(true);
  });

  it('should keep a call that is whole where the limit fell behind it', async () => {
    const result = await resultOf(openaiChat, sse(call(0, 'a', 'f', '{"x":1}'), finish('length'), '[DONE]'));

    expect(result.toolCalls).toEqual([{ id: 'a', name: 'f', arguments: { x: 1 } }]);
    expect(result.hasIncompleteToolCalls).toBe(false);
  });

  it('should all stay open where interleaved calls were cut off', async () => {
    const result = await resultOf(
      openaiChat,
      sse(
        call(0, 'a', 'f', ''),
        call(1, 'b', 'g', ''),
        more(0, '{"x"'),
        more(1, '{"y":1}'),
        finish('length'),
        '[DONE]',
      ),
    );

    expect(result.toolCalls).toEqual([{ id: 'b', name: 'g', arguments: { y: 1 } }]);
    expect(result.hasIncompleteToolCalls).toBe(true);
  });

  it('should not be taken for calls without arguments where others were written at the same time', async () => {
    const result = await resultOf(
      openaiChat,
      sse(
        call(0, 'a', 'f', ''),
        call(1, 'b', 'g', ''),
        call(2, 'c', 'h', ''),
        more(0, '{}'),
        finish('length'),
        '[DONE]',
      ),
    );

    expect(result.toolCalls).toEqual([{ id: 'a', name: 'f', arguments: {} }]);
    expect(result.hasIncompleteToolCalls).toBe(true);
  });

  it('should not be run where a filter stopped the answer before the first argument', async () => {
    const cut = (json: string) =>
      resultOf(openaiChat, sse(call(0, 'a', 'f', json), finish('content_filter'), '[DONE]'));

    expect(await cut('')).toMatchObject({ toolCalls: [], hasIncompleteToolCalls: true, stopReason: 'content-filter' });
    expect((await cut('{}')).toolCalls).toEqual([{ id: 'a', name: 'f', arguments: {} }]);
  });

  it('should be known by the reason of the vendor behind OpenRouter, which itself says tool_calls', async () => {
    const openrouter = (options: object) => openaiCompatible('openrouter', options);
    const cut = (json: string) =>
      resultOf(
        openrouter,
        sse(
          call(0, 'a', 'f', json),
          chunk({}, { finish_reason: 'tool_calls', native_finish_reason: 'length' }),
          '[DONE]',
        ),
      );
    const bare = await cut('');
    const begun = await cut('{"x":');

    expect([bare.toolCalls, bare.hasIncompleteToolCalls, bare.stopReason]).toEqual([[], true, 'max-tokens']);
    expect([begun.toolCalls, begun.hasIncompleteToolCalls, begun.stopReason]).toEqual([[], true, 'tool-use']);
  });
});
