import { assistantMessage } from '../../../src/index.js';
import { request } from '../../helpers/events.js';
import {
  added,
  args,
  call,
  completed,
  created,
  done,
  event,
  incomplete,
  read,
  resultOf,
  sse,
  summary,
  text,
} from './responsesHelpers.js';

const message = (index: number, more: object = {}) => ({ type: 'message', id: `msg_${index}`, ...more });
const reasoning = (index: number, more: object = {}) => ({
  type: 'reasoning',
  id: `rs_${index}`,
  summary: [],
  ...more,
});
const metadata = (more: object) => ({ providerMetadata: { provider: 'openai', ...more } });

describe('openaiResponses: text and reasoning', () => {
  it('should send a text as it comes and stop with the terminal event', async () => {
    const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5, input_tokens_details: null };
    const { events } = await read(
      sse(created(), added(0, message(0)), text(0, 'Hel'), text(0, 'lo'), done(0, message(0)), completed({ usage })),
    );

    expect(events).toEqual([
      { type: 'text-delta', text: 'Hel' },
      { type: 'text-delta', text: 'lo' },
      { type: 'content-block-stop' },
      { type: 'usage', usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } },
      { type: 'stop', reason: 'end-turn' },
    ]);
  });

  it('should not wait for anything behind the terminal event', async () => {
    const { events, error } = await read(sse(created(), text(0, 'a'), completed()), { end: 'hang' });

    expect(error).toBeUndefined();
    expect(events.at(-1)).toEqual({ type: 'stop', reason: 'end-turn' });
  });

  it('should keep messages, and the parts of a summary, apart', async () => {
    const encrypted_content = 'gAAA';
    const result = await resultOf(
      sse(
        created(),
        summary(0, '**One**', 0),
        summary(0, '**Two**', 1),
        done(0, reasoning(0, { encrypted_content })),
        text(1, 'Let me see.'),
        done(1, message(1, { phase: 'commentary' })),
        text(2, 'It is.'),
        done(2, message(2, { phase: 'final_answer' })),
        completed(),
      ),
    );

    expect(result.content).toEqual([
      { type: 'reasoning', text: '**One**', ...metadata({ id: 'rs_0' }) },
      { type: 'reasoning', text: '**Two**', encrypted: 'gAAA', ...metadata({ id: 'rs_0' }) },
      { type: 'text', text: 'Let me see.', ...metadata({ id: 'msg_1', phase: 'commentary' }) },
      { type: 'text', text: 'It is.', ...metadata({ id: 'msg_2', phase: 'final_answer' }) },
    ]);
  });

  it('should keep the encrypted content of reasoning whose end comes in the middle of the text', async () => {
    const result = await resultOf(
      sse(
        created(),
        event('response.reasoning_text.delta', { output_index: 0, content_index: 0, item_id: 'rs_0', delta: 'Hm' }),
        text(1, 'Yes'),
        done(0, reasoning(0, { encrypted_content: 'gAAA' })),
        text(1, '!'),
        done(1, message(1)),
        completed(),
      ),
    );

    expect(result.content).toEqual([
      { type: 'reasoning', text: 'Hm', ...metadata({ id: 'rs_0', part: 'reasoning_text' }) },
      { type: 'text', text: 'Yes', ...metadata({ id: 'msg_1' }) },
      { type: 'reasoning', text: '', encrypted: 'gAAA', ...metadata({ id: 'rs_0' }) },
      { type: 'text', text: '!', ...metadata({ id: 'msg_1' }) },
    ]);
  });

  it('should read items that are told only when they are whole', async () => {
    const content = [{ type: 'output_text', text: 'Hi' }];
    const thoughts = {
      summary: [{ type: 'summary_text', text: 'Hm' }],
      content: [{ type: 'reasoning_text', text: 'So' }],
    };
    const items = [reasoning(0, thoughts), message(1, { content }), call(2, 'f', { arguments: '{"a":1}' })];
    const streamed = await resultOf(sse(created(), ...items.map((item, index) => done(index, item)), completed()));
    const atOnce = await resultOf(sse(completed({ output: items })));
    // A gateway may announce the items and still send nothing of them before the end.
    const announced = items.filter(({ type }) => type !== 'function_call').map((item, index) => added(index, item));
    const behind = await resultOf(sse(created(), ...announced, completed({ output: items })));

    expect(streamed.content.map((block) => ('text' in block ? block.text : block.type))).toEqual([
      'Hm',
      'So',
      'Hi',
      'tool-call',
    ]);
    expect(streamed.toolCalls).toEqual([{ id: 'call_2', name: 'f', arguments: { a: 1 } }]);
    expect(atOnce).toEqual(streamed);
    expect(behind).toEqual(streamed);
  });

  it('should put citations on the text that they belong to', async () => {
    const annotation = (url: string) => ({ type: 'url_citation', url, start_index: 0, end_index: 1 });
    const told = (url: string) =>
      event('response.output_text.annotation.added', { output_index: 0, annotation: annotation(url) });
    const whole = { content: [{ type: 'output_text', text: 'A', annotations: [annotation('a'), annotation('b')] }] };
    const bare = { content: [{ type: 'output_text', text: 'B', annotations: [] }] };
    const result = await resultOf(
      sse(
        text(0, 'A'),
        told('a'),
        done(0, message(0, whole)),
        text(1, 'B'),
        told('c'),
        done(1, message(1, bare)),
        completed(),
      ),
    );

    expect(result.content).toEqual([
      { type: 'text', text: 'A', ...metadata({ annotations: [annotation('a'), annotation('b')] }) },
      { type: 'text', text: 'B', ...metadata({ annotations: [annotation('c')] }) },
    ]);
  });

  it('should keep the parts of a message apart, and find their citations however they are counted', async () => {
    const annotations = [{ type: 'file_citation', file_id: 'f' }];
    const apart = await resultOf(sse(text(0, 'A', 0), text(0, 'B', 1), done(0, message(0)), completed()));
    // Bedrock counts on from the parts of the reasoning, and has one part.
    const whole = message(0, { content: [{ type: 'output_text', text: 'A', annotations }] });
    const counted = await resultOf(sse(text(0, 'A', 1), done(0, whole), completed()));

    expect(apart.content).toEqual([
      { type: 'text', text: 'A' },
      { type: 'text', text: 'B' },
    ]);
    expect(counted.content).toEqual([{ type: 'text', text: 'A', ...metadata({ annotations }) }]);
  });

  it('should tell a refusal as an opaque block, be it streamed or not', async () => {
    const refusal = "I'm sorry.";
    const delta = (piece: string) => event('response.refusal.delta', { output_index: 0, delta: piece });
    const refused = event('response.refusal.done', { output_index: 0, refusal });
    const item = message(0, { content: [{ type: 'refusal', refusal }] });
    const end = [completed()];
    const bodies = [
      [delta("I'm"), delta(' sorry.'), refused, done(0, item), ...end],
      [delta("I'm"), delta(' sorry.'), ...end],
      [done(0, item), ...end],
    ];

    for (const body of bodies) {
      expect(await resultOf(sse(created(), ...body))).toMatchObject({
        content: [{ type: 'provider', provider: 'openai', block: { type: 'refusal', refusal } }],
        stopReason: 'refusal',
      });
    }
  });

  it('should hand over items that it does not know', async () => {
    const item = { type: 'something_new', id: 'sn_1', nested: { a: [1] } };
    const { content, stopReason } = await resultOf(
      sse(created(), added(0, item), event('response.something_new.delta', { delta: 'x' }), done(0, item), completed()),
    );

    expect(content).toEqual([{ type: 'provider', provider: 'openai', block: item }]);
    expect(stopReason).toBe('end-turn');
  });
});

describe('openaiResponses: calls', () => {
  it('should keep interleaved calls apart by their place, whatever their items are called', async () => {
    const other = { item_id: 'other' };
    const result = await resultOf(
      sse(
        created(),
        added(0, call(0, 'f')),
        added(1, call(1, 'g')),
        { ...args(0, '{"a":'), ...other },
        args(1, '{}'),
        { ...args(0, '1}'), ...other },
        done(1, call(1, 'g', { arguments: '{}', id: 'x' })),
        done(0, call(0, 'f', { arguments: '{"a":1}', id: 'y' })),
        completed(),
      ),
    );

    expect(result.toolCalls).toEqual([
      { id: 'call_0', name: 'f', arguments: { a: 1 } },
      { id: 'call_1', name: 'g', arguments: {} },
    ]);
    expect(result.stopReason).toBe('tool-use');
  });

  it('should close a call as soon as it is whole, and those whose end is missing with the answer', async () => {
    const { events } = await read(
      sse(added(0, call(0, 'f')), args(0, '{}'), done(0, call(0, 'f')), added(1, call(1, 'g')), completed()),
    );

    expect(events.map((sent) => [sent.type, 'id' in sent ? sent.id : ''])).toEqual([
      ['tool-call-start', 'call_0'],
      ['tool-call-delta', 'call_0'],
      ['content-block-stop', 'call_0'],
      ['tool-call-start', 'call_1'],
      ['content-block-stop', 'call_1'],
      ['stop', ''],
    ]);
  });

  it('should take arguments that are told as a whole only', async () => {
    const opened = [created(), added(0, call(0, 'f'))];
    const end = event('response.function_call_arguments.done', { output_index: 0, arguments: '{"a":1}' });
    const whole = { output: [call(0, 'f', { arguments: '{"a":1}', status: 'completed' })] };
    const expected = [{ id: 'call_0', name: 'f', arguments: { a: 1 } }];

    expect((await resultOf(sse(...opened, end, completed()))).toolCalls).toEqual(expected);
    expect((await resultOf(sse(...opened, end, done(0, call(0, 'f')), completed()))).toolCalls).toEqual(expected);
    expect((await resultOf(sse(...opened, completed(whole)))).toolCalls).toEqual(expected);
    expect((await resultOf(sse(...opened, args(0, '{"a":'), args(0, '1}'), end, completed(whole)))).toolCalls).toEqual(
      expected,
    );
    expect((await read(sse(created(), end, completed()))).error).toBeUndefined();
  });

  it('should take the input of a custom tool that is told as a whole only', async () => {
    const custom = { type: 'custom_tool_call', id: 'ct_0', call_id: 'call_0', name: 'patch' };
    const opened = [created(), added(0, { ...custom, input: '' })];
    const end = event('response.custom_tool_call_input.done', { output_index: 0, input: 'a"b' });
    const expected = [{ id: 'call_0', name: 'patch', arguments: 'a"b' }];

    expect((await resultOf(sse(...opened, end, completed()))).toolCalls).toMatchObject(expected);
    expect(
      (await resultOf(sse(...opened, completed({ output: [{ ...custom, input: 'a"b' }] })))).toolCalls,
    ).toMatchObject(expected);
  });

  it('should take a call that only the whole answer tells of, and none twice', async () => {
    const f = call(1, 'f', { arguments: '{"a":1}', status: 'completed' });
    const output = [message(0, { content: [{ type: 'output_text', text: 'Hi' }] }), f];

    const late = await resultOf(sse(created(), text(0, 'Hi'), completed({ output })));
    const told = await read(sse(created(), text(0, 'Hi'), done(1, f), completed({ output })));
    const renamed = await read(sse(created(), done(1, { ...f, call_id: 'other' }), completed({ output })));

    expect(late).toMatchObject({
      stopReason: 'tool-use',
      toolCalls: [{ id: 'call_1', arguments: { a: 1 } }],
    });
    for (const { events } of [told, renamed]) {
      expect(events.filter(({ type }) => type === 'tool-call-start')).toHaveLength(1);
    }
  });

  it('should not take a call for whole that the token limit has cut off, even without arguments', async () => {
    const cut = { status: 'incomplete' };
    for (const piece of ['', '{"a":']) {
      const result = await resultOf(
        sse(added(0, call(0, 'f')), args(0, piece), done(0, call(0, 'f', cut)), incomplete('max_output_tokens')),
      );

      expect(result).toMatchObject({ toolCalls: [], hasIncompleteToolCalls: true, stopReason: 'max-tokens' });
    }
  });

  it('should leave a call open whose end is missing in an answer that was cut off', async () => {
    const result = await resultOf(sse(added(0, call(0, 'f')), incomplete('max_output_tokens')));

    expect(result).toMatchObject({ toolCalls: [], hasIncompleteToolCalls: true });
  });

  it('should keep what has to go back with a call', async () => {
    const item = { type: 'tool_search_output', id: 'tso_0' };
    const more = { namespace: 'n', caller: { type: 'program', id: 'p' } };
    const { content } = await resultOf(
      sse(done(0, item), added(1, call(1, 'f', more)), done(1, call(1, 'f', more)), completed()),
    );

    expect(content[1]).toMatchObject({ type: 'tool-call', ...metadata({ id: 'fc_1', ...more }) });
  });

  it('should take back arguments that the provider corrects at the end (W27)', async () => {
    const { events } = await read(
      sse(added(0, call(0, 'f')), args(0, '{"a":1}'), done(0, call(0, 'f', { arguments: '{"a":2}' })), completed()),
    );

    expect(events.slice(2, 6)).toEqual([
      { type: 'tool-call-cancel', id: 'call_0', name: 'f', reason: 'the provider has corrected the arguments' },
      { type: 'tool-call-start', id: 'call_0', name: 'f' },
      { type: 'tool-call-delta', id: 'call_0', argsDelta: '{"a":2}' },
      { type: 'content-block-stop', id: 'call_0' },
    ]);
  });

  it('should not mind white space in arguments that are told again', async () => {
    const { events } = await read(
      sse(added(0, call(0, 'f')), args(0, '{"a": 1}'), done(0, call(0, 'f', { arguments: '{"a":1}' })), completed()),
    );

    expect(events.map(({ type }) => type)).toEqual([
      'tool-call-start',
      'tool-call-delta',
      'content-block-stop',
      'stop',
    ]);
  });

  it('should hand over the text of a custom tool as a string', async () => {
    const input = 'say "hi"\n\\ \u{1f600}';
    const item = { type: 'custom_tool_call', id: 'ctc_0', call_id: 'call_0', name: 'patch', input };
    const delta = (piece: string) => event('response.custom_tool_call_input.delta', { output_index: 0, delta: piece });
    const pieces = [...input].map(delta);

    for (const streamed of [pieces, []]) {
      const result = await resultOf(sse(added(0, { ...item, input: '' }), ...streamed, done(0, item), completed()));

      expect(result.toolCalls).toEqual([{ id: 'call_0', name: 'patch', arguments: input }]);
    }
  });

  it('should leave out a custom call that was cut off', async () => {
    const item = { type: 'custom_tool_call', call_id: 'call_0', name: 'patch', input: 'rm', status: 'incomplete' };
    const delta = event('response.custom_tool_call_input.delta', { output_index: 0, delta: 'rm' });
    const result = await resultOf(sse(added(0, item), delta, done(0, item), incomplete('max_output_tokens')));

    expect(result).toMatchObject({ toolCalls: [], hasIncompleteToolCalls: true });
  });

  it('should give a call another id where the conversation has one of that id already', async () => {
    const past = { type: 'tool-call' as const, id: 'call_0', name: 'f', arguments: {} };
    const history = { ...request, messages: [...request.messages, assistantMessage([past])] };
    const body = sse(created(), added(0, call(0, 'f')), done(0, call(0, 'f', { arguments: '{"a":1}' })), completed());
    const [first, again] = [await resultOf(body, history), await resultOf(body, history)];

    expect(first.toolCalls).toEqual([{ id: expect.stringMatching(/^call_0_\w{16}$/), name: 'f', arguments: { a: 1 } }]);
    expect(again.toolCalls).toEqual(first.toolCalls);
  });

  it('should take an end that is told twice for one call, and another call of the same id for another', async () => {
    const item = call(0, 'f', { arguments: '{}' });
    const { toolCalls } = await resultOf(sse(created(), done(0, item), done(0, item), done(1, item), completed()));

    expect(toolCalls.map(({ id }) => id)).toEqual(['call_0', expect.stringMatching(/^call_0_\w{16}$/)]);
  });

  it('should make an id for a call that has none, and keep `__proto__` harmless', async () => {
    const item = { type: 'function_call', name: 'f', arguments: '{"__proto__":{"polluted":true}}' };
    const { toolCalls } = await resultOf(sse(created(), done(0, item), done(1, item), completed()));

    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(2);
    expect(JSON.stringify(toolCalls[0]!.arguments)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('openaiResponses: the end', () => {
  it.each([
    ['max_output_tokens', 'max-tokens'],
    ['content_filter', 'content-filter'],
    ['something_new', 'max-tokens'],
  ])('should read the reason %s', async (reason, expected) => {
    expect((await resultOf(sse(created(), text(0, 'a'), incomplete(reason)))).stopReason).toBe(expected);
  });

  it('should not take [DONE] or the end of the body for the end of the answer', async () => {
    for (const body of [sse(created(), text(0, 'a')), sse(created(), text(0, 'a'), '[DONE]')]) {
      const { error } = await read(body);

      expect(error).toMatchObject({ kind: 'stream-interrupted', interruption: { kind: 'truncated' } });
      expect(error?.snapshot?.text).toBe('a');
    }
  });

  it.each([
    [event('error', { code: 'rate_limit_exceeded', message: 'slow down' }), 'rate-limited', 'slow down'],
    [event('error', { error: { type: 'server_error', message: 'oh' } }), 'provider', 'oh'],
    [{ error: { code: 'context_length_exceeded', message: 'too long' } }, 'context-overflow', 'too long'],
    [
      event('response.failed', { response: { status: 'failed', error: { code: 'server_error', message: 'oh' } } }),
      'provider',
      'oh',
    ],
    [event('error', { code: 'image_too_large', message: 'oh' }), 'invalid-request', 'oh'],
    [event('error', { code: 'image_file_not_found', message: 'oh' }), 'invalid-request', 'oh'],
    [event('error', { code: 'empty_image_file', message: 'oh' }), 'invalid-request', 'oh'],
    [event('error', { code: 'cyber_policy', message: 'oh' }), 'content-filtered', 'oh'],
    [event('error', { code: 'bio_policy', message: 'oh' }), 'content-filtered', 'oh'],
    [event('response.failed', { response: null }), 'provider', 'the response failed without saying why'],
    [event('response.cancelled', { response: {} }), 'cancelled', 'the response was cancelled at the provider'],
  ])('should tell the failure %j', async (told, kind, detail) => {
    const { error } = await read(sse(created(), text(0, 'a'), told));

    expect(error).toMatchObject({ kind, detail, snapshot: { text: 'a' } });
  });

  it('should let a failure behind the end be', async () => {
    const { error, events } = await read(sse(text(0, 'a'), completed(), event('error', { message: 'late' })));

    expect(error).toBeUndefined();
    expect(events.at(-1)?.type).toBe('stop');
  });

  it('should tell the id of a response that is stored', async () => {
    const stored = { ...request, overrides: { providerOptions: { store: true } } };
    const { events } = await read(sse(created(), completed()), { request: stored });

    expect(events.at(-1)).toEqual({ type: 'stop', reason: 'end-turn', ...metadata({ id: 'resp_0123' }) });
  });
});

describe('openaiResponses: bad input', () => {
  it.each([
    ['JSON that does not parse', 'data: {"type":\n\ndata: {}\n\n', /malformed stream: .*JSON/],
    ['no JSON at all', 'data: hello\n\n', /malformed stream: .*JSON/],
    ['arguments for a call that has not been opened', sse(args(3, '{}')), /arguments for output item 3/],
  ])('should say what is wrong with %s', async (_, body, words) => {
    const { error } = await read(body);

    expect(error?.kind).toBe('provider');
    expect(error?.message).toMatch(words);
  });

  it('should survive members that are missing, null or of other types', async () => {
    const types = [
      'response.created',
      'response.output_text.delta',
      'response.reasoning_summary_text.delta',
      'response.reasoning_text.delta',
      'response.function_call_arguments.delta',
      'response.output_item.added',
      'response.output_item.done',
      'response.output_text.annotation.added',
      'response.refusal.delta',
      'response.refusal.done',
    ];
    const members = ['delta', 'item', 'response', 'output_index', 'annotation', 'refusal'];
    const odd = [null, 7, 'x', [], {}, [null]];
    const events = types.flatMap((type) =>
      odd.flatMap((value) => [{ type }, ...members.map((member) => ({ type, [member]: value }))]),
    );

    for (const told of events) {
      const { error } = await read(sse(told, text(0, 'a'), completed({ usage: null, output: null })));
      // The one thing that must not pass is a piece of a call that nobody has opened.
      if (told.type === 'response.function_call_arguments.delta' && 'delta' in told && told.delta === 'x') {
        expect(error?.message).toMatch(/arguments for output item/);
      } else {
        expect({ told, error }).toEqual({ told, error: undefined });
      }
    }
  });

  it('should skip what is no event, and comments', async () => {
    const body = `: keepalive\n\ndata: null\n\ndata: 5\n\ndata: [1]\n\ndata:\n\n${sse(text(0, 'a'), completed())}`;

    expect((await read(body)).events.map(({ type }) => type)).toEqual(['text-delta', 'content-block-stop', 'stop']);
  });

  it('should take an event of 10 MB', async () => {
    const { content } = await resultOf(sse(text(0, 'a'.repeat(10_000_000)), completed()));

    expect(content[0]).toMatchObject({ type: 'text' });
    expect((content[0] as { text: string }).text).toHaveLength(10_000_000);
  });
});
