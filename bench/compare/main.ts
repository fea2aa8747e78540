/*
 * What clients do when a stream breaks. The same server gives each of them the same answer over the same wire, and breaks
 * the first request in one of three ways; it answers a request that asks for the rest as a model would.
 */
import { readFileSync } from 'node:fs';
import { startLlmServer, type LlmFault } from 'rx-llm/testing';
import { table } from '../measure.js';
import { CLIENTS, type Seen } from './clients.js';

const ANSWER =
  'Marbles roll along a line, one after the other, and each of them is a value that somebody was waiting for. When the line ' +
  'is cut they stop where they are; when it is mended they roll on from there, and nobody has to count them twice.';

const FAULTS: Record<string, LlmFault> = {
  'socket dropped': { cutAfterEvents: 9 },
  'clean end, no terminal event': { endAfterEvents: 9 },
  'error event in the stream': { errorEvent: {}, afterEvents: 9 },
};

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  dependencies: Record<string, string>;
};
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const named = (name: string): string => `${name} ${name === 'rx-llm' ? version : (dependencies[name] ?? '')}`;

/** How many characters at the beginning of a text are those of the answer. */
function right(text: string): number {
  let length = 0;
  while (length < text.length && text[length] === ANSWER[length]) length++;
  return length;
}

function judge(seen: Seen, requests: number): string[] {
  const length = right(seen.text);
  return [
    seen.text === ANSWER ? 'whole' : `${length} of ${ANSWER.length} characters`,
    String(requests),
    String(seen.text.length - length),
    seen.noticed ? 'yes' : 'NO',
  ];
}

const rows: string[][] = [];
let missed = 0;
for (const [wire, clients] of Object.entries(CLIENTS)) {
  for (const [failure, fault] of Object.entries(FAULTS)) {
    for (const [client, ask] of Object.entries(clients)) {
      const server = await startLlmServer({ answer: ANSWER, faults: [fault], latency: 2 });
      try {
        const seen = await ask(server);
        rows.push([wire, failure, named(client), ...judge(seen, server.requests.length)]);
        if (client === 'rx-llm' && (seen.text !== ANSWER || server.requests.length !== 2)) missed++;
      } finally {
        await server.close();
      }
    }
  }
}
table(
  'What a listener gets when the first request breaks',
  ['wire', 'failure', 'client', 'text', 'requests', 'doubled or wrong', 'noticed'],
  rows,
);
if (missed > 0) console.error(`\nrx-llm missed ${missed} of its goals: the whole text with one recovery`);
process.exitCode = missed > 0 ? 1 : 0;
