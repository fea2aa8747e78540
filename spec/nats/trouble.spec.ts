import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { firstValueFrom, lastValueFrom, timer, toArray, VirtualTimeScheduler, type Subscription } from 'rxjs';
import { natsRunLog, type NatsRunLogConfig } from '../../src/nats/index.js';
import type { Fence, RunEntry, RunLog } from '../../src/runs/index.js';
import { startProxy, type TcpProxy } from '../helpers/redisServer.js';
import { describeNats } from './natsServer.js';

const numbers = (entries: RunEntry[]): number[] => entries.map(({ seq }) => seq);
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
const whole = (log: RunLog, runId: string): Promise<RunEntry[]> => firstValueFrom(log.read(runId).pipe(toArray()));

interface Held {
  fence: Fence;
  claim: Subscription;
  /** What the claim has errored with. */
  lost: unknown[];
}

/** Claims of a test, which would be renewed for ever. */
const claims: Subscription[] = [];

function hold(log: RunLog, runId: string, ttl: number, scheduler?: VirtualTimeScheduler): Promise<Held> {
  const lost: unknown[] = [];
  return new Promise((resolve, reject) => {
    const claim: Subscription = log.claim(runId, { ttl, ...(scheduler && { scheduler }) }).subscribe({
      next: (fence) => queueMicrotask(() => resolve({ fence, claim, lost })),
      error: (error: unknown) => {
        lost.push(error);
        reject(error instanceof Error ? error : new Error('no error'));
      },
    });
    claims.push(claim);
  });
}

/** Appends one event after the other, each once the one before is stored. */
async function produce(log: RunLog, fence: Fence, last: number, pause = 0): Promise<number[]> {
  const places: number[] = [];
  for (let n = 1; n <= last; n++) {
    places.push(...(await firstValueFrom(log.append(fence, [{ type: n === last ? 'run-end' : `event-${n}` }]))));
    if (pause > 0) await firstValueFrom(timer(pause));
  }
  return places;
}

jest.setTimeout(30_000);

describeNats('natsRunLog in trouble', (server) => {
  let proxy: TcpProxy;

  beforeAll(async () => {
    proxy = await startProxy(server().port);
  });
  afterEach(() => {
    for (const claim of claims.splice(0)) claim.unsubscribe();
  });
  afterAll(() => proxy.close());

  const open = async (
    port?: number,
    config?: NatsRunLogConfig,
  ): Promise<{ log: RunLog; connection: NatsConnection }> => {
    const connection = await server().connect(port);
    return { connection, log: natsRunLog(connection, config) };
  };

  it('should store everything once when NATS crashes and comes back with its files', async () => {
    const { log } = await open();
    const reading = whole(log, 'crash');
    const { fence, claim, lost } = await hold(log, 'crash', 20_000);
    const producing = produce(log, fence, 200, 1);
    await firstValueFrom(timer(100));
    await server().restart(() => firstValueFrom(timer(300)).then(() => undefined));

    expect(await producing).toEqual(upTo(200));
    expect(numbers(await reading)).toEqual(upTo(200));
    expect(numbers(await whole(log, 'crash'))).toEqual(upTo(200));
    expect(lost).toEqual([]);
    claim.unsubscribe();
  });

  it('should store everything once when the connection is cut again and again', async () => {
    const { log } = await open(proxy.port);
    const reading = whole(log, 'cut');
    const { fence, claim } = await hold(log, 'cut', 20_000);
    const producing = produce(log, fence, 400);
    for (const pause of [5_000, 5, 20, 40, 80]) {
      await firstValueFrom(timer(30));
      proxy.cut();
      await firstValueFrom(timer(pause));
      proxy.mend();
      await firstValueFrom(timer(120));
    }

    expect(await producing).toEqual(upTo(400));
    expect(numbers(await reading)).toEqual(upTo(400));
    claim.unsubscribe();
  });

  it('should tell everybody when NATS is away for longer than they wait', async () => {
    const { log } = await open(proxy.port, { patience: 300 });
    const { fence, lost } = await hold(log, 'away', 600);
    await firstValueFrom(log.append(fence, [{ type: 'a' }]));
    const told = lastValueFrom(log.read('away')).catch((error: unknown) => error);
    await firstValueFrom(timer(50));
    proxy.cut();

    await expect(firstValueFrom(log.append(fence, [{ type: 'b' }]))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(firstValueFrom(log.head('away'))).rejects.toThrow(/JetStream has not answered for 300 ms/);
    expect(await told).toMatchObject({ code: 'unavailable', runId: 'away' });
    for (let left = 200; left > 0 && lost.length === 0; left--) await firstValueFrom(timer(20));
    expect(lost).toMatchObject([{ code: 'unavailable' }]);
    proxy.mend();
    const { log: other } = await open();
    expect(await firstValueFrom(other.orphans().pipe(toArray()))).toContain('away');
  });

  it('should have the engine itself refuse a producer that was overtaken', async () => {
    const [first, second] = [await open(), await open()];
    const asleep = await hold(first.log, 'fenced', 200, new VirtualTimeScheduler());
    await firstValueFrom(first.log.append(asleep.fence, [{ type: 'a' }]));
    const js = jetstream(first.connection);
    const last = await (
      await js.jetstreamManager()
    ).direct.getMessage('rx-llm-runs', { last_by_subj: 'rx-llm.run.fenced' });
    await firstValueFrom(timer(250));
    const awake = await hold(second.log, 'fenced', 20_000);

    // What the first would send if it did not know that its time is over.
    const late = js.publish('rx-llm.run.fenced', last!.data, { expect: { lastSubjectSequence: last!.seq } });
    await expect(late).rejects.toMatchObject({ code: 10071 });
    await expect(firstValueFrom(first.log.append(asleep.fence, [{ type: 'b' }]))).rejects.toMatchObject({
      code: 'lost',
    });
    await firstValueFrom(second.log.append(awake.fence, [{ type: 'c' }, { type: 'run-end' }]));
    expect((await whole(first.log, 'fenced')).map(({ event }) => event.type)).toEqual(['a', 'c', 'run-end']);
  });

  it('should leave out the pieces of an event whose producer died before the last of them', async () => {
    const [first, second] = [await open(), await open()];
    const dying = await hold(first.log, 'pieces', 20_000);
    await firstValueFrom(first.log.append(dying.fence, [{ type: 'a' }]));
    const big = firstValueFrom(
      first.log.append(dying.fence, [{ type: 'big', text: 'x'.repeat(6_000_000) } as { type: string }]),
    );
    const refused = big.catch((error: unknown) => error);
    const js = jetstream(second.connection);
    const manager = await js.jetstreamManager();
    const kindOfLast = async (): Promise<string> => {
      const last = await manager.direct.getMessage('rx-llm-runs', { last_by_subj: 'rx-llm.run.pieces' });
      return (JSON.parse(last!.string().split('\n')[0]!) as { kind: string }).kind;
    };
    while ((await kindOfLast()) !== 'part') await firstValueFrom(timer(1));
    dying.claim.unsubscribe();
    await refused;
    await firstValueFrom(timer(100));
    const next = await hold(second.log, 'pieces', 20_000);
    await firstValueFrom(second.log.append(next.fence, [{ type: 'b' }, { type: 'run-end' }]));

    expect(await refused).toMatchObject({ code: 'lost' });
    expect((await whole(first.log, 'pieces')).map(({ seq, event }) => [seq, event.type])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'run-end'],
    ]);
  });

  it('should go on with a fence in another process than the one that has claimed', async () => {
    const [first, second] = [await open(), await open()];
    const { fence, claim } = await hold(first.log, 'handed', 20_000);
    await firstValueFrom(first.log.append(fence, [{ type: 'a' }]));

    expect(await firstValueFrom(second.log.append({ ...fence }, [{ type: 'b' }]))).toEqual([2]);
    await expect(
      firstValueFrom(second.log.append({ ...fence, token: fence.token + 1 }, [{ type: 'c' }])),
    ).rejects.toMatchObject({ code: 'lost' });
    claim.unsubscribe();
  });

  it('should carry out an expiry whose process is gone', async () => {
    const { log, connection } = await open();
    const { fence, claim } = await hold(log, 'later', 20_000);
    await firstValueFrom(log.append(fence, [{ type: 'a' }, { type: 'run-end' }]));
    claim.unsubscribe();
    await lastValueFrom(log.expire('later', 150), { defaultValue: undefined });
    await connection.close();
    const { log: other } = await open();
    const before = await firstValueFrom(other.head('later'));
    await firstValueFrom(timer(200));
    await firstValueFrom(other.orphans().pipe(toArray()));

    expect([before?.seq, await firstValueFrom(other.head('later'))]).toEqual([2, null]);
  });

  it('should refuse what makes no sense', async () => {
    const connection = await server().connect();
    const closed = await server().connect();
    await closed.close();

    expect(() => natsRunLog(connection, { name: 'a.b' })).toThrow(TypeError);
    expect(() => natsRunLog(connection, { poll: 0 })).toThrow(RangeError);
    await expect(lastValueFrom(natsRunLog(closed).read('x'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(lastValueFrom(natsRunLog(closed).head('x'))).rejects.toMatchObject({ code: 'unavailable' });
  });
});
