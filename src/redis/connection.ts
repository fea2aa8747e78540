import { ioredisCluster, nodeRedisCluster, type RedisClusterClient } from './cluster.js';
import { GONE, signalOf } from './signal.js';
import type { Connection } from './types.js';

/** What is used of a client of the package `redis` (node-redis), from version 5 on. */
export interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
  duplicate(): NodeRedisClient;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** What is used of a client of the package `ioredis`, from version 5 on. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  duplicate(override?: { disconnectTimeout?: number; enableOfflineQueue?: boolean }): IoredisClient;
  disconnect(): void;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** A connected client to one Redis. It stays the caller's own: nothing here closes it. */
export type RedisClient = NodeRedisClient | IoredisClient;

/** True for a client that knows many nodes. */
export function isCluster(client: RedisClient | RedisClusterClient): client is RedisClusterClient {
  return isIoredisCluster(client) || isNodeRedisCluster(client);
}

/** @throws TypeError when it is no client of either package. */
export function connectionOf(client: RedisClient | RedisClusterClient): Connection {
  if (isIoredisCluster(client)) {
    refuseReplicas(client);
    return ioredisCluster(client);
  }
  if (isNodeRedisCluster(client)) return nodeRedisCluster(client);
  if (isIoredis(client)) return ioredisConnection(client);
  if (isNodeRedis(client)) return nodeRedisConnection(client);
  throw new TypeError(
    'redisRunLog: the client is none of node-redis (5 or later; createClient or createCluster) ' +
      'or ioredis (5 or later; new Redis or new Cluster)',
  );
}

function ioredisConnection(client: IoredisClient): Connection {
  return {
    send: (args) => callOf(client, args),
    duplicate: () => {
      // It is asked before it is connected.
      const copy = client.duplicate({ disconnectTimeout: GONE, enableOfflineQueue: true });
      const { broken, fail } = brokenOf(copy, ['error', 'close', 'end']);
      return {
        opened: Promise.resolve(),
        send: (args) => callOf(copy, args),
        broken,
        close: () => {
          fail();
          copy.disconnect();
        },
      };
    },
  };
}

function nodeRedisConnection(client: NodeRedisClient): Connection {
  return {
    send: (args) => client.sendCommand(args),
    duplicate: () => {
      const copy = client.duplicate();
      const { broken, fail } = brokenOf(copy, ['error', 'end']);
      const opened = copy.connect();
      opened.catch(() => {});
      const close = (): void => {
        fail();
        copy.destroy();
        // A client that is destroyed while it connects can come out of that connected.
        opened.then(() => copy.destroy()).catch(() => {});
      };
      return { opened, broken, send: (args) => copy.sendCommand(args), close };
    },
  };
}

function callOf(client: IoredisClient, [command = '', ...args]: string[]): Promise<unknown> {
  return client.call(command, ...args);
}

/** A client without a listener for its errors would end the process. */
function brokenOf(client: RedisClient, events: readonly string[]): ReturnType<typeof signalOf> {
  const signal = signalOf('the connection was closed');
  for (const event of events) client.on(event, signal.fail);
  return signal;
}

/** A replica lags behind: a run that has entries there that it does not say would look as if they had been deleted. */
function refuseReplicas(client: object): void {
  const options: unknown = Reflect.get(client, 'options');
  const reads: unknown =
    typeof options === 'object' && options !== null ? Reflect.get(options, 'scaleReads') : undefined;
  if (reads === undefined || reads === 'master') return;
  throw new TypeError(
    "redisRunLog: a cluster client that reads from replicas misses what was just written; give the log one with scaleReads: 'master'",
  );
}

function isIoredis(client: unknown): client is IoredisClient {
  return has(client, ['call', 'duplicate', 'disconnect', 'on']);
}

function isIoredisCluster(
  client: RedisClient | RedisClusterClient,
): client is Extract<RedisClusterClient, { isCluster: boolean }> {
  return isIoredis(client) && Reflect.get(client, 'isCluster') === true;
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return has(client, ['sendCommand', 'duplicate', 'connect', 'destroy', 'on']);
}

function isNodeRedisCluster(
  client: RedisClient | RedisClusterClient,
): client is Extract<RedisClusterClient, { masters: unknown }> {
  return isNodeRedis(client) && Reflect.has(client, 'masters');
}

function has(client: unknown, methods: readonly string[]): boolean {
  if (typeof client !== 'object' || client === null) return false;
  return methods.every((method) => typeof Reflect.get(client, method) === 'function');
}
