import { connect } from '@nats-io/transport-node';
import { createClient } from 'redis';
import { natsRunLog } from '../../src/nats/index.js';
import { redisRunLog } from '../../src/redis/index.js';
import type { RunLog } from '../../src/runs/index.js';

export type EngineName = 'redis' | 'nats';

/** A log over a connection of its own. */
export async function openLog(engine: EngineName, port: number): Promise<{ log: RunLog; close: () => Promise<void> }> {
  if (engine === 'nats') {
    const connection = await connect({ servers: `127.0.0.1:${port}`, maxReconnectAttempts: -1 });
    return { log: natsRunLog(connection), close: () => connection.close() };
  }
  const client = createClient({ socket: { host: '127.0.0.1', port } });
  client.on('error', () => undefined);
  await client.connect();
  return { log: redisRunLog(client), close: () => Promise.resolve(client.destroy()) };
}
