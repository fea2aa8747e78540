import type {
  JsonValue,
  LlmStreamEvent,
  Message,
  StreamResult,
  TokenUsage,
  ToolCall,
  ToolResultBlock,
} from '../contract/index.js';
import type { ConversationState } from './ConversationState.js';
import type { ToolStatus } from './runTool.js';

/** A turn of the model begins. */
export interface StepStartEvent {
  type: 'step-start';
  /** Number of the turn; the first is 1. */
  step: number;
  /** Messages of the user that came in while the conversation ran, and are taken in with this turn. */
  steered: readonly Message[];
}

/** A call is about to run. */
export interface ToolExecutionStartEvent {
  type: 'tool-execution-start';
  id: string;
  name: string;
  arguments: JsonValue;
}

/** A running call tells of its progress. */
export interface ToolExecutionProgressEvent {
  type: 'tool-execution-progress';
  id: string;
  name: string;
  value: unknown;
}

/** What came of a call, whether it was run or not. */
export interface ToolExecutionResultEvent {
  type: 'tool-execution-result';
  id: string;
  name: string;
  status: ToolStatus;
  result: ToolResultBlock;
  /** True when it ran longer than the tool's `timeout`. */
  timedOut?: boolean;
  /** True when it had run before the model's stream started again, and was not run a second time. */
  reused?: boolean;
}

/** A call has been started and cannot end here: somebody outside has to give its result. */
export interface ToolExecutionSuspendedEvent {
  type: 'tool-execution-suspended';
  id: string;
  name: string;
  question?: JsonValue;
}

/**
 * The model's stream has started again after a call had been started: the call is no longer part of the answer, although
 * it has run or still runs. If the same call comes again it is not run a second time.
 */
export interface ToolExecutionVoidEvent {
  type: 'tool-execution-void';
  id: string;
  name: string;
  state: 'started' | 'finished';
}

/** Calls that are not run before somebody has agreed. */
export interface ApprovalRequiredEvent {
  type: 'approval-required';
  calls: readonly ToolCall[];
}

/** One turn of the model, and what its tools said. */
export interface ConversationStep {
  /** Number of the turn; the first is 1. */
  step: number;
  result: StreamResult;
  /** In the order of the calls. */
  toolResults: readonly ToolResultBlock[];
}

/** A turn has ended, and its tools have run. */
export interface StepFinishEvent extends ConversationStep {
  type: 'step-finish';
}

/** The conversation waits for somebody. The last event. */
export interface ConversationSuspendedEvent {
  type: 'conversation-suspended';
  /** To be stored, and given to `resumeConversation`. */
  state: ConversationState;
}

/**
 * Why a conversation ended: the model was done; there were as many turns as are allowed; its answer was longer than is
 * allowed, and stays unfinished; it was stopped by a filter, or refused.
 */
export type ConversationEnd = 'done' | 'max-steps' | 'max-tokens' | 'content-filter' | 'refusal';

/** The conversation has ended. The last event. */
export interface ConversationEndEvent {
  type: 'conversation-end';
  reason: ConversationEnd;
  /** The whole conversation, ready to be asked on. */
  messages: Message[];
  /** The last turn. */
  result: StreamResult;
  /** How many turns there were. */
  steps: number;
  /** Tokens of all turns together. */
  usage?: TokenUsage;
}

/** What a conversation tells: every event of every turn, and what happens between the turns. */
export type ConverseEvent =
  | LlmStreamEvent
  | StepStartEvent
  | ToolExecutionStartEvent
  | ToolExecutionProgressEvent
  | ToolExecutionResultEvent
  | ToolExecutionSuspendedEvent
  | ToolExecutionVoidEvent
  | ApprovalRequiredEvent
  | StepFinishEvent
  | ConversationSuspendedEvent
  | ConversationEndEvent;
