import { readFileSync } from 'node:fs';
import { jetstreamManager } from '@nats-io/jetstream';
import { startNats } from '../../spec/nats/natsServer.ts';
import { natsRunLog } from '../../src/nats/index.ts';
import type { Figures, Load } from './load.ts';
import { runOurs, type Machine } from './ours.ts';

/** What JetStream was asked to keep, beside what is measured of every engine. */
export interface JetStreamFigures extends Figures {
  /** Seconds of CPU that the server took. */
  cpu: number;
  /** Messages that were stored for each run, in both streams. */
  messagesPerRun: number;
}

/** Runs the load on a JetStream of its own, on one server with its files on disk. */
export async function measureJetStream(load: Load, time: number): Promise<JetStreamFigures> {
  const server = await startNats();
  try {
    const sent: (() => number)[] = [];
    const open = async (): Promise<Machine> => {
      const connection = await server.connect();
      sent.push(() => connection.stats().outMsgs);
      // The server closes all of its connections at the end, when they have been asked what they sent.
      return { log: natsRunLog(connection), close: () => undefined };
    };
    const before = cpuSeconds(server.pid);
    const started = performance.now();
    const clock = await runOurs(open, 'bench', load, time);
    const seconds = (performance.now() - started) / 1_000;
    const cpu = cpuSeconds(server.pid) - before;
    const { streams } = await jetstreamManager(await server.connect());
    const [runs, states] = await Promise.all(['rx-llm-runs', 'rx-llm-states'].map((name) => streams.info(name)));
    return {
      name: 'rx-llm on JetStream',
      seconds,
      cpu,
      ...clock.figures(),
      bytesPerRun: (runs!.state.bytes + states!.state.bytes) / load.runs,
      commandsPerRun: sent.reduce((sum, of) => sum + of(), 0) / load.runs,
      messagesPerRun: (runs!.state.last_seq + states!.state.last_seq) / load.runs,
    };
  } finally {
    await server.stop();
  }
}

/** What a process has taken of the CPUs; NaN where the system does not say it in `/proc`. */
function cpuSeconds(pid: number): number {
  try {
    // The name in brackets may have blanks; user and system time are the 12th and 13th field after it, in hundredths.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return NaN;
  }
}
