/** A question that the page offers, and what the scripted model says to it. */
interface Story {
  question: string;
  answer: string;
}

const MARBLES = `A marble diagram is a drawing of time. A line runs from left to right, and every value that a stream sends lies on it like a marble on a shelf: the further right, the later it came. A bar at the end says that the stream has completed; a cross says that it has failed.

Three things make it worth learning. It shows when: a table of values tells you what was sent, the line tells you what was sent while you were waiting. It shows who listens: a second line carries a caret where somebody subscribed and an exclamation mark where they left. And it can be run: a scheduler that keeps its own clock plays the line back in no time at all, «naïve» clocks, café tables and 東京 included 👩🏽‍🚀.

The diagram on this page is drawn from the events of the answer that you are reading. Break the line while it comes, and you will see the cross, the plan, the wait and the seam. The text will not show it.`;

const BREAKING = `A stream of a language model is one long answer over one connection, and a connection is a chain of machines that owe you nothing. A train goes into a tunnel. A laptop changes from the café's wifi to a phone. A proxy decides that sixty seconds of thought are sixty seconds of silence and hangs up. A provider rolls out a new version and closes what was open, or is too busy for a moment and says so in the middle of a sentence.

To the reader it all looks the same: the words stop. Asking again from the beginning is the obvious remedy and the worst one. It costs the whole answer a second time, it may say something else, and what was already on the screen has to be taken away again.

So remember what has arrived, and ask for the rest. Some models continue a half-finished turn to the letter. Others have to be asked in words, and begin by repeating the last ones; then the repeated part is found and cut, and the join is mended. Either way the reader sees one text.`;

const LIGHTHOUSE = `The lamp of a lighthouse does not know whether anybody looks. It turns, and now and then a wave comes over the gallery and puts it out; the keeper wipes the glass, lights it again, and lets it go on from where it had stopped, so that no ship sees the same flash twice and none is missing.

There are forty-two steps to the lamp room, and on a quiet evening the keeper rolls one marble down each of them and listens. One falls late: somebody has left a book on the stair. One never arrives: it lies in the pocket of a coat. The keeper counts what came, looks for what did not, and does not start again from the top, for the marbles at the bottom are there already.

In the morning the keeper writes one line into the log. Wind south-west, four interruptions, light continuous.`;

const OTHERWISE = `I am a script and no model: whatever you ask, these are the words that I have. But the road they take is real. They leave a server that speaks a provider's wire format, cross a line that you can break with the buttons of this page, are read and recovered by the application's own server, are written into a log, and come to this page as server-sent events.

Cut the line, and the application asks for the rest. Let it fall silent, and a timer notices. End it without an end, and the missing last event gives it away. Kill the application's server, and this page comes back with the id of the last event it saw and is given what it missed.

In each case you should be reading this sentence once, whole, and after the ones before it.`;

const STORIES: readonly Story[] = [
  { question: 'What is a marble diagram?', answer: MARBLES },
  { question: 'Why do streams break?', answer: BREAKING },
  { question: 'Tell me of a lighthouse.', answer: LIGHTHOUSE },
];

/** The questions that the page offers. */
export const QUESTIONS: readonly string[] = STORIES.map(({ question }) => question);

/** What the scripted model says to a question, uninterrupted. */
export function answerOf(question: string): string {
  return STORIES.find((story) => story.question === question.trim())?.answer ?? OTHERWISE;
}
