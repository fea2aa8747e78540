/* Adopts what killed producers have left, in a process of its own. Arguments: engine, port, folder of the tool. */
import { adoptOrphans } from '../../src/runs/index.js';
import { openLog, type EngineName } from './engines.js';
import { exitWithParent } from './exitWithParent.js';
import { marbleModel, worker } from './marbleModel.js';

const [engine = '', port = '', folder = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  exitWithParent();
  const { log } = await openLog(engine as EngineName, Number(port));
  process.stdout.write('ready\n');
  // What was asked for is what the first producer has stored: nobody else tells this process of a run.
  adoptOrphans({
    log,
    executor: marbleModel(`s${process.pid}`, 0),
    converse: { tools: [worker(folder)] },
    interval: 50,
    onError: (runId, error) => process.stdout.write(`failed ${runId}: ${String(error)}\n`),
  }).subscribe(({ runId, state }) => process.stdout.write(`${state} ${runId}\n`));
}

void main();
