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
  duplicate(): IoredisClient;
  disconnect(): void;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** A connected client to one Redis. It stays the caller's own: nothing here closes it. */
export type RedisClient = NodeRedisClient | IoredisClient;

/** The same for both kinds of client. */
export interface Connection {
  send(args: string[]): Promise<unknown>;
  /** A connection of its own for commands that block. */
  duplicate(): Duplicate;
}

/** A connection that is closed when it is of no use any more. */
export interface Duplicate {
  opened: Promise<unknown>;
  send(args: string[]): Promise<unknown>;
  /** Rejects when the connection breaks. */
  broken: Promise<never>;
  close(): void;
}

/** @throws TypeError when it is no client of either package. */
export function connectionOf(client: RedisClient): Connection {
  if (isIoredis(client)) {
    return {
      send: (args) => callOf(client, args),
      duplicate: () => {
        const copy = client.duplicate();
        return {
          opened: Promise.resolve(),
          send: (args) => callOf(copy, args),
          broken: brokenOf(copy, ['error', 'close', 'end']),
          close: () => copy.disconnect(),
        };
      },
    };
  }
  if (isNodeRedis(client)) {
    return {
      send: (args) => client.sendCommand(args),
      duplicate: () => {
        const copy = client.duplicate();
        const broken = brokenOf(copy, ['error', 'end']);
        const opened = copy.connect();
        opened.catch(() => {});
        const close = (): void => {
          copy.destroy();
          // A client that is destroyed while it connects can come out of that connected.
          opened.then(
            () => copy.destroy(),
            () => {},
          );
        };
        return { opened, broken, send: (args) => copy.sendCommand(args), close };
      },
    };
  }
  throw new TypeError(
    'redisRunLog: the client is none of node-redis (5 or later; createClient) or ioredis (5 or later; new Redis). ' +
      'A cluster client is none either: give one log for each node, see docs/runs-sizing.md',
  );
}

function callOf(client: IoredisClient, [command = '', ...args]: string[]): Promise<unknown> {
  return client.call(command, ...args);
}

/** A client without a listener for its errors would end the process. */
function brokenOf(client: RedisClient, events: readonly string[]): Promise<never> {
  const broken = new Promise<never>((_, reject) => {
    for (const event of events) {
      client.on(event, (error) => reject(error instanceof Error ? error : new Error('the connection was closed')));
    }
  });
  broken.catch(() => {});
  return broken;
}

function isIoredis(client: RedisClient): client is IoredisClient {
  return has(client, ['call', 'duplicate', 'disconnect', 'on']) && !Reflect.get(client, 'isCluster');
}

function isNodeRedis(client: RedisClient): client is NodeRedisClient {
  return has(client, ['sendCommand', 'duplicate', 'connect', 'destroy', 'on']) && !Reflect.has(client, 'masters');
}

function has(client: unknown, methods: readonly string[]): boolean {
  if (typeof client !== 'object' || client === null) return false;
  return methods.every((method) => typeof Reflect.get(client, method) === 'function');
}
