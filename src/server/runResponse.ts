import { followRun, type FollowedEvent } from '../runs/followRun.js';
import type { RunEvent, RunLog } from '../runs/RunLog.js';
import { lastEventId } from './lastEventId.js';
import { publicEvent } from './publicEvent.js';
import { sseResponse, type StreamResponseConfig } from './streamResponse.js';
import type { ServerSentEventsConfig } from './toServerSentEvents.js';
import type { HeadersLike } from '../contract/index.js';

/** Configuration of {@link runResponse}. */
export interface RunResponseConfig
  extends StreamResponseConfig, Pick<ServerSentEventsConfig<FollowedEvent>, 'heartbeat' | 'onError' | 'scheduler'> {
  /** Where the run is kept. */
  log: RunLog;
  /** The headers of the request, whose `Last-Event-ID` says what the client has seen. Defaults to nothing seen. */
  requestHeaders?: HeadersLike;
}

/**
 * Makes the `Response` that follows a durable run, from the beginning or from where a client was cut off; `connect` of
 * `rx-llm/client` reconnects to it by itself, on whichever machine.
 *
 * The ids are the sequence numbers of the log. A client that goes away leaves the run alone: what produces it is subscribed
 * to on its own. A `Last-Event-ID` that is no sequence number is answered with 400.
 *
 * @example Start a run once, and follow it as often as the client comes
 * ```ts
 * import { userMessage, withRecovery, type LlmExecutor } from 'rx-llm';
 * import { durable, memoryRunLog } from 'rx-llm/runs';
 * import { lastEventId, runResponse } from 'rx-llm/server';
 *
 * declare const executor: LlmExecutor;
 * const log = memoryRunLog();
 *
 * export async function POST(request: Request): Promise<Response> {
 *   const { runId, question } = (await request.json()) as { runId: string; question: string };
 *   if (lastEventId(request.headers) === undefined) {
 *     const asked = { model: 'gpt-4o', messages: [userMessage(question)] };
 *     // A second producer of the same run is refused by its lease.
 *     const run$ = withRecovery(executor).executeStream(asked).pipe(durable({ runId, log }));
 *     run$.subscribe({ error: (error) => console.error(error) });
 *   }
 *   return runResponse(runId, { log, requestHeaders: request.headers });
 * }
 * ```
 * @param runId - The run; check that it is one of who asks.
 * @param config - See {@link RunResponseConfig}.
 * @throws TypeError when `runId` is none.
 */
export function runResponse(runId: string, config: RunResponseConfig): Response {
  const { log, requestHeaders } = config;
  const seen = (requestHeaders && lastEventId(requestHeaders)) ?? '0';
  if (!/^\d{1,15}$/.test(seen)) return new Response('Last-Event-ID is no sequence number of this run', { status: 400 });
  return sseResponse(followRun<RunEvent>(runId, { log, after: Number(seen) }), {
    ...config,
    id: ({ seq }) => seq,
    event: ({ event }) => publicEvent(event),
  });
}
