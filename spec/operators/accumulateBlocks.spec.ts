import fc from 'fast-check';
import { Accumulator } from '../../src/recovery/accumulator.js';
import type { ConverseEvent, LlmStreamEvent } from '../../src/index.js';
import { args, close, reasoning, RESET, start, stop, text } from '../helpers/events.js';

const turn = { type: 'step-start', step: 1, steered: [] } as ConverseEvent;
const id = fc.constantFrom('1', '2', '3');
const event: fc.Arbitrary<LlmStreamEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(text('a'), text(''), reasoning('b')) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(close(), { ...close(), providerMetadata: { provider: 'p', signature: 's' } }),
  },
  { weight: 2, arbitrary: id.map((call) => start(call, 'f')) },
  { weight: 2, arbitrary: fc.tuple(id, fc.constantFrom('{}', '{"a"', ':1}')).map(([call, json]) => args(call, json)) },
  { weight: 2, arbitrary: id.map((call) => close(call)) },
  id.map((call): LlmStreamEvent => ({ type: 'tool-call-cancel', id: call, name: 'f', reason: '' })),
  id.map((call): LlmStreamEvent => ({ type: 'tool-call-ready', id: call, name: 'f', arguments: { b: 2 } })),
  fc.constantFrom<LlmStreamEvent>(
    { type: 'provider-block', provider: 'p', block: { c: 3 } },
    { type: 'stream-reset', reason: '' },
    { type: 'interrupted', cause: RESET, plan: { kind: 'continue-text', assistantPrefix: 'a' }, attempt: 1, delay: 0 },
    { type: 'resumed', attempt: 2, seam: { mechanism: 'prefill', at: 1, method: 'exact', cut: 0, confidence: 1 } },
    stop('tool-use'),
    // Of a conversation: what has stopped goes on.
    turn as LlmStreamEvent,
  ),
);

describe('Accumulator', () => {
  it('should list the same blocks whether it was asked at each event or once', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const asked = new Accumulator();
        events.forEach((one, index) => {
          asked.push(one);
          const fresh = new Accumulator();
          for (const before of events.slice(0, index + 1)) fresh.push(before);
          expect(asked.result()).toEqual(fresh.result());
        });
      }),
      { numRuns: 500, seed: 20_261_123 },
    );
  });

  it('should list thoughts anew whose signature goes when another generation goes on', () => {
    const seen = new Accumulator();
    seen.push(text('a'));
    seen.push({ ...reasoning('b'), providerMetadata: { signature: 's' } });
    seen.push({ type: 'provider-block', provider: 'p', block: 1 });
    seen.result();
    seen.push({
      type: 'resumed',
      attempt: 2,
      seam: { mechanism: 'prompt', at: 1, method: 'anchor', cut: 0, confidence: 1 },
    });

    expect(seen.result().content[1]).toEqual({ type: 'reasoning', text: 'b' });
  });

  it('should not change a list of blocks that it has given away', () => {
    const seen = new Accumulator();
    seen.push(text('a'));
    const before = seen.result();
    seen.push(text('b'));
    seen.push(reasoning('c'));
    seen.result();

    expect(before.content).toEqual([{ type: 'text', text: 'a' }]);
  });

  it('should give blocks that did not change as the same objects', () => {
    const seen = new Accumulator();
    for (const one of [reasoning('a'), text('b'), start('1', 'f'), args('1', '{}'), close('1')]) seen.push(one);
    const before = seen.result();
    seen.push(text('c'));
    const { content, toolCalls } = seen.result();

    for (const [index, block] of before.content.entries()) expect(content[index]).toBe(block);
    expect(toolCalls).toBe(before.toolCalls);
  });
});
