import { startLlmServer, type LlmServer } from '../../../src/testing/index.js';
import { ask, open, readUntil } from './ask.js';

const ANSWER = 'Marbles roll along a line, and on.';

let server: LlmServer;

beforeAll(async () => {
  server = await startLlmServer({ answer: ANSWER });
});
afterAll(() => server.close());

const get = { method: 'GET', body: null };

function events(text: string): { type: string; sequence_number?: number; event_id?: string }[] {
  return [...text.matchAll(/^data: (\{.*\})$/gm)].map(
    ([, json]) => JSON.parse(json ?? '') as ReturnType<typeof events>[number],
  );
}

describe('a run of OpenAI Responses in the background', () => {
  const path = '/v1/responses';
  const input = { input: 'hi', background: true };

  async function start(cutAfterEvents: number) {
    server.use({ faults: [{ cutAfterEvents }] });
    const got = await ask(server, path, input);
    return { got, id: server.runs[0]?.id ?? '' };
  }

  it('should go on after the socket has gone, from any event', async () => {
    const { got, id } = await start(5);
    const whole = events((await ask(server, `${path}/${id}?stream=true`, '', get)).text);
    const rest = await ask(server, `${path}/${id}?stream=true&starting_after=4`, '', get);

    expect(got.error?.message).toBe('terminated');
    expect(whole.map((event) => event.sequence_number)).toEqual(whole.map((_, index) => index));
    expect([...events(got.text), ...events(rest.text)]).toEqual(whole);
    expect(got.text + rest.text).toContain('"background":true');
    expect(server.requests.map(({ kind, runId }) => [kind, runId])).toEqual([
      ['generate', undefined],
      ['attach', id],
      ['attach', id],
    ]);
  });

  it('should be completed when its last event has been sent', async () => {
    const { id } = await start(3);
    expect(server.runs).toEqual([{ id, format: 'openaiResponses', status: 'running' }]);

    await ask(server, `${path}/${id}?stream=true&starting_after=2`, '', get);

    expect(server.runs[0]?.status).toBe('completed');
    expect(JSON.parse((await ask(server, `${path}/${id}`, '', get)).text)).toMatchObject({ id, status: 'completed' });
  });

  it('should break again by plan', async () => {
    server.use({ faults: [{ cutAfterEvents: 2 }, { cutAfterEvents: 2 }, { status: 503, afterEvents: 1 }] });
    await ask(server, path, input);
    const id = server.runs[0]?.id ?? '';
    const second = await ask(server, `${path}/${id}?stream=true&starting_after=1`, '', get);
    const third = await ask(server, `${path}/${id}?stream=true&starting_after=3`, '', get);

    expect([events(second.text).map((event) => event.sequence_number), second.error?.message]).toEqual([
      [2, 3],
      'terminated',
    ]);
    expect(events(third.text).map(({ type, sequence_number }) => [type, sequence_number])).toEqual([
      ['response.output_text.delta', 4],
      ['error', 5],
      ['response.failed', 6],
    ]);
    expect(server.runs[0]?.status).toBe('running');
  });

  it('should be cancelled', async () => {
    const { id } = await start(3);
    const cancelled = await ask(server, `${path}/${id}/cancel`, '{}');

    expect(JSON.parse(cancelled.text)).toMatchObject({ id, status: 'cancelled' });
    expect(server.runs[0]?.status).toBe('cancelled');
    expect((await ask(server, `${path}/${id}?stream=true`, '', get)).status).toBe(404);
  });

  it.each([
    ['has expired', () => Promise.resolve(server.expireRuns())],
    ['was deleted', () => ask(server, `${path}/${server.runs[0]?.id}`, '', { method: 'DELETE', body: null })],
  ])('should be 404 when it %s', async (_, forget) => {
    const { id } = await start(3);
    await forget();
    const got = await ask(server, `${path}/${id}?stream=true&starting_after=2`, '', get);

    expect(got.status).toBe(404);
    expect(JSON.parse(got.text)).toMatchObject({ error: { message: `Response with id '${id}' not found.` } });
    expect(server.runs).toEqual([]);
  });

  it('should not be there without `background`', async () => {
    server.use({});
    const got = await ask(server, path, { input: 'hi' });
    const id = /"id":"(resp_\w+)"/.exec(got.text)?.[1];

    expect(id).toMatch(/^resp_0[0-9a-f]{49}$/);
    expect(server.runs).toEqual([]);
    expect((await ask(server, `${path}/${id}?stream=true`, '', get)).status).toBe(404);
  });

  it('should forget the oldest of many', async () => {
    server.use({});
    for (let index = 0; index < 101; index++) await ask(server, path, input);

    expect(server.runs).toHaveLength(100);
  });

  it('should go on when the client leaves', async () => {
    server.use({ faults: [{ stallAfterEvents: 4 }] });
    const response = await open(server, path, input);
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    await readUntil(reader, (text) => text.includes('"sequence_number":3'));
    await reader.cancel();
    await server.idle();

    expect([server.requests[0]?.outcome, server.runs[0]?.status]).toEqual(['closed', 'running']);
  });
});

describe('a run of Gemini Interactions in the background', () => {
  const path = '/v1beta/interactions';

  it('should be followed after an event id', async () => {
    server.use({ faults: [{ cutAfterEvents: 4 }] });
    const got = await ask(server, path, { input: 'hi', background: true });
    const id = server.runs[0]?.id ?? '';
    const last = events(got.text).at(-1)?.event_id ?? '';
    const rest = await ask(server, `${path}/${id}?stream=true&last_event_id=${last}`, '', get);
    const whole = await ask(server, `${path}/${id}?stream=true`, '', get);

    expect(got.text + rest.text).toBe(whole.text);
    expect(new Set(events(whole.text).map((event) => event.event_id)).size).toBe(events(whole.text).length);
    expect(rest.text.endsWith('event: done\ndata: [DONE]\n\n')).toBe(true);
  });

  it('should have no event ids in the foreground', async () => {
    server.use({});

    expect((await ask(server, path, { input: 'hi' })).text).not.toContain('event_id');
    expect(server.runs).toEqual([]);
  });

  it('should be 404 after an event that it does not have, and in another format', async () => {
    server.use({});
    await ask(server, path, { input: 'hi', background: true });
    const id = server.runs[0]?.id ?? '';

    expect((await ask(server, `${path}/${id}?stream=true&last_event_id=no-such`, '', get)).status).toBe(404);
    expect((await ask(server, `/v1/responses/${id}?stream=true`, '', get)).status).toBe(404);
    expect((await ask(server, `${path}/${id}/cancel`, '{}')).text).toContain('"status":"cancelled"');
  });
});
