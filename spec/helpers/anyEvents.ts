import fc from 'fast-check';
import type { ConverseEvent, LlmStreamEvent } from 'rx-llm';

const calls = ['t1', 't2', 't3'];
const call = fc.constantFrom(...calls);
const words = fc.constantFrom('', 'a', 'Marbles roll. ', '\u2028', '"}', '😀');

/** Any event of an answer, in any order, whether it makes sense or not. */
const anyEvent: fc.Arbitrary<LlmStreamEvent> = fc.oneof(
  { weight: 5, arbitrary: words.map((text): LlmStreamEvent => ({ type: 'text-delta', text })) },
  { weight: 2, arbitrary: words.map((text): LlmStreamEvent => ({ type: 'reasoning-delta', text })) },
  { weight: 3, arbitrary: call.map((id): LlmStreamEvent => ({ type: 'tool-call-start', id, name: `name-${id}` })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(call, fc.constantFrom('', '{', '{"a":1}', '}'))
      .map(([id, argsDelta]): LlmStreamEvent => ({ type: 'tool-call-delta', id, argsDelta })),
  },
  { weight: 2, arbitrary: call.map((id): LlmStreamEvent => ({ type: 'content-block-stop', id })) },
  fc.constant<LlmStreamEvent>({ type: 'content-block-stop' }),
  call.map((id): LlmStreamEvent => ({ type: 'tool-call-ready', id, name: `name-${id}`, arguments: { a: 1 } })),
  call.map((id): LlmStreamEvent => ({ type: 'tool-call-cancel', id, name: `name-${id}`, reason: 'idle stall' })),
  fc.constant<LlmStreamEvent>({ type: 'stream-reset', reason: 'connection reset' }),
  fc.constant<LlmStreamEvent>({
    ...{ type: 'interrupted', cause: { kind: 'connection-reset' }, plan: { kind: 'whole-restart' } },
    ...{ attempt: 1, delay: 0 },
  }),
  fc.constant<LlmStreamEvent>({ type: 'resumed', attempt: 2, seam: null }),
  fc.constant<LlmStreamEvent>({ type: 'usage', usage: { promptTokens: 3, completionTokens: 4 } }),
  fc.constant<LlmStreamEvent>({ type: 'provider-block', provider: 'anthropic', block: { type: 'x' } }),
);

/** Any answer, or any conversation: what comes in between is in any order, the end is as it has to be. */
export const anyEvents: fc.Arbitrary<ConverseEvent[]> = fc
  .array(fc.array(anyEvent, { maxLength: 25 }), { minLength: 1, maxLength: 3 })
  .map((turns) =>
    turns.flatMap((events, index): ConverseEvent[] => {
      const stop: ConverseEvent = { type: 'stop', reason: 'end-turn' };
      if (turns.length === 1) return [...events, stop];
      const result = { content: [], toolCalls: [], hasIncompleteToolCalls: false };
      return [
        { type: 'step-start', step: index + 1, steered: [] },
        ...events,
        stop,
        { type: 'step-finish', step: index + 1, result, toolResults: [] },
      ];
    }),
  );
