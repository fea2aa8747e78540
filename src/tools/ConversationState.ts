import type {
  InferenceRequest,
  JsonObject,
  JsonValue,
  Message,
  StreamResult,
  TokenUsage,
  ToolCall,
} from '../contract/index.js';
import type { LedgerEntry } from './ToolLedger.js';

/** A call that waits for somebody. */
export interface PendingCall extends ToolCall {
  /** For somebody to say whether it may run, or for somebody to give its result. */
  waitsFor: 'approval' | 'result';
  /** What the tool asks. */
  question?: JsonValue;
  /**
   * What has been decided about it, in a `checkpoint` that was taken before it was dealt with. It holds when the conversation
   * is resumed, unless something else is said then.
   */
  decision?: ToolDecision;
}

/**
 * A conversation between two moments: everything that is needed to go on with it in this process or another. Plain JSON:
 * `JSON.parse(JSON.stringify(state))` is as good.
 */
export interface ConversationState {
  version: 1;
  /** The conversation up to the turn that is under way. */
  request: InferenceRequest;
  /** Number of the turn that is under way; the first is 1. */
  step: number;
  /** What the model has said in it; absent while there is nothing to go on from but the request. */
  result?: StreamResult;
  /** The calls that wait, and in a `checkpoint` those that have been decided about and not been dealt with yet. */
  pending: PendingCall[];
  /** What is known of the calls of the turn. */
  ledger: LedgerEntry[];
  /** Messages of the user that have not been taken in yet. */
  steered: Message[];
  /** Tokens of the turns before. */
  usage?: TokenUsage;
}

/**
 * What is said about a call that waits. `approve`: run it. `deny`: do not, and tell the model so, with the reason where
 * one is given. `suspend`: ask again later, in another process perhaps. `result`: take this for what it returned.
 */
export type ToolDecision = 'approve' | 'deny' | 'suspend' | { deny: string } | { result: unknown };

/** What is said about calls that wait, by the id of the call. */
export type ToolDecisions = Readonly<Record<string, ToolDecision>>;

/** Reads a stored state. @throws TypeError when it is none. */
export function readState(state: ConversationState): ConversationState {
  const read: unknown = state;
  const { version, request, step, pending, ledger } = isObject(read) ? read : {};
  const sound = isObject(request) && Array.isArray(request['messages']) && typeof step === 'number';
  if (!sound || !Array.isArray(pending) || !Array.isArray(ledger)) {
    throw new TypeError('resumeConversation: give the state that conversation-suspended or checkpoint gave');
  }
  if (version !== 1)
    throw new TypeError(`resumeConversation: cannot read a state of version ${JSON.stringify(version)}`);
  return state;
}

/** Checks decisions against the calls that wait. @throws TypeError when they do not fit. */
export function readDecisions(calls: readonly PendingCall[], decisions: ToolDecisions): ToolDecisions {
  for (const [id, decision] of Object.entries(decisions)) {
    const call = calls.find((waiting) => waiting.id === id);
    if (call === undefined) {
      const ids = calls.map((waiting) => waiting.id).join(', ') || 'none';
      throw new TypeError(`converse: a decision names ${JSON.stringify(id)}, but the calls that wait are: ${ids}`);
    }
    if (!isDecision(decision)) {
      throw new TypeError(
        `converse: the decision about ${id} is ${JSON.stringify(decision)}; use "approve", "deny", "suspend", { deny } or { result }`,
      );
    }
    if (decision === 'approve' && call.waitsFor === 'result') {
      throw new TypeError(`converse: ${id} (${call.name}) waits for its result; give { result }, or deny it`);
    }
  }
  return decisions;
}

/** The state with what has been decided about its calls, as it is stored. @throws TypeError when they do not fit it. */
export function withDecisions(state: ConversationState, decisions: ToolDecisions): ConversationState {
  const { pending } = readState(state);
  readDecisions(pending, decisions);
  return { ...state, pending: pending.map((call) => decided(call, decisionIn(decisions, call.id, call.decision))) };
}

/** A call that waits, with what has been decided about it, as it is stored. */
export function decided({ decision: _, ...call }: PendingCall, decision: ToolDecision): PendingCall {
  if (decision === 'suspend') return call;
  // JSON has no undefined: it is told as a text that is empty is.
  const isNothing = typeof decision === 'object' && 'result' in decision && decision.result === undefined;
  return { ...call, decision: isNothing ? { result: '' } : decision };
}

/** Ids come from outside: one may be called like a member of every object. */
export function decisionIn(decisions: ToolDecisions, id: string, before: ToolDecision = 'suspend'): ToolDecision {
  return (Object.hasOwn(decisions, id) ? decisions[id] : undefined) ?? before;
}

/** Reads what `approve` has said: one word for all calls, or one decision for each. @throws TypeError as above. */
export function readSaid(calls: readonly ToolCall[], said: unknown): ToolDecisions {
  const waiting = calls.map((call): PendingCall => ({ ...call, waitsFor: 'approval' }));
  if (isObject(said)) return readDecisions(waiting, said as ToolDecisions);
  return readDecisions(waiting, Object.fromEntries(calls.map(({ id }) => [id, said as ToolDecision])));
}

function isDecision(value: unknown): value is ToolDecision {
  if (typeof value === 'string') return value === 'approve' || value === 'deny' || value === 'suspend';
  return isObject(value) && (typeof value['deny'] === 'string' || 'result' in value);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
