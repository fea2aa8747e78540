import { setTimeout as wait } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { createCluster } from 'redis';
import type { RedisClusterClient } from '../../src/redis/index.js';
import { slotOf } from '../../src/redis/keys.js';
import { startRedis, type RedisServer } from './redisServer.js';

/** A node with a connection of the tests' own. */
export interface ClusterNode {
  server: RedisServer;
  port: number;
  /** Connects again by itself. */
  admin: Redis;
  id: string;
}

/** A Redis Cluster of one's own. */
export interface TestCluster {
  masters: ClusterNode[];
  replicas: ClusterNode[];
  ports: number[];
  /** Waits until all nodes that run say that all is well. */
  settled(): Promise<void>;
  /** The master that owns the slot of a key now. */
  ownerOf(key: string): Promise<ClusterNode>;
  /** How many keys begin with this, by master. */
  countKeys(prefix: string): Promise<number[]>;
  /** How many connections there are, but for those of the tests and between the nodes. */
  countClients(): Promise<number>;
  close(): Promise<void>;
}

const SLOTS = 16_384;

/** Starts masters with equal parts of the slots, and a replica for each of the first ones, on free ports. */
export async function startCluster({
  masters: count = 3,
  replicas: spare = 0,
  nodeTimeout = 1_000,
} = {}): Promise<TestCluster> {
  const nodes: ClusterNode[] = [];
  for (let n = 0; n < count + spare; n++) nodes.push(await startNode(nodeTimeout));
  const masters = nodes.slice(0, count);
  const replicas = nodes.slice(count);
  for (const [n, { admin }] of masters.entries()) {
    const range = [Math.round((n * SLOTS) / count), Math.round(((n + 1) * SLOTS) / count) - 1] as const;
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', ...range.map(String));
    await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', String(n + 1));
  }
  for (const { port, server } of nodes.slice(1)) {
    const args = ['127.0.0.1', String(port), String(server.busPort)];
    await nodes[0]!.admin.call('CLUSTER', 'MEET', ...args);
  }
  await until('all nodes know all others', async () => {
    const lists = await Promise.all(nodes.map(({ admin }) => admin.call('CLUSTER', 'NODES')));
    return lists.every((list) => nodes.every(({ id }) => String(list).includes(id)) && !/handshake/.test(String(list)));
  });
  for (const [n, { admin }] of replicas.entries()) await admin.call('CLUSTER', 'REPLICATE', masters[n]!.id);
  const settled = (): Promise<void> =>
    until('the cluster is whole', async () => {
      const running = nodes.filter(({ server }) => server.running);
      const infos = await Promise.all(running.map(({ admin }) => admin.call('CLUSTER', 'INFO')));
      const seen = await Promise.all(running.map(({ admin }) => admin.call('CLUSTER', 'NODES')));
      const whole = infos.every((info) => /cluster_state:ok/.test(String(info)) && /slots_ok:16384/.test(String(info)));
      return whole && seen.every((list) => !/fail|handshake/.test(String(list)));
    });
  await settled();
  if (spare > 0) {
    await until('the replicas follow', async () => {
      const infos = await Promise.all(replicas.map(({ admin }) => admin.info('replication')));
      return infos.every((info) => info.includes('master_link_status:up'));
    });
  }
  return {
    ...{ masters, replicas, ports: nodes.map(({ port }) => port), settled },
    ownerOf: async (key) => {
      const slot = slotOf(/\{([^{}]+)\}/.exec(key)?.[1] ?? key);
      const ranges = (await masters
        .find(({ server }) => server.running)!
        .admin.call('CLUSTER', 'SLOTS')) as SlotRange[];
      const [, , [, port]] = ranges.find(([from, to]) => from <= slot && slot <= to)!;
      return nodes.find((node) => node.port === port)!;
    },
    countKeys: (prefix) => Promise.all(masters.map(async ({ admin }) => (await admin.keys(`${prefix}*`)).length)),
    countClients: async () => {
      const lists = await Promise.all(
        nodes.filter(({ server }) => server.running).map(({ admin }) => admin.client('LIST')),
      );
      const lines = lists.flatMap((list) => String(list).trim().split('\n'));
      return lines.filter((line) => !/ name=admin | flags=[MS] | flags=S /.test(line)).length;
    },
    close: async () => {
      for (const { admin } of nodes) admin.disconnect();
      await Promise.all(nodes.map(({ server }) => server.close()));
    },
  };
}

type SlotRange = [from: number, to: number, master: [host: string, port: number]];

async function startNode(nodeTimeout: number): Promise<ClusterNode> {
  const server = await startRedis({ appendOnly: true, cluster: { nodeTimeout } });
  const admin = new Redis({
    port: server.port,
    connectionName: 'admin',
    retryStrategy: () => 50,
    disconnectTimeout: 50,
  });
  admin.on('error', () => {});
  return { server, admin, port: server.port, id: String(await admin.call('CLUSTER', 'MYID')) };
}

/** Moves a slot from one master to another as `redis-cli --cluster reshard` does, a few keys at a time. */
export async function moveSlot(
  slot: number,
  from: ClusterNode,
  to: ClusterNode,
  { others = [] as ClusterNode[], batch = 3, pause = 5 } = {},
): Promise<number> {
  let moved = 0;
  await to.admin.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', from.id);
  await from.admin.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', to.id);
  for (;;) {
    const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', String(slot), String(batch))) as string[];
    if (keys.length === 0) break;
    moved += keys.length;
    await from.admin.call('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys);
    await wait(pause);
  }
  for (const { admin } of [to, from, ...others]) await admin.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', to.id);
  return moved;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let left = 600; left > 0; left--) {
    if (await holds().catch(() => false)) return;
    await wait(25);
  }
  throw new Error(`waited in vain until ${what}`);
}

/** A client with what ends it. */
export interface OpenCluster {
  client: RedisClusterClient;
  close(): void;
}

/** Cluster clients of both packages, connected. */
export const clusterClients: Record<string, (ports: readonly number[]) => Promise<OpenCluster>> = {
  'node-redis': async (ports) => {
    const client = createCluster({
      rootNodes: ports.map((port) => ({ socket: { host: '127.0.0.1', port } })),
      defaults: { socket: { reconnectStrategy: 50 } },
    });
    client.on('error', () => {});
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  ioredis: async (ports) => {
    const client = new Cluster(
      ports.map((port) => ({ host: '127.0.0.1', port })),
      { redisOptions: { disconnectTimeout: 50 } },
    );
    client.on('error', () => {});
    await client.get('any');
    return { client, close: () => client.disconnect() };
  },
};
