import fc from 'fast-check';
import { openaiCompatible } from '../../../src/providers/openai/index.js';
import { call, chunk, finish, read, resultOf, sse, type Factory } from './chatHelpers.js';

const together: Factory = (options) => openaiCompatible('together', options);
const groq: Factory = (options) => openaiCompatible('groq', options);

/** Text and reasoning of an answer whose text comes in these pieces. */
async function spoken(pieces: string[], factory = together): Promise<[reasoning: string, text: string]> {
  const body = sse(...pieces.map((content) => chunk({ content })), finish('stop'), '[DONE]');
  const { content } = await resultOf(factory, body);
  const of = (type: string) =>
    content.map((block) => (block.type === type && 'text' in block ? block.text : '')).join('');
  return [of('reasoning'), of('text')];
}

describe('reasoning between think tags', () => {
  it.each<[string, string, [string, string]]>([
    ['reasoning and text', '<think>\nhm\n</think>\n\nHello', ['hm\n', 'Hello']],
    ['white space before the tag', '\n <think>hm</think>Hello', ['hm', 'Hello']],
    ['no reasoning in it', '<think>\n\n</think>\n\nHello', ['', 'Hello']],
    ['no text after it', '<think>hm</think>\n', ['hm', '']],
    ['no end', '<think>hm </thi', ['hm </thi', '']],
    ['a tag that is none', '<thinker>Hello', ['', '<thinker>Hello']],
    ['a beginning that is none', '<thi', ['', '<thi']],
    ['a tag further on', 'Use <think>x</think>', ['', 'Use <think>x</think>']],
    ['a second tag', '<think>a</think>b<think>c</think>', ['a', 'b<think>c</think>']],
    ['angle brackets in the reasoning', '<think>a < b </thin></think>c', ['a < b </thin>', 'c']],
    ['white space only', ' \n', ['', ' \n']],
    ['white space before text', '  Hello', ['', '  Hello']],
  ])('should be told from the text, with %s, wherever the deltas are cut', async (_, whole, expected) => {
    expect(await spoken([whole])).toEqual(expected);
    expect(await spoken([...whole])).toEqual(expected);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 4 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
        expect(await spoken(at.slice(1).map((end, i) => whole.slice(at[i], end)))).toEqual(expected);
      }),
      { seed: 7, numRuns: 30 },
    );
  });

  it('should be told at once, but for what may be a tag', async () => {
    const { events } = await read(
      together,
      sse(chunk({ content: '<think>ab<' }), chunk({ content: 'c' }), finish('stop')),
    );

    expect(events.map((event) => ('text' in event ? event.text : event.type))).toEqual(['ab', '<c', 'stop']);
  });

  it('should give way to a call, and leave nothing behind', async () => {
    const { events } = await read(
      together,
      sse(chunk({ content: '<think>ab</' }), call(0, 'a', 'f', '{}'), finish('tool_calls')),
    );

    expect(events.map(({ type }) => type)).toEqual([
      'reasoning-delta',
      'reasoning-delta',
      'tool-call-start',
      'tool-call-delta',
      'content-block-stop',
      'stop',
    ]);
  });

  it('should stay in the text where the vendor has a setting of its own, unless the option says otherwise', async () => {
    const tagged: Factory = (options) => openaiCompatible('groq', { ...options, thinkTags: true });
    const untagged: Factory = (options) => openaiCompatible('together', { ...options, thinkTags: false });

    expect(await spoken(['<think>a</think>b'], groq)).toEqual(['', '<think>a</think>b']);
    expect(await spoken(['<think>a</think>b'], tagged)).toEqual(['a', 'b']);
    expect(await spoken(['<think>a</think>b'], untagged)).toEqual(['', '<think>a</think>b']);
  });
});
