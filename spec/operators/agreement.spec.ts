import fc from 'fast-check';
import { from, lastValueFrom, toArray } from 'rxjs';
import { accumulate, contentText, partialToolArguments, textDeltas, toolCalls } from '../../src/index.js';
import type { LlmStreamEvent } from '../../src/index.js';
import { anyEvents } from '../helpers/anyEvents.js';

/** Any answer: its events in any order, and a stop. */
const anyAnswer = anyEvents.filter((events) => events.every(({ type }) => type !== 'step-start'));

describe('the readers of an answer', () => {
  it('should say the same of it, whatever order its events come in', async () => {
    const property = fc.asyncProperty(anyAnswer, async (given) => {
      const events = given as LlmStreamEvent[];
      const { content, toolCalls: calls } = await lastValueFrom(from(events).pipe(accumulate()));
      // What others have read before a reset or the cancellation of a call cannot be taken back from them.
      const lasting = from(events.slice(events.findLastIndex(({ type }) => type === 'stream-reset') + 1));
      const cancelled = new Set(events.flatMap((event) => (event.type === 'tool-call-cancel' ? [event.id] : [])));
      const asRead = (read: { id: string; value: unknown }[]): unknown =>
        Object.fromEntries(read.filter(({ id }) => !cancelled.has(id)).map(({ id, value }) => [id, value]));
      const expected = asRead(calls.map(({ id, arguments: value }) => ({ id, value })));

      const whole = await lastValueFrom(lasting.pipe(toolCalls(), toArray()));
      const grown = await lastValueFrom(lasting.pipe(partialToolArguments(), toArray()));
      const texts = await lastValueFrom(lasting.pipe(textDeltas(), toArray()));

      expect(asRead(whole.map(({ id, arguments: value }) => ({ id, value })))).toEqual(expected);
      expect(asRead(grown.filter(({ complete }) => complete))).toEqual(expected);
      expect(texts.join('')).toBe(contentText(content));
    });
    await fc.assert(property, { numRuns: 2_000 });
  });
});
