import { from, of } from 'rxjs';
import {
  needsTruncationRecovery,
  type ContentBlock,
  type LlmStreamEvent,
  type StopReason,
  type StreamResult,
  type ToolCall,
} from '../../src/index.js';
import { continueOnMaxTokens } from '../../src/operators/continueOnMaxTokens.js';
import { args, request, start, stop, text } from '../helpers/events.js';
import { inOurWords, referenceCases, titleOf, type ReferenceCase } from '../helpers/reference.js';

type TruncationInput = {
  result: {
    stop_reason: string | null;
    content?: ContentBlock[];
    tool_calls?: ToolCall[];
    has_incomplete_tool_calls?: boolean;
  };
  used: number;
  max_retries: number;
};

/** Where our answer is another one, and why. */
const OURS: Record<string, [why: string, retry: boolean, stops: StopReason | undefined]> = {
  T04: ['the call that is whole is kept and its tool asked first; nothing is thrown away (W18)', false, 'tool-use'],
  T09: ['a stream without a stop has been cut, which is an error and a matter of recover (W9)', false, undefined],
};

/** The stream that would have brought a result, and what the operator makes of it. */
function run({ input }: ReferenceCase) {
  const { result, used, max_retries: most } = input as TruncationInput;
  const { content = [], tool_calls = [], has_incomplete_tool_calls: cut, stop_reason } = result;
  const events: LlmStreamEvent[] = content.flatMap((block) => (block.type === 'text' ? [text(block.text)] : []));
  for (const { id, name, arguments: json } of tool_calls) events.push(start(id, name), args(id, JSON.stringify(json)));
  if (cut) events.push(start('cut', 'cut'), args('cut', '{"half'));
  if (stop_reason !== null) events.push(stop(inOurWords(stop_reason, 'stop_reason') as StopReason));
  let retries = 0;
  let stops: StopReason | undefined;
  from(events)
    .pipe(
      continueOnMaxTokens({
        request,
        count: most - used,
        resubscribe: () => (retries++, of(text('the rest'), stop())),
      }),
    )
    .subscribe({ next: (event) => (stops = event.type === 'stop' ? event.reason : stops), error: () => undefined });
  return { retry: retries > 0, stops };
}

describe('continueOnMaxTokens, by the cases of the reference', () => {
  it.each(referenceCases('truncation').map((test) => [titleOf(test), test] as const))(
    'should answer as the reference or better, %s',
    (_, test) => {
      const { retry } = test.expected as { retry: boolean };
      const reason = (test.input as TruncationInput).result.stop_reason;
      const own = reason === null ? undefined : (inOurWords(reason, 'stop_reason') as StopReason);
      const [, better = retry, stops = retry ? 'end-turn' : own] = OURS[test.id] ?? [];
      if (test.defect !== undefined && OURS[test.id] === undefined) throw new Error(`${test.id}: say what is better`);

      expect(run(test)).toEqual({ retry: better, stops });
    },
  );

  it.each(referenceCases('truncation').map((test) => [titleOf(test), test] as const))(
    'should know a result that is worth continuing as the reference does, %s',
    (_, { input, expected }) => {
      const { result } = input as TruncationInput;
      const ours: StreamResult = {
        content: result.content ?? [],
        toolCalls: result.tool_calls ?? [],
        hasIncompleteToolCalls: result.has_incomplete_tool_calls ?? false,
        ...(result.stop_reason !== null && {
          stopReason: inOurWords(result.stop_reason, 'stop_reason') as StopReason,
        }),
      };

      expect(needsTruncationRecovery(ours)).toBe((expected as { needs_recovery: boolean }).needs_recovery);
    },
  );
});
