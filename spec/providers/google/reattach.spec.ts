import { lastValueFrom, type Observable, toArray, type Subscription } from 'rxjs';
import {
  InferenceExecutionError,
  userMessage,
  type InferenceRequest,
  type JsonValue,
  type LlmStreamEvent,
  type RunCursor,
} from '../../../src/contract/index.js';
import { recover } from '../../../src/operators/recover.js';
import { geminiInteractions } from '../../../src/providers/google/index.js';
import { Accumulator } from '../../../src/recovery/accumulator.js';
import { fakeFetch, type FakeAnswer, type SentRequest } from '../../helpers/fakeFetch.js';
import { outcomeOf, sse } from './streams.js';

const request: InferenceRequest = { model: 'gemini-2.5-flash', messages: [userMessage('hello')] };
const ROOT = 'https://generativelanguage.googleapis.com/v1beta/interactions';

/** A run with thoughts, text and a call, one event id each; `e4` stands between the two halves of a character. */
const RUN: { event_type: string; event_id: string }[] = [
  { event_type: 'interaction.created', interaction: { id: 'run/1', status: 'in_progress' } },
  { event_type: 'step.start', index: 0, step: { type: 'thought' } },
  {
    event_type: 'step.delta',
    index: 0,
    delta: { type: 'thought_summary', content: { type: 'text', text: 'Let me see.' } },
  },
  { event_type: 'step.delta', index: 0, delta: { type: 'thought_signature', signature: 'S' } },
  { event_type: 'step.stop', index: 0 },
  { event_type: 'step.start', index: 1, step: { type: 'code_execution_call', id: 'x1' } },
  { event_type: 'step.delta', index: 1, delta: { type: 'code_execution_call', arguments: { code: '1' } } },
  { event_type: 'step.stop', index: 1 },
  { event_type: 'step.start', index: 2, step: { type: 'model_output' } },
  { event_type: 'step.delta', index: 2, delta: { type: 'text', text: 'Hello \ud834' } },
  { event_type: 'step.delta', index: 2, delta: { type: 'text', text: '\udd1e wor' } },
  { event_type: 'step.delta', index: 2, delta: { type: 'text', text: 'ld!' } },
  { event_type: 'step.delta', index: 2, delta: { type: 'text_annotation_delta', annotations: [{ url: 'u' }] } },
  { event_type: 'step.stop', index: 2 },
  { event_type: 'step.start', index: 3, step: { type: 'function_call', id: 'c1', name: 'f', arguments: {} } },
  { event_type: 'step.delta', index: 3, delta: { type: 'arguments_delta', arguments: '{"a":"x' } },
  { event_type: 'step.delta', index: 3, delta: { type: 'arguments_delta', arguments: 'y"}' } },
  { event_type: 'step.stop', index: 3 },
  {
    event_type: 'interaction.completed',
    interaction: { id: 'run/1', status: 'requires_action', usage: { total_input_tokens: 5, total_output_tokens: 7 } },
  },
].map((event, i) => ({ ...event, event_id: `e${i}` }));

const withoutIds = RUN.map(({ event_id: _id, ...event }) => event);

function background(...answers: Parameters<typeof fakeFetch>) {
  const fetch = fakeFetch(...answers);
  return { fetch, gemini: geminiInteractions({ fetch, apiKey: 'key-1', background: true }) };
}

/** Streams with recovery; gives the events, and what they add up to. */
async function recovered(...answers: Parameters<typeof fakeFetch>) {
  const { fetch, gemini } = background(...answers);
  const outcome = await outcomeOf(
    gemini
      .executeStream(request)
      .pipe(recover({ request, resubscribe: (next) => gemini.executeStream(next), delay: 0, idleTimeout: false })),
  );
  const seen = new Accumulator();
  for (const event of outcome.events) seen.push(event);
  return { ...outcome, fetch, result: seen.result() };
}

function cursorsOf(events: readonly LlmStreamEvent[]): RunCursor[] {
  return events.flatMap(({ providerMetadata }) => (providerMetadata?.cursor ? [providerMetadata.cursor] : []));
}

/** What a subscriber sees of the answer itself, text and thoughts joined. */
function shown(events: readonly LlmStreamEvent[]): unknown[] {
  const parts: LlmStreamEvent[] = [];
  for (const { providerMetadata: _metadata, ...event } of events) {
    const last = parts.at(-1);
    if (event.type === 'interrupted' || event.type === 'resumed') continue;
    if (event.type === 'text-delta' && last?.type === 'text-delta') last.text += event.text;
    else if (event.type === 'reasoning-delta' && last?.type === 'reasoning-delta') last.text += event.text;
    else if (event.type === 'tool-call-delta' && last?.type === 'tool-call-delta') last.argsDelta += event.argsDelta;
    else parts.push(event);
  }
  return parts.filter((event) => event.type !== 'text-delta' || event.text !== '');
}

const urlOf = ({ url, init }: SentRequest): string => `${String(init.method)} ${url}`;

const ID = { provider: 'google-interactions', id: 'run/1' };

describe('geminiInteractions in the background', () => {
  it('should ask for a run in the background and say with each event where to attach to it', async () => {
    const { fetch, gemini } = background({ body: sse(...RUN) });
    const events = await lastValueFrom(gemini.executeStream(request).pipe(toArray()));

    expect(fetch.requests[0]?.body).toMatchObject({ stream: true, background: true });
    expect(events[0]).toEqual({
      type: 'reasoning-delta',
      text: '',
      providerMetadata: { cursor: { provider: 'google', runId: 'run/1', after: 'e0', state: { begun: 0 } } },
    });
    expect(events[1]).toEqual({
      type: 'reasoning-delta',
      text: 'Let me see.',
      providerMetadata: {
        cursor: {
          provider: 'google',
          runId: 'run/1',
          after: 'e2',
          state: { begun: 1, open: [{ index: 0, kind: 'reasoning', told: 11 }] },
        },
      },
    });
    expect(cursorsOf(events).map(({ after }) => after)).toEqual([
      'e0',
      'e2',
      'e3',
      'e4',
      'e7',
      'e9',
      'e10',
      'e11',
      'e12',
      'e13',
      'e14',
      'e15',
      'e16',
      'e17',
    ]);
    expect(events.at(-1)).toEqual({ type: 'stop', reason: 'tool-use', providerMetadata: ID });
    expect(fetch.requests).toHaveLength(1);
  });

  const whole = recovered({ body: sse(...RUN) });

  it.each(RUN.slice(1).map((_event, i) => i + 1))(
    'should go on without a seam when the connection breaks after %d events',
    async (count) => {
      const { error, events, result, fetch } = await recovered(
        { body: sse(...RUN.slice(0, count)), end: 'reset' },
        ({ url }): FakeAnswer => {
          const after = new URL(url).searchParams.get('last_event_id');
          return { body: sse(...RUN.slice(1 + RUN.findIndex(({ event_id: id }) => id === after))) };
        },
      );

      expect(error).toBeUndefined();
      expect(shown(events)).toEqual(shown((await whole).events));
      expect(result.toolCalls).toEqual([{ id: 'c1', name: 'f', arguments: { a: 'xy' } }]);
      expect(result.usage).toEqual({ promptTokens: 5, completionTokens: 7, totalTokens: 12 });
      expect(fetch.requests.map(urlOf)).toEqual([
        `POST ${ROOT}`,
        expect.stringMatching(
          /^GET https:\/\/generativelanguage\.googleapis\.com\/v1beta\/interactions\/run%2F1\?stream=true&last_event_id=e\d+$/,
        ),
      ]);
      expect(fetch.requests[1]?.init.headers).toEqual({
        accept: 'text/event-stream',
        'api-revision': '2026-05-20',
        'x-goog-api-key': 'key-1',
      });
      expect(fetch.requests[1]?.init.body).toBeUndefined();
    },
  );

  it.each<[string, object[], (after: number) => object[]]>([
    ['sends the last event again', RUN, (after) => RUN.slice(Math.max(0, after))],
    ['sends each event twice', RUN, (after) => RUN.slice(after + 1).flatMap((event) => [event, event])],
    ['replays the run from its beginning', RUN, () => RUN],
    ['has no event ids and replays the run', withoutIds, () => withoutIds],
  ])('should tell nothing twice when Google %s, wherever the connection breaks', async (_how, first, again) => {
    for (let count = 1; count < RUN.length; count++) {
      const { error, events } = await recovered({ body: sse(...first.slice(0, count)), end: 'reset' }, ({ url }) => {
        const after = new URL(url).searchParams.get('last_event_id');
        return { body: sse(...again(RUN.findIndex(({ event_id: id }) => id === after))) };
      });

      expect(error).toBeUndefined();
      expect({ count, shown: shown(events) }).toEqual({ count, shown: shown((await whole).events) });
    }
  });

  it('should remember a call that had ended before the connection broke', async () => {
    const completed = { event_type: 'interaction.completed', interaction: { status: 'completed' } };
    const { result } = await recovered({ body: sse(...RUN.slice(0, 18)), end: 'reset' }, { body: sse(completed) });

    expect(result.stopReason).toBe('tool-use');
  });

  it('should say nothing in the cursor of steps of which nothing has been told', async () => {
    const { gemini } = background({ body: sse(RUN[0], RUN[5], { ...RUN[9], index: 2 }), end: 'reset' });
    const { events } = await outcomeOf(gemini.executeStream(request));

    expect(cursorsOf(events).at(-1)?.state).toEqual({
      begun: 3,
      open: [{ index: 2, kind: 'text', told: 7 }],
      half: 0xd834,
    });
  });

  it('should attach again and again', async () => {
    const { events, fetch } = await recovered(
      ...[0, 9, 10, 15].map((from, i, all): FakeAnswer => ({
        body: sse(...RUN.slice(from === 0 ? 0 : from + 1, (all[i + 1] ?? 99) + 1)),
        end: 'reset',
      })),
    );

    expect(shown(events)).toEqual(shown((await whole).events));
    expect(fetch.requests).toHaveLength(4);
  });

  it.each([404, 410, 400])('should continue from the text when the run is gone (%d)', async (status) => {
    const { error, events, fetch } = await recovered(
      { body: sse(...RUN.slice(0, 12)), end: 'reset' },
      {
        status,
        body: '{"error":{"code":404,"message":"no such interaction","status":"NOT_FOUND"}}',
        headers: { 'content-type': 'application/json' },
      },
      {
        body: sse(
          { event_type: 'interaction.created', interaction: { id: 'run-2' } },
          { event_type: 'step.delta', index: 0, delta: { type: 'text', text: 'Hello 𝄞 world! And more.' } },
          { event_type: 'interaction.completed', interaction: { status: 'completed' } },
        ),
      },
    );

    expect(error).toBeUndefined();
    expect(fetch.requests.map(({ init }) => init.method)).toEqual(['POST', 'GET', 'POST']);
    const { input } = fetch.requests[2]?.body as { input: { type: string }[] };
    expect(input.map(({ type }) => type)).toEqual(['user_input', 'model_output', 'user_input']);
    expect(input[1]).toEqual({ type: 'model_output', content: [{ type: 'text', text: 'Hello 𝄞 world!' }] });
    expect(events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')).toBe(
      'Hello 𝄞 world! And more.',
    );
  });

  it('should say why the run could not be attached to', async () => {
    const { gemini } = background({
      status: 410,
      body: '{"error":{"code":410,"message":"expired"}}',
      headers: { 'content-type': 'application/json' },
    });
    const { error } = await outcomeOf(gemini.executeStream(attaching({ provider: 'google', runId: 'run-1' })));

    expect(error).toMatchObject({
      kind: 'stream-interrupted',
      interruption: { kind: 'connection-reset' },
      status: 410,
    });
    expect(error).toHaveProperty('cause.detail', 'expired');
  });

  it('should go on from the text when somebody has cancelled the run meanwhile', async () => {
    const { gemini } = background({
      body: sse({ event_type: 'interaction.completed', interaction: { status: 'cancelled' } }),
    });
    const { error } = await outcomeOf(gemini.executeStream(attaching({ provider: 'google', runId: 'run-1' })));

    expect(error).toMatchObject({ kind: 'stream-interrupted' });
  });

  it('should not attach to a run of somebody else, but ask in its own way', async () => {
    const { gemini, fetch } = background({ body: '' });
    await outcomeOf(gemini.executeStream(attaching({ provider: 'openai', runId: 'resp_1' })));

    expect(fetch.requests[0]).toMatchObject({ init: { method: 'POST' } });
    expect(fetch.requests[0]!.url).not.toContain('resp_1');
  });

  it('should keep working with a state that means nothing', async () => {
    const body = sse(RUN[0], ...RUN.slice(8));
    const states: (JsonValue | undefined)[] = [
      undefined,
      null,
      7,
      'x',
      { open: 'x', begun: 'y' },
      { open: [null, { kind: 'what' }] },
    ];
    for (const state of states) {
      const { gemini } = background({ body });
      const cursor: RunCursor = { provider: 'google', runId: 'run/1', ...(state !== undefined && { state }) };
      const { error, events } = await outcomeOf(gemini.executeStream(attaching(cursor)));

      expect(error).toBeUndefined();
      expect(events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')).toBe('Hello 𝄞 world!');
    }
  });

  it('should attach from another process, after the cursor went through JSON', async () => {
    const { gemini } = background({ body: sse(...RUN.slice(0, 16)), end: 'reset' });
    const { events } = await outcomeOf(gemini.executeStream(request));
    const cursor = JSON.parse(JSON.stringify(cursorsOf(events).at(-1))) as RunCursor;
    const other = geminiInteractions({ fetch: fakeFetch({ body: sse(...RUN.slice(16)) }) });
    const { error, events: rest } = await outcomeOf(other.executeStream(attaching(cursor)));

    expect(error).toBeUndefined();
    expect(JSON.stringify(cursor).length).toBeLessThan(200);
    expect(rest[0]).toMatchObject({
      type: 'tool-call-delta',
      id: 'c1',
      argsDelta: 'y"}',
      providerMetadata: { continuation: { mechanism: 'reattach' } },
    });
    expect(rest.map(({ type }) => type)).toEqual(['tool-call-delta', 'content-block-stop', 'usage', 'stop']);
  });
});

function attaching(cursor: RunCursor): InferenceRequest {
  return { ...request, continuation: { prefix: '', cancelledTools: [], mechanism: 'reattach', cursor } };
}

/** Subscribes until the condition holds, then unsubscribes. */
function until(source: Observable<LlmStreamEvent>, enough: (event: LlmStreamEvent) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const subscription: Subscription = source.subscribe({
      next: (event) => {
        if (enough(event)) setImmediate(() => resolve(subscription.unsubscribe()));
      },
      error: reject,
    });
  });
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('geminiInteractions: cancelling', () => {
  const CANCEL = `POST ${ROOT}/run%2F1/cancel`;

  it('should cancel the run when nobody listens any more', async () => {
    const { gemini, fetch } = background({ body: sse(...RUN.slice(0, 10)), end: 'hang' }, { body: '{}' });
    await until(gemini.executeStream(request), ({ type }) => type === 'text-delta');
    await settled();

    expect(fetch.requests.map(urlOf)).toEqual([`POST ${ROOT}`, CANCEL]);
    expect(fetch.requests[1]?.init).toMatchObject({
      body: '{}',
      keepalive: true,
      headers: { 'x-goog-api-key': 'key-1' },
    });
    expect(fetch.open()).toBe(0);
  });

  it('should cancel a run from which nothing but its name has come', async () => {
    const { gemini, fetch } = background({ body: sse(RUN[0]), end: 'hang' }, { body: '{}' });
    await until(gemini.executeStream(request), () => true);
    await settled();

    expect(fetch.requests.map(urlOf)).toEqual([`POST ${ROOT}`, CANCEL]);
  });

  it('should cancel a run that it attaches to, also before anything has come', async () => {
    const { gemini, fetch } = background({ body: '', end: 'hang' }, { body: '{}' });
    const subscription = gemini.executeStream(attaching({ provider: 'google', runId: 'run/1' })).subscribe();
    await settled();
    subscription.unsubscribe();
    await settled();

    expect(fetch.requests.map(urlOf)).toEqual([`GET ${ROOT}/run%2F1?stream=true`, CANCEL]);
  });

  it.each<[string, FakeAnswer[]]>([
    ['has ended', [{ body: sse(...RUN) }]],
    ['can be attached to after a broken connection', [{ body: sse(...RUN.slice(0, 10)), end: 'reset' }]],
    [
      'is told to have failed',
      [{ body: sse(...RUN.slice(0, 3), { event_type: 'error', error: { code: 'internal', message: 'x' } }) }],
    ],
  ])('should not cancel a run that %s', async (_what, answers) => {
    const { gemini, fetch } = background(...answers);
    await outcomeOf(gemini.executeStream(request));
    await settled();

    expect(fetch.requests).toHaveLength(1);
  });

  it('should let a run be that cannot be attached to for the moment', async () => {
    const { gemini, fetch } = background({ status: 503, body: 'busy' }, { body: '{}' });
    const { error } = await outcomeOf(gemini.executeStream(attaching({ provider: 'google', runId: 'run/1' })));
    await settled();

    expect(error).toMatchObject({ kind: 'overloaded', status: 503 });
    expect(fetch.requests.map(urlOf)).toEqual([`GET ${ROOT}/run%2F1?stream=true`]);
  });

  it('should not care how the cancelling went', async () => {
    const failing = () => {
      throw new TypeError('no network');
    };
    const { gemini, fetch } = background({ body: sse(...RUN.slice(0, 10)), end: 'hang' }, failing);
    await until(gemini.executeStream(request), ({ type }) => type === 'text-delta');
    await settled();

    expect(fetch.requests).toHaveLength(2);
  });

  it('should never tell the key in an error', async () => {
    const { gemini } = background({
      status: 400,
      body: '{"error":{"code":400,"message":"bad key key-1"}}',
      headers: { 'content-type': 'application/json' },
    });
    const { error } = await outcomeOf(gemini.executeStream(attaching({ provider: 'google', runId: 'run-1' })));

    expect(error).toBeInstanceOf(InferenceExecutionError);
    expect(`${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain('key-1');
  });
});
