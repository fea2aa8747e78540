import type { ToolDescriptor } from '../contract/index.js';
import type { AnswerScript } from '../testing/answer.js';
import type { LlmFault } from '../testing/server/index.js';

/** What is asked in the demo. */
export const QUESTION = 'What is a marble diagram, and how many marbles does a lighthouse need?';

/** The tool that the model calls in the middle. */
export const TOOL: ToolDescriptor = {
  id: 'count_marbles',
  name: 'count_marbles',
  description: 'Counts the marbles of a place.',
  parameters: {
    type: 'object',
    properties: { place: { type: 'string' }, unit: { type: 'string' } },
    required: ['place', 'unit'],
  },
};

/** What the tool says. */
export const TOOL_ANSWER = '{"place":"lighthouse","marbles":42}';

const BEFORE = `A marble diagram is a drawing of time. A line runs from left to right, and every value that a stream sends lies on it like a marble on a shelf: the further right, the later it came. A bar at the end says that the stream has completed; a cross says that it has failed.

Three things make the drawing worth learning:

1. **It shows when.** A table of values tells you what was sent. The line tells you what was sent *while you were waiting*.
2. **It shows who listens.** Below the values stands a second line with a caret where somebody subscribed and an exclamation mark where they left.
3. **It can be run.** A scheduler that keeps its own clock plays the line back in no time at all – «naïve» clocks, café tables and 東京 included 👩🏽‍🚀.

\`\`\`text
source  --a--b--✕
answer  --a--b------c--d--|
\`\`\`

The second line is the one that this library is about. The cross is somebody's wifi; the gap is a wait; what follows is not a new answer but the rest of the old one. Before I say how many marbles a lighthouse needs, let me count them.`;

const AFTER = `A lighthouse needs **42 marbles**: one for each step of its stair, and one for the keeper to roll down it on a quiet evening.

Put them on a line and you have a diagram of an evening by the sea. The lamp turns, a marble falls, the lamp turns again; now and then a wave puts the lamp out and the keeper lights it where it had stopped, so that no ship sees the same flash twice and none is missing. That is all that a good stream does. It is cut, it waits, it goes on, and whoever was looking has seen one light.`;

/** The whole text that a listener has to have in the end. */
export const WHOLE = BEFORE + AFTER;

/** What the model says: first the text and the call, then, with the tool's answer, the rest. */
export function answerTo(hasToolResult: boolean): AnswerScript {
  if (hasToolResult) return AFTER;
  return [
    { text: BEFORE },
    {
      toolCall: {
        name: TOOL.name,
        arguments: { place: 'lighthouse', unit: 'marbles on the stair and in the lamp room' },
      },
    },
  ];
}

/**
 * What goes wrong with each request: a broken socket, silence, an error told in the stream, an end without an end, a cut
 * inside the arguments of the call, one after them; then, in the second turn, a broken socket and a provider that is too
 * busy to be asked again.
 *
 * @param trailer - How many events follow the last piece of the call's arguments on this wire.
 */
export function faultsOf(trailer: number): LlmFault[] {
  return [
    { cutAfterEvents: 24 },
    { stallAfterEvents: 14 },
    { errorEvent: {}, afterEvents: 26 },
    { endAfterEvents: 30 },
    { cutAfterEvents: -(trailer + 3) },
    { cutAfterEvents: -trailer },
    { cutAfterEvents: 16 },
    { status: 503, retryAfter: 0.3 },
  ];
}
