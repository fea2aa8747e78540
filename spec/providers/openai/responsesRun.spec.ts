import { firstValueFrom, Subject, take } from 'rxjs';
import {
  collect,
  recover,
  type InferenceRequest,
  type LlmStreamEvent,
  type RunCursor,
  type StreamResult,
} from '../../../src/index.js';
import { openaiResponses } from '../../../src/providers/openai/index.js';
import { corpusCases, describeCorpus } from '../../helpers/corpus.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type FakeAnswer, type SentRequest } from '../../helpers/fakeFetch.js';
import {
  added,
  args,
  call,
  completed,
  created,
  done,
  event,
  framesOf,
  incomplete,
  outcomeOf,
  RUN,
  sse,
  summary,
  text,
} from './responsesHelpers.js';

const message = (index: number, more: object = {}) => ({ type: 'message', id: `msg_${index}`, ...more });
const encrypted = { type: 'reasoning', id: 'rs_0', summary: [], encrypted_content: 'gAAA' };
const usage = { input_tokens: 10, output_tokens: 20, total_tokens: 30 };
const shell = { type: 'custom_tool_call', id: 'ctc', call_id: 'call_4', name: 'shell' };

/** A run with everything in it that a decoder has to know of what came before. */
const RUN_EVENTS = [
  created(),
  event('response.queued', { response: { id: RUN } }),
  event('response.in_progress', { response: { id: RUN } }),
  added(0, { type: 'reasoning', id: 'rs_0', summary: [] }),
  summary(0, 'Let me '),
  summary(0, 'think.'),
  summary(0, 'And again.', 1),
  done(0, encrypted),
  added(1, message(1)),
  text(1, 'The wéather'),
  text(1, ' is \u{1f324} '),
  done(1, message(1, { content: [{ type: 'output_text', annotations: [{ type: 'url_citation', url: 'u' }] }] })),
  added(2, { type: 'web_search_call', id: 'ws_2' }),
  event('response.web_search_call.searching', { output_index: 2 }),
  done(2, { type: 'web_search_call', id: 'ws_2', action: { type: 'search' } }),
  text(3, 'fine.'),
  done(3, message(3)),
  added(4, { ...shell, input: '' }),
  added(5, call(5, 'g')),
  event('response.custom_tool_call_input.delta', { output_index: 4, delta: 'rm "' }),
  args(5, '{"a":'),
  event('response.custom_tool_call_input.delta', { output_index: 4, delta: 'x"' }),
  args(5, '1}'),
  done(5, call(5, 'g', { arguments: '{"a":1}' })),
  done(4, { ...shell, input: 'rm "x"' }),
  done(6, call(6, 'h', { arguments: '{"b":2}' })),
  completed({ usage }),
];
const FRAMES = framesOf(RUN_EVENTS);
const BODY = FRAMES.join('');

/** What OpenAI answers about a run: whoever asks for it gets the events after the one that is named. */
function rest({ url }: SentRequest, frames = FRAMES): string {
  const after = Number(/starting_after=(\d+)/.exec(url)?.[1] ?? -1);
  return frames.slice(after + 1).join('');
}

const cutAt = (body: string, at: number): FakeAnswer => {
  return { body: new TextEncoder().encode(body).slice(0, at), end: 'reset' };
};

function recovering(asked: InferenceRequest, options: Parameters<typeof openaiResponses>[0]) {
  const executor = openaiResponses({ apiKey: 'key', background: true, ...options });
  return executor
    .executeStream(asked)
    .pipe(recover({ request: asked, resubscribe: (next) => executor.executeStream(next), delay: 0 }));
}

/** What came of it; events of recovery and the pieces in which the text came are of no interest. */
const answerOf = ({ content, ...result }: StreamResult) => ({ content: content.map((block) => block), ...result });

/** Reasoning that was cut in the middle is two blocks: the one with the encrypted content counts. */
function joined({ content, ...result }: StreamResult) {
  const reasoning = content.flatMap((block) => (block.type === 'reasoning' ? [block] : []));
  return {
    ...result,
    reasoning: reasoning.map((block) => block.text).join(''),
    encrypted: reasoning.flatMap((block) => block.encrypted ?? []),
    content: content.filter((block) => block.type !== 'reasoning'),
  };
}

async function whole(): Promise<StreamResult> {
  const fetch = fakeFetch({ body: BODY });
  return firstValueFrom(openaiResponses({ fetch }).executeStream(request).pipe(collect()));
}

describe('openaiResponses in the background', () => {
  it('should put on every event where the run can be attached to', async () => {
    const { events } = await outcomeOf(
      openaiResponses({ background: true, fetch: fakeFetch({ body: BODY }) }).executeStream(request),
    );
    const cursors = events.map(({ providerMetadata }) => providerMetadata?.cursor as RunCursor);

    expect(cursors.every((cursor) => cursor.provider === 'openai' && cursor.runId === RUN)).toBe(true);
    expect(cursors.map(({ after }) => Number(after))).toEqual(
      [...cursors.map(({ after }) => Number(after))].sort((a, b) => a - b),
    );
    expect(cursors[0]).toEqual({ provider: 'openai', runId: RUN, after: 0 });
    expect(cursors.at(-1)?.after).toBe(RUN_EVENTS.length - 1);
    expect(JSON.parse(JSON.stringify(cursors))).toEqual(cursors);
  });

  it('should say the same as in the foreground, but for the cursors', async () => {
    const background = openaiResponses({ background: true, fetch: fakeFetch({ body: BODY }) });

    expect(answerOf(await firstValueFrom(background.executeStream(request).pipe(collect())))).toEqual(
      answerOf(await whole()),
    );
  });

  it('should share the state between cursors where nothing has changed', async () => {
    const deltas = Array.from({ length: 50 }, (_, i) => text(0, `${i} `));
    const body = sse(created(), added(0, call(9, 'f')), args(0, '{'), ...deltas, completed());
    const { events } = await outcomeOf(
      openaiResponses({ background: true, fetch: fakeFetch({ body }) }).executeStream(request),
    );
    const states = events.flatMap((sent) => (sent.type === 'text-delta' ? [sent.providerMetadata?.cursor?.state] : []));

    expect(states).toHaveLength(50);
    expect(new Set(states).size).toBe(1);
  });

  it('should have no cursor in the foreground', async () => {
    const { events } = await outcomeOf(openaiResponses({ fetch: fakeFetch({ body: BODY }) }).executeStream(request));

    expect(JSON.stringify(events)).not.toContain('cursor');
  });

  it('should go on from the last event after a cut anywhere, without asking the model again', async () => {
    const expected = joined(await whole());
    const { length } = new TextEncoder().encode(BODY);
    const named = FRAMES[0]!.length;

    const ends = FRAMES.map((_, index) => new TextEncoder().encode(FRAMES.slice(0, index).join('')).length);
    const places = [
      ...ends.flatMap((end) => [end - 1, end, end + 1]),
      ...Array.from({ length: 500 }, (_, i) => i * 11),
    ];

    for (const at of places.filter((place) => place >= 0 && place < length)) {
      const broken: FakeAnswer = { ...cutAt(BODY, at), end: at % 2 ? 'reset' : 'close' };
      const fetch = fakeFetch(broken, (sent) => ({ body: sent.init.method === 'GET' ? rest(sent) : BODY }));
      const result = await firstValueFrom(recovering(request, { fetch }).pipe(collect()));

      expect({ at, ...joined(result) }).toEqual({ at, ...expected });
      // Before the run has told its name there is nothing to attach to. A body that ends may lack its last line ends.
      const lineEnds = broken.end === 'close' ? 2 : 0;
      const methods = at < named - lineEnds ? ['POST', 'POST'] : ['POST', 'GET'];
      expect({ at, methods: fetch.requests.map(({ init }) => init.method) }).toEqual({ at, methods });
    }
  });

  it('should survive cut after cut, in the middle of a call too', async () => {
    const expected = joined(await whole());
    const frames = (sent: SentRequest, count: number): FakeAnswer => {
      const body = sent.init.method === 'GET' ? rest(sent) : BODY;
      return { body: body.split('\n\n').slice(0, count).join('\n\n') + '\n\n', end: 'reset' };
    };
    // Four events at a time: some of them send nothing, so that each attempt brings something new.
    const fetch = fakeFetch((sent) => frames(sent, 4));
    const result = await firstValueFrom(recovering(request, { fetch }).pipe(collect()));

    expect(joined(result)).toEqual(expected);
    expect(fetch.requests.length).toBeGreaterThan(5);
    expect(fetch.requests.slice(1).every(({ init }) => init.method === 'GET')).toBe(true);
  });

  it('should not lose a character whose halves stand on both sides of the cut', async () => {
    const events = [created(), text(0, 'a\ud83d'), text(0, '\ude00b\ud83d'), text(0, '\ude00'), completed()];
    const frames = framesOf(events);

    for (const at of [2, 3]) {
      const fetch = fakeFetch({ body: frames.slice(0, at).join(''), end: 'reset' }, (sent) => ({
        body: rest(sent, frames),
      }));
      const result = await firstValueFrom(recovering(request, { fetch }).pipe(collect()));

      expect(textOf(result)).toBe('a\u{1f600}b\u{1f600}');
    }
  });

  it('should leave out events that it has seen already', async () => {
    const fetch = fakeFetch(cutAt(BODY, BODY.indexOf('fine.')), { body: BODY });
    const result = await firstValueFrom(recovering(request, { fetch }).pipe(collect()));

    expect(joined(result)).toEqual(joined(await whole()));
  });

  it('should go on in the middle of an event whose parts were stored only in part', async () => {
    const background = (body: string) => openaiResponses({ background: true, fetch: fakeFetch({ body }) });
    const { events } = await outcomeOf(background(BODY).executeStream(request));
    const { events: plain } = await outcomeOf(
      openaiResponses({ fetch: fakeFetch({ body: BODY }) }).executeStream(request),
    );

    for (const [index, sent] of events.entries()) {
      const cursor = JSON.parse(JSON.stringify(sent.providerMetadata?.cursor)) as RunCursor;
      const continuation = { prefix: '', cancelledTools: [], mechanism: 'reattach' as const, cursor };
      const fetch = fakeFetch((asked) => ({ body: rest(asked) }));
      const attached = openaiResponses({ fetch }).executeStream({ ...request, continuation });
      const { events: later } = await outcomeOf(attached);

      // The first event of the run brings nothing but its cursor. After the stop there is nothing to attach to.
      const expected = sent.type === 'stop' ? [] : plain.slice(index);
      expect(withoutNotes(later)).toEqual(expected);
    }
  });

  it.each([
    ['that is not found any more', { status: 404, body: '{"error":{"message":"Response not found"}}' }],
    ['that has expired', { status: 410, body: '{"error":{"message":"gone"}}' }],
    ['that cannot be streamed', { status: 400, body: '{"error":{"message":"cannot be streamed"}}' }],
  ])('should continue the text of a run %s with a new request', async (_, answer) => {
    const shown = 'Marbles roll along a line, and each of them is one notification. The ';
    const rest = (sent: SentRequest): FakeAnswer => {
      const anchor = /<last_words>(.*)<\/last_words>/s.exec(sent.init.body as string)?.[1];
      return { body: sse(created('resp_2'), text(0, `${String(anchor)}last one is the end.`), completed()) };
    };
    const fetch = fakeFetch({ body: sse(created(), text(0, shown)), end: 'reset' }, answer, rest);
    const result = await firstValueFrom(recovering(request, { fetch }).pipe(collect()));
    const [, , asked] = fetch.requests;

    expect(textOf(result)).toMatch(/^Marbles .* The ?last one is the end\.$/);
    expect(fetch.requests.map(({ init }) => init.method)).toEqual(['POST', 'GET', 'POST']);
    expect(asked!.body).toMatchObject({ background: true, store: true });
    expect(JSON.stringify(asked!.body)).toContain(shown.trimEnd());
  });

  it('should tell in the error where the run is', async () => {
    const fetch = fakeFetch({ body: sse(created(), text(0, 'a')), end: 'reset' });
    const { error } = await outcomeOf(openaiResponses({ background: true, fetch }).executeStream(request));

    expect(error?.snapshot?.cursor).toMatchObject({ provider: 'openai', runId: RUN, after: 1 });
  });

  it('should not tell a call again that came before the cut, although the whole answer names it', async () => {
    const f = call(0, 'f', { arguments: '{"a":1}', status: 'completed' });
    const frames = framesOf([
      created(),
      added(0, f),
      done(0, f),
      text(1, 'So'),
      completed({ output: [f, message(1)] }),
    ]);
    const before = await outcomeOf(
      openaiResponses({ background: true, fetch: fakeFetch({ body: frames.slice(0, 3).join('') }) }).executeStream(
        request,
      ),
    );
    const cursor = before.events.at(-1)?.providerMetadata?.cursor;
    const continuation = { prefix: '', cancelledTools: [], mechanism: 'reattach' as const, ...(cursor && { cursor }) };
    const fetch = fakeFetch((sent) => ({ body: rest(sent, frames) }));
    const { events } = await outcomeOf(
      openaiResponses({ background: true, fetch }).executeStream({ ...request, continuation }),
    );

    expect(events.map(({ type }) => type)).toEqual(['text-delta', 'content-block-stop', 'stop']);
  });

  it('should keep a call that the token limit cut off incomplete, also over a cut', async () => {
    const events = [
      created(),
      added(0, call(0, 'f')),
      args(0, '{"a":'),
      done(0, call(0, 'f', { status: 'incomplete' })),
    ];
    const frames = framesOf([...events, incomplete('max_output_tokens')]);
    const fetch = fakeFetch({ body: frames.slice(0, 3).join(''), end: 'reset' }, (sent) => ({
      body: rest(sent, frames),
    }));
    const result = await firstValueFrom(recovering(request, { fetch }).pipe(collect()));

    expect(result).toMatchObject({ toolCalls: [], hasIncompleteToolCalls: true, stopReason: 'max-tokens' });
  });
});

describe('openaiResponses: leaving a run', () => {
  const hanging = sse(created(), text(0, 'a'), text(0, 'b'));
  const cancels = (requests: SentRequest[]) => requests.filter(({ url }) => url.endsWith('/cancel'));

  it('should cancel the run when the subscriber leaves', async () => {
    const fetch = fakeFetch({ body: hanging, end: 'hang' });
    const executor = openaiResponses({
      background: true,
      fetch,
      apiKey: () => Promise.resolve('key'),
      headers: { x: 'y' },
    });
    await firstValueFrom(executor.executeStream(request).pipe(take(2)));
    const [cancel, ...more] = cancels(fetch.requests);

    expect(cancel?.url).toBe(`https://api.openai.com/v1/responses/${RUN}/cancel`);
    expect(cancel?.init.method).toBe('POST');
    expect(cancel?.init.headers).toEqual({ authorization: 'Bearer key', x: 'y' });
    expect(cancel?.init.body).toBeUndefined();
    expect(more).toEqual([]);
    expect(fetch.requests[0]!.init.signal?.aborted).toBe(true);
  });

  it('should cancel a run that is being attached to, before it has sent anything', async () => {
    const fetch = fakeFetch({ body: '', end: 'hang' });
    const cursor = { provider: 'openai', runId: 'resp_9', after: 3 };
    const continuation = { prefix: 'a', cancelledTools: [], mechanism: 'reattach' as const, cursor };
    openaiResponses({ fetch })
      .executeStream({ ...request, continuation })
      .subscribe()
      .unsubscribe();
    await Promise.resolve();

    expect(fetch.requests.map(({ url }) => url)).toContain('https://api.openai.com/v1/responses/resp_9/cancel');
  });

  it('should cancel a run that is followed by recovery', async () => {
    const fetch = fakeFetch(cutAt(BODY, BODY.indexOf('fine.')), { body: '', end: 'hang' }, { body: '{}' });
    const seen = new Subject<void>();
    const subscription = recovering(request, { fetch }).subscribe((sent) => sent.type === 'interrupted' && seen.next());
    await firstValueFrom(seen);
    await new Promise((resolve) => setImmediate(resolve));
    subscription.unsubscribe();

    expect(cancels(fetch.requests)).toHaveLength(1);
  });

  it.each([
    ['has ended', { body: BODY }],
    ['has failed', { body: sse(created(), event('error', { code: 'invalid_prompt', message: 'no' })) }],
    ['lost its connection', { body: hanging, end: 'reset' as const }],
    ['was cut short', { body: hanging }],
  ])('should let a run be that %s', async (_, answer) => {
    const fetch = fakeFetch(answer);
    await outcomeOf(openaiResponses({ background: true, fetch }).executeStream(request));

    expect(fetch.requests).toHaveLength(1);
  });

  it('should let a run be whose stop is the last that is wanted', async () => {
    const fetch = fakeFetch({ body: BODY });
    const { length } = (await outcomeOf(openaiResponses({ background: true, fetch }).executeStream(request))).events;
    await outcomeOf(openaiResponses({ background: true, fetch }).executeStream(request).pipe(take(length)));

    expect(cancels(fetch.requests)).toEqual([]);
  });

  it('should not cancel anything in the foreground', async () => {
    const fetch = fakeFetch({ body: hanging, end: 'hang' });
    await firstValueFrom(openaiResponses({ fetch }).executeStream(request).pipe(take(1)));

    expect(fetch.requests).toHaveLength(1);
  });
});

/** The arguments that were streamed are not those at the end; after a cut nothing is left to compare those with. */
const CORRECTED = /flue-v0-8-latest/;

describeCorpus('openaiResponses in the background, on the recordings', () => {
  const cases = corpusCases('openai-responses').filter(
    ({ file, expected, oddities }) =>
      !expected.streamErrors && !CORRECTED.test(file) && !oddities.includes('no sequence_number on some'),
  );

  it.each(cases.map((entry) => [entry.file, entry] as const))('should survive a cut in %s', async (_, entry) => {
    const body = new TextDecoder().decode(entry.bytes());
    const frames = body.split(/(?<=\n\n)/);
    const foreground = openaiResponses({ fetch: fakeFetch({ body }) });
    const expected = joined(await firstValueFrom(foreground.executeStream(request).pipe(collect())));
    const step = Math.max(1, Math.floor(frames.length / 25));

    for (let at = 1; at < frames.length; at += step) {
      const fetch = fakeFetch({ body: frames.slice(0, at).join(''), end: 'reset' }, (sent) => {
        const after = Number(/starting_after=(\d+)/.exec(sent.url)?.[1]);
        return { body: frames.filter((frame) => numberOf(frame) > after).join('') };
      });
      const result = joined(await firstValueFrom(recovering(request, { fetch }).pipe(collect())));

      expect({ at, ...result }).toEqual({ at, ...expected });
      expect(fetch.requests[1]!.init.method).toBe('GET');
    }
  });
});

function textOf({ content }: StreamResult): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function numberOf(frame: string): number {
  return Number(/"sequence_number": ?(\d+)/.exec(frame)?.[1] ?? Infinity);
}

/** Events without cursors and without how the continuation was asked for. */
function withoutNotes(events: readonly LlmStreamEvent[]): LlmStreamEvent[] {
  return events.map(({ providerMetadata, ...bare }) => {
    const { cursor: _c, continuation: _n, ...kept } = providerMetadata ?? {};
    return { ...bare, ...(Object.keys(kept).length > 0 && { providerMetadata: kept }) };
  });
}
