import type { LlmStreamEvent, StreamResult } from '../contract/index.js';

/**
 * What the reading operators make out among the events that they are given: those of an answer, and where the turns of a
 * conversation begin and end. The turn loop stands above this folder, and is not imported.
 */
export type ReadEvent =
  | LlmStreamEvent
  | { type: 'step-start' }
  | { type: 'conversation-end'; result?: StreamResult }
  | { type: 'conversation-suspended'; state: { result?: StreamResult } };

/** What holds the last turn of a conversation, if the event is the last of one. */
export function lastTurnIn(event: ReadEvent): { result?: StreamResult } | undefined {
  return event.type === 'conversation-suspended' ? event.state : event.type === 'conversation-end' ? event : undefined;
}
