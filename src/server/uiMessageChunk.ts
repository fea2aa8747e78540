import type { JsonValue } from '../contract/index.js';

/** Why a message ended, in the words of the AI SDK. */
export type UiFinishReason = 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'error' | 'other';

/** Data of the provider, by whose it is. */
export type UiProviderMetadata = Record<string, Record<string, JsonValue>>;

/** What a `data-recovery` part says. */
export interface UiRecovery {
  event: 'interrupted' | 'resumed' | 'reset';
  /** With `interrupted` and `reset`: why, in stable words. */
  reason?: string;
  /** With `interrupted` the attempt that broke, with `resumed` the one that goes on. */
  attempt?: number;
  /** With `interrupted`: wait before the next attempt, in milliseconds. */
  delay?: number;
}

/**
 * The parts of the AI SDK's UI message stream that are sent (version 1; ai 5 to 7, and `reset-step` 7 only). Source: "Stream
 * Protocols" in the documentation of the AI SDK UI.
 */
export type UiMessageChunk =
  | { type: 'start'; messageId?: string; messageMetadata?: unknown }
  | { type: 'start-step' | 'finish-step' | 'reset-step' }
  | { type: 'text-start' | 'reasoning-start'; id: string }
  | { type: 'text-delta' | 'reasoning-delta'; id: string; delta: string }
  | { type: 'text-end' | 'reasoning-end'; id: string; providerMetadata?: UiProviderMetadata }
  | { type: 'tool-input-start'; toolCallId: string; toolName: string; dynamic?: true }
  | { type: 'tool-input-delta'; toolCallId: string; inputTextDelta: string }
  | {
      type: 'tool-input-available';
      toolCallId: string;
      toolName: string;
      input: JsonValue;
      dynamic?: true;
      providerMetadata?: UiProviderMetadata;
    }
  | {
      type: 'tool-input-error';
      toolCallId: string;
      toolName: string;
      input: unknown;
      errorText: string;
      dynamic?: true;
    }
  | { type: 'tool-approval-request'; approvalId: string; toolCallId: string }
  | { type: 'tool-output-available'; toolCallId: string; output: unknown; preliminary?: true }
  | { type: 'tool-output-error'; toolCallId: string; errorText: string }
  | { type: 'tool-output-denied'; toolCallId: string }
  | { type: 'data-recovery'; data: UiRecovery; transient?: true }
  | { type: 'error'; errorText: string }
  | { type: 'finish'; finishReason: UiFinishReason; messageMetadata?: unknown };
