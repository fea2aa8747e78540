import { EMPTY, lastValueFrom, toArray, type Observable } from 'rxjs';
import {
  contentText,
  createExecutor,
  userMessage,
  type InferenceRequest,
  type LlmExecutor,
  type LlmStreamEvent,
  type Message,
} from '../../src/index.js';
import type { ConversationEndEvent, ConverseEvent } from '../../src/tools/ConverseEvent.js';
import type { ConversationState } from '../../src/tools/ConversationState.js';
import { tool, type AnyTool, type ToolContext } from '../../src/tools/tool.js';
import type { ToolOutput } from '../../src/tools/toolOutput.js';

/** What every spec asks. */
export const asked: InferenceRequest = { model: 'test-model', messages: [userMessage('go')] };

/** A tool that takes anything, and counts its runs. */
export function counted(
  name: string,
  execute: (input: unknown, context: ToolContext) => ToolOutput<unknown> = () => `${name} done`,
  options: { needsApproval?: boolean; timeout?: number; idempotent?: boolean } = {},
): AnyTool & { runs: unknown[] } {
  const runs: unknown[] = [];
  const made = tool({
    name,
    description: `Runs ${name}.`,
    inputSchema: { type: 'object' },
    execute: (input: unknown, context) => {
      runs.push(input);
      return execute(input, context);
    },
    ...options,
  });
  return Object.assign(made, { runs });
}

/** Everything that a conversation tells. */
export function heard(conversation: Observable<ConverseEvent>): Promise<ConverseEvent[]> {
  return lastValueFrom(conversation.pipe(toArray()));
}

/** The events that are not the model's own, in short. */
export function inShort(events: readonly ConverseEvent[]): string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case 'step-start':
        return [`step ${event.step}`];
      case 'tool-call-ready':
        return [`ready ${event.id}`];
      case 'tool-call-cancel':
        return [`cancel ${event.id}`];
      case 'tool-execution-start':
        return [`start ${event.id}`];
      case 'tool-execution-progress':
        return [`progress ${event.id} ${JSON.stringify(event.value)}`];
      case 'tool-execution-result':
        return [`${event.reused ? 'reused ' : ''}${event.status} ${event.id}: ${contentText(event.result.content)}`];
      case 'tool-execution-suspended':
        return [`suspended ${event.id}`];
      case 'tool-execution-void':
        return [`void ${event.id} ${event.state}`];
      case 'approval-required':
        return [`approve ${event.calls.map(({ id }) => id).join()}?`];
      case 'step-finish':
        return [`finish ${event.step}`];
      case 'conversation-suspended':
        return ['waits'];
      case 'conversation-end':
        return [event.reason];
      default:
        return [];
    }
  });
}

/** The last event of a conversation that has ended. */
export function endOf(events: readonly ConverseEvent[]): ConversationEndEvent {
  const last = events.at(-1);
  if (last?.type !== 'conversation-end') throw new Error(`the last event is ${last?.type}`);
  return last;
}

/** The state of a conversation that waits, as another process reads it. */
export function stateOf(events: readonly ConverseEvent[]): ConversationState {
  const last = events.at(-1);
  if (last?.type !== 'conversation-suspended') throw new Error(`the last event is ${last?.type}`);
  return stored(last.state);
}

export function stored(state: ConversationState): ConversationState {
  return JSON.parse(JSON.stringify(state)) as ConversationState;
}

/** Messages in short: who says what. */
export function history(messages: readonly Message[]): string[] {
  return messages.map(({ role, content, metadata }) => {
    const said = content.map((block) => {
      if (block.type === 'text') return block.text;
      if (block.type === 'tool-call') return `${block.name}#${block.id}`;
      if (block.type === 'tool-result') return `#${block.toolCallId} ${contentText(block.content)}`;
      return block.type;
    });
    return `${metadata?.['visibility'] === 'internal' ? 'note' : role}: ${said.join(' + ')}`;
  });
}

const LETTERS: Record<string, string> = {
  'step-start': 'S',
  'step-finish': 'F',
  'conversation-end': 'E',
  'conversation-suspended': 'W',
  'approval-required': 'A',
  'tool-execution-start': 'b',
  'tool-execution-progress': 'p',
  'tool-execution-result': 'o',
  'tool-execution-suspended': 'w',
  'tool-execution-void': 'V',
  'tool-call-start': 'c',
  'tool-call-delta': 'd',
  'content-block-stop': 'e',
  'tool-call-ready': 'r',
  'tool-call-cancel': 'x',
  'text-delta': 't',
  'stream-reset': 'R',
  interrupted: 'i',
  resumed: 'u',
  stop: 's',
};

/** Events as the letters that marbles use. */
export const letterOf = ({ type }: ConverseEvent): string => LETTERS[type] ?? '?';

/** An executor whose turns are these streams, one after the other. */
export function turns(...streams: Observable<LlmStreamEvent>[]): LlmExecutor {
  let turn = 0;
  return createExecutor({ name: 'turns', executeStream: () => streams[turn++] ?? EMPTY });
}

/** The model's events as marbles: a call `c`, `d`, `e`, another `C`, `B`, `D`, their stop `s`; text `t` and its stop `f`. */
export const LINE: Record<string, LlmStreamEvent> = {
  c: { type: 'tool-call-start', id: 'a', name: 'look' },
  d: { type: 'tool-call-delta', id: 'a', argsDelta: '{}' },
  e: { type: 'content-block-stop', id: 'a' },
  C: { type: 'tool-call-start', id: 'b', name: 'look' },
  B: { type: 'tool-call-delta', id: 'b', argsDelta: '{}' },
  D: { type: 'content-block-stop', id: 'b' },
  s: { type: 'stop', reason: 'tool-use' },
  t: { type: 'text-delta', text: 'x' },
  f: { type: 'stop', reason: 'end-turn' },
};
