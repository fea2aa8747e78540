import { assistantMessage, toolMessage, userMessage, type JsonObject, type Message } from '../../src/index.js';
import { anthropicFaults, messageFaults, openaiChatFaults } from './wireHistory.js';

const user = (...content: JsonObject[]): JsonObject => ({ role: 'user', content });
const assistant = (...content: JsonObject[]): JsonObject => ({ role: 'assistant', content });
const words = (text = 'go'): JsonObject => ({ type: 'text', text });
const use = (id: string): JsonObject => ({ type: 'tool_use', id, name: 'look', input: {} });
const result = (id: string): JsonObject => ({ type: 'tool_result', tool_use_id: id });

describe('anthropicFaults', () => {
  it('should find nothing in a valid history', () => {
    const messages = [user(words()), assistant(words(), use('a'), use('b')), user(result('a'), result('b'), words())];

    expect(anthropicFaults({ messages })).toEqual([]);
    expect(anthropicFaults({ messages: [...messages, assistant(words())] })).toEqual([]);
  });

  it.each<[string, JsonObject[]]>([
    ['no messages', []],
    ['roles do not alternate', [assistant(words())]],
    ['roles do not alternate', [user(words()), user(words())]],
    ['empty content', [user()]],
    ['blank text', [user(words(' '))]],
    ['answers nothing, asked for a', [user(words()), assistant(use('a')), user(words())]],
    ['answers b, asked for a', [user(words()), assistant(use('a')), user(result('b'))]],
    ['answers a, asked for nothing', [user(result('a'))]],
    ['a tool_result after something else', [user(words()), assistant(use('a')), user(words(), result('a'))]],
    ['the same id twice', [user(words()), assistant(use('a'), use('a')), user(result('a'), result('a'))]],
    ['a bad tool_use', [user(words()), assistant(use('a b')), user(result('a b'))]],
    ['tool_use of the user', [user(use('a'))]],
    ['no valid prefill', [user(words()), assistant(words('a '))]],
    ['no valid prefill', [user(words()), assistant(use('a'))]],
  ])('should find: %s', (fault, messages) => {
    expect(anthropicFaults({ messages }).join('; ')).toContain(fault);
  });
});

describe('openaiChatFaults', () => {
  const call = (id: string, args = '{}'): JsonObject => ({
    id,
    type: 'function',
    function: { name: 'look', arguments: args },
  });
  const calls = (...made: JsonObject[]): JsonObject => ({ role: 'assistant', content: null, tool_calls: made });
  const answer = (id: string, content = 'seen'): JsonObject => ({ role: 'tool', tool_call_id: id, content });
  const says = (role: string, content: string | null = 'go'): JsonObject => ({ role, content });

  it('should find nothing in a valid history', () => {
    const messages = [
      says('user'),
      calls(call('a'), call('b')),
      answer('b'),
      answer('a'),
      says('user'),
      says('assistant'),
    ];

    expect(openaiChatFaults({ messages })).toEqual([]);
  });

  it.each<[string, JsonObject[]]>([
    ['no messages', []],
    ['no answer to b', [calls(call('a'), call('b')), answer('a'), says('user')]],
    ['no answer to a', [calls(call('a'))]],
    ['answers a, which is not open', [calls(call('a')), answer('a'), answer('a')]],
    ['empty content', [calls(call('a')), answer('a', '')]],
    ['empty content', [says('assistant', null)]],
    ['empty content', [says('user', '')]],
    ['arguments that are no JSON', [calls(call('a', '{"')), answer('a')]],
    ['the same id twice', [calls(call('a'), call('a')), answer('a')]],
  ])('should find: %s', (fault, messages) => {
    expect(openaiChatFaults({ messages }).join('; ')).toContain(fault);
  });
});

describe('messageFaults', () => {
  const asks = (...ids: string[]): Message =>
    assistantMessage(ids.map((id) => ({ type: 'tool-call', id, name: 'look', arguments: {} })));

  it('should find nothing in a valid history', () => {
    const messages = [
      userMessage('go'),
      asks('a', 'b'),
      toolMessage('a', '1'),
      toolMessage('b', '2'),
      assistantMessage('x'),
    ];

    expect(messageFaults(messages)).toEqual([]);
  });

  it.each<[string, Message[]]>([
    ['answers b out of order', [asks('a', 'b'), toolMessage('b', '2'), toolMessage('a', '1')]],
    ['no answer to a', [asks('a')]],
    ['no answer to b', [asks('a', 'b'), toolMessage('a', '1'), userMessage('go')]],
    ['empty content', [assistantMessage([])]],
    ['empty result', [asks('a'), toolMessage('a', [])]],
    ['calls of somebody else', [{ ...asks('a'), role: 'user' }]],
    ['a second turn of the assistant', [assistantMessage('a'), assistantMessage('b')]],
  ])('should find: %s', (fault, messages) => {
    expect(messageFaults(messages).join('; ')).toContain(fault);
  });
});
