import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { firstValueFrom, Subscription } from 'rxjs';
import { userMessage, type LlmExecutor } from '../contract/index.js';
import { anthropicMessages } from '../providers/anthropic/index.js';
import { adoptOrphans, resumeRun, type RunLog } from '../runs/index.js';
import { runResponse, toNodeHandler } from '../server/index.js';

/** How long a run outlives its server before another one takes it, in milliseconds. */
export const LEASE = 900;

/** What a server of the demo works with. */
export interface RunServerOptions {
  log: RunLog;
  /** Where the model is. */
  modelUrl: string;
  /** What is asked. */
  question: string;
  /** Told of a run that is taken over here. */
  onAdopted?: (runId: string) => void;
}

/** A server of the demo. */
export interface RunServer {
  url: string;
  /** Ends it as a crash would: no run gets its end, and no client a word. */
  close(): void;
}

/** Serves runs: `GET /ID` begins the run where there is none, and gives its events from after `Last-Event-ID` on. */
export async function serveRuns({ log, modelUrl, question, onAdopted }: RunServerOptions): Promise<RunServer> {
  const executor: LlmExecutor = anthropicMessages({ baseUrl: modelUrl, apiKey: 'demo' });
  const work = new Subscription();
  const produce = (runId: string): void => {
    const request = { model: 'claude-sonnet-4-5', messages: [userMessage(question)] };
    // On its own, and for nobody in particular: the run goes on whoever is looking.
    work.add(resumeRun({ runId, log, executor, request, ttl: LEASE }).subscribe({ error: () => undefined }));
  };
  work.add(
    adoptOrphans({ log, executor, ttl: LEASE, interval: 200 }).subscribe(({ runId, state }) => {
      if (state === 'adopted') onAdopted?.(runId);
    }),
  );
  const handler = toNodeHandler(async (request) => {
    const runId = new URL(request.url).pathname.slice(1);
    if ((await firstValueFrom(log.head(runId))) === null) produce(runId);
    return runResponse(runId, { log, requestHeaders: request.headers });
  });
  const server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      work.unsubscribe();
      server.close();
      server.closeAllConnections();
    },
  };
}
