/* One server of the demo in a process of its own. Arguments: port of Redis, address of the model, question. */
import { createClient } from 'redis';
import { redisRunLog } from '../redis/index.js';
import { serveRuns } from './runsServer.js';

const [redisPort = '', modelUrl = '', question = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  const client = createClient({ url: `redis://127.0.0.1:${redisPort}` });
  client.on('error', () => undefined);
  await client.connect();
  const onAdopted = (runId: string): void => void process.send?.({ adopted: runId });
  const { url } = await serveRuns({ log: redisRunLog(client), modelUrl, question, onAdopted });
  process.send?.({ url });
}

// Without its parent it is of no use.
process.on('disconnect', () => process.exit());
void main();
