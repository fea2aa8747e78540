import { Cluster } from 'ioredis';
import { firstValueFrom, lastValueFrom, timer, toArray, type Subscription } from 'rxjs';
import { redisRunLog, type RedisClusterClient, type RedisRunLogOptions } from '../../src/redis/index.js';
import { shardedKeys, slotOf } from '../../src/redis/keys.js';
import type { Fence, RunEntry, RunLog } from '../../src/runs/index.js';
import { runLogConformance } from '../../src/testing/index.js';
import { clients } from '../helpers/redisClients.js';
import { clusterClients, moveSlot, startCluster, type OpenCluster, type TestCluster } from '../helpers/redisCluster.js';
import { describeRedis } from '../helpers/redisServer.js';

jest.setTimeout(60_000);

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
const numbers = (entries: RunEntry[]): number[] => entries.map(({ seq }) => seq);
const pause = (time: number): Promise<unknown> => firstValueFrom(timer(time));
const hold = (log: RunLog, runId: string, held: Subscription[]): Promise<Fence> =>
  new Promise((next, error) => held.push(log.claim(runId, { ttl: 60_000 }).subscribe({ next, error })));
const all = (log: RunLog, runId: string, after = 0): Promise<RunEntry[]> =>
  firstValueFrom(log.read(runId, after).pipe(toArray()));

/** Appends one event after the other, each once the one before is stored; number `end` is the end. */
async function produce(
  log: RunLog,
  fence: Fence,
  numbered: number[],
  end: number,
  between = 0,
  stored: number[] = [],
): Promise<number[]> {
  const places: number[] = [];
  for (const n of numbered) {
    places.push(...(await firstValueFrom(log.append(fence, [{ type: n === end ? 'run-end' : `event-${n}` }]))));
    stored.push(performance.now());
    if (between > 0) await pause(between);
  }
  return places;
}

/** Reads a run from its beginning to its end, with an eye on the clock. */
function watch(log: RunLog, runId: string): { seen: number[]; times: number[]; ended: Promise<void> } {
  const seen: number[] = [];
  const times: number[] = [];
  const ended = new Promise<void>((complete, error) => {
    const next = ({ seq }: RunEntry): void => {
      seen.push(seq);
      times.push(performance.now());
    };
    log.read(runId).subscribe({ next, complete, error });
  });
  ended.catch(() => {});
  return { seen, times, ended };
}

/** The longest time between two of these. */
function gapOf(times: readonly number[]): number {
  return Math.max(...times.map((time, n) => time - (times[n - 1] ?? time)));
}

/** The orphans of a log once there are so many, or what there is of them after a while: the index is told after the lease is back. */
async function orphansOf(log: RunLog, count: number): Promise<string[]> {
  let found: string[] = [];
  for (let left = 200; left > 0 && found.length < count; left--) {
    found = await firstValueFrom(log.orphans().pipe(toArray()));
    if (found.length < count) await pause(50);
  }
  return found.sort();
}

/** Ids of runs in a shard of a log. */
function idsOf(shard: number, count: number, shards = 16): string[] {
  const { shardOf } = shardedKeys('', shards);
  return upTo(10_000)
    .map((n) => `run-${n}`)
    .filter((runId) => shardOf(runId) === shard)
    .slice(0, count);
}

describeRedis('redisRunLog on a cluster', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster();
  });

  afterAll(() => cluster.close());

  describe.each(Object.keys(clusterClients))('over %s', (name) => {
    let opened: OpenCluster;
    let client: RedisClusterClient;
    const held: Subscription[] = [];
    let prefixes = 0;

    beforeAll(async () => {
      opened = await clusterClients[name]!(cluster.ports);
      client = opened.client;
    });

    afterEach(async () => {
      for (const claim of held.splice(0)) claim.unsubscribe();
      for (const { server } of cluster.masters) if (!server.running) await server.start();
    });

    afterAll(() => opened.close());

    /** A log of its own, with what its keys begin with. */
    const logOf = (options: RedisRunLogOptions = {}): { log: RunLog; prefix: string } => {
      const prefix = `${name}-${++prefixes}:`;
      return { prefix, log: redisRunLog(client, { prefix, ...options }) };
    };

    /** A client connects to a node when it first needs it. */
    const reachAll = (log: RunLog): Promise<unknown> =>
      Promise.all(upTo(16).map((shard) => firstValueFrom(log.head(idsOf(shard - 1, 1)[0]!))));

    const clientsReach = async (reached: (count: number) => boolean): Promise<number> => {
      for (let left = 200; left > 0 && !reached(await cluster.countClients()); left--) await pause(10);
      return cluster.countClients();
    };

    const cases = runLogConformance(() => redisRunLog(client), { lease: 300 });

    it.each(cases)('should be a log that $name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });

    it('should share runs out to all nodes, both keys of each in one slot', async () => {
      const { log, prefix } = logOf();
      const fences = await Promise.all(upTo(300).map((n) => hold(log, `spread-${n}`, held)));
      await Promise.all(fences.map((fence) => firstValueFrom(log.append(fence, [{ type: 'a' }]))));
      const counts = await cluster.countKeys(prefix);
      // Two keys for each run, an index for each of 16 shards, and their number.
      expect(counts.reduce((sum, count) => sum + count)).toBe(617);
      for (const count of counts) expect(count).toBeGreaterThan(617 / 4);
    });

    it('should follow many runs on all nodes at once, over few connections', async () => {
      const { log } = logOf();
      await reachAll(log);
      const before = await clientsReach((count) => count <= 12);
      const runIds = upTo(120).map((n) => `many-${n}`);
      const reading = runIds.flatMap((runId) => [all(log, runId), all(log, runId)]);
      const open = await clientsReach((count) => count >= before + 16);
      expect(open).toBeGreaterThanOrEqual(before + 16);
      // One for each shard, and a few with which the clients look for the topology; not one for each of the runs.
      expect(open).toBeLessThanOrEqual(before + 16 + 16);
      const produced = await Promise.all(
        runIds.map(async (runId) => produce(log, await hold(log, runId, held), upTo(20), 20, 1)),
      );
      for (const places of produced) expect(places).toEqual(upTo(20));
      for (const entries of await Promise.all(reading)) expect(numbers(entries)).toEqual(upTo(20));
      expect(await clientsReach((count) => count <= before)).toBeLessThanOrEqual(before);
    });

    it('should pass on at once what comes in any slot while it waits for the others', async () => {
      const { log } = logOf();
      const runIds = upTo(16).map((shard) => idsOf(shard - 1, 1)[0]!);
      expect(new Set(runIds).size).toBe(16);
      const fences = await Promise.all(runIds.map((runId) => hold(log, runId, held)));
      const reading = runIds.map((runId) => all(log, runId));
      await pause(100);
      // Each would wait for up to a second if a command that waits for another slot were in its way.
      const started = performance.now();
      for (const fence of fences) {
        const seen = firstValueFrom(log.read(fence.runId));
        await firstValueFrom(log.append(fence, [{ type: 'a' }]));
        expect(await seen).toEqual({ seq: 1, event: { type: 'a' } });
      }
      expect(performance.now() - started).toBeLessThan(8_000);
      await Promise.all(fences.map((fence) => firstValueFrom(log.append(fence, [{ type: 'run-end' }]))));
      for (const entries of await Promise.all(reading)) expect(numbers(entries)).toEqual([1, 2]);
    });

    it('should find orphans of all shards, and no more than asked for', async () => {
      const { log } = logOf();
      const runIds = upTo(40).map((n) => `orphan-${n}`);
      const fences = await Promise.all(runIds.map((runId) => hold(log, runId, held)));
      expect(await firstValueFrom(log.orphans().pipe(toArray()))).toEqual([]);
      for (const claim of held.splice(0)) claim.unsubscribe();
      expect(fences).toHaveLength(40);
      expect(await orphansOf(log, runIds.length)).toEqual([...runIds].sort());
      expect(await firstValueFrom(log.orphans(7).pipe(toArray()))).toHaveLength(7);
    });

    it('should lose and double nothing when a slot moves while its runs are written and read', async () => {
      // Runs of other tests would have to move too.
      await Promise.all(cluster.masters.map(({ admin }) => admin.flushall()));
      const { log, prefix } = logOf();
      const runIds = idsOf(5, 9);
      const [late, ...early] = runIds as [string, ...string[]];
      const key = shardedKeys(prefix, 16).of(late)[1];
      const slot = slotOf(/\{(.+)\}/.exec(key)![1]!);
      const readings = runIds.map((runId) => watch(log, runId));
      const stored = runIds.map((): number[] => []);
      const producing = early.map(async (runId, n) =>
        produce(log, await hold(log, runId, held), upTo(150), 150, 20, stored[n + 1]),
      );
      await pause(200);
      const from = await cluster.ownerOf(key);
      const to = cluster.masters.find((node) => node !== from)!;
      const others = cluster.masters.filter((node) => node !== from && node !== to);
      const started = performance.now();
      const moving = moveSlot(slot, from, to, { others, batch: 3, pause: 400 });
      // A run that begins while its slot is on its way waits for that, and no longer.
      await pause(60);
      const begun = hold(log, late, held).then((fence) => produce(log, fence, upTo(20), 20, 1, stored[0]));
      expect(await moving).toBeGreaterThanOrEqual(16);
      const arrived = performance.now();
      expect(arrived - started).toBeGreaterThan(2_000);
      const onTheWay = (times: number[]): number => times.filter((time) => time > started && time < arrived).length;
      expect(await begun).toEqual(upTo(20));
      for (const places of await Promise.all(producing)) expect(places).toEqual(upTo(150));
      for (const [n, { ended, seen, times }] of readings.entries()) {
        await ended;
        expect(seen).toEqual(upTo(n === 0 ? 20 : 150));
        // What is stored while the slot is on its way is read while it is on its way.
        expect(onTheWay(times)).toBeGreaterThanOrEqual(onTheWay(stored[n]!) / 2);
      }
      expect((await cluster.ownerOf(key)).port).toBe(to.port);
      for (const runId of early) expect(numbers(await all(log, runId))).toEqual(upTo(150));
      await moveSlot(slot, to, from, { others, batch: 100 });
      expect(numbers(await all(log, early[0]!))).toEqual(upTo(150));
    });

    it('should hold up only its own runs while a node is down, and go on with them when it is back', async () => {
      const { log, prefix } = logOf({ patience: 20_000 });
      const keys = shardedKeys(prefix, 16);
      const runIds = upTo(16).map((shard) => idsOf(shard - 1, 1)[0]!);
      const victim = cluster.masters[1]!;
      const owners = await Promise.all(runIds.map((runId) => cluster.ownerOf(keys.of(runId)[1])));
      const hit = runIds.filter((_, n) => owners[n] === victim);
      expect(hit.length).toBeGreaterThanOrEqual(5);
      const readings = runIds.map((runId) => watch(log, runId));
      // All of them have begun when the node goes.
      const fences = await Promise.all(runIds.map((runId) => hold(log, runId, held)));
      const producing = fences.map((fence) => produce(log, fence, upTo(50), 50, 50));
      await pause(500);
      await victim.server.kill();
      await pause(2_500);
      await victim.server.start();
      for (const places of await Promise.all(producing)) expect(places).toEqual(upTo(50));
      for (const [n, { ended, seen, times }] of readings.entries()) {
        await ended;
        expect(seen).toEqual(upTo(50));
        if (owners[n] === victim) expect(gapOf(times)).toBeGreaterThan(2_000);
        else expect(gapOf(times)).toBeLessThan(2_000);
      }
      await cluster.settled();
    });

    it('should tell those who wait for a node for too long, and find the orphans of the others', async () => {
      const { log, prefix } = logOf({ patience: 700 });
      const keys = shardedKeys(prefix, 16);
      const victim = cluster.masters[2]!;
      const runIds = upTo(16).map((shard) => idsOf(shard - 1, 1)[0]!);
      for (const runId of runIds) {
        const fence = await hold(log, runId, held);
        await firstValueFrom(log.append(fence, [{ type: 'a' }]));
      }
      const owners = await Promise.all(runIds.map((runId) => cluster.ownerOf(keys.of(runId)[1])));
      const [hit] = runIds.filter((_, n) => owners[n] === victim);
      const rest = runIds.filter((_, n) => owners[n] !== victim);
      const told = lastValueFrom(log.read(hit!)).catch((error: unknown) => error);
      for (const claim of held.splice(0)) claim.unsubscribe();
      await pause(200);
      await victim.server.kill();
      await expect(firstValueFrom(log.head(hit!))).rejects.toMatchObject({ code: 'unavailable', runId: hit });
      expect(await told).toMatchObject({ code: 'unavailable', runId: hit });
      expect((await firstValueFrom(log.orphans().pipe(toArray()))).sort()).toEqual(rest.sort());
      const patient = redisRunLog(client, { prefix, patience: 30_000 });
      const started = performance.now();
      expect((await firstValueFrom(patient.orphans().pipe(toArray()))).sort()).toEqual(rest.sort());
      expect(performance.now() - started).toBeLessThan(15_000);
      await victim.server.start();
      await cluster.settled();
      await expect(firstValueFrom(log.head(hit!))).resolves.toMatchObject({ seq: 1 });
    });

    it('should leave no connection behind, also when readers go while it connects', async () => {
      const { log } = logOf();
      await reachAll(log);
      const before = await clientsReach((count) => count <= 12);
      for (const after of [0, 0, 1, 1, 2, 3, 5, 8, 13, 50]) {
        const readers = upTo(40).map((n) => log.read(`gone-${n}`).subscribe());
        if (after > 0) await pause(after);
        for (const reader of readers) reader.unsubscribe();
      }
      // A connection that nobody closed could come out of its beginning only now.
      await pause(300);
      expect(await clientsReach((count) => count <= before)).toBeLessThanOrEqual(before);
    });

    it('should refuse to keep runs in another number of shards than other processes do', async () => {
      const { log, prefix } = logOf();
      const fence = await hold(log, 'agreed', held);
      const other = redisRunLog(client, { prefix, shards: 8 });
      const words = /kept in 16 shards, not in 8; .* delete .*shards once there are no more runs/;
      await expect(hold(other, 'agreed', held)).rejects.toThrow(words);
      await expect(firstValueFrom(other.append(fence, [{ type: 'a' }]))).rejects.toMatchObject({ code: 'unavailable' });
      await expect(firstValueFrom(other.read('agreed'))).rejects.toThrow(words);
      await expect(firstValueFrom(other.orphans())).rejects.toThrow(words);
      expect(await firstValueFrom(redisRunLog(client, { prefix }).head('agreed'))).toMatchObject({ held: true });
    });
  });

  it('should work with a client that puts its own prefix before all keys', async () => {
    const own = new Cluster([{ host: '127.0.0.1', port: cluster.ports[0]! }], { keyPrefix: 'app:' });
    const held: Subscription[] = [];
    const log = redisRunLog(own);
    const runIds = upTo(6).map((n) => `prefixed-${n}`);
    const reading = runIds.map((runId) => all(log, runId));
    for (const runId of runIds) expect(await produce(log, await hold(log, runId, held), upTo(3), 3)).toEqual(upTo(3));
    for (const entries of await Promise.all(reading)) expect(numbers(entries)).toEqual(upTo(3));
    for (const claim of held) claim.unsubscribe();
    expect((await cluster.countKeys('app:rx-llm:')).reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(12);
    await own.quit();
  });

  it('should tell a client of one node that it needs one of the cluster', async () => {
    const { client, close } = await clients.ioredis!(cluster.masters[0]!.port);
    const log = redisRunLog(client);
    const elsewhere = upTo(100)
      .map((n) => `run-${n}`)
      .find((runId) => slotOf(runId) > 10_000)!;
    const told = firstValueFrom(log.head(elsewhere)).finally(close);
    await expect(told).rejects.toThrow(/MOVED .* give redisRunLog a cluster client/);
  });
});

describeRedis('redisRunLog on a cluster with a replica', () => {
  const endings: (() => unknown)[] = [];

  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end();
  });

  it.each(Object.keys(clusterClients))('should go on over %s when a replica takes over', async (name) => {
    const cluster = await startCluster({ replicas: 1 });
    endings.push(cluster.close);
    const { client, close } = await clusterClients[name]!(cluster.ports);
    const held: Subscription[] = [];
    endings.push(close, () => held.forEach((claim) => claim.unsubscribe()));
    const log = redisRunLog(client, { shards: 6 });
    const runIds = upTo(6).map((shard) => idsOf(shard - 1, 1, 6)[0]!);
    const reading = runIds.map((runId) => all(log, runId));
    const fences = await Promise.all(runIds.map((runId) => hold(log, runId, held)));
    await Promise.all(fences.map((fence) => produce(log, fence, upTo(10), 20)));
    const [victim] = cluster.masters;
    // What has not reached the replica yet is lost with the master.
    expect(Number(await victim!.admin.call('WAIT', '1', '5000'))).toBe(1);
    const killed = performance.now();
    await victim!.server.kill();
    const rest = fences.map((fence) => produce(log, fence, upTo(20).slice(10), 20, 20));
    for (const places of await Promise.all(rest)) expect(places).toEqual(upTo(20).slice(10));
    for (const entries of await Promise.all(reading)) expect(numbers(entries)).toEqual(upTo(20));
    expect(performance.now() - killed).toBeLessThan(20_000);
    const owner = await cluster.ownerOf(shardedKeys('rx-llm:', 6).of(runIds[0]!)[1]);
    expect(owner).toBe(cluster.replicas[0]);
  });
});
