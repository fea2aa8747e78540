/*
 * Many durable runs at once on one Redis, each with several readers on other connections, beside `resumable-stream` on the
 * same Redis, and on one NATS JetStream. One process plays all machines, so that the figures are those of this process and
 * the server together.
 *
 *   npm run bench:runs                                    200 runs × 500 events, 3 readers each
 *   npm run bench:runs -- --runs 50 --events 200 --every 20
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { createClient } from 'redis';
import { startRedis } from '../spec/helpers/redisServer.ts';
import { natsAvailable } from '../spec/nats/natsServer.ts';
import { table } from './measure.ts';
import { measureJetStream } from './runs/jetStream.ts';
import type { Clock, Figures, Load } from './runs/load.ts';
import { redisMachine, runOurs } from './runs/ours.ts';
import { statsOf } from './runs/redisStats.ts';
import { runResumable } from './runs/resumable.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    events: { type: 'string', default: '500' },
    readers: { type: 'string', default: '3' },
    every: { type: 'string', default: '50' },
    group: { type: 'string', default: '20' },
  },
});
const load: Load = {
  runs: Number(values.runs),
  events: Number(values.events),
  readers: Number(values.readers),
  every: Number(values.every),
};
const group = Number(values.group);
const redisAvailable = spawnSync('redis-server', ['--version']).status === 0;

/** The figures of one engine. */
interface Row extends Figures {
  cpu: number;
  messagesPerRun?: number;
}

async function measureRedis(name: string, run: (url: string) => Promise<Clock>): Promise<Row> {
  const redis = await startRedis();
  const client = createClient({ url: redis.url });
  await client.connect();
  const before = await statsOf(client);
  const started = performance.now();
  const clock = await run(redis.url);
  const seconds = (performance.now() - started) / 1_000;
  const after = await statsOf(client);
  client.destroy();
  await redis.close();
  return {
    name,
    seconds,
    ...clock.figures(),
    bytesPerRun: (after.bytes - before.bytes) / load.runs,
    commandsPerRun: (after.commands - before.commands) / load.runs,
    cpu: after.cpuSeconds - before.cpuSeconds,
  };
}

async function compare(title: string, used: Load): Promise<void> {
  const events = used.runs * used.events;
  const figures: Row[] = [];
  if (redisAvailable) {
    const ours = (url: string): Promise<Clock> => runOurs(() => redisMachine(url), 'bench', used, group);
    figures.push(await measureRedis('rx-llm on Redis', ours));
    figures.push(await measureRedis('resumable-stream', (url) => runResumable(url, 'bench', used)));
  }
  if (natsAvailable) figures.push(await measureJetStream(used, group));
  const header = [
    '',
    'wrong',
    'events/s',
    'to readers/s',
    'p50 ms',
    'p99 ms',
    'bytes a run',
    'commands a run',
    'stored messages a run',
    'CPU s',
  ];
  const rows = figures.map(({ name, seconds, p50, p99, wrong, bytesPerRun, commandsPerRun, messagesPerRun, cpu }) => [
    name,
    String(wrong),
    (events / seconds).toFixed(0),
    ((events * used.readers) / seconds).toFixed(0),
    p50.toFixed(1),
    p99.toFixed(1),
    bytesPerRun.toFixed(0),
    commandsPerRun.toFixed(0),
    messagesPerRun?.toFixed(0) ?? '-',
    cpu.toFixed(2),
  ]);
  table(title, header, rows);
  if (figures.some(({ name, wrong }) => name.startsWith('rx-llm') && wrong > 0)) process.exitCode = 1;
}

if (!redisAvailable) console.log('bench:runs measures nothing on Redis: there is no redis-server in the PATH');
if (!natsAvailable) console.log('bench:runs measures nothing on JetStream: there is no nats-server in the PATH');
if (redisAvailable || natsAvailable) {
  const { runs, events, readers, every } = load;
  const what = `${runs} runs × ${events} events, ${readers} readers each`;
  await compare(`${what}, an event each ${every} ms, groups of ${group} ms`, load);
  await compare(`${what}, as fast as they are taken`, { ...load, every: 0 });
}
