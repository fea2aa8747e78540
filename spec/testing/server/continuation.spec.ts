import { readScript, type AnswerPart } from '../../../src/testing/answer.js';
import { seededRandom, startLlmServer, type LlmServer, type ModelManner } from '../../../src/testing/index.js';
import { readContinuation, restOfAnswer, type ContinueOptions } from '../../../src/testing/server/continuation.js';
import { ask, PATHS, textIn } from './ask.js';

const TEXT = 'Marbles roll along a line. They stop, größer 😀, at its end.';
const user = { role: 'user' as const, text: 'hi', toolCalls: [] };
const assistant = (text: string) => ({ role: 'assistant' as const, text, toolCalls: [] });
const options: ContinueOptions = {
  manner: 'anchor',
  prefill: 'continue',
  keepToolCallIds: false,
  random: seededRandom(1),
};

function rest(script: string | AnswerPart[], prefix: string, changes: Partial<ContinueOptions> = {}, anchor?: string) {
  const mechanism = anchor === undefined ? 'prefill' : 'prompt';
  return restOfAnswer(readScript(script), { mechanism, prefix, anchor: anchor ?? '' }, { ...options, ...changes });
}

function textOf(answer: ReturnType<typeof rest>): string {
  return answer.parts.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('');
}

describe('readContinuation', () => {
  it('should take a trailing assistant turn for a prefill', () => {
    expect(readContinuation([user, assistant('Marbles')])).toEqual({
      messages: [user],
      continuation: { mechanism: 'prefill', prefix: 'Marbles', anchor: '' },
    });
  });

  it.each(['last_words', 'last_words_', 'last_words__'])('should find the words between <%s>', (tag) => {
    const asking = { ...user, text: `Dropped:\n<${tag}>roll <b>\n along</${tag}>\nGo on.` };

    expect(readContinuation([user, assistant('Marbles roll <b>\n along'), asking])).toEqual({
      messages: [user],
      continuation: { mechanism: 'prompt', prefix: 'Marbles roll <b>\n along', anchor: 'roll <b>\n along' },
    });
  });

  it.each([
    ['a user turn', [user]],
    [
      'a result of a tool',
      [
        user,
        { ...assistant(''), toolCalls: [{ id: '1', name: 'f', arguments: '{}' }] },
        { ...user, role: 'tool' as const },
      ],
    ],
    [
      'an assistant turn with a call',
      [user, { ...assistant('x'), toolCalls: [{ id: '1', name: 'f', arguments: '{}' }] }],
    ],
    ['the words alone', [{ ...user, text: '<last_words>x</last_words>' }]],
    ['nothing', []],
  ])('should leave %s alone', (_, messages) => {
    expect(readContinuation(messages)).toEqual({ messages, continuation: undefined });
  });
});

describe('restOfAnswer', () => {
  it('should go on exactly at every place of a prefix', () => {
    for (let at = 1; at <= TEXT.length; at++)
      expect(TEXT.slice(0, at) + textOf(rest(TEXT, TEXT.slice(0, at)))).toBe(TEXT);
  });

  it('should begin with the white space that was trimmed off the prefix', () => {
    expect(textOf(rest(TEXT, 'Marbles'))).toBe(TEXT.slice(7));
    expect(textOf(rest('One.\n\nTwo.', 'One.', {}, 'One.'))).toBe('One.\n\nTwo.');
  });

  it.each([
    ['lost a space', 'Marbles rollalong', TEXT.slice(18)],
    ['follows words of the caller’s own', 'Tell me: Marbles roll', TEXT.slice(12)],
    ['was joined imperfectly', 'Marbles, I mean: They stop, größer 😀, at', ' its end.'],
    ['is unknown', 'Something else entirely', TEXT],
  ])('should find its place when the prefix %s', (_, prefix, expected) => {
    expect(textOf(rest(TEXT, prefix))).toBe(expected);
  });

  it.each<[ModelManner, string]>([
    ['exact', ' along a line. They stop, größer 😀, at its end.'],
    ['anchor', `roll along a line. They stop, größer 😀, at its end.`],
    ['anchor-drops-space', 'rollalong a line. They stop, größer 😀, at its end.'],
    ['restart', TEXT],
    ['nothing', ''],
  ])('should continue as a model with the manner %p', (manner, expected) => {
    expect(textOf(rest(TEXT, 'Marbles roll', { manner }, 'roll'))).toBe(expected);
  });

  it('should ignore the manner for an exact continuation', () => {
    expect(textOf(rest(TEXT, 'Marbles', { manner: 'restart' }))).toBe(TEXT.slice(7));
  });

  it('should repeat the prefix where the vendor echoes it', () => {
    expect(textOf(rest(TEXT, 'Marbles', { prefill: 'echo' }))).toBe(TEXT);
  });

  const script: AnswerPart[] = [
    { reasoning: 'Hm.', signature: 's' },
    { text: 'First. ' },
    { toolCall: { id: 'call_1', name: 'f', arguments: { a: 1 } } },
    { text: 'Second.' },
    { toolCall: { id: 'call_2', name: 'g' } },
  ];

  it('should send what follows the prefix and nothing before it', () => {
    expect(textOf(rest(script, 'Fir'))).toBe('st. [tool-call]Second.[tool-call]');
    expect(textOf(rest(script, 'First. '))).toBe('[tool-call]Second.[tool-call]');
    expect(textOf(rest(script, 'First. Sec'))).toBe('ond.[tool-call]');
    expect(textOf(rest(script, 'First. Second.'))).toBe('[tool-call]');
    expect(rest(script, 'Fir').stopReason).toBe('tool-use');
  });

  it('should send a call again with a new id, unless ids are kept', () => {
    const ids = (keepToolCallIds: boolean) =>
      rest(script, 'First. ', { keepToolCallIds }).parts.flatMap((part) =>
        part.type === 'tool-call' ? [part.id] : [],
      );

    expect(ids(false)).toEqual([undefined, undefined]);
    expect(ids(true)).toEqual(['call_1', 'call_2']);
  });

  it('should count only the tokens that are left', () => {
    const usage = { promptTokens: 50, completionTokens: 100 };

    expect(rest([{ text: '0123456789' }, { usage }], '0123').usage).toEqual({ promptTokens: 50, completionTokens: 60 });
    expect(rest([{ text: '0123456789' }, { usage }], '0123456789').usage).toEqual({
      promptTokens: 50,
      completionTokens: 1,
    });
  });
});

describe('startLlmServer, asked to go on', () => {
  let server: LlmServer;
  beforeAll(async () => {
    server = await startLlmServer({ answer: [{ text: TEXT }, { toolCall: { id: 'toolu_fixed', name: 'f' } }] });
  });
  afterAll(() => server.close());

  const hi = { role: 'user', content: 'hi' };
  const prefix = { role: 'assistant', content: 'Marbles roll' };
  const prompt = { role: 'user', content: 'Dropped.\n<last_words>roll</last_words>\nGo on.' };

  it('should continue a prefill', async () => {
    server.use({});
    const { text } = await ask(server, PATHS.anthropicMessages, { messages: [hi, prefix] });

    expect(textIn(text)).toBe(TEXT.slice(12));
    expect(text).not.toContain('toolu_fixed');
    expect(text).toMatch(/"id":"toolu_01\w{22}","name":"f"/);
    expect(server.requests[0]).toMatchObject({
      messages: [{ role: 'user', text: 'hi' }],
      continuation: { mechanism: 'prefill', prefix: 'Marbles roll' },
    });
  });

  it.each([
    ['openaiChat', 'roll'],
    ['anthropicMessages', 'roll'],
  ] as const)('should continue the prompt form over %s', async (format, anchor) => {
    server.use({});
    const { text } = await ask(server, PATHS[format], { messages: [hi, prefix, prompt] });

    expect(textIn(text)).toBe(anchor + TEXT.slice(12));
    expect(server.requests[0]?.continuation).toEqual({ mechanism: 'prompt', prefix: 'Marbles roll', anchor });
  });

  it('should take its manner from the request', async () => {
    server.use({ manner: ({ index }) => (index === 0 ? 'restart' : 'exact') });
    const bodies = [];
    for (let index = 0; index < 2; index++) {
      bodies.push(textIn((await ask(server, PATHS.openaiChat, { messages: [hi, prefix, prompt] })).text));
    }
    server.use({ manner: 'anchor' });

    expect(bodies).toEqual([TEXT, TEXT.slice(12)]);
  });

  it('should refuse prefill in the vendor’s words, and nothing else', async () => {
    const words =
      'This model does not support assistant message prefill. The conversation must end with a user message.';
    server.use({ faults: [{ refusePrefill: true }, { refusePrefill: true }] });
    const refused = await ask(server, PATHS.anthropicMessages, { messages: [hi, prefix] });
    const taken = await ask(server, PATHS.anthropicMessages, { messages: [hi, prefix, prompt] });

    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([
      400,
      { type: 'error', error: { type: 'invalid_request_error', message: words } },
    ]);
    expect(taken.status).toBe(200);

    server.use({ prefill: ({ model }) => (model === 'new' ? 'refuse' : 'continue') });
    expect((await ask(server, PATHS.anthropicMessages, { model: 'new', messages: [hi, prefix] })).status).toBe(400);
    expect((await ask(server, PATHS.anthropicMessages, { messages: [hi, prefix] })).status).toBe(200);
    server.use({ prefill: 'continue' });
  });

  it('should refuse trailing white space as Anthropic does', async () => {
    server.use({});
    const blank = { role: 'assistant', content: 'Marbles ' };

    expect(await ask(server, PATHS.anthropicMessages, { messages: [hi, blank] })).toMatchObject({
      status: 400,
      text: expect.stringContaining('final assistant content cannot end with trailing whitespace'),
    });
    expect((await ask(server, PATHS.openaiChat, { messages: [hi, blank] })).status).toBe(200);
  });
});
