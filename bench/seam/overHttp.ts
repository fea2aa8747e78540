import { lastValueFrom, tap } from 'rxjs';
import type { InferenceRequest, LlmExecutor } from '../../src/contract/index.js';
import { recover } from '../../src/operators/recover.js';
import { anthropicMessages } from '../../src/providers/anthropic/index.js';
import { openaiCompatible, openaiResponses } from '../../src/providers/openai/index.js';
import { continueAs } from '../../src/testing/models.js';
import { startLlmServer, type LlmServer } from '../../src/testing/server/index.js';
import type { Behaviour } from './behaviours.js';
import { add, cutPlace, emptyTally, type Tally } from './measure.js';
import { seededRandom } from '../../src/testing/random.js';
import { request, Screen } from './strategies.js';
import type { BenchText } from './texts.js';

/** Who asks for the rest of an answer over HTTP, so that the simulated model goes on in the way of a behaviour. */
interface Client {
  model: string;
  executor: (server: LlmServer) => LlmExecutor;
}

const apiKey = 'none';
const anthropic = ({ baseUrl }: LlmServer): LlmExecutor =>
  anthropicMessages({ apiKey, baseUrl: baseUrl.anthropicMessages });

const exactClients: Readonly<Record<string, Client>> = {
  'exact: reattach': {
    model: 'gpt-5',
    executor: ({ baseUrl }) => openaiResponses({ apiKey, baseUrl: baseUrl.openaiResponses, background: true }),
  },
  'exact: prefill, white space not sent': { model: 'claude-sonnet-4-5', executor: anthropic },
  'exact: prefill, prefix repeated': {
    model: 'mistral-large-latest',
    executor: ({ baseUrl }) => openaiCompatible('mistral', { apiKey, baseUrl: baseUrl.openaiChat }),
  },
};

function clientOf({ name, manner }: Behaviour): Client | undefined {
  return manner === undefined ? exactClients[name] : { model: 'claude-sonnet-4-6', executor: anthropic };
}

/**
 * Runs a behaviour through `recover`, a provider, a socket and the fault server. Undefined for what the server cannot do.
 *
 * @param cuts - How many answers are cut.
 */
export async function measureOverHttp(
  behaviour: Behaviour,
  texts: readonly BenchText[],
  cuts: number,
  seed: number,
): Promise<Tally | undefined> {
  const client = clientOf(behaviour);
  if (client === undefined) return undefined;
  const random = seededRandom(seed);
  const tally = emptyTally();
  const server = await startLlmServer({ answer: '' });
  try {
    const executor = client.executor(server);
    for (let count = 0; tally.cuts < cuts; count++) {
      const text = texts[Math.floor(random() * texts.length)];
      if (!text) throw new Error('the bench needs texts');
      const { answer } = text;
      const chunkSize = 3 + Math.floor(random() * 20);
      const cutAfterEvents = 4 + Math.floor(cutPlace(answer, random) / chunkSize);
      server.use({
        ...{ answer, chunkSize, faults: [{ cutAfterEvents }], seed: seed + count },
        ...(behaviour.manner === undefined ? {} : { manner: behaviour.manner }),
        prefill: client.model.startsWith('mistral') ? 'echo' : 'continue',
      });
      const screen = await recovered(executor, { ...request, model: client.model });
      // Cut before the first word, or not at all.
      if (screen.shown === '') continue;
      // An answer in words of its own is told by the end of what is shown: the one that the server makes of its script.
      const other = continueAs('other-words', { answer, prefix: screen.shown });
      const kept = Math.max(0, screen.text.length - other.length);
      const reply = behaviour.goal === 'reset' ? screen.shown.slice(0, kept) + other : answer;
      const asked = server.requests.filter(({ kind }) => kind === 'generate').length;
      add(tally, behaviour, answer, reply, screen.joined(asked));
    }
  } finally {
    await server.close();
  }
  return tally;
}

async function recovered(executor: LlmExecutor, asked: InferenceRequest): Promise<Screen> {
  const screen = new Screen();
  const events = executor.executeStream(asked).pipe(
    recover({
      request: asked,
      resubscribe: (continuation) => executor.executeStream(continuation),
      delay: 0,
      idleTimeout: false,
    }),
    tap((event) => screen.show(event)),
  );
  await lastValueFrom(events);
  return screen;
}
