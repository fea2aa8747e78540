import { EMPTY, Observable } from 'rxjs';
import type { InferenceRequest, LlmExecutor, Message } from '../contract/index.js';
import { Conversation } from './Conversation.js';
import { readDecisions, readState, type ConversationState } from './ConversationState.js';
import { checkConfig, type ConverseConfig, type ResumeConfig } from './ConverseConfig.js';
import type { ConverseEvent } from './ConverseEvent.js';

/**
 * Talks with a model until it is done: streams a turn, runs the tools that it calls, sends their results, and so on.
 *
 * Emits every event of every turn, with a `tool-call-ready` for each call that is whole, then what the tools do, and at the
 * end the whole conversation as `conversation-end`. Each turn recovers by itself. A call runs at most once, whatever is
 * recovered; one that a dropped connection has cancelled is named to the model in the next turn. A conversation that has
 * to wait for somebody ends in `conversation-suspended`, whose state can be stored and given to
 * {@link resumeConversation}.
 *
 * Errors of the model that cannot be recovered pass through, with the snapshot of the turn; those of tools become failed
 * results that the model reads. Unsubscribing stops the model's stream, or the wait for its recovery, and aborts the
 * signals of the tools that run. Each subscription is a conversation of its own.
 * ```text
 * model     --(call)--s|              --t--s|         s: stop, t: text
 * tool                  ----r|                        r: result
 * converse  S-(call)-s-b----rF S------t--s(FE|)       S: step-start, b: tool-execution-start, F: step-finish
 * ```
 * @example A model with a tool
 * ```ts
 * import { converse, tool, userMessage, type LlmExecutor } from 'rx-llm';
 *
 * declare const executor: LlmExecutor;
 * const clock = tool({
 *   name: 'clock',
 *   description: 'Tells the time of a city.',
 *   inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
 *   execute: ({ city }) => `It is noon in ${city}.`,
 * });
 *
 * const request = { model: 'gpt-4o', messages: [userMessage('How late is it in Lima?')] };
 * converse(executor, request, { tools: [clock] }).subscribe((event) => {
 *   if (event.type === 'text-delta') console.log(event.text);
 *   if (event.type === 'tool-execution-result') console.log(event.name, event.status);
 *   if (event.type === 'conversation-end') console.log(event.messages.length);
 * });
 * ```
 * @param executor - The model. With `recover` left as it is, it need not recover by itself.
 * @param request - The conversation so far. Calls of its own `tools`, which have no `execute`, suspend the conversation
 * until somebody gives their results.
 * @param config - See {@link ConverseConfig}.
 * @throws RangeError or TypeError on a configuration that makes no sense.
 */
export function converse(
  executor: LlmExecutor,
  request: InferenceRequest,
  config: ConverseConfig = {},
): Observable<ConverseEvent> {
  checkConfig(config);
  return withSteering(config, [], (steered) => new Conversation(executor, request, config, steered));
}

/**
 * Goes on with a conversation that was suspended, or whose process died, in this process or another.
 *
 * Calls that have run are not run again: their results are in the state. One that had been started when the process died
 * is answered as `unknown`, unless its tool is `idempotent`: then it is run again. Emits, ends and is
 * unsubscribed as {@link converse}.
 *
 * @example Approve a call days later
 * ```ts
 * import { resumeConversation, type AnyTool, type ConversationState, type LlmExecutor } from 'rx-llm';
 *
 * declare const executor: LlmExecutor;
 * declare const tools: AnyTool[];
 * declare const stored: string;
 *
 * const state = JSON.parse(stored) as ConversationState;
 * const decisions = Object.fromEntries(state.pending.map(({ id }) => [id, 'approve' as const]));
 * resumeConversation(executor, state, { tools, decisions }).subscribe((event) => console.log(event.type));
 * ```
 * @param executor - The model.
 * @param state - What `conversation-suspended` or `checkpoint` gave.
 * @param config - As for {@link converse}, and the decisions; see {@link ResumeConfig}.
 * @throws TypeError on what is no state, or decisions that do not fit it.
 */
export function resumeConversation(
  executor: LlmExecutor,
  state: ConversationState,
  config: ResumeConfig = {},
): Observable<ConverseEvent> {
  checkConfig(config);
  const { request, pending, steered: before = [] } = readState(state);
  readDecisions(pending, config.decisions ?? {});
  return withSteering(config, before, (steered) => new Conversation(executor, request, config, steered, state));
}

/** Listens to the user for as long as the conversation runs. */
function withSteering(
  { steer = EMPTY }: ConverseConfig,
  before: readonly Message[],
  begin: (steered: Message[]) => Conversation,
): Observable<ConverseEvent> {
  return new Observable((subscriber) => {
    const steered = [...before];
    subscriber.add(
      steer.subscribe({
        next: (message) => steered.push(message),
        error: (error: unknown) => subscriber.error(error),
      }),
    );
    if (!subscriber.closed) begin(steered).run().subscribe(subscriber);
  });
}
