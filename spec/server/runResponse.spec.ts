import { concatMap, delay, from, lastValueFrom, of, Subscription, tap, toArray } from 'rxjs';
import { InferenceExecutionError, type LlmStreamEvent } from 'rx-llm';
import { connect } from 'rx-llm/client';
import { durable, memoryRunLog, type RunLog } from 'rx-llm/runs';
import { lastEventId, runResponse, toNodeHandler } from 'rx-llm/server';
import { stop, text } from 'rx-llm/testing';
import { serve, type Serving } from '../helpers/serving.js';

describe('runResponse', () => {
  const answer: LlmStreamEvent[] = [...Array.from({ length: 20 }, (_, i) => text(`${i} `)), stop()];
  const runs: Serving[] = [];
  let producers: Subscription;
  let started: number;
  let log: RunLog;

  beforeEach(() => {
    started = 0;
    producers = new Subscription();
    log = memoryRunLog();
  });
  afterEach(async () => {
    producers.unsubscribe();
    await Promise.all(runs.splice(0).map((serving) => serving.close()));
  });

  async function server(): Promise<Serving> {
    const serving = await serve(
      toNodeHandler(async (request) => {
        const { runId } = (await request.json()) as { runId: string };
        if (lastEventId(request.headers) === undefined) {
          started++;
          const slow$ = from(answer).pipe(concatMap((event) => of(event).pipe(delay(2))));
          producers.add(slow$.pipe(durable({ runId, log, group: { time: 1 } })).subscribe());
        }
        return runResponse(runId, { log, requestHeaders: request.headers });
      }),
    );
    runs.push(serving);
    return serving;
  }

  it('should bring a client that is cut off again and again the whole answer, each event once', async () => {
    const serving = await server();
    const reconnections: (string | undefined)[] = [];
    let events = 0;

    const seen = await lastValueFrom(
      connect({
        ...{ url: serving.url, body: { runId: 'run-1' }, delay: () => 0 },
        onReconnect: (told) => reconnections.push(told.lastEventId),
      }).pipe(
        tap(() => {
          if (++events % 6 === 0) serving.cut();
        }),
        toArray(),
      ),
    );

    expect(seen).toEqual(answer);
    expect(started).toBe(1);
    expect(reconnections.length).toBeGreaterThan(1);
    expect(reconnections).not.toContain(undefined);
  });

  it('should go on with a run on another server', async () => {
    const [first, second] = [await server(), await server()];
    const body = { runId: 'run-2' };
    const seen: LlmStreamEvent[] = [];
    await lastValueFrom(
      connect({ url: first.url, body, retries: 0 }).pipe(
        tap((event) => {
          if (seen.push(event) === 5) void first.close();
        }),
      ),
    ).catch(() => undefined);
    const last = String(seen.length);

    const rest = await lastValueFrom(connect({ url: second.url, body, lastEventId: last }).pipe(toArray()));

    expect([...seen, ...rest]).toEqual(answer);
    expect(started).toBe(1);
  });

  it('should tell a client the failure of the run without its secrets', async () => {
    const failure = new InferenceExecutionError('unauthorized', 'key sk-1234');
    await lastValueFrom(
      from([text('a')]).pipe(
        concatMap((event) => of(event)),
        tap({
          complete: () => {
            throw failure;
          },
        }),
        durable({ runId: 'run-3', log }),
      ),
    ).catch(() => undefined);

    const written = await runResponse('run-3', { log }).text();

    expect(written).toContain('"kind":"unauthorized","message":"The server may not use the model."');
    expect(written).not.toContain('sk-1234');
  });

  it('should tell a client that the run is gone, not that the provider failed', async () => {
    const written = await runResponse('run-gone', {
      log,
      requestHeaders: new Headers({ 'last-event-id': '7' }),
    }).text();

    expect(written).toContain('"kind":"model-not-found","message":"The run is gone.","retryable":false');
  });

  it('should send what comes after the id, and keep back what only the server needs', async () => {
    const cursor = { provider: 'openai', runId: 'secret' };
    const events: LlmStreamEvent[] = [text('a'), { ...text('b'), providerMetadata: { cursor } }, stop()];
    await lastValueFrom(from(events).pipe(durable({ runId: 'run-5', log })));

    const written = await runResponse('run-5', { log, requestHeaders: new Headers({ 'Last-Event-ID': '1' }) }).text();

    expect(written.match(/^id: .*$/gm)).toEqual(['id: 2', 'id: 3']);
    expect(written).not.toContain('secret');
  });

  it.each(['x', '-1', '1.5', '9'.repeat(20)])('should answer 400 to the Last-Event-ID %s', async (id) => {
    expect(runResponse('run-4', { log, requestHeaders: { 'last-event-id': id } }).status).toBe(400);
  });
});
