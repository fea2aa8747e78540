import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from '../../src/redis/index.js';

/** A client with what ends it. */
export interface OpenClient {
  client: RedisClient;
  close(): void;
}

/** Both packages, connected; node-redis speaks RESP3 by default from version 6 on. */
export const clients: Record<string, (port: number) => Promise<OpenClient>> = {
  'node-redis': async (port) => {
    const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: 50 } });
    client.on('error', () => {});
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  'node-redis with RESP2': async (port) => {
    const client = createClient({ RESP: 2, socket: { host: '127.0.0.1', port, reconnectStrategy: 50 } });
    client.on('error', () => {});
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  ioredis: async (port) => {
    const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50, disconnectTimeout: 50 });
    client.on('error', () => {});
    await client.ping();
    return { client, close: () => client.disconnect() };
  },
};
