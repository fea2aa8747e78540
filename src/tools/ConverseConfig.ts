import type { Observable, ObservableInput, SchedulerLike } from 'rxjs';
import type { Message, ToolCall, ToolExecutionMode } from '../contract/index.js';
import type { RecoverConfig } from '../operators/RecoverConfig.js';
import type { ConversationState, ToolDecision, ToolDecisions } from './ConversationState.js';
import type { ConversationStep } from './ConverseEvent.js';
import type { AnyTool } from './tool.js';
import type { ToolOutput } from './toolOutput.js';

/** Configuration of `converse`. */
export interface ConverseConfig {
  /** The tools that the model may call. Defaults to none. */
  tools?: readonly AnyTool[];
  /**
   * How the calls of a turn are run. `sequential`: one after the other; the first that has to wait ends the turn, and the
   * rest are answered as not run. `parallel-batch-approval`: all are offered for approval together, then run at once.
   * `parallel-streaming`: each as soon as its own block has closed, while the model still speaks. Defaults to `sequential`.
   */
  mode?: ToolExecutionMode;
  /** Most calls that run at the same time in the parallel modes. Defaults to 8. */
  concurrency?: number;
  /** Most turns of the model, those before a suspension included. Defaults to 20. */
  maxSteps?: number;
  /** How often a turn that ran into its token limit is continued. Defaults to 2. */
  maxTokensContinuations?: number;
  /**
   * Decides about calls that need approval: one decision for all of them, or one for each by the id of the call; a call
   * that is not named, and every call when nothing is said, is suspended. One that throws errors the conversation. Without
   * it the conversation is suspended.
   */
  approve?: (calls: readonly ToolCall[]) => ToolOutput<Extract<ToolDecision, string> | ToolDecisions>;
  /** How each turn recovers; see `recover`. `false` leaves that to the executor. Defaults to the defaults of `recover`. */
  recover?: Partial<Omit<RecoverConfig, 'request'>> | false;
  /** Called when a turn has ended and its tools have run. One that throws errors the conversation. */
  onStep?: (step: ConversationStep) => void;
  /**
   * Messages that the user says while the conversation runs: each is taken in before the next turn, and makes one where
   * the conversation would have ended. Its errors error the conversation. Defaults to none.
   */
  steer?: Observable<Message>;
  /**
   * Stores the conversation, so that another process can go on with it when this one dies. Called before each turn, before
   * a call is run and after it, and when the conversation is suspended, one call after the other; what it returns is
   * waited for, so that no call runs that is not on record. An error errors the conversation. Defaults to storing nothing.
   */
  checkpoint?: (state: ConversationState) => ObservableInput<unknown> | void;
  /** Gives the time. Defaults to `asyncScheduler`. */
  scheduler?: SchedulerLike;
}

/** Configuration of `resumeConversation`. */
export interface ResumeConfig extends ConverseConfig {
  /**
   * What has been decided about the calls that wait, by the id of the call; one that is not named goes on waiting, unless the
   * state says what was decided before its process died. Defaults to nothing, as for a conversation whose process died.
   */
  decisions?: ToolDecisions;
}

const MODES: readonly unknown[] = ['sequential', 'parallel-batch-approval', 'parallel-streaming'];

/** @throws RangeError or TypeError for what makes no sense. */
export function checkConfig(config: ConverseConfig): void {
  const { tools = [], mode = 'sequential', concurrency = 1, maxSteps = 1, maxTokensContinuations = 0 } = config;
  if (!MODES.includes(mode))
    throw new TypeError(`converse: unknown mode ${JSON.stringify(mode)}; use ${MODES.join(', ')}`);
  if (!(concurrency >= 1)) throw new RangeError('converse: concurrency must be at least 1');
  if (!(maxSteps >= 1)) throw new RangeError('converse: maxSteps must be at least 1');
  if (!(maxTokensContinuations >= 0)) throw new RangeError('converse: maxTokensContinuations must be 0 or more');
  const names = tools.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`converse: two tools are called ${twice}`);
}
