import type { ContinuationMechanism, ContinuationNote, RunCursor } from './continuation.js';
import type { ProviderMetadata } from './content.js';
import type { InterruptCause } from './interruption.js';
import type { JsonValue } from './json.js';
import type { RecoveryPlan } from './planRecovery.js';
import type { StopReason } from './result.js';
import type { TokenUsage } from './usage.js';

/** What a provider adds to an event: opaque data of the block, the cursor of its run, how a continuation was sent. */
export interface EventMetadata extends ProviderMetadata {
  /** Where the provider's run can be attached to again after this event. */
  cursor?: RunCursor;
  /** On the first event of a continued stream: how it was asked for. */
  continuation?: ContinuationNote;
}

/** What every event may carry. */
export interface EventBase {
  /** Opaque data of the provider; absent where it has none. */
  providerMetadata?: EventMetadata;
}

/** A piece of the answer's text. */
export interface TextDeltaEvent extends EventBase {
  type: 'text-delta';
  text: string;
}

/** A piece of the model's reasoning. */
export interface ReasoningDeltaEvent extends EventBase {
  type: 'reasoning-delta';
  text: string;
}

/** The model opens a tool call. */
export interface ToolCallStartEvent extends EventBase {
  type: 'tool-call-start';
  id: string;
  name: string;
}

/** A piece of the JSON text of a call's arguments. */
export interface ToolCallDeltaEvent extends EventBase {
  type: 'tool-call-delta';
  id: string;
  argsDelta: string;
}

/** A block has closed: the tool call `id`, or without an id the open text or reasoning. */
export interface ContentBlockStopEvent extends EventBase {
  type: 'content-block-stop';
  id?: string;
}

/** Tokens of the running attempt so far; a later report of the attempt replaces an earlier one. */
export interface UsageEvent extends EventBase {
  type: 'usage';
  usage: TokenUsage;
}

/** The end. Nothing follows it. */
export interface StopEvent extends EventBase {
  type: 'stop';
  reason: StopReason;
}

/** An opaque block of the provider, to be echoed verbatim. */
export interface ProviderBlockEvent extends EventBase {
  type: 'provider-block';
  provider: string;
  block: JsonValue;
}

/** Said by recovery: the call was whole when the stream broke, and may be run. */
export interface ToolCallReadyEvent extends EventBase {
  type: 'tool-call-ready';
  id: string;
  name: string;
  arguments: JsonValue;
}

/** Said by recovery: the call that was shown as open will not come. */
export interface ToolCallCancelEvent extends EventBase {
  type: 'tool-call-cancel';
  id: string;
  name: string;
  reason: string;
}

/** Said by recovery: everything that was shown of this turn is void; the answer starts again. */
export interface StreamResetEvent extends EventBase {
  type: 'stream-reset';
  reason: string;
}

/** Said by recovery: the stream broke. */
export interface InterruptedEvent extends EventBase {
  type: 'interrupted';
  cause: InterruptCause;
  plan: RecoveryPlan;
  /** Number of the attempt that broke; the first is 1. */
  attempt: number;
  /** Wait before the next attempt, in milliseconds. */
  delay: number;
}

/** Where and how a continuation was joined to what had been shown. */
export interface Seam {
  /** How the provider was asked to go on; absent where the continued stream does not say. */
  mechanism?: ContinuationMechanism;
  /** Offset of the join in the answer's text, in UTF-16 code units; 0 when the answer starts again. */
  at: number;
  /** How the join was found. */
  method: 'exact' | 'anchor' | 'overlap' | 'restart-skipped' | 'plain' | 'reset';
  /** How many code units were cut from the beginning of the continuation. */
  cut: number;
  /** White space that was added at the join. */
  mended?: string;
  /** How sure the join is, from 0 to 1. */
  confidence: number;
}

/** Said by recovery: the answer goes on. */
export interface ResumedEvent extends EventBase {
  type: 'resumed';
  /** Number of the attempt that goes on; the first recovery is attempt 2. */
  attempt: number;
  /** The join; null when the attempt starts the answer again or brought no text. */
  seam: Seam | null;
}

/**
 * What the operators take that only read: any stream that tells the events of an answer, alone or among others, as a
 * conversation does. Events of other types are passed over.
 */
export interface ToldEvent {
  readonly type: string;
}

/** One event of a model's answer. Plain JSON, never changed after it was sent. */
export type LlmStreamEvent =
  | TextDeltaEvent
  | ReasoningDeltaEvent
  | ToolCallStartEvent
  | ToolCallDeltaEvent
  | ContentBlockStopEvent
  | UsageEvent
  | StopEvent
  | ProviderBlockEvent
  | ToolCallReadyEvent
  | ToolCallCancelEvent
  | StreamResetEvent
  | InterruptedEvent
  | ResumedEvent;
