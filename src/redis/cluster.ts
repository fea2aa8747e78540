import type { Connection, Duplicate } from './types.js';
import { GONE, signalOf } from './signal.js';

/** What is used of a cluster client of the package `redis` (`createCluster`), from version 5 on. */
export interface NodeRedisCluster {
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
  duplicate(overrides?: { minimizeConnections?: boolean }): NodeRedisCluster;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  readonly masters: readonly { readonly connectPromise?: Promise<unknown> | undefined }[];
}

/** What is used of a cluster client of the package `ioredis` (`new Cluster`), from version 5 on. */
export interface IoredisCluster {
  readonly isCluster: boolean;
  call(command: string, ...args: string[]): Promise<unknown>;
  duplicate(
    startupNodes?: [],
    options?: {
      enableOfflineQueue?: boolean;
      enableReadyCheck?: boolean;
      maxRedirections?: number;
      retryDelayOnTryAgain?: number;
      redisOptions?: { disconnectTimeout?: number };
    },
  ): IoredisCluster;
  disconnect(): void;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** A connected client to a Redis Cluster. It stays the caller's own: nothing here closes it. */
export type RedisClusterClient = NodeRedisCluster | IoredisCluster;

/** Sends each command to the master that owns the slot of its key, as the client knows or learns it. */
export function nodeRedisCluster(client: NodeRedisCluster): Connection {
  return {
    send: (args, key) => client.sendCommand(key, false, args),
    duplicate: () => duplicateOfNodeRedis(client),
  };
}

function duplicateOfNodeRedis(client: NodeRedisCluster): Duplicate {
  // It connects to the nodes that it needs: that is one, as long as all of its keys are in one slot.
  const copy = client.duplicate({ minimizeConnections: true });
  const { broken, fail } = signalOf('the connection was closed');
  for (const event of ['node-error', 'node-disconnect', 'disconnect']) copy.on(event, fail);
  // Without a listener an error would end the process. It says that one of the nodes cannot tell the topology: others can.
  copy.on('error', () => {});
  const opened = copy.connect();
  opened.catch(() => {});
  let ended = false;
  const end = (): void => {
    ended = true;
    try {
      copy.destroy();
    } catch {
      // A part of it was closed already.
    }
  };
  // A command that is redirected after the end connects to one more node.
  const settled = (): void => {
    if (ended) end();
  };
  return {
    opened,
    broken,
    send: (args, key) => {
      const sent = copy.sendCommand(key, false, args);
      sent.then(settled, settled);
      return sent;
    },
    close: () => {
      fail();
      const connecting = copy.masters.flatMap(({ connectPromise }) => connectPromise ?? []);
      if (connecting.length === 0) return end();
      // A client that is destroyed while it connects can come out of that connected: it ends after its first try.
      copy.on('node-error', end);
      void Promise.allSettled(connecting).then(end);
    },
  };
}

/** As {@link nodeRedisCluster}, for the other package. It finds the key in the command by itself. */
export function ioredisCluster(client: IoredisCluster): Connection {
  return {
    send: ([command = '', ...args]) => client.call(command, ...args),
    duplicate: () => {
      // It is asked before it is connected. A ready check would need a connection of its own; who waits here asks again anyway.
      const copy = client.duplicate([], {
        enableOfflineQueue: true,
        enableReadyCheck: false,
        maxRedirections: 5,
        retryDelayOnTryAgain: 20,
        redisOptions: { disconnectTimeout: GONE },
      });
      const { broken, fail } = signalOf('the connection was closed');
      for (const event of ['error', 'close', 'end']) copy.on(event, fail);
      return {
        opened: Promise.resolve(),
        broken,
        send: ([command = '', ...args]) => copy.call(command, ...args),
        close: () => {
          fail();
          copy.disconnect();
        },
      };
    },
  };
}
