import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { delay, first, firstValueFrom, from, lastValueFrom, mergeMap, of, tap, timer, toArray } from 'rxjs';
import type { ConverseEvent } from '../../src/index.js';
import { followRun, type RunLog } from '../../src/runs/index.js';
import { seededRandom } from '../../src/testing/random.js';
import { describeRedis, startRedis } from '../helpers/redisServer.js';
import { describeNats } from '../nats/natsServer.js';
import { openLog, type EngineName } from './engines.js';
import { JOBS, WHOLE } from './marbleModel.js';

const MOMENTS = 200;
/** Events of a run that nobody kills, about. */
const EVENTS = 50;
const LEASE = 400;
/** Producers at a time. */
const AT_ONCE = 6;

jest.setTimeout(240_000);

/** What goes on around the producers that are killed. */
class Stage {
  folder = '';
  log!: RunLog;
  /** What the supervisor has said, a line for each run that it took, finished or failed with. */
  said: string[] = [];
  #close = (): Promise<void> => Promise.resolve();
  readonly #children: ChildProcess[] = [];

  constructor(
    private readonly engine: EngineName,
    private readonly port: () => number,
  ) {}

  /** Compiles both programs once, so that a process starts in a tenth of the time, and starts the supervisor. */
  async prepare(): Promise<void> {
    this.folder = mkdtempSync(join(tmpdir(), 'rx-llm-kill-'));
    await build({
      entryPoints: ['producer', 'supervisor'].map((name) => resolve(process.cwd(), `spec/runs/${name}.ts`)),
      outdir: this.folder,
      outExtension: { '.js': '.cjs' },
      ...{ bundle: true, platform: 'node', format: 'cjs', logLevel: 'silent' },
    });
    const { log, close } = await openLog(this.engine, this.port());
    this.log = log;
    this.#close = close;
    const supervisor = this.#spawn('supervisor', this.folder);
    let rest = '';
    supervisor.stdout!.on('data', (data: Buffer) => {
      const lines = (rest + data.toString()).split('\n');
      rest = lines.pop() ?? '';
      this.said.push(...lines);
    });
    await once(supervisor.stdout!, 'data');
  }

  produce(runId: string): ChildProcess {
    return this.#spawn('producer', runId, this.folder, String(LEASE));
  }

  #spawn(program: string, ...rest: string[]): ChildProcess {
    const args = [join(this.folder, `${program}.cjs`), this.engine, String(this.port()), ...rest];
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    return child;
  }

  /** The jobs of a run that were done, by whichever process. */
  jobsOf(runId: string): string[] {
    const file = join(this.folder, runId);
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  async close(): Promise<void> {
    // Also the producers that a test which has failed has left behind.
    for (const child of this.#children) child.kill('SIGKILL');
    await this.#close();
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

function theProofs(engine: EngineName, port: () => number): void {
  const stage = new Stage(engine, port);

  beforeAll(() => stage.prepare());
  afterAll(() => stage.close());

  /**
   * Waits until the supervisor has brought a run to its end. One whose producer has died before anything of it was stored is
   * nobody's orphan: whoever asked for it asks again.
   */
  const ended = async (runId: string): Promise<void> => {
    for (;;) {
      const head = await firstValueFrom(stage.log.head(runId));
      if (head?.ended) return;
      if (head === null || (head.seq === 0 && !head.held)) await once(stage.produce(runId), 'exit');
      await firstValueFrom(timer(25));
    }
  };

  /** Kills the producer some milliseconds after the event of that number is in the log; 0 is when the process begins. */
  const killAt = async (runId: string, seq: number, moment: number): Promise<{ faults: string[]; state: string }> => {
    const watching = watch(stage.log, runId);
    const child = stage.produce(runId);
    const exit = once(child, 'exit');
    await once(child.stdout!, 'data');
    const stored = seq === 0 ? of(null) : stage.log.read(runId).pipe(first((entry) => entry.seq >= seq, null));
    await Promise.race([exit, lastValueFrom(stored.pipe(delay(moment)), { defaultValue: null })]);
    child.kill('SIGKILL');
    const [, signal] = (await exit) as [number | null, string | null];
    const head = await firstValueFrom(stage.log.head(runId));
    await ended(runId);
    const { faults, seen } = await watching;
    const ends = seen.filter(({ type }) => type === 'conversation-end').length;
    if (ends !== 1) faults.push(`${ends} ends`);
    const state = head?.ended ? 'ended' : signal === null ? 'finished' : head && head.seq > 0 ? 'cut' : 'not begun';
    return {
      faults: [...faults, ...jobFaults(seen, stage.jobsOf(runId))],
      state,
    };
  };

  it(`should bring every answer whole when its producer is killed at ${MOMENTS} moments`, async () => {
    const random = seededRandom(7);
    // By the events and not by the clock alone: a busy machine would kill most of them before their first event.
    const moments = Array.from({ length: MOMENTS }, (_, index) => ({
      runId: `kill-${index}`,
      seq: Math.floor(random() * EVENTS),
      moment: random() * 15,
    }));
    const all = from(moments).pipe(
      mergeMap(
        async ({ runId, seq, moment }) => ({
          runId,
          seq,
          moment,
          ...(await killAt(runId, seq, moment)),
        }),
        AT_ONCE,
      ),
      toArray(),
    );
    const results = await lastValueFrom(all);

    expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
    // Most of them were killed on the way, and all of these were adopted by the other process.
    const cut = results.filter(({ state }) => state === 'cut').map(({ runId }) => runId);
    expect(cut.length).toBeGreaterThan(MOMENTS / 2);
    expect(cut.filter((runId) => !stage.said.includes(`adopted ${runId}`))).toEqual([]);
    expect(stage.said.filter((line) => line.startsWith('failed'))).toEqual([]);
  });

  it('should let nothing in of a producer that was paused past its lease', async () => {
    for (const moment of [20, 60, 100]) {
      const runId = `paused-${moment}`;
      const watching = watch(stage.log, runId);
      const child = stage.produce(runId);
      let said = '';
      child.stdout!.on('data', (data: Buffer) => (said += data.toString()));
      await once(child.stdout!, 'data');
      await firstValueFrom(timer(moment));
      child.kill('SIGSTOP');
      await ended(runId);
      const before = await firstValueFrom(stage.log.read(runId).pipe(toArray()));
      const { faults, seen } = await watching;
      const exit = once(child, 'exit');
      child.kill('SIGCONT');
      await exit;

      expect({ faults, jobs: jobFaults(seen, stage.jobsOf(runId)) }).toEqual({
        faults: [],
        jobs: [],
      });
      expect(await firstValueFrom(stage.log.read(runId).pipe(toArray()))).toEqual(before);
      // It follows what the other has made, or is told that it is no producer any more.
      expect(said).toMatch(/^ready\n(done|failed (lost|ended|unavailable))\n$/);
    }
  });

  it('should give a reader that reloads at every number each event once', async () => {
    const runId = 'reloaded';
    await ended(runId);
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
