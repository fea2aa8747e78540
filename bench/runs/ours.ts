import { createClient } from 'redis';
import { forkJoin, lastValueFrom, tap } from 'rxjs';
import { redisRunLog } from '../../src/redis/index.ts';
import { durable, followRun, type RunLog } from '../../src/runs/index.ts';
import { Clock, type Load } from './load.ts';

/** A log as a machine of its own has it. */
export interface Machine {
  log: RunLog;
  close: () => void;
}

export async function redisMachine(url: string): Promise<Machine> {
  const client = createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  return { log: redisRunLog(client), close: () => client.destroy() };
}

/** Runs the load over our logs: one machine that produces, and one for each reader of a run. */
export async function runOurs(open: () => Promise<Machine>, name: string, load: Load, time: number): Promise<Clock> {
  const clock = new Clock(load);
  const [producer, ...readers] = await Promise.all(Array.from({ length: load.readers + 1 }, open));
  const runs = Array.from({ length: load.runs }, (_, run) => {
    const runId = `${name}-${run}`;
    const read = readers.map(({ log }, reader) =>
      followRun(runId, { log }).pipe(
        tap(({ event }) => {
          if (event.type === 'text-delta') clock.arrived(run, reader, event.text);
        }),
      ),
    );
    const run$ = clock.provider(run).pipe(durable({ runId, log: producer!.log, group: { time } }));
    return [run$, ...read];
  });
  await lastValueFrom(forkJoin(runs.flat()));
  for (const { close } of [producer!, ...readers]) close();
  return clock;
}
