import { firstValueFrom, of, Subscription, take, toArray, type Observable, type SchedulerLike } from 'rxjs';
import {
  InferenceExecutionError,
  userMessage,
  type InferenceRequest,
  type LlmStreamEvent,
} from '../../src/contract/index.js';
import { cut, llmMarbles, scriptedExecutor, stop, text, toolCall } from '../../src/testing/index.js';
import { createTestScheduler } from '../helpers/testScheduler.js';

const request: InferenceRequest = { model: 'm', messages: [userMessage('hi')] };
const values = llmMarbles.values();

function notifications(source: Observable<unknown>): unknown[] {
  const seen: unknown[] = [];
  source.subscribe({
    next: (value) => seen.push(value),
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('|'),
  });
  return seen;
}

describe('scriptedExecutor', () => {
  it('should play events and delays on the virtual clock', () => {
    createTestScheduler().run(({ expectObservable }) => {
      const executor = scriptedExecutor([[{ delay: 2 }, text('a'), { delay: 3 }, text('b'), { delay: 1 }, stop()]]);
      const expected = '--a--b(S|)';

      expectObservable(executor.executeStream(request)).toBe(expected, values);
    });
  });

  it('should run on the scheduler that it is given', () => {
    const scheduler = createTestScheduler();
    const executor = scriptedExecutor([[text('a'), { delay: 5 }, stop()]], { scheduler });
    const seen = notifications(executor.executeStream(request));

    expect(seen).toEqual([text('a')]);
    scheduler.flush();
    expect(seen).toEqual([text('a'), stop(), '|']);
  });

  it('should be synchronous without delays', () => {
    const executor = scriptedExecutor([[text('a'), toolCall('1', 'now'), stop('tool-use')]]);

    expect(notifications(executor.executeStream(request))).toEqual([
      text('a'),
      { type: 'tool-call-start', id: '1', name: 'now' },
      { type: 'tool-call-delta', id: '1', argsDelta: '{}' },
      { type: 'content-block-stop', id: '1' },
      stop('tool-use'),
      '|',
    ]);
  });

  it('should complete an attempt that ends without a stop', () => {
    expect(notifications(scriptedExecutor([[text('a')]]).executeStream(request))).toEqual([text('a'), '|']);
    expect(notifications(scriptedExecutor([[]]).executeStream(request))).toEqual(['|']);
  });

  it('should end an attempt with an error, an own value included', () => {
    const error = cut('idle-stall');
    const executor = scriptedExecutor([[text('a'), error, text('never')], [{ error: 'own' }]]);

    expect(notifications(executor.executeStream(request))).toEqual([text('a'), error]);
    expect(notifications(executor.executeStream(request))).toEqual(['own']);
    expect(executor.subscriptions.map(({ state }) => state)).toEqual(['errored', 'errored']);
  });

  it.each([['silence' as const], [{ hang: true as const }]])('should say nothing more after %p', (step) => {
    createTestScheduler().run(({ expectObservable }) => {
      const executor = scriptedExecutor([[{ delay: 1 }, text('a'), step, text('b')]]);

      expectObservable(executor.executeStream(request), '^----!').toBe('-a', values);
    });
  });

  it('should give each subscription its attempt, and the last one to all further ones', () => {
    const executor = scriptedExecutor([
      [text('a'), cut()],
      [text('b'), stop()],
    ]);
    const stream = executor.executeStream(request);

    expect(executor.requests).toEqual([]);
    expect(notifications(stream)[0]).toEqual(text('a'));
    expect(notifications(stream)[0]).toEqual(text('b'));
    expect(notifications(stream)[0]).toEqual(text('b'));
  });

  it('should take attempts from a function of the request', () => {
    const executor = scriptedExecutor(({ model }, attempt) => [text(`${model}${attempt}`), stop()]);

    notifications(executor.executeStream(request));
    expect(notifications(executor.executeStream({ ...request, model: 'n' }))[0]).toEqual(text('n2'));
  });

  it('should give a throwing function as an error notification', () => {
    const error = new Error('no script');
    const executor = scriptedExecutor(() => {
      throw error;
    });

    expect(notifications(executor.executeStream(request))).toEqual([error]);
  });

  it('should record requests and what became of the subscriptions', () => {
    createTestScheduler().run(({ expectObservable, flush }) => {
      const executor = scriptedExecutor([[{ delay: 4 }, text('a'), 'silence'], [stop()], [text('x'), cut()]]);
      const other = { ...request, model: 'other' };

      const unsubscribed = executor.executeStream(request);
      const completed = executor.executeStream(other);
      const errored = executor.executeStream(request);
      expectObservable(unsubscribed, '^-!').toBe('---');
      expectObservable(completed).toBe('(S|)', values);
      expectObservable(errored).toBe('(x#)', values, cut());
      flush();

      expect(executor.requests).toEqual([request, other, request]);
      expect(executor.subscriptions.map(({ state }) => state)).toEqual(['unsubscribed', 'completed', 'errored']);
      expect(executor).toMatchObject({ open: 0, unsubscribed: 1, name: 'scripted' });
    });
  });

  it('should count open subscriptions', () => {
    const executor = scriptedExecutor([['silence']]);
    const first = executor.executeStream(request).subscribe();
    executor.executeStream(request).subscribe().unsubscribe();

    expect([executor.open, executor.unsubscribed]).toEqual([1, 1]);
    first.unsubscribe();
    expect([executor.open, executor.unsubscribed]).toEqual([0, 2]);
  });

  it('should leave no timer behind', () => {
    const scheduled: Subscription[] = [];
    const scheduler: SchedulerLike = {
      now: () => 0,
      schedule: () => {
        const action = new Subscription();
        scheduled.push(action);
        return action;
      },
    };
    const executor = scriptedExecutor([[{ delay: 5 }, stop()]], { scheduler });

    executor.executeStream(request).subscribe().unsubscribe();

    expect(scheduled.map(({ closed }) => closed)).toEqual([true]);
  });

  it('should stop when a synchronous subscriber has enough', () => {
    const events: LlmStreamEvent[] = [text('a'), text('b'), stop()];
    let played = 0;
    const counted = events.map((event) => ({
      get type() {
        played++;
        return event.type;
      },
    })) as LlmStreamEvent[];
    const executor = scriptedExecutor([counted]);

    executor.executeStream(request).pipe(take(1)).subscribe();

    expect(played).toBeLessThanOrEqual(1);
    expect(executor.subscriptions[0]?.state).toBe('unsubscribed');
  });

  it('should collect the same answer by execute', async () => {
    const executor = scriptedExecutor([[text('a'), text('b'), stop()]]);

    await expect(firstValueFrom(executor.execute(request))).resolves.toMatchObject({
      content: [{ type: 'text', text: 'ab' }],
      stopReason: 'end-turn',
    });
    expect(executor.requests).toHaveLength(1);
  });

  it('should refuse a script without attempts', () => {
    expect(() => scriptedExecutor([])).toThrow('give at least one attempt');
  });
});

describe('event builders', () => {
  it('should build an interruption by its cause', () => {
    expect(cut()).toBeInstanceOf(InferenceExecutionError);
    expect(cut().interruption).toEqual({ kind: 'connection-reset' });
    expect(cut('provider-5xx').interruption).toEqual({ kind: 'provider-5xx', status: 503 });
    expect(cut({ kind: 'provider-5xx', status: 502 }).interruption).toEqual({ kind: 'provider-5xx', status: 502 });
  });

  it('should send the JSON text of arguments as it is', async () => {
    const [, delta] = await firstValueFrom(of(...toolCall('1', 'f', '{"a":')).pipe(toArray()));

    expect(delta).toEqual({ type: 'tool-call-delta', id: '1', argsDelta: '{"a":' });
  });
});
