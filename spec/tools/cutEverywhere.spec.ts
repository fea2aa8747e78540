import { lastValueFrom, toArray } from 'rxjs';
import { contentText, type InferenceRequest, type ToolExecutionMode } from '../../src/index.js';
import { cut, scriptedExecutor, seededRandom, type ScriptedExecutor } from '../../src/testing/index.js';
import { converse } from '../../src/tools/converse.js';
import type { ConverseEvent } from '../../src/tools/ConverseEvent.js';
import { ANSWER, jobEvents, jobFaults, SAYINGS, WHOLE, worker } from '../helpers/jobs.js';
import { messageFaults } from '../helpers/wireHistory.js';
import { asked, endOf } from './talk.js';

const MODES: ToolExecutionMode[] = ['sequential', 'parallel-batch-approval', 'parallel-streaming'];

/** The model whose n-th stream is cut after so many events, or not at all. */
function model(cutAfter: (attempt: number, events: number) => number | undefined): ScriptedExecutor {
  return scriptedExecutor(({ messages, continuation }: InferenceRequest, attempt) => {
    const events = jobEvents(messages, continuation?.prefix ?? '', attempt);
    const after = cutAfter(attempt, events.length);
    return after === undefined ? events : [...events.slice(0, after), cut()];
  });
}

/** What is wrong with a conversation, in words; nothing when everything is as it would have been without a cut. */
async function faults(executor: ScriptedExecutor, mode: ToolExecutionMode): Promise<string[]> {
  const tool = worker();
  const recover = { delay: 0, idleTimeout: false, count: 20 } as const;
  const events = await lastValueFrom(
    converse(executor, asked, { tools: [tool], mode, recover, maxSteps: 100 }).pipe(toArray()),
  );
  const { reason, messages, result } = endOf(events);
  const found = jobFaults(tool.runs);
  if (reason !== 'done') found.push(`ended with ${reason}`);
  if (shownText(events) !== WHOLE) found.push(`shown is ${JSON.stringify(shownText(events))}`);
  if (contentText(result.content) !== ANSWER)
    found.push(`the answer is ${JSON.stringify(contentText(result.content))}`);
  const said = messages.filter(({ role }) => role === 'assistant').map(({ content }) => contentText(content));
  if (said.join('') !== WHOLE) found.push(`the history is ${JSON.stringify(said.join(''))}`);
  for (const request of executor.requests) found.push(...messageFaults(request.messages));
  found.push(...messageFaults(messages));
  if (executor.open > 0) found.push(`${executor.open} streams left open`);
  return found;
}

function shownText(events: readonly ConverseEvent[]): string {
  let text = '';
  let turn = 0;
  for (const event of events) {
    if (event.type === 'step-start') turn = text.length;
    if (event.type === 'text-delta') text += event.text;
    if (event.type === 'stream-reset') text = text.slice(0, turn);
  }
  return text;
}

describe.each(MODES)('a conversation of four turns with six calls each, in the mode %s', (mode) => {
  it('should run each call once without a cut', async () => {
    const executor = model(() => undefined);

    expect(await faults(executor, mode)).toEqual([]);
    expect(executor.requests).toHaveLength(SAYINGS.length + 1);
  });

  it('should be the same conversation when it is cut after any event of any turn', async () => {
    const found: string[] = [];
    let cuts = 0;
    for (let turn = 1; turn <= SAYINGS.length + 1; turn++) {
      let length = Infinity;
      for (let after = 0; after < length; after++) {
        const executor = model((attempt, events) => {
          if (attempt !== turn) return undefined;
          length = events;
          return after;
        });
        found.push(...(await faults(executor, mode)).map((fault) => `turn ${turn} cut after ${after}: ${fault}`));
        cuts++;
      }
    }

    expect(found).toEqual([]);
    expect(cuts).toBeGreaterThan(130);
  }, 60_000);

  it('should be the same conversation when almost every stream is cut', async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      let cuts = 0;
      const executor = model((_, events) =>
        random() < 0.8 && cuts++ < 19 ? Math.floor(random() * events) : undefined,
      );
      found.push(...(await faults(executor, mode)).map((fault) => `seed ${seed}: ${fault}`));
    }

    expect(found).toEqual([]);
  }, 60_000);
});
