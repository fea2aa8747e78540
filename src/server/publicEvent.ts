import type { InterruptedEvent, Message } from '../contract/index.js';
import type { ConverseEvent } from '../tools/ConverseEvent.js';

/**
 * Gives what may be sent of an event to somebody outside: the event, without what only the server needs.
 *
 * Left out are the cursors of provider runs (in `providerMetadata` and in the plan of `interrupted`, whose cursor keeps the
 * provider's name alone), and, of a conversation's state and messages, the system prompt, the tools and the overrides. A
 * state that has been through here cannot be resumed from: keep the whole one on the server. Everything else passes
 * unchanged, as the same object, also what is no event of this library.
 *
 * @param event - The event; it is not changed.
 */
export function publicEvent<E extends object>(event: E): E {
  if (!isKnown(event)) return event;
  const told = shown(withoutCursor(event));
  return told === event ? event : (told as E);
}

/** Whether an object is an event is told by its type; those of others have types that are not listed below. */
function isKnown(event: object): event is ConverseEvent {
  return 'type' in event && typeof event.type === 'string';
}

function withoutCursor(event: ConverseEvent): ConverseEvent {
  if (!('providerMetadata' in event) || event.providerMetadata?.cursor === undefined) return event;
  const { cursor: _, ...providerMetadata } = event.providerMetadata;
  return { ...event, providerMetadata };
}

function shown(event: ConverseEvent): ConverseEvent {
  switch (event.type) {
    case 'interrupted':
      return withoutRun(event);
    case 'conversation-end':
      return { ...event, messages: withoutSystem(event.messages) };
    case 'conversation-suspended': {
      const { model, messages } = event.state.request;
      return { ...event, state: { ...event.state, request: { model, messages: withoutSystem(messages) } } };
    }
    default:
      return event;
  }
}

function withoutRun(event: InterruptedEvent): InterruptedEvent {
  if (event.plan.kind !== 'reattach') return event;
  const { provider } = event.plan.cursor;
  return { ...event, plan: { kind: 'reattach', cursor: { provider, runId: '' } } };
}

function withoutSystem(messages: readonly Message[]): Message[] {
  return messages.filter(({ role }) => role !== 'system');
}
