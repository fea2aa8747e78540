import { once } from 'node:events';
import { firstValueFrom, lastValueFrom, of, timeout, timer, VirtualTimeScheduler } from 'rxjs';
import { Redis } from 'ioredis';
import { redisRunLog, type IoredisClient, type RedisClient } from '../../src/redis/index.js';
import type { Fence, RunLog } from '../../src/runs/index.js';
import { describeRedis, startRedis, type RedisServer } from '../helpers/redisServer.js';

describe('redisRunLog', () => {
  it('should refuse what is no client, and options that make no sense', () => {
    const client = { call: noCall, duplicate: noCall, disconnect: noCall, on: noCall };
    for (const none of [null, {}, { get: noCall }, { ...client, call: undefined, isCluster: true }]) {
      expect(() => redisRunLog(none as RedisClient)).toThrow(/none of node-redis .* or ioredis/);
    }
    for (const shards of [0, 1.5, 1_025, NaN]) {
      expect(() => redisRunLog(client, { shards })).toThrow(/shards is a whole number from 1 to 1024, not/);
    }
    const cluster = { ...client, isCluster: true, options: { scaleReads: 'slave' } };
    expect(() => redisRunLog(cluster)).toThrow(/reads from replicas/);
    expect(() => redisRunLog(client, { prefix: 'a{b}' })).toThrow(/braces/);
    expect(() => redisRunLog(client, { patience: 0 })).toThrow(/patience is a positive number, not 0/);
    expect(() => redisRunLog(client, { maxEvents: NaN })).toThrow(/maxEvents/);
  });

  it('should say that a cluster is away when no node answers', async () => {
    const call = (): Promise<unknown> => Promise.reject(new Error('None of startup nodes is available'));
    const cluster = { call, duplicate: noCall, disconnect: noCall, on: noCall, isCluster: true };
    const log = redisRunLog(cluster, { patience: 60 });
    const away = { code: 'unavailable', message: expect.stringMatching(/None of startup nodes/) as string };
    await expect(firstValueFrom(log.orphans())).rejects.toMatchObject(away);
    await expect(firstValueFrom(log.head('run'))).rejects.toMatchObject(away);
  });

  it('should refuse run ids that could mean another key, and leases that are none', () => {
    const log = redisRunLog({ call: noCall, duplicate: noCall, disconnect: noCall, on: noCall });
    for (const runId of ['', 'a b', 'a}b', '{a}', 'a\nb', 'x'.repeat(201)]) {
      expect(() => log.claim(runId, { ttl: 1 })).toThrow(/a run id has/);
      expect(() => log.read(runId)).toThrow(/a run id has/);
    }
    expect(() => log.claim('a', { ttl: 0 })).toThrow(/ttl is a positive number/);
  });
});

jest.setTimeout(20_000);

describeRedis('redisRunLog and its keys', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.port);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.close();
  });

  const hold = (log: RunLog, runId: string): Promise<Fence> => {
    const claimed = new Promise<Fence>((resolve) => held.push(log.claim(runId, { ttl: 60_000 }).subscribe(resolve)));
    return claimed;
  };
  const held: { unsubscribe(): void }[] = [];

  afterEach(() => {
    for (const claim of held.splice(0)) claim.unsubscribe();
  });

  it('should keep all of a run under keys of one slot, with the numbers as the ids', async () => {
    const log = redisRunLog(redis, { prefix: 'one:' });
    const fence = await hold(log, 'run');
    await firstValueFrom(log.append(fence, [{ type: 'a' }, { type: 'b' }]));
    expect((await redis.keys('one:*')).sort()).toEqual(['one:leases', 'one:{run}:e', 'one:{run}:s']);
    expect(await redis.xrange('one:{run}:e', '-', '+')).toEqual([
      ['1-0', ['e', '{"type":"a"}']],
      ['2-0', ['e', '{"type":"b"}']],
    ]);
  });

  it('should let runs expire by the policy', async () => {
    const log = redisRunLog(redis, { prefix: 'two:', idle: 100_000, retention: 5_000 });
    const fence = await hold(log, 'run');
    await firstValueFrom(log.append(fence, [{ type: 'a' }]));
    for (const key of ['two:{run}:s', 'two:{run}:e']) {
      expect(await redis.pttl(key)).toBeGreaterThan(90_000);
      expect(await redis.pttl(key)).toBeLessThanOrEqual(100_000);
    }
    await firstValueFrom(log.append(fence, [{ type: 'run-end' }]));
    for (const key of ['two:{run}:s', 'two:{run}:e']) {
      expect(await redis.pttl(key)).toBeGreaterThan(4_000);
      expect(await redis.pttl(key)).toBeLessThanOrEqual(5_000);
    }
  });

  it('should keep runs for ever when told so', async () => {
    const log = redisRunLog(redis, { prefix: 'ever:', idle: Infinity, retention: Infinity });
    const fence = await hold(log, 'run');
    await firstValueFrom(log.append(fence, [{ type: 'a' }, { type: 'run-end' }]));
    expect(await redis.pttl('ever:{run}:s')).toBe(-1);
    expect(await redis.pttl('ever:{run}:e')).toBe(-1);
  });

  it('should hold only so many events', async () => {
    const log = redisRunLog(redis, { prefix: 'three:', maxEvents: 3 });
    const fence = await hold(log, 'run');
    await firstValueFrom(log.append(fence, [{ type: 'a' }, { type: 'b' }]));
    const two = [{ type: 'c' }, { type: 'd' }];
    await expect(firstValueFrom(log.append(fence, two))).rejects.toMatchObject({ code: 'full', runId: 'run' });
    expect(await firstValueFrom(log.head('run'))).toEqual({ seq: 2, ended: false, held: true });
    expect(await firstValueFrom(log.append(fence, [{ type: 'c' }]))).toEqual([3]);
    const more = [{ type: 'd' }, { type: 'run-end' }];
    await expect(firstValueFrom(log.append(fence, more))).rejects.toMatchObject({ code: 'full', runId: 'run' });
    expect(await firstValueFrom(log.append(fence, [{ type: 'run-end' }]))).toEqual([4]);
  });

  it('should tell a reader that somebody else has trimmed the stream', async () => {
    const log = redisRunLog(redis, { prefix: 'four:' });
    const fence = await hold(log, 'run');
    await firstValueFrom(log.append(fence, [{ type: 'a' }, { type: 'b' }, { type: 'run-end' }]));
    await redis.xtrim('four:{run}:e', 'MAXLEN', 1);
    await expect(lastValueFrom(log.read('run'))).rejects.toMatchObject({ code: 'trimmed' });
    expect(await lastValueFrom(log.read('run', 2))).toEqual({ seq: 3, event: { type: 'run-end' } });
  });

  it('should tell a reader at once that a run was deleted', async () => {
    // Its time stands still, so that it never looks by itself.
    const log = redisRunLog(redis, { prefix: 'five:', scheduler: new VirtualTimeScheduler() });
    const asleep = { ttl: 60_000, scheduler: new VirtualTimeScheduler() };
    held.push(log.claim('run', asleep).subscribe());
    const told = lastValueFrom(log.read('run')).catch((error: unknown) => error);
    await firstValueFrom(log.read('run').pipe(timeout({ first: 50, with: () => of(null) })));
    await lastValueFrom(log.expire('run', 0), { defaultValue: undefined });
    expect(await told).toMatchObject({ code: 'trimmed', runId: 'run' });
    expect(await redis.exists('five:{run}:s')).toBe(0);
  });

  it('should read another run at once while it waits for the first', async () => {
    const log = redisRunLog(redis, { prefix: 'six:' });
    const waiting = log.read('first').subscribe();
    // Each would wait for a second if the command that waits for the others were not told of it.
    const started = performance.now();
    for (let n = 0; n < 8; n++) {
      const reading = firstValueFrom(log.read(`run-${n}`));
      const fence = await hold(log, `run-${n}`);
      await firstValueFrom(log.append(fence, [{ type: 'a' }]));
      expect(await reading).toEqual({ seq: 1, event: { type: 'a' } });
    }
    expect(performance.now() - started).toBeLessThan(6_000);
    waiting.unsubscribe();
  });

  it('should not let a connection that it has closed keep the process alive for seconds', async () => {
    const duplicate = jest.spyOn(redis, 'duplicate');
    const reading = redisRunLog(redis, { prefix: 'goodbye:' }).read('run').subscribe();
    while (duplicate.mock.results.length === 0) await firstValueFrom(timer(5));
    reading.unsubscribe();
    const copy = duplicate.mock.results[0]!.value as Redis;
    duplicate.mockRestore();
    expect(copy.options.disconnectTimeout).toBeLessThanOrEqual(100);
  });

  it('should work with a client that puts its own prefix before all keys', async () => {
    const own = new Redis(server.port, { keyPrefix: 'app:' });
    const log = redisRunLog(own);
    const reading = lastValueFrom(log.read('run'));
    const fence = await hold(log, 'run');
    await firstValueFrom(log.append(fence, [{ type: 'a' }, { type: 'run-end' }]));
    expect(await reading).toEqual({ seq: 2, event: { type: 'run-end' } });
    expect(await redis.exists('app:rx-llm:{run}:e')).toBe(1);
    held.splice(0).forEach((claim) => claim.unsubscribe());
    await own.quit();
  });

  it('should refuse who held a run whose claim a failover has lost, once another has claimed it', async () => {
    const log = redisRunLog(redis, { prefix: 'anew:' });
    const other = redisRunLog(redis, { prefix: 'anew:' });
    const stale = await hold(log, 'lost');
    // As after a crash, or a failover, that has lost what was written last.
    await redis.del('anew:{lost}:s', 'anew:{lost}:e');
    const fence = await hold(other, 'lost');

    expect(fence.token).toBeGreaterThan(stale.token);
    await expect(firstValueFrom(log.append(stale, [{ type: 'a' }]))).rejects.toMatchObject({ code: 'lost' });
    expect(await firstValueFrom(other.append(fence, [{ type: 'b' }]))).toEqual([1]);
    expect(await firstValueFrom(other.read('lost'))).toEqual({ seq: 1, event: { type: 'b' } });
  });

  it('should read live with a client that keeps no commands for later', async () => {
    const own = new Redis(server.port, { enableOfflineQueue: false });
    await once(own, 'ready');
    const log = redisRunLog(own, { prefix: 'online:', patience: 2_000 });
    const reading = lastValueFrom(log.read('run'));
    const fence = await hold(log, 'run');
    await firstValueFrom(log.append(fence, [{ type: 'a' }, { type: 'run-end' }]));
    expect(await reading).toEqual({ seq: 2, event: { type: 'run-end' } });
    held.splice(0).forEach((claim) => claim.unsubscribe());
    await own.quit();
  });

  it('should store an append and a claim once whose answers got lost', async () => {
    const losing = new Set<string>();
    const script = { claim: 'owner', append: 'XADD' };
    const client: IoredisClient = {
      call: async (command, ...args) => {
        const reply = await redis.call(command, ...args);
        const [text = ''] = args;
        if (command === 'EVAL' && [...losing].some((word) => text.includes(word) && losing.delete(word))) {
          throw new Error('Connection is closed.');
        }
        return reply;
      },
      duplicate: () => redis.duplicate(),
      disconnect: noCall,
      on: noCall,
    };
    await redis.script('FLUSH');
    losing.add(script.claim);
    const log = redisRunLog(client);
    const fence = await hold(log, 'lost-answers');
    expect(await redis.hget('rx-llm:{lost-answers}:s', 'token')).toBe(String(fence.token));
    await redis.script('FLUSH');
    losing.add(script.append);
    expect(await firstValueFrom(log.append(fence, [{ type: 'a' }, { type: 'b' }]))).toEqual([1, 2]);
    expect(losing.size).toBe(0);
    expect(await redis.xlen('rx-llm:{lost-answers}:e')).toBe(2);
  });
});

function noCall(): never {
  throw new Error('nothing is called here');
}
