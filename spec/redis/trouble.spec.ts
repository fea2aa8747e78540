import { firstValueFrom, lastValueFrom, tap, timer, toArray, VirtualTimeScheduler, type Subscription } from 'rxjs';
import { redisRunLog, type RedisClient } from '../../src/redis/index.js';
import type { Fence, RunEntry, RunLog } from '../../src/runs/index.js';
import { clients, type OpenClient } from '../helpers/redisClients.js';
import { describeRedis, startProxy, startRedis, type RedisServer, type TcpProxy } from '../helpers/redisServer.js';

const numbers = (entries: RunEntry[]): number[] => entries.map(({ seq }) => seq);
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

/** Claims, and keeps what the claim errors with. */
function hold(
  log: RunLog,
  runId: string,
  ttl: number,
): Promise<{ fence: Fence; claim: Subscription; lost: unknown[] }> {
  const lost: unknown[] = [];
  return new Promise((resolve, reject) => {
    const claim: Subscription = log.claim(runId, { ttl }).subscribe({
      next: (fence) => queueMicrotask(() => resolve({ fence, claim, lost })),
      error: (error: unknown) => {
        lost.push(error);
        reject(error instanceof Error ? error : new Error('no error'));
      },
    });
  });
}

/** Appends one event after the other, each once the one before is stored. */
async function produce(log: RunLog, fence: Fence, first: number, last: number, pause = 0): Promise<number[]> {
  const places: number[] = [];
  for (let n = first; n <= last; n++) {
    places.push(...(await firstValueFrom(log.append(fence, [{ type: n === last ? 'run-end' : `event-${n}` }]))));
    if (pause > 0) await firstValueFrom(timer(pause));
  }
  return places;
}

jest.setTimeout(20_000);

describeRedis('redisRunLog in trouble', () => {
  describe.each(Object.keys(clients))('over %s', (name) => {
    let server: RedisServer;
    let proxy: TcpProxy;
    const opened: OpenClient[] = [];

    const open = async (port: number): Promise<RedisClient> => {
      const client = await clients[name]!(port);
      opened.push(client);
      return client.client;
    };

    beforeAll(async () => {
      server = await startRedis({ appendOnly: true });
      proxy = await startProxy(server.port);
    });

    afterEach(() => {
      for (const client of opened.splice(0)) client.close();
    });

    afterAll(async () => {
      await proxy.close();
      await server.close();
    });

    it('should store everything once when Redis crashes and comes back with its append-only file', async () => {
      const log = redisRunLog(await open(server.port));
      const reading = firstValueFrom(log.read('crash').pipe(toArray()));
      const { fence, claim, lost } = await hold(log, 'crash', 20_000);
      const producing = produce(log, fence, 1, 200, 1);
      await firstValueFrom(timer(100));
      await server.kill();
      await firstValueFrom(timer(300));
      await server.start();
      expect(await producing).toEqual(upTo(200));
      expect(numbers(await reading)).toEqual(upTo(200));
      expect(numbers(await firstValueFrom(log.read('crash').pipe(toArray())))).toEqual(upTo(200));
      expect(lost).toEqual([]);
      claim.unsubscribe();
    });

    it('should store everything once when the connection is cut again and again', async () => {
      const log = redisRunLog(await open(proxy.port));
      const reading = firstValueFrom(log.read('cut').pipe(toArray()));
      const { fence, claim } = await hold(log, 'cut', 20_000);
      const producing = produce(log, fence, 1, 400);
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

    it('should tell everybody when Redis is away for longer than they wait', async () => {
      const log = redisRunLog(await open(proxy.port), { patience: 300 });
      const { fence, lost } = await hold(log, 'away', 450);
      await firstValueFrom(log.append(fence, [{ type: 'a' }]));
      const reading = lastValueFrom(log.read('away'));
      const told = reading.catch((error: unknown) => error);
      await firstValueFrom(timer(50));
      proxy.cut();
      await expect(firstValueFrom(log.append(fence, [{ type: 'b' }]))).rejects.toMatchObject({ code: 'unavailable' });
      await expect(firstValueFrom(log.head('away'))).rejects.toThrow(/Redis did not answer for 300 ms/);
      expect(await told).toMatchObject({ code: 'unavailable', runId: 'away' });
      for (let left = 200; left > 0 && lost.length === 0; left--) await firstValueFrom(timer(20));
      expect(lost).toMatchObject([{ code: 'unavailable' }]);
      proxy.mend();
      const other = redisRunLog(await open(server.port));
      expect(await firstValueFrom(other.orphans().pipe(toArray()))).toContain('away');
    });

    it('should say that the lease is lost to who was asleep for longer, and not that Redis is away', async () => {
      const client = await open(server.port);
      const later = async <T>(send: () => Promise<T>): Promise<T> => firstValueFrom(timer(20)).then(send);
      const far =
        'call' in client
          ? { call: (...args: Parameters<typeof client.call>) => later(() => client.call(...args)) }
          : { sendCommand: (args: string[]) => later(() => client.sendCommand(args)) };
      const farAway = Object.assign(Object.create(client) as RedisClient, far);
      const sleeper = new VirtualTimeScheduler(undefined, 100);
      const claim = redisRunLog(farAway).claim('asleep', { ttl: 300, scheduler: sleeper });
      const told = lastValueFrom(claim.pipe(tap(() => setTimeout(() => sleeper.flush(), 400))));
      await expect(told).rejects.toMatchObject({ code: 'lost', runId: 'asleep' });
    });

    it('should refuse to append when nobody knows what was stored before', async () => {
      const log = redisRunLog(await open(proxy.port), { patience: 200 });
      const { fence, claim } = await hold(log, 'unsure', 60_000);
      proxy.cut();
      await expect(firstValueFrom(log.append(fence, [{ type: 'a' }]))).rejects.toMatchObject({ code: 'unavailable' });
      proxy.mend();
      await firstValueFrom(timer(150));
      await expect(firstValueFrom(log.append(fence, [{ type: 'b' }]))).rejects.toThrow(/claim the run again/);
      claim.unsubscribe();
    });

    it('should go on when the scripts were flushed, and refuse what a user may not do', async () => {
      const client = await open(server.port);
      const log = redisRunLog(client);
      const { fence, claim } = await hold(log, 'flushed', 60_000);
      const send = (...args: [string, ...string[]]): Promise<unknown> =>
        'call' in client ? client.call(...args) : client.sendCommand(args);
      await send('SCRIPT', 'FLUSH');
      expect(await firstValueFrom(log.append(fence, [{ type: 'a' }]))).toEqual([1]);
      await send('SET', 'rx-llm:{wrong}:s', 'no hash');
      await expect(firstValueFrom(log.head('wrong'))).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/refuses the command.*WRONGTYPE/) as string,
      });
      claim.unsubscribe();
    });

    it('should leave no connection behind when nobody reads', async () => {
      const client = await open(server.port);
      const send = (...args: [string, ...string[]]): Promise<unknown> =>
        'call' in client ? client.call(...args) : client.sendCommand(args);
      const count = async (): Promise<number> =>
        String(await send('CLIENT', 'LIST'))
          .trim()
          .split('\n').length;
      const until = async (expected: number): Promise<number> => {
        for (let left = 100; left > 0 && (await count()) !== expected; left--) await firstValueFrom(timer(10));
        return count();
      };
      const before = await count();
      const log = redisRunLog(client);
      const readers = upTo(30).map((n) => log.read(`reader-${n % 7}`).subscribe());
      expect(await until(before + 1)).toBe(before + 1);
      for (const reader of readers) reader.unsubscribe();
      expect(await until(before)).toBe(before);
    });
  });
});
