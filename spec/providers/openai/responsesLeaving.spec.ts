import { filter, firstValueFrom, map, NEVER, share, type Observable, type Subscription } from 'rxjs';
import { collect, recover, resultText, type LlmStreamEvent, type RecoverConfig } from '../../../src/index.js';
import { openaiResponses } from '../../../src/providers/openai/index.js';
import { request } from '../../helpers/events.js';
import { fakeFetch, type FakeAnswer, type SentRequest } from '../../helpers/fakeFetch.js';
import { completed, created, framesOf, outcomeOf, text } from './responsesHelpers.js';

const FRAMES = framesOf([created(), text(0, 'One '), text(0, 'two '), text(0, 'three.'), completed()]);
/** The events of the run from the one with that number on, and how the connection ends then. */
const part = (from: number, to: number, end: FakeAnswer['end'] = 'close'): FakeAnswer => ({
  body: FRAMES.slice(from, to).join(''),
  end,
});
const GONE: FakeAnswer = {
  status: 404,
  body: '{"error":{"message":"not found"}}',
};
const DOWN: FakeAnswer = { status: 503, body: '' };

/** A run whose first connection goes as `start` says, and those after it as `later` say. */
function following(config: Partial<RecoverConfig>, start: FakeAnswer, ...later: FakeAnswer[]) {
  const attached = [...later];
  const fetch = fakeFetch(({ init, url }) => {
    if (url.endsWith('/cancel')) return { body: '{}' };
    return init.method === 'GET' ? (attached.shift() ?? GONE) : start;
  });
  const gpt = openaiResponses({ background: true, fetch });
  const resubscribe: RecoverConfig['resubscribe'] = (next) => gpt.executeStream(next);
  const events$ = gpt.executeStream(request).pipe(
    recover({
      request,
      resubscribe,
      delay: 0,
      idleTimeout: false,
      ...config,
    }),
    share(),
  );
  return { fetch, events$ };
}

const asked = (requests: readonly SentRequest[]): string[] =>
  requests.map(({ init, url }) => (url.endsWith('/cancel') ? 'cancel' : String(init.method)));

/** Leaves when such an event has come. */
async function leaveAt(events$: Observable<LlmStreamEvent>, type: LlmStreamEvent['type']): Promise<Subscription> {
  const subscription = events$.subscribe();
  await firstValueFrom(events$.pipe(filter((event) => event.type === type)));
  return subscription;
}

describe('openaiResponses: who cancels a run that recovery follows', () => {
  it.each([0, 5])('should not be a stall, whatever the delay (%s ms)', async (delay) => {
    const { fetch, events$ } = following(
      { idleTimeout: 20, delay },
      part(0, 2, 'hang'),
      part(2, 3, 'hang'),
      part(3, 9),
    );

    expect(await firstValueFrom(events$.pipe(collect(), map(resultText)))).toBe('One two three.');
    expect(asked(fetch.requests)).toEqual(['POST', 'GET', 'GET']);
  });

  it.each([
    ['a broken connection', 'reset' as const],
    ['a stall', 'hang' as const],
  ])('should be a subscriber who leaves while recovery waits after %s', async (_, end) => {
    const { fetch, events$ } = following({ idleTimeout: 20, delay: () => NEVER }, part(0, 2, end));
    const subscription = await leaveAt(events$, 'interrupted');
    expect(asked(fetch.requests)).toEqual(['POST']);
    subscription.unsubscribe();

    expect(asked(fetch.requests)).toEqual(['POST', 'cancel']);
  });

  it('should be a subscriber who leaves when the run is followed again', async () => {
    const { fetch, events$ } = following({}, part(0, 2, 'reset'), part(2, 3, 'hang'));
    const subscription = await leaveAt(events$, 'resumed');
    subscription.unsubscribe();

    expect(asked(fetch.requests)).toEqual(['POST', 'GET', 'cancel']);
  });

  it('should be nobody when the run is gone', async () => {
    const { fetch, events$ } = following({ count: 1 }, part(0, 2, 'reset'), GONE);
    const { error } = await outcomeOf(events$);

    expect(error?.kind).toBe('stream-interrupted');
    expect(asked(fetch.requests)).toEqual(['POST', 'GET']);
  });

  it.each<[string, FakeAnswer]>([
    ['is down', DOWN],
    ['has no quota left for the moment', { status: 429, body: '', headers: { 'retry-after': '0' } }],
    ['breaks the connection', { body: '', end: 'reset' }],
  ])('should be nobody when the provider %s for once', async (_, refusal) => {
    const { fetch, events$ } = following({}, part(0, 2, 'reset'), refusal, part(2, 3, 'reset'), refusal, part(3, 9));

    expect(await firstValueFrom(events$.pipe(collect(), map(resultText)))).toBe('One two three.');
    expect(asked(fetch.requests)).toEqual(['POST', 'GET', 'GET', 'GET', 'GET']);
  });

  it('should be recovery when it goes on without a run that may be alive', async () => {
    const { fetch, events$ } = following({ count: 1 }, part(0, 2, 'reset'), DOWN, DOWN);
    await outcomeOf(events$);

    expect(asked(fetch.requests)).toEqual(['POST', 'GET', 'GET', 'cancel']);
  });

  it('should be nobody when recovery gives up: the error says where the run is', async () => {
    const { fetch, events$ } = following(
      { when: ({ attempt }) => attempt < 2 },
      part(0, 2, 'reset'),
      part(2, 3, 'reset'),
    );
    const { error } = await outcomeOf(events$);

    expect(error?.snapshot?.cursor).toMatchObject({ after: 2 });
    expect(asked(fetch.requests)).toEqual(['POST', 'GET']);
  });

  it('should be recovery when another model goes on with the answer', async () => {
    const other = openaiResponses({ fetch: fakeFetch(part(2, 9)) });
    const resubscribe: RecoverConfig['resubscribe'] = () => other.executeStream(request);
    const { fetch, events$ } = following({ idleTimeout: 20, resubscribe }, part(0, 2, 'hang'));

    expect(await firstValueFrom(events$.pipe(collect(), map(resultText)))).toBe('One two three.');
    expect(asked(fetch.requests)).toEqual(['POST', 'cancel']);
  });

  it('should be the last of two who follow the same run', async () => {
    const fetch = fakeFetch(({ url }) => (url.endsWith('/cancel') ? { body: '{}' } : part(2, 3, 'hang')));
    const cursor = { provider: 'openai', runId: 'resp_0123', after: 1 };
    const continuation = {
      prefix: 'One ',
      cancelledTools: [],
      mechanism: 'reattach' as const,
      cursor,
    };
    const follow = async (): Promise<Subscription> => {
      const events$ = openaiResponses({ fetch })
        .executeStream({ ...request, continuation })
        .pipe(share());
      return leaveAt(events$, 'text-delta');
    };
    const [first, second] = [await follow(), await follow()];
    first.unsubscribe();
    expect(asked(fetch.requests)).toEqual(['GET', 'GET']);
    second.unsubscribe();

    expect(asked(fetch.requests)).toEqual(['GET', 'GET', 'cancel']);
  });
});
