import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { firstValueFrom, lastValueFrom, skip, take, tap, toArray } from 'rxjs';
import { textDeltas, type LlmStreamEvent } from 'rx-llm';
import { connect } from 'rx-llm/client';
import { startWeb, type WebServer } from '../../src/cli/web.js';
import { answerOf, QUESTIONS } from '../../src/cli/webStory.js';

const [QUESTION = ''] = QUESTIONS;

describe('the server of examples/web', () => {
  let server: WebServer;
  let runs = 0;
  beforeAll(async () => {
    server = await startWeb({ port: 0, latency: 10, idleTimeout: 1_000, delay: 20, downtime: 60 });
  }, 30_000);
  afterAll(() => server.close());

  const post = (
    path: string,
    body: unknown,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ) => fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  let reconnections = 0;
  const answer = (runId: string, wire = 'openai') =>
    connect({
      url: `${server.url}/answer`,
      body: { runId, question: QUESTION, wire },
      retries: 20,
      delay: () => 20,
      onReconnect: () => void reconnections++,
    });
  const newRun = () => `run-${++runs}`;
  const textOf = (events: readonly LlmStreamEvent[]) =>
    events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');

  /** The events of an answer that is broken once some text has come. */
  function broken(fault: string, wire?: string): Promise<LlmStreamEvent[]> {
    const runId = newRun();
    let pieces = 0;
    const hurt = ({ type }: LlmStreamEvent) => {
      if (type === 'text-delta' && ++pieces === 3) void post('/break', { runId, fault });
    };
    return lastValueFrom(answer(runId, wire).pipe(tap(hurt), toArray()));
  }

  it.each([
    ['cut', 'openai', ['connection-reset']],
    ['cut', 'anthropic', ['connection-reset']],
    ['stall', 'anthropic', ['idle-stall']],
    ['truncate', 'openai', ['truncated']],
    ['503', 'openai', ['provider-5xx', 'provider-5xx']],
    ['503', 'anthropic', ['provider-5xx', 'provider-5xx']],
  ])('should mend %s over %s, and tell of it', async (fault, wire, causes) => {
    const events = await broken(fault, wire);

    expect(textOf(events)).toBe(answerOf(QUESTION));
    expect(events.flatMap((event) => (event.type === 'interrupted' ? [event.cause.kind] : []))).toEqual(causes);
  });

  it('should give a client that comes back after a kill what it missed, and nothing twice', async () => {
    reconnections = 0;
    const events = await broken('kill');

    expect(reconnections).toBeGreaterThan(0);
    expect(textOf(events)).toBe(answerOf(QUESTION));
    expect(events.filter(({ type }) => type === 'interrupted')).toEqual([]);
    expect(events.filter(({ type }) => type === 'stop')).toHaveLength(1);
  });

  it('should give the same events to all who follow a run, from where they left', async () => {
    const runId = newRun();
    const events = await lastValueFrom(answer(runId).pipe(toArray()));
    const body = { runId, question: QUESTION, wire: 'openai' };
    const headers = { 'content-type': 'application/json', 'last-event-id': '10' };
    const frames = await (await post('/answer', body, headers)).text();
    const ids = [...frames.matchAll(/^id: (.*)$/gm)].map(([, id]) => Number(id));

    expect(ids).toEqual(events.slice(10).map((_, index) => index + 11));
    expect(await lastValueFrom(answer(runId).pipe(toArray()))).toEqual(events);
  });

  it('should end a run that is stopped, for all who follow it', async () => {
    const runId = newRun();
    const [one, other] = [answer(runId), answer(runId)].map((follower) =>
      lastValueFrom(follower.pipe(textDeltas(), toArray())),
    );
    await firstValueFrom(answer(runId).pipe(textDeltas(), skip(5), take(1)));
    const { status } = await post('/stop', { runId });
    const texts = await Promise.all([one, other]);

    expect(status).toBe(204);
    expect(texts[0]).toEqual(texts[1]);
    expect(texts[0]?.join('').length).toBeLessThan(answerOf(QUESTION).length);
    expect((await post('/stop', { runId: 'nobody’s' })).status).toBe(404);
  });

  it('should say when nothing is on the line', async () => {
    const response = await post('/break', { runId: 'nobody’s', fault: 'cut' });

    expect(response.status).toBe(409);
    expect(await response.text()).toBe('nothing is on the line at this moment');
  });

  it.each([
    [
      'an unknown fault',
      '/break',
      { runId: 'a', fault: 'melt' },
      400,
      'unknown fault "melt": use kill or cut, stall, truncate, 503',
    ],
    ['no question', '/answer', { runId: 'a', wire: 'openai' }, 400, 'question is missing'],
    [
      'an unknown wire',
      '/answer',
      { runId: 'a', question: 'b', wire: 'tin can' },
      400,
      'unknown wire: use openai or anthropic',
    ],
    ['a list', '/whole', [], 400, 'question is missing'],
    ['text', '/whole', 'hello', 400, 'send a JSON object'],
    ['a book', '/whole', { question: 'a'.repeat(20_000) }, 400, 'this is longer than a question should be'],
    ['nothing it knows', '/nowhere', {}, 404, 'nothing here'],
  ])('should refuse %s', async (_, path, body, status, words) => {
    const response = await post(path, body);

    expect(response.status).toBe(status);
    expect(await response.text()).toBe(words);
  });

  it('should refuse what a page of another origin could send unasked, and names that point at this machine', async () => {
    const simple = await post('/whole', { question: QUESTION }, { 'content-type': 'text/plain' });
    const foreign = await new Promise<number | undefined>((resolve, reject) => {
      send(server.url, { headers: { host: 'attacker.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });

    expect([simple.status, foreign]).toEqual([400, 403]);
  });

  it('should serve a page that loads nothing from elsewhere', async () => {
    const page = await fetch(server.url);
    const text = await page.text();

    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect([...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target = '']) => target.slice(0, 5)).sort()).toEqual([
      '/main',
      '/styl',
      'data:',
    ]);
    expect((await fetch(`${server.url}/../package.json`)).status).toBe(404);
  });

  describe('when it cannot start', () => {
    let other: Server;
    beforeEach(() => {
      other = createServer();
      return new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    });
    afterEach(() => new Promise((resolve) => other.close(resolve)));

    it('should say that the port is taken', async () => {
      const { port } = other.address() as AddressInfo;

      await expect(startWeb({ port })).rejects.toThrow(`port ${port} is taken: give another with --port`);
    });

    it('should say where it looked for the page', async () => {
      await expect(startWeb({ port: 0, folder: 'src' })).rejects.toThrow(/no page in .*src: run this in a clone/);
    });
  });
});
