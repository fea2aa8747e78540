import type { InteractionEvent, Step } from './interactionsWire.js';

/** Kinds of content that the model says, which were blocks of their own before there were steps. */
const SAID = /^(?:text|image|audio|document|video)$/;

/**
 * Gives an event of the first form of the stream, which Google still sends where steps are switched off, the form of today:
 * `interaction.start`, `content.start`, `content.delta`, `content.stop` and `interaction.complete` (Google Cloud API reference,
 * `InteractionStreamingEvent`: "legacy event, used when steps are disabled"). Any other is given back as it is.
 */
export function withSteps(event: InteractionEvent): InteractionEvent {
  switch (event.event_type) {
    case 'interaction.start':
      return { ...event, event_type: 'interaction.created' };
    case 'interaction.complete':
      return { ...event, event_type: 'interaction.completed' };
    case 'content.start':
      return { ...event, event_type: 'step.start', step: stepOf(event.content ?? {}) };
    case 'content.delta':
      return { ...event, event_type: 'step.delta' };
    case 'content.stop':
      return { ...event, event_type: 'step.stop' };
    default:
      return event;
  }
}

function stepOf(content: Step): Step {
  const { type = '', ...more } = content;
  if (!SAID.test(type)) return content;
  return { type: 'model_output', content: Object.keys(more).length > 0 ? [content] : [] };
}
