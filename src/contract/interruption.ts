import type { ContentBlock } from './content.js';
import type { RunCursor } from './continuation.js';
import type { ToolCall } from './tool.js';
import type { TokenUsage } from './usage.js';

/** Why a stream broke before its end. */
export type InterruptCause =
  | { kind: 'connection-reset' }
  | { kind: 'idle-stall' }
  | { kind: 'go-away' }
  | { kind: 'provider-5xx'; /** The HTTP status, also of an error that was told inside a 200 stream. */ status: number }
  | { kind: 'resumed-from-checkpoint' }
  | { kind: 'truncated' };

/**
 * Says an {@link InterruptCause} in stable words, as they stand in error messages and in the reasons of events.
 *
 * @example
 * ```ts
 * import { describeCause } from 'rx-llm';
 *
 * console.log(describeCause({ kind: 'provider-5xx', status: 503 })); // => provider 503 mid-stream
 * ```
 */
export function describeCause(cause: InterruptCause): string {
  switch (cause.kind) {
    case 'go-away':
      return 'goaway';
    case 'provider-5xx':
      return `provider ${cause.status} mid-stream`;
    case 'truncated':
      return 'stream ended early';
    default:
      return cause.kind.replaceAll('-', ' ');
  }
}

/** A tool call that had been opened and was not whole when the stream broke. */
export interface InFlightTool {
  id: string;
  name: string;
  /** The piece of the arguments that had arrived: not JSON yet. Never repaired, never run. */
  partialArgs: string;
}

/** Everything that had arrived when the stream broke, over all attempts. Plain JSON. */
export interface InterruptSnapshot {
  /** All the text shown so far, over all blocks and all attempts; null when none was. */
  text: string | null;
  /** Calls that may be run: their block had closed, or their arguments are a whole JSON object. */
  completedToolCalls: ToolCall[];
  /** The last of {@link inFlightTools}, or null. */
  inFlightTool: InFlightTool | null;
  /** All open calls, in the order in which they were opened. */
  inFlightTools: InFlightTool[];
  /** All the reasoning shown so far; null when none was. */
  reasoning: string | null;
  /** Tokens reported so far, over all attempts; null when none were. */
  usage: TokenUsage | null;
  /** Where the provider's own run can be attached to again; null when it cannot. */
  cursor: RunCursor | null;
  /** Size of the received text, reasoning and arguments in UTF-8 bytes. */
  bytesReceived: number;
  /** The finished blocks in their order, where they are known. */
  content?: ContentBlock[];
}
