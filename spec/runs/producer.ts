/* A producer in a process of its own, to be killed. Arguments: engine, port, run, folder of the tool, lease in milliseconds. */
import { lastValueFrom } from 'rxjs';
import { resumeRun } from '../../src/runs/index.js';
import { openLog, type EngineName } from './engines.js';
import { exitWithParent } from './exitWithParent.js';
import { marbleModel, requestFor, worker } from './marbleModel.js';

const [engine = '', port = '', runId = '', folder = '', ttl = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  exitWithParent();
  const { log } = await openLog(engine as EngineName, Number(port));
  process.stdout.write('ready\n');
  const executor = marbleModel(`p${process.pid}`, 2);
  const converse = { tools: [worker(folder)] };
  const config = { log, executor, converse, ttl: Number(ttl), group: { time: 3, size: 4 } };
  const run$ = resumeRun({ runId, request: requestFor(runId), ...config });
  await lastValueFrom(run$, { defaultValue: undefined });
}

main().then(
  () => process.stdout.write('done\n', () => process.exit()),
  (error: unknown) => {
    const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
    process.stdout.write(`failed ${cause?.code ?? String(error)}\n`, () => process.exit(1));
  },
);
