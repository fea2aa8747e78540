import { lastValueFrom, toArray } from 'rxjs';
import { contentText, type JsonObject, type LlmExecutor, type ToolExecutionMode } from '../../src/index.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { openaiChat } from '../../src/providers/openai/index.js';
import { readScript } from '../../src/testing/answer.js';
import { seededRandom, startLlmServer, type LlmFault } from '../../src/testing/index.js';
import { readContinuation, restOfAnswer } from '../../src/testing/server/continuation.js';
import { readRequest } from '../../src/testing/server/readRequest.js';
import { frameBytes, joinFrames, wireEncoder } from '../../src/testing/wire/index.js';
import { prepareAnswer } from '../../src/testing/wire/prepareAnswer.js';
import { converse } from '../../src/tools/converse.js';
import { fakeFetch, type FakeFetch } from '../helpers/fakeFetch.js';
import { ANSWER, jobFaults, jobScript, SAYINGS, WHOLE, worker } from '../helpers/jobs.js';
import { anthropicFaults, openaiChatFaults } from '../helpers/wireHistory.js';
import { asked, endOf } from './talk.js';

const WIRES = {
  anthropicMessages: {
    model: 'claude-sonnet-4-5',
    provider: (fetch: FakeFetch) => anthropicMessages({ fetch, apiKey: 'k' }),
    faults: anthropicFaults,
  },
  openaiChat: {
    model: 'gpt-4o',
    provider: (fetch: FakeFetch) => openaiChat({ fetch, apiKey: 'k' }),
    faults: openaiChatFaults,
  },
};
type Wire = keyof typeof WIRES;

/** What a model that does jobs answers to a request, frame by frame. */
function framesFor(wire: Wire, body: JsonObject, seed: number): Uint8Array[] {
  const encoder = wireEncoder(wire);
  const { messages, continuation } = readContinuation(readRequest(wire, body).messages);
  const answer = readScript(jobScript(messages));
  const random = seededRandom(seed);
  const rest = continuation
    ? restOfAnswer(answer, continuation, { manner: 'anchor', prefill: 'continue', keepToolCallIds: false, random })
    : answer;
  return encoder.frames(prepareAnswer(encoder, rest, { seed })).map((frame) => frameBytes(frame));
}

/** A fetch whose n-th answer is cut after so many frames, or not at all. */
function cutFetch(wire: Wire, cutAfter: (request: number, frames: number) => number | undefined): FakeFetch {
  let request = 0;
  return fakeFetch(({ body }) => {
    request++;
    const frames = framesFor(wire, body as JsonObject, request);
    const after = cutAfter(request, frames.length);
    if (after === undefined) return { body: joinFrames(frames) };
    return { body: joinFrames(frames.slice(0, after)), end: after % 2 === 0 ? 'reset' : 'close' };
  });
}

async function faultsOf(executor: LlmExecutor, wire: Wire, mode: ToolExecutionMode, bodies: () => unknown[]) {
  const tool = worker();
  const request = { ...asked, model: WIRES[wire].model };
  const recover = { delay: 0, idleTimeout: 400, count: 20 };
  const events = await lastValueFrom(
    converse(executor, request, { tools: [tool], mode, recover, maxSteps: 100 }).pipe(toArray()),
  );
  const { messages, result } = endOf(events);
  const said = messages.filter(({ role }) => role === 'assistant').map(({ content }) => contentText(content));
  const found = jobFaults(tool.runs);
  if (said.join('') !== WHOLE) found.push(`the history is ${JSON.stringify(said)}`);
  if (contentText(result.content) !== ANSWER)
    found.push(`the answer is ${JSON.stringify(contentText(result.content))}`);
  for (const body of bodies()) found.push(...WIRES[wire].faults(body as JsonObject));
  return found;
}

describe.each(Object.keys(WIRES) as Wire[])('a conversation of four turns with six calls each, over %s', (wire) => {
  it.each<[ToolExecutionMode, number]>([
    ['parallel-streaming', 1],
    ['sequential', 5],
    ['parallel-batch-approval', 7],
  ])(
    'should be the same conversation when its bytes are cut after a frame of any turn, in the mode %s',
    async (mode, stride) => {
      const found: string[] = [];
      let cuts = 0;
      for (let turn = 1; turn <= SAYINGS.length + 1; turn++) {
        let length = Infinity;
        for (let after = 0; after < length; after += stride) {
          const fetch = cutFetch(wire, (request, frames) => {
            if (request !== turn) return undefined;
            length = frames;
            return after;
          });
          const bodies = () => fetch.requests.map(({ body }) => body);
          const faults = await faultsOf(WIRES[wire].provider(fetch), wire, mode, bodies);
          if (fetch.open() > 0) faults.push(`${fetch.open()} bodies left open`);
          found.push(...faults.map((fault) => `turn ${turn} cut after ${after}: ${fault}`));
          cuts++;
        }
      }

      expect(found).toEqual([]);
      expect(cuts).toBeGreaterThan(100 / stride);
    },
    60_000,
  );
});

describe('a conversation with a server that breaks', () => {
  it.each(Object.keys(WIRES) as Wire[])('should be the same as with one that does not, over %s', async (wire) => {
    const random = seededRandom(3);
    const plan: LlmFault[] = Array.from({ length: 12 }, (_, index) => {
      const at = Math.floor(random() * 20);
      return (
        [{ cutAfterEvents: at }, { endAfterEvents: at }, { stallAfterEvents: at }, { errorEvent: {}, afterEvents: at }][
          index % 4
        ] ?? {}
      );
    });
    const server = await startLlmServer({ answer: ({ messages }) => jobScript(messages), faults: plan });
    try {
      const create = wire === 'openaiChat' ? openaiChat : anthropicMessages;
      const executor = create({ baseUrl: server.baseUrl[wire], apiKey: 'k' });
      const found = await faultsOf(executor, wire, 'parallel-streaming', () => server.requests.map(({ body }) => body));
      await server.idle();

      expect(found).toEqual([]);
      expect(server.requests.length).toBeGreaterThan(12);
      expect(server.openResponses).toBe(0);
    } finally {
      await server.close();
    }
  });
});
