import { interruptCauseOf } from '../../../src/index.js';
import { text } from '../../helpers/events.js';
import { answer, begin, callBlock, closing, decoded, ending, frames, opening, piece, textBlock } from './stream.js';

describe('how the decoder of anthropicMessages ends', () => {
  it.each([
    ['end_turn', 'end-turn'],
    ['pause_turn', 'end-turn'],
    ['compaction', 'end-turn'],
    ['max_tokens', 'max-tokens'],
    ['model_context_window_exceeded', 'max-tokens'],
    ['stop_sequence', 'stop-sequence'],
    ['tool_use', 'tool-use'],
    ['refusal', 'refusal'],
    ['word_of_tomorrow', 'end-turn'],
  ])('should end %s as %s and keep the word', async (stopReason, reason) => {
    const { events } = await decoded(frames(opening, ...textBlock(0, 'a'), ending(stopReason), closing));

    expect(events.at(-1)).toMatchObject({
      type: 'stop',
      reason,
      providerMetadata: { provider: 'anthropic', stopReason },
    });
  });

  it('should keep what else the end says in the metadata of the stop', async () => {
    const container = { id: 'container_1', expires_at: '2026-03-03T19:38:14Z' };
    const stop_details = { type: 'refusal', category: 'cyber', explanation: null };
    const context_management = { applied_edits: [] };
    const { events } = await decoded(
      frames(
        opening,
        { ...ending('stop_sequence', { stop_sequence: '\n\n', container, stop_details }), context_management },
        closing,
      ),
    );

    expect(events.at(-1)?.providerMetadata).toMatchObject({
      stopSequence: '\n\n',
      container,
      stopDetails: stop_details,
      contextManagement: context_management,
    });
  });

  it('should tell the reason by the content when the word for it is not known', async () => {
    const called = await answer(frames(opening, ...callBlock(0, 'toolu_a', 'now', '{}'), ending('new_word'), closing));

    expect(called.stopReason).toBe('tool-use');
  });

  it('should take an end without a reason for a stream that broke, as gateways write it when they give up', async () => {
    const bare = await decoded(frames(opening, ...textBlock(0, 'a'), closing));
    const empty = await decoded(frames(opening, ...textBlock(0, 'a'), ending(null), closing));

    for (const { error } of [bare, empty]) {
      expect(error).toMatchObject({ interruption: { kind: 'truncated' }, snapshot: { text: 'a' } });
    }
  });

  it('should let a later report correct an earlier one, and null say nothing', async () => {
    const { usage } = await answer(
      frames(
        { type: 'message_start', message: { id: 'msg_1', usage: { input_tokens: 0, output_tokens: 0 } } },
        {
          type: 'message_delta',
          delta: { stop_reason: 'end_turn' },
          usage: {
            input_tokens: 32,
            output_tokens: 16,
            cache_read_input_tokens: 4,
            output_tokens_details: { thinking_tokens: 9 },
          },
        },
        { type: 'message_delta', delta: {}, usage: { input_tokens: null, output_tokens: 17 } },
        closing,
      ),
    );

    expect(usage).toEqual({
      promptTokens: 36,
      completionTokens: 17,
      totalTokens: 53,
      cacheReadTokens: 4,
      thinkingTokens: 9,
    });
  });

  it.each([
    ['overloaded_error', 'Overloaded', 'overloaded', 529, { kind: 'provider-5xx', status: 529 }],
    ['api_error', 'Internal server error', 'provider', 500, { kind: 'provider-5xx', status: 500 }],
    ['timeout_error', 'Request timed out', 'timeout', 504, { kind: 'provider-5xx', status: 504 }],
    ['rate_limit_error', 'Too many', 'rate-limited', 429, { kind: 'connection-reset' }],
    ['invalid_request_error', 'Bad', 'invalid-request', 400, null],
    ['invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum', 'context-overflow', 400, null],
    ['authentication_error', 'invalid x-api-key', 'unauthorized', 401, null],
    ['permission_error', 'No', 'unauthorized', 403, null],
    ['billing_error', 'Pay', 'invalid-request', 402, null],
    ['not_found_error', 'model: x', 'model-not-found', 404, null],
    ['request_too_large', 'Too large', 'context-overflow', 413, null],
  ])(
    'should give %s (%s) inside the stream its kind, with what had arrived',
    async (type, message, kind, status, cause) => {
      const { events, error } = await decoded(
        frames(opening, begin(0, { type: 'text', text: '' }), piece(0, { type: 'text_delta', text: 'Hel' }), {
          type: 'error',
          error: { type, message },
        }),
      );

      expect(events.at(-1)).toEqual(text('Hel'));
      expect(error).toMatchObject({ kind, status, detail: message, snapshot: { text: 'Hel' } });
      expect(interruptCauseOf(error)).toEqual(cause);
    },
  );

  it('should take an error object of a gateway for an error, framed or not', async () => {
    const framed = await decoded(`${frames(opening)}data: {"error":{"code":502,"message":"upstream"}}\n\n`);
    const unframed = await decoded('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}');

    const told = await decoded(frames({ type: 'error', error: { type: 'api_error', status: 503, message: 'Later' } }));

    expect(framed.error).toMatchObject({ kind: 'provider', status: 502, detail: 'upstream' });
    expect(told.error).toMatchObject({ kind: 'overloaded', status: 503, detail: 'Later' });
    expect(unframed.error).toMatchObject({ kind: 'overloaded', status: 529 });
  });

  it.each([
    ['before message_stop', frames(opening, ...textBlock(0, 'Hel'), ending('end_turn'))],
    ['in the middle of a frame', `${frames(opening, ...textBlock(0, 'Hel'))}event: message_stop\ndata: {"typ`],
    ['before anything', ''],
  ])('should call a body that ends %s an interruption', async (_, body) => {
    const { events, error } = await decoded(body);

    expect(error).toMatchObject({ kind: 'stream-interrupted', interruption: { kind: 'truncated' } });
    expect(events.some(({ type }) => type === 'stop')).toBe(false);
  });

  it('should take a last frame that lacks only its blank line', async () => {
    const body = frames(opening, ...textBlock(0, 'Hello'), ending('end_turn'), closing).trimEnd();

    expect((await answer(body)).stopReason).toBe('end-turn');
  });

  it('should not read beyond the terminal event', async () => {
    const whole = frames(opening, ...textBlock(0, 'Hello'), ending('end_turn'), closing);
    const noise = `${whole}event: ping\ndata: {"type":"ping","cost":"0"}\n\ndata: [DONE]\n\ndata: {"broken`;

    expect((await decoded(noise, { end: 'reset' })).events).toEqual((await decoded(whole)).events);
    expect((await decoded(noise, { end: 'reset' })).error).toBeUndefined();
  });

  it('should pass over [DONE] and events of a kind that it does not know', async () => {
    const { events, error } = await decoded(
      `data: [DONE]\n\n: comment\n\ndata: null\n\n${frames(opening, { type: 'event_of_tomorrow' }, ending('end_turn'), closing)}`,
    );

    expect(error).toBeUndefined();
    expect(events.map(({ type }) => type)).toEqual(['usage', 'usage', 'stop']);
  });

  it('should read the kind of an event from its name where the payload does not have it', async () => {
    const { events } = await decoded(
      'event: content_block_delta\ndata: {"index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n' +
        'event: message_delta\ndata: {"delta":{"stop_reason":"end_turn"}}\n\nevent: message_stop\ndata: {}\n\n',
    );

    expect(events).toEqual([text('Hi'), expect.objectContaining({ type: 'stop' })]);
  });

  it.each([
    ['malformed JSON', 'data: {"type": }\n\n', /malformed stream: .*\{\\"type\\": \}/],
    [
      'arguments for a block that was not opened',
      frames(piece(3, { type: 'input_json_delta', partial_json: '{' })),
      /input_json_delta for block 3/,
    ],
    [
      'arguments for a text',
      frames(begin(0, { type: 'text', text: '' }), piece(0, { type: 'input_json_delta', partial_json: '{' })),
      /input_json_delta for block 0/,
    ],
    [
      'a signature for a text',
      frames(begin(0, { type: 'text', text: '' }), piece(0, { type: 'signature_delta', signature: 's' })),
      /signature_delta for block 0/,
    ],
    [
      'a call of the same id',
      frames(...callBlock(1, 'toolu_a', 'add', '{}'), ...callBlock(2, 'toolu_a', 'add', '{}')),
      /duplicate tool call "toolu_a"/,
    ],
    ['a second message', frames(opening), /a second message_start/],
  ])('should refuse %s, with what had arrived', async (_, body, words) => {
    const { error } = await decoded(frames(opening, ...textBlock(0, 'Hel')) + body);

    expect(error).toMatchObject({ kind: 'provider', snapshot: { text: 'Hel' } });
    expect(error?.message).toMatch(words);
  });

  it('should put a surrogate pair together that was split over two deltas', async () => {
    const { events } = await decoded(
      frames(opening, ...textBlock(0, 'a\ud83d', '\ude00b'), ending('end_turn'), closing),
    );

    expect(events.slice(1, 3)).toEqual([text('a'), text('\u{1f600}b')]);
  });

  it('should take a large event, and refuse one beyond the limit', async () => {
    const large = 'x'.repeat(10_000_000);
    const split = Array.from({ length: 300 }, (_, chunk) => chunk * 65_536);
    const { content } = await answer(frames(opening, ...textBlock(0, large), ending('end_turn'), closing));
    const { error } = await decoded(frames(opening, ...textBlock(0, 'x'.repeat(17 * 1024 * 1024))), { split });

    expect(content).toEqual([{ type: 'text', text: large }]);
    expect(error?.message).toMatch(/an event is longer than/);
  });
});
