import { createParser, type EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import { from, lastValueFrom, NEVER, of, take, throwError, toArray } from 'rxjs';
import { InferenceExecutionError, type ConverseEvent, type LlmStreamEvent } from 'rx-llm';
import { publicError, publicEvent, toMessageEvents, toServerSentEvents } from 'rx-llm/server';
import { stop, text } from 'rx-llm/testing';
import { sseFrame } from '../../src/server/sseFrame.js';
import { createTestScheduler } from '../helpers/testScheduler.js';
import { unhandledWhile } from './unhandledWhile.js';

const a = text('a');
const b = text('b');
const frames = {
  S: 'event: stream\ndata: {"replay":false}\n\n',
  a: 'id: 1\ndata: {"type":"text-delta","text":"a"}\n\n',
  b: 'id: 2\ndata: {"type":"text-delta","text":"b"}\n\n',
  h: ':\n\n',
  E: 'event: end\ndata: {}\n\n',
};

function parsed(written: string): EventSourceMessage[] {
  const messages: EventSourceMessage[] = [];
  createParser({ onEvent: (message) => messages.push(message) }).feed(written);
  return messages;
}

async function writtenOf(events: LlmStreamEvent[]): Promise<string> {
  return (await lastValueFrom(from(events).pipe(toServerSentEvents(), toArray()))).join('');
}

describe('toServerSentEvents', () => {
  it('should write each event with an id, heartbeats in between and the end', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  ---a------------b--|   ', { a, b });
      const sourceSubs = '   ^------------------!   ';
      const expected = '     S--a---------h--b--(E|)';

      const result = source.pipe(toServerSentEvents({ heartbeat: 10 }));

      expectObservable(result).toBe(expected, frames);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should send a heartbeat every 15 seconds of silence, also before the first event', () => {
    createTestScheduler().run(({ expectObservable }) => {
      expectObservable(NEVER.pipe(toServerSentEvents()), '^ 40s !').toBe('S 14999ms h 14999ms h', frames);
    });
  });

  it('should tell an error by a frame and complete', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const failure = new InferenceExecutionError('rate-limited', 'key sk-1234', { retryAfter: 2_000 });
      const errors: unknown[] = [];
      const source = cold('  ---a--#   ', { a }, failure);
      const sourceSubs = '   ^-----!   ';
      const expected = '     S--a--(X|)';
      const X =
        'event: error\ndata: {"type":"error","kind":"rate-limited","message":"Too many requests; try again later.",' +
        '"retryable":true,"retryAfter":2000}\n\n';

      const result = source.pipe(toServerSentEvents({ onError: (error) => errors.push(error) }));

      expectObservable(result).toBe(expected, { ...frames, X });
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source, and send no heartbeat any more', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  --a---------------', { a });
      const unsub = '        -----!            ';
      const sourceSubs = '   ^----!            ';
      const expected = '     S-a---            ';

      const result = source.pipe(toServerSentEvents({ heartbeat: 4 }));

      expectObservable(result, unsub).toBe(expected, frames);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should not subscribe for one who only wants the first frame', () => {
    createTestScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--a|', { a });

      expectObservable(source.pipe(toServerSentEvents(), take(1))).toBe('(S|)', frames);
      expectSubscriptions(source.subscriptions).toBe([]);
    });
  });

  it('should stop a synchronous source', async () => {
    const seen: string[] = [];
    const source = from([a, b, a, b]).pipe(toServerSentEvents(), take(3));

    source.subscribe((frame) => seen.push(frame));

    expect(seen).toEqual([frames.S, frames.a, frames.b]);
  });

  it('should share no state between two subscriptions', async () => {
    const source = of(a, b).pipe(toServerSentEvents());

    const both = await Promise.all([lastValueFrom(source.pipe(toArray())), lastValueFrom(source.pipe(toArray()))]);

    expect(both).toEqual([
      [frames.S, frames.a, frames.b, frames.E],
      [frames.S, frames.a, frames.b, frames.E],
    ]);
  });

  it('should take the ids and the events of a log', async () => {
    const entries = [
      { seq: 7, event: a },
      { seq: 9, event: null },
      { seq: 12, event: b },
    ];

    const written = await lastValueFrom(
      from(entries).pipe(toServerSentEvents({ id: ({ seq }) => seq, event: ({ event }) => event }), toArray()),
    );

    expect(parsed(written.join(''))).toEqual([
      { event: 'stream', id: undefined, data: '{"replay":true}' },
      { event: undefined, id: '7', data: JSON.stringify(a) },
      { event: undefined, id: '12', data: JSON.stringify(b) },
      { event: 'end', id: undefined, data: '{}' },
    ]);
  });

  it.each(['a\nb', 'a\rb', 'a\0b'])('should fail on an id that would end its field: %j', async (id) => {
    const errors: unknown[] = [];
    const written = of(a).pipe(toServerSentEvents({ id: () => id, onError: (error) => errors.push(error) }), toArray());

    expect((await lastValueFrom(written)).at(-1)).toContain('event: error');
    expect(errors).toMatchObject([
      { message: `the id of a server-sent event holds a line end or NUL: ${JSON.stringify(id)}` },
    ]);
  });

  it.each(['id', 'event'] as const)('should tell what `%s` throws as an error of the source', async (name) => {
    const thrown = new Error('no');
    const errors: unknown[] = [];
    const config = {
      [name]: () => {
        throw thrown;
      },
      onError: (error: unknown) => errors.push(error),
    };

    const written = await lastValueFrom(of(a).pipe(toServerSentEvents(config), toArray()));

    expect(written.at(-1)).toContain('"kind":"provider","message":"The model provider failed."');
    expect(errors).toEqual([thrown]);
  });

  it.each(['throws', 'rejects'])('should tell the client of a failure also when `onError` %s', async (what) => {
    const onError = (): unknown => {
      if (what === 'rejects') return Promise.reject(new Error('no logs'));
      throw new Error('no logs');
    };
    const failure = new InferenceExecutionError('timeout', '');
    let written: string[] = [];

    const unhandled = await unhandledWhile(async () => {
      const failing = throwError(() => failure).pipe(toServerSentEvents({ onError }), toArray());
      written = await lastValueFrom(failing);
    });

    expect(written.at(-1)).toContain('"kind":"timeout"');
    expect(unhandled).toEqual([]);
  });

  it('should refuse a heartbeat that is no time', () => {
    expect(() => of(a).pipe(toServerSentEvents({ heartbeat: 0 }))).toThrow(
      'heartbeat: the time must be a positive number of milliseconds, or Infinity',
    );
  });

  it('should be read by eventsource-parser as what was sent, whatever it is and however it is split', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary' }), { maxLength: 8 }),
        fc.array(fc.nat(60), { maxLength: 8 }),
        async (texts, cuts) => {
          const events: LlmStreamEvent[] = [...texts.map(text), stop()];
          const written = await writtenOf(events);
          const seen: EventSourceMessage[] = [];
          const parser = createParser({ onEvent: (message) => seen.push(message) });
          let rest = written;
          for (const length of cuts) {
            parser.feed(rest.slice(0, length));
            rest = rest.slice(length);
          }
          parser.feed(rest);

          expect(seen.filter(({ event }) => event === undefined).map(({ data }) => JSON.parse(data))).toEqual(events);
          expect(seen.map(({ event }) => event)).toEqual(['stream', ...events.map(() => undefined), 'end']);
          expect(seen.slice(1, -1).map(({ id }) => id)).toEqual(events.map((_, index) => String(index + 1)));
        },
      ),
      { seed: 6, numRuns: 300 },
    );
  });

  it('should fail on what is no JSON', async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;

    const written = await lastValueFrom(of(a).pipe(toServerSentEvents({ event: () => cyclic }), toArray()));

    expect(written.map((frame) => parsed(frame)[0]?.event)).toEqual(['stream', 'error']);
  });

  it('should write text of several lines as one event', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '\r', ':', ' ', 'data', '\u2028') }), (data) => {
        // The standard knows one end of a line.
        const lines = data.replace(/\r\n?/g, '\n');
        expect(parsed(sseFrame({ data })).map((message) => message.data)).toEqual([lines]);
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});

describe('toMessageEvents', () => {
  it('should give what the @Sse() of NestJS sends', async () => {
    const failure = new InferenceExecutionError('timeout', '');
    createTestScheduler().run(({ cold, expectObservable }) => {
      const source = cold('  ---a-----#   ', { a }, failure);
      const expected = '     S--a---h-(X|)';

      expectObservable(source.pipe(toMessageEvents({ heartbeat: 4 }))).toBe(expected, {
        S: { type: 'stream', data: { replay: false } },
        a: { id: '1', data: a },
        h: { type: 'heartbeat', data: '' },
        X: { type: 'error', data: publicError(failure) },
      });
    });
  });
});

describe('publicError', () => {
  it('should tell nothing of what was thrown', () => {
    const secret = 'sk-1234';
    const cause = new Error(`postgres://user:${secret}@host`);
    const errors = [new InferenceExecutionError('unauthorized', secret, { cause, status: 401 }), cause, secret, null];

    for (const error of errors) expect(JSON.stringify(publicError(error))).not.toContain(secret);
    expect(publicError(cause)).toEqual({
      type: 'error',
      kind: 'provider',
      message: 'The model provider failed.',
      retryable: true,
    });
  });

  it('should tell why a stream was interrupted', async () => {
    const failure = new InferenceExecutionError('stream-interrupted', '', {
      interruption: { kind: 'provider-5xx', status: 503 },
    });

    const written = await lastValueFrom(throwError(() => failure).pipe(toServerSentEvents(), toArray()));

    expect(JSON.parse(parsed(written.join(''))[1]?.data ?? '')).toMatchObject({
      kind: 'stream-interrupted',
      interruption: { kind: 'provider-5xx', status: 503 },
    });
  });
});

describe('publicEvent', () => {
  const request = {
    model: 'gpt-4o',
    system: 'secret',
    messages: [
      { role: 'system' as const, content: [] },
      { role: 'user' as const, content: [] },
    ],
  };

  it.each<ConverseEvent>([
    { ...a, providerMetadata: { signature: 's', cursor: { provider: 'openai', runId: 'secret' } } },
    {
      ...{ type: 'interrupted', cause: { kind: 'connection-reset' }, attempt: 1, delay: 0 },
      plan: { kind: 'reattach', cursor: { provider: 'openai', runId: 'secret', state: 'secret' } },
    },
    {
      type: 'conversation-suspended',
      state: { version: 1, request, step: 1, pending: [], ledger: [], steered: [] },
    },
    {
      ...{ type: 'conversation-end', reason: 'done', steps: 1 },
      messages: [{ role: 'system', content: [{ type: 'text', text: 'secret' }] }],
      result: { content: [], toolCalls: [], hasIncompleteToolCalls: false },
    },
  ])('should keep back what only the server needs: $type', (event) => {
    const before = JSON.stringify(event);

    expect(JSON.stringify(publicEvent(event))).not.toContain('secret');
    expect(publicEvent(event).type).toBe(event.type);
    expect(JSON.stringify(event)).toBe(before);
  });

  it('should leave everything else as it is', () => {
    const foreign = { hello: 'world' };

    expect(publicEvent(a)).toBe(a);
    expect(publicEvent(foreign)).toBe(foreign);
  });
});
