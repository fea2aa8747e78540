import { args, close, reasoning, start, text } from '../../helpers/events.js';
import {
  answer,
  begin,
  callBlock,
  closing,
  decoded,
  ending,
  finish,
  frames,
  opening,
  piece,
  textBlock,
} from './stream.js';

const usageOf = (completionTokens: number) => ({
  type: 'usage',
  usage: {
    promptTokens: 15,
    completionTokens,
    totalTokens: 15 + completionTokens,
    cacheReadTokens: 5,
    cacheCreationTokens: 0,
  },
});
const MESSAGE = { provider: 'anthropic', id: 'msg_1', model: 'claude-sonnet-4-5-20250929' };

describe('the decoder of anthropicMessages', () => {
  it('should send text, its end, the usage and one stop', async () => {
    const { events, error } = await decoded(
      frames(opening, { type: 'ping' }, ...textBlock(0, 'Hel', 'lo'), ending('end_turn'), closing),
    );

    expect(error).toBeUndefined();
    expect(events).toEqual([
      usageOf(1),
      text('Hel'),
      text('lo'),
      close(),
      usageOf(7),
      {
        type: 'stop',
        reason: 'end-turn',
        providerMetadata: {
          ...MESSAGE,
          stopReason: 'end_turn',
          usage: { input_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 5, output_tokens: 7 },
        },
      },
    ]);
  });

  it('should send the signature of a thought when its block has closed', async () => {
    const { events } = await decoded(
      frames(
        opening,
        begin(0, { type: 'thinking', thinking: '', signature: '' }),
        piece(0, { type: 'thinking_delta', thinking: 'Hm.' }),
        piece(0, { type: 'thinking_delta', thinking: '', estimated_tokens: 50 }),
        piece(0, { type: 'signature_delta', signature: 'c2ln' }),
        finish(0),
        ending('end_turn'),
        closing,
      ),
    );

    expect(events.slice(1, 4)).toEqual([
      reasoning('Hm.'),
      { type: 'reasoning-delta', text: '', providerMetadata: { provider: 'anthropic', signature: 'c2ln' } },
      close(),
    ]);
  });

  it('should keep a thought without text, a redacted one and one without a signature apart', async () => {
    const { content } = await answer(
      frames(
        opening,
        begin(0, { type: 'thinking', thinking: '', signature: '' }),
        piece(0, { type: 'signature_delta', signature: 'c2ln' }),
        finish(0),
        begin(1, { type: 'redacted_thinking', data: 'ZGF0YQ==' }),
        finish(1),
        begin(2, { type: 'thinking', thinking: 'whole ' }),
        piece(2, { type: 'thinking_delta', thinking: 'thought' }),
        finish(2),
        ending('end_turn'),
        closing,
      ),
    );

    expect(content).toEqual([
      { type: 'reasoning', text: '', signature: 'c2ln', providerMetadata: { provider: 'anthropic' } },
      { type: 'reasoning', text: '', encrypted: 'ZGF0YQ==', providerMetadata: { provider: 'anthropic' } },
      { type: 'reasoning', text: 'whole thought' },
    ]);
  });

  it('should leave a thought unsigned when it was cut off before the end of its block', async () => {
    const { error } = await decoded(
      frames(
        opening,
        begin(0, { type: 'thinking', thinking: '' }),
        piece(0, { type: 'thinking_delta', thinking: 'Hm' }),
        piece(0, { type: 'signature_delta', signature: 'c2ln' }),
      ),
      { end: 'reset' },
    );

    expect(error?.kind).toBe('stream-interrupted');
    expect(error?.snapshot?.content).toEqual([{ type: 'reasoning', text: 'Hm' }]);
  });

  it('should send parallel calls by their ids', async () => {
    const { events } = await decoded(
      frames(
        opening,
        begin(0, { type: 'tool_use', id: 'toolu_a', name: 'add', input: {} }),
        begin(1, { type: 'tool_use', id: 'toolu_b', name: 'sub', input: {}, caller: { type: 'direct' } }),
        piece(0, { type: 'input_json_delta', partial_json: '{"x"' }),
        piece(1, { type: 'input_json_delta', partial_json: '{}' }),
        piece(0, { type: 'input_json_delta', partial_json: ':1}' }),
        finish(1),
        finish(0),
        ending('tool_use'),
        closing,
      ),
    );

    expect(events.slice(1, -2)).toEqual([
      start('toolu_a', 'add'),
      { ...start('toolu_b', 'sub'), providerMetadata: { provider: 'anthropic', caller: { type: 'direct' } } },
      args('toolu_a', '{"x"'),
      args('toolu_b', '{}'),
      args('toolu_a', ':1}'),
      close('toolu_b'),
      close('toolu_a'),
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'stop', reason: 'tool-use' });
  });

  it('should take arguments that stand in the beginning of the block', async () => {
    const { toolCalls } = await answer(
      frames(
        opening,
        begin(0, { type: 'tool_use', id: 'toolu_a', name: 'add', input: { x: 1 } }),
        finish(0),
        ending('tool_use'),
        closing,
      ),
    );

    expect(toolCalls).toEqual([{ id: 'toolu_a', name: 'add', arguments: { x: 1 } }]);
  });

  it('should make an id for a call that has none, from the id of the answer', async () => {
    const { toolCalls } = await answer(
      frames(opening, ...callBlock(0, '', 'now', '{}'), ...callBlock(1, '', 'now', '{}'), ending('tool_use'), closing),
    );

    expect(toolCalls.map(({ id }) => id)).toEqual(['msg_1_0', 'msg_1_1']);
  });

  it('should close a call without arguments once it is known that nothing cut it off', async () => {
    const twice = [...callBlock(0, 'toolu_a', 'now', ''), ...callBlock(1, 'toolu_b', 'now')];
    const { events } = await decoded(frames(opening, ...twice, ending('tool_use'), closing));

    expect(events.slice(1, -3)).toEqual([start('toolu_a', 'now'), close('toolu_a'), start('toolu_b', 'now')]);
    expect(events.slice(-2)).toEqual([close('toolu_b'), expect.objectContaining({ type: 'stop', reason: 'tool-use' })]);
  });

  it.each(['max_tokens', 'model_context_window_exceeded'])(
    'should not hand over a call that %s cut off before its first argument',
    async (reason) => {
      const result = await answer(frames(opening, ...callBlock(0, 'toolu_a', 'wipe', ''), ending(reason), closing));

      expect(result).toMatchObject({ toolCalls: [], hasIncompleteToolCalls: true, stopReason: 'max-tokens' });
    },
  );

  it('should drop arguments that were cut off by the token limit', async () => {
    const { toolCalls, hasIncompleteToolCalls } = await answer(
      frames(opening, ...callBlock(0, 'toolu_a', 'add', '{"x": 1'), ending('max_tokens'), closing),
    );

    expect({ toolCalls, hasIncompleteToolCalls }).toEqual({ toolCalls: [], hasIncompleteToolCalls: true });
  });

  it('should leave __proto__ in arguments harmless', async () => {
    const { toolCalls } = await answer(
      frames(
        opening,
        ...callBlock(0, 'toolu_a', 'add', '{"__proto__": {"polluted": true}}'),
        ending('tool_use'),
        closing,
      ),
    );

    expect(JSON.stringify(toolCalls[0]?.arguments)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('should hand on the blocks of server tools as they would be without streaming', async () => {
    const result = {
      type: 'web_search_tool_result',
      tool_use_id: 'srvtoolu_a',
      content: [{ type: 'web_search_result', url: 'https://example.com', encrypted_content: 'RQ==' }],
    };
    const { content } = await answer(
      frames(
        opening,
        begin(0, { type: 'server_tool_use', id: 'srvtoolu_a', name: 'web_search', input: {} }),
        piece(0, { type: 'input_json_delta', partial_json: '' }),
        piece(0, { type: 'input_json_delta', partial_json: '{"query": "w' }),
        piece(0, { type: 'input_json_delta', partial_json: 'eather"}' }),
        finish(0),
        begin(1, result),
        finish(1),
        begin(2, { type: 'block_of_tomorrow', member: { a: [1] } }),
        piece(2, { type: 'delta_of_tomorrow' }),
        finish(2),
        ending('end_turn'),
        closing,
      ),
    );

    expect(content).toEqual(
      [
        { type: 'server_tool_use', id: 'srvtoolu_a', name: 'web_search', input: { query: 'weather' } },
        result,
        { type: 'block_of_tomorrow', member: { a: [1] } },
      ].map((block) => ({ type: 'provider', provider: 'anthropic', block })),
    );
  });

  it('should leave out a server tool whose input was cut off: it has not run and cannot be sent back', async () => {
    const { content } = await answer(
      frames(
        opening,
        ...textBlock(0, 'Let me see.'),
        begin(1, { type: 'server_tool_use', id: 'srvtoolu_a', name: 'web_search', input: {} }),
        piece(1, { type: 'input_json_delta', partial_json: '{"query": "w' }),
        finish(1),
        ending('max_tokens'),
        closing,
      ),
    );

    expect(content).toEqual([{ type: 'text', text: 'Let me see.' }]);
  });

  it('should put a compaction together', async () => {
    const { content } = await answer(
      frames(
        opening,
        begin(0, { type: 'compaction', content: null }),
        piece(0, { type: 'compaction_delta', content: 'So ' }),
        piece(0, { type: 'compaction_delta', content: 'far', encrypted_content: 'RQ==' }),
        finish(0),
        ending('compaction'),
        closing,
      ),
    );

    const block = { type: 'compaction', content: 'So far', encrypted_content: 'RQ==' };
    expect(content).toEqual([{ type: 'provider', provider: 'anthropic', block }]);
  });

  it('should keep citations with the text that they belong to', async () => {
    const cited = { type: 'char_location', cited_text: 'grass', document_index: 0 };
    const { content } = await answer(
      frames(
        opening,
        ...textBlock(0, 'Well, '),
        begin(1, { type: 'text', text: '', citations: [] }),
        piece(1, { type: 'citations_delta', citation: cited }),
        piece(1, { type: 'text_delta', text: 'green' }),
        piece(1, { type: 'citations_delta', citation: { ...cited, document_index: 1 } }),
        finish(1),
        ...textBlock(2, '.'),
        ending('end_turn'),
        closing,
      ),
    );

    expect(content).toEqual([
      { type: 'text', text: 'Well, ' },
      {
        type: 'text',
        text: 'green',
        providerMetadata: { provider: 'anthropic', citations: [cited, { ...cited, document_index: 1 }] },
      },
      { type: 'text', text: '.' },
    ]);
  });
});
