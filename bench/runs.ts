/*
 * Many durable runs at once on one Redis, each with several readers on other connections, beside `resumable-stream` on the
 * same Redis. One process plays all machines, so that the figures are those of this process and Redis together.
 *
 *   npm run bench:runs                                    200 runs × 500 events, 3 readers each
 *   npm run bench:runs -- --runs 50 --events 200 --every 20
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { createClient } from 'redis';
import { startRedis } from '../spec/helpers/redisServer.ts';
import { table } from './measure.ts';
import type { Clock, Figures, Load } from './runs/load.ts';
import { runOurs } from './runs/ours.ts';
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

async function measure(name: string, run: (url: string) => Promise<Clock>): Promise<Figures & { cpu: number }> {
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
  const figures = [
    await measure('rx-llm', (url) => runOurs(url, 'bench', used, group)),
    await measure('resumable-stream', (url) => runResumable(url, 'bench', used)),
  ];
  const header = [
    '',
    'wrong',
    'events/s',
    'to readers/s',
    'p50 ms',
    'p99 ms',
    'bytes a run',
    'commands a run',
    'CPU s',
  ];
  const rows = figures.map(({ name, seconds, p50, p99, wrong, bytesPerRun, commandsPerRun, cpu }) => [
    name,
    String(wrong),
    (events / seconds).toFixed(0),
    ((events * used.readers) / seconds).toFixed(0),
    p50.toFixed(1),
    p99.toFixed(1),
    bytesPerRun.toFixed(0),
    commandsPerRun.toFixed(0),
    cpu.toFixed(2),
  ]);
  table(title, header, rows);
  if (figures[0]!.wrong > 0) process.exitCode = 1;
}

if (spawnSync('redis-server', ['--version']).status !== 0) {
  console.log('bench:runs measures nothing: there is no redis-server in the PATH');
} else {
  const { runs, events, readers, every } = load;
  const what = `${runs} runs × ${events} events, ${readers} readers each`;
  await compare(`${what}, an event each ${every} ms, groups of ${group} ms`, load);
  await compare(`${what}, as fast as they are taken`, { ...load, every: 0 });
}
