import { TestScheduler } from 'rxjs/testing';
import { textDeltas } from '../../src/operators/textDeltas.js';
import { llmMarbles, stop, text, toolCallStart, usage, type MarbleMessage } from '../../src/testing/index.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

/** What `TestScheduler` makes of a diagram, with a frame of one millisecond. */
function messages(marbles: string, values: object, error?: unknown): MarbleMessage[] {
  return createTestScheduler().run(
    () => TestScheduler.parseMarbles(marbles, values, error, undefined, true) as MarbleMessage[],
  );
}

describe('llmMarbles', () => {
  it('should put events into cold and expectObservable', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  --a--b--(S|)', llmMarbles.values({ a: 'Hello, ', b: 'world' }));
      const sourceSubs = '   ^-------!    ';
      const expected = '     --a--b--|    ';

      expectObservable(source.pipe(textDeltas())).toBe(expected, { a: 'Hello, ', b: 'world' });
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should know letters and stops by themselves', () => {
    const values = llmMarbles.values();

    expect(values['a']).toEqual(text('a'));
    expect(values['z']).toEqual(text('z'));
    expect(['S', 'M', 'T', 'Q', 'F', 'R'].map((name) => values[name])).toEqual(
      (['end-turn', 'max-tokens', 'tool-use', 'stop-sequence', 'content-filter', 'refusal'] as const).map(stop),
    );
  });

  it('should prefer values of the caller', () => {
    const call = toolCallStart('1', 'now');

    expect(llmMarbles.values({ a: call, S: 'text' })).toMatchObject({ a: call, S: text('text') });
  });

  it('should refuse a value that is not one character', () => {
    expect(() => llmMarbles.values({ ab: 'x' })).toThrow('"ab" is not one character');
  });

  describe('parse', () => {
    it('should give the diagram and only the values that stand in it', () => {
      const marbles = '  --a 10ms (bS|)';

      expect(llmMarbles.parse(marbles, { a: 'Hello' })).toEqual({
        marbles,
        values: { a: text('Hello'), b: text('b'), S: stop() },
      });
    });

    it('should say which character stands for nothing', () => {
      expect(() => llmMarbles.parse('--a--X|')).toThrow('"X" in "--a--X|" stands for nothing');
    });

    it('should say which value is not in the diagram', () => {
      expect(() => llmMarbles.parse('--a|', { b: 'x' })).toThrow('"b" is not in "--a|"');
    });

    it('should take no letter of a span of time for an event', () => {
      expect(Object.keys(llmMarbles.parse('a 2s 3m 1.5ms b|').values)).toEqual(['a', 'b']);
    });
  });

  describe('format', () => {
    it('should draw events one a frame', () => {
      const call = toolCallStart('1', 'now');

      expect(llmMarbles.format([text('Hello'), call, text('b'), text('Hello'), stop()])).toEqual({
        marbles: 'abcaS|',
        values: { a: text('Hello'), b: call, c: text('b'), S: stop() },
      });
    });

    it('should draw an empty list as a completion', () => {
      expect(llmMarbles.format([])).toEqual({ marbles: '|', values: {} });
    });

    it.each([
      ['--a--b|', { a: 'Hello' }, undefined],
      ['(abS|)', {}, undefined],
      ['a 500ms b--(cS|)', { c: usage({ promptTokens: 1 }) }, undefined],
      [' 30ms a-#', {}, new Error('cut')],
      ['-a-b-', {}, undefined],
      ['-(ab)--c|', {}, undefined],
    ])('should give back what %p was parsed from', (drawn, own, error) => {
      const { marbles, values } = llmMarbles.parse(drawn, own);
      const parsed = messages(marbles, values, error);

      const back = llmMarbles.format(parsed);

      expect(messages(back.marbles, back.values, error)).toEqual(parsed);
      expect(llmMarbles.parse(back.marbles, back.values)).toEqual(back);
    });

    it('should draw a long silence as a span of time', () => {
      const { marbles, values } = llmMarbles.parse('a 500ms b|');

      expect(llmMarbles.format(messages(marbles, values)).marbles).toBe('a 500ms b|');
    });

    it('should refuse a frame that lies within a group', () => {
      const within: MarbleMessage[] = [
        { frame: 0, notification: { kind: 'N', value: text('a') } },
        { frame: 0, notification: { kind: 'N', value: text('b') } },
        { frame: 1, notification: { kind: 'C' } },
      ];

      expect(() => llmMarbles.format(within)).toThrow('frame 1 lies within the group');
    });

    it('should refuse more events than there are characters', () => {
      const events = Array.from({ length: 60 }, (_, index) => text(`${index}`));

      expect(() => llmMarbles.format(events)).toThrow('different events');
    });
  });
});
