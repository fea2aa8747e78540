import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { firstValueFrom, from, lastValueFrom, mergeMap, tap, timer, toArray } from 'rxjs';
import type { ConverseEvent } from '../../src/index.js';
import { followRun, resumeRun, type RunLog } from '../../src/runs/index.js';
import { seededRandom } from '../../src/testing/random.js';
import { describeRedis, startRedis } from '../helpers/redisServer.js';
import { describeNats } from '../nats/natsServer.js';
import { openLog, type EngineName } from './engines.js';
import { JOBS, marbleModel, request, WHOLE, worker } from './marbleModel.js';

const MOMENTS = 200;
const LEASE = 400;
/** Producers at a time. */
const AT_ONCE = 6;

jest.setTimeout(240_000);

/** What goes on around the producers that are killed. */
class Stage {
  folder = '';
  readonly #open: { log: RunLog; close: () => Promise<void> }[] = [];
  log!: RunLog;

  constructor(
    private readonly engine: EngineName,
    private readonly port: () => number,
  ) {}

  /** Compiles the producer once: a process starts in a tenth of the time. */
  async prepare(): Promise<void> {
    this.folder = mkdtempSync(join(tmpdir(), 'rx-llm-kill-'));
    await build({
      entryPoints: [resolve(process.cwd(), 'spec/runs/producer.ts')],
      outfile: join(this.folder, 'producer.cjs'),
      ...{ bundle: true, platform: 'node', format: 'cjs', logLevel: 'silent' },
    });
    this.log = (await this.#connect()).log;
  }

  spawn(runId: string): ChildProcess {
    const args = [
      join(this.folder, 'producer.cjs'),
      this.engine,
      String(this.port()),
      runId,
      this.file(runId),
      String(LEASE),
    ];
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  file(runId: string): string {
    return join(this.folder, runId);
  }

  async #connect(): Promise<{ log: RunLog; close: () => Promise<void> }> {
    const opened = await openLog(this.engine, this.port());
    this.#open.push(opened);
    return opened;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map(({ close }) => close()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Follows a run to its end, and says what was wrong with what it saw. */
async function watch(log: RunLog, runId: string): Promise<{ faults: string[]; seen: ConverseEvent[] }> {
  const faults: string[] = [];
  let text = '';
  let last = 0;
  const look = ({ seq, event }: { seq: number; event: ConverseEvent }): void => {
    if (seq <= last) faults.push(`${seq} came after ${last}`);
    last = seq;
    if (event.type === 'text-delta') text += event.text;
    if (event.type === 'stream-reset' && text !== '') faults.push('text was taken back');
    if (!WHOLE.startsWith(text)) faults.push(`the text has become ${JSON.stringify(text)}`);
  };
  const followed = followRun<ConverseEvent>(runId, { log }).pipe(tap(look), toArray());
  const seen = (await lastValueFrom(followed)).map(({ event }) => event);
  if (text !== WHOLE) faults.push(`the text is ${JSON.stringify(text)}`);
  return { faults: faults.slice(0, 3), seen };
}

/** What is wrong with the jobs that were done, here and by the producer that has died. */
function jobFaults(seen: readonly ConverseEvent[], done: readonly string[]): string[] {
  return JOBS.flatMap((job) => {
    const times = done.filter((other) => other === job).length;
    const results = seen.flatMap((event) =>
      event.type === 'tool-execution-result' && event.id.endsWith(`-${job}`) ? [event.status] : [],
    );
    const unknown = results.includes('unknown');
    // Killed inside the call: nobody knows, and so it is said, and not run again.
    if (times > 1 || (times === 0 && !unknown)) return [`${job} was done ${times} times`];
    return results.length === 1 ? [] : [`${job} has ${results.length} results`];
  });
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

function theProofs(engine: EngineName, port: () => number): void {
  const stage = new Stage(engine, port);
  const executor = marbleModel('here', 0);

  beforeAll(() => stage.prepare());
  afterAll(() => stage.close());

  /** Goes on with a run whose producer is gone, as soon as its lease has run out. */
  const takeOver = async (runId: string): Promise<void> => {
    for (;;) {
      const head = await firstValueFrom(stage.log.head(runId));
      if (head?.ended) return;
      if (head === null || !head.held) break;
      await firstValueFrom(timer(25));
    }
    const converse = { tools: [worker(stage.file(runId))] };
    const resumed = resumeRun({ runId, log: stage.log, executor, request, converse, ttl: 10_000 });
    await lastValueFrom(resumed, { defaultValue: undefined });
  };

  const killAt = async (runId: string, moment: number): Promise<{ faults: string[]; state: string }> => {
    const watching = watch(stage.log, runId);
    const child = stage.spawn(runId);
    const exit = once(child, 'exit');
    await once(child.stdout!, 'data');
    await Promise.race([exit, firstValueFrom(timer(moment))]);
    child.kill('SIGKILL');
    const [, signal] = (await exit) as [number | null, string | null];
    const head = await firstValueFrom(stage.log.head(runId));
    await takeOver(runId);
    const { faults, seen } = await watching;
    const ends = seen.filter(({ type }) => type === 'conversation-end').length;
    if (ends !== 1) faults.push(`${ends} ends`);
    const state = head?.ended ? 'ended' : signal === null ? 'finished' : head ? 'cut' : 'not begun';
    return { faults: [...faults, ...jobFaults(seen, linesOf(stage.file(runId)))], state };
  };

  it(`should bring every answer whole when its producer is killed at ${MOMENTS} moments`, async () => {
    const random = seededRandom(7);
    const moments = Array.from({ length: MOMENTS }, (_, index) => ({ runId: `kill-${index}`, moment: random() * 260 }));
    const all = from(moments).pipe(
      mergeMap(async ({ runId, moment }) => ({ runId, moment, ...(await killAt(runId, moment)) }), AT_ONCE),
      toArray(),
    );
    const results = await lastValueFrom(all);

    expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
    // Most of them were killed on the way.
    expect(results.filter(({ state }) => state === 'cut').length).toBeGreaterThan(MOMENTS / 2);
  });

  it('should let nothing in of a producer that was paused past its lease', async () => {
    for (const moment of [20, 60, 100]) {
      const runId = `paused-${moment}`;
      const watching = watch(stage.log, runId);
      const child = stage.spawn(runId);
      let said = '';
      child.stdout!.on('data', (data: Buffer) => (said += data.toString()));
      await once(child.stdout!, 'data');
      await firstValueFrom(timer(moment));
      child.kill('SIGSTOP');
      await takeOver(runId);
      const before = await firstValueFrom(stage.log.read(runId).pipe(toArray()));
      const { faults, seen } = await watching;
      const exit = once(child, 'exit');
      child.kill('SIGCONT');
      await exit;

      expect({ faults, jobs: jobFaults(seen, linesOf(stage.file(runId))) }).toEqual({ faults: [], jobs: [] });
      expect(await firstValueFrom(stage.log.read(runId).pipe(toArray()))).toEqual(before);
      // It follows what the other has made, or is told that it is no producer any more.
      expect(said).toMatch(/^ready\n(done|failed (lost|ended|unavailable))\n$/);
    }
  });

  it('should give a reader that reloads at every number each event once', async () => {
    const runId = 'reloaded';
    await takeOver(runId);
    const whole = await firstValueFrom(followRun(runId, { log: stage.log }).pipe(toArray()));

    for (const { seq } of whole) {
      const rest = await firstValueFrom(followRun(runId, { log: stage.log, after: seq }).pipe(toArray()));
      expect(rest).toEqual(whole.filter((entry) => entry.seq > seq));
    }
  });
}

describeRedis('runs whose producer is killed, on Redis', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());
  theProofs('redis', () => server.port);
});

describeNats('runs whose producer is killed, on NATS', (server) => {
  theProofs('nats', () => server().port);
});
