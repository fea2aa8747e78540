import { catchError, defer, map, retry, throwError, timeout, timer, type Observable, type SchedulerLike } from 'rxjs';
import { RunLogError } from '../runs/RunLogError.js';
import type { Connection } from './connection.js';
import type { Script } from './scripts.js';

/** Asks one Redis, and waits for it while it is away. */
export class Engine {
  constructor(
    readonly connection: Connection,
    private readonly prefix: string,
    /** Milliseconds that a command waits for an engine that is away. */
    readonly patience: number,
    readonly scheduler: SchedulerLike,
  ) {}

  /** The keys of a run. The braces put all of them on one node of a cluster. */
  keysOf(runId: string): [state: string, events: string] {
    return [`${this.prefix}{${runId}}:s`, `${this.prefix}{${runId}}:e`];
  }

  /** Sends a command, again while the connection is broken, and emits the reply. */
  ask(runId: string, args: string[]): Observable<unknown> {
    return this.#patient(runId, () => this.connection.send(args));
  }

  /** Runs a script on the keys of a run, again while the connection is broken, and emits its reply. */
  run(script: Script, runId: string, ...args: string[]): Observable<unknown[]> {
    return this.#patient(runId, () => this.runOnce(script, runId, ...args)).pipe(
      map((reply) => (Array.isArray(reply) ? (reply as unknown[]) : [reply])),
    );
  }

  /** Runs a script without a second try. */
  async runOnce(script: Script, runId: string, ...args: string[]): Promise<unknown> {
    const rest = ['2', ...this.keysOf(runId), ...args];
    try {
      return await this.connection.send(['EVALSHA', script.sha, ...rest]);
    } catch (error) {
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
      return this.connection.send(['EVAL', script.text, ...rest]);
    }
  }

  /** The same engine, for who can wait only so long. */
  within(patience: number): Engine {
    return new Engine(this.connection, this.prefix, patience, this.scheduler);
  }

  /** Sends a command of which nobody needs the reply. What it does mends itself when it gets lost. */
  tell(...args: string[]): void {
    try {
      this.connection.send(args).catch(() => {});
    } catch {
      // A client that is closed may throw.
    }
  }

  #patient(runId: string, send: () => Promise<unknown>): Observable<unknown> {
    const { patience, scheduler } = this;
    let last: unknown;
    const unavailable = (cause: unknown, detail: string): Observable<never> =>
      throwError(() => new RunLogError('unavailable', runId, detail, { cause }));
    return defer(send).pipe(
      retry({
        delay: (error: unknown, count) => {
          last = error;
          if (isFinal(error)) return unavailable(error, `Redis refuses the command: ${messageOf(error)}`);
          return timer(Math.min(25 * 2 ** Math.min(count, 6), 1_000), scheduler);
        },
      }),
      timeout({
        first: patience,
        scheduler,
        with: () => unavailable(last, `Redis did not answer for ${patience} ms${last ? `: ${messageOf(last)}` : ''}`),
      }),
      catchError((error: unknown) =>
        error instanceof RunLogError ? throwError(() => error) : unavailable(error, messageOf(error)),
      ),
    );
  }
}

/** Replies that another try can change: the engine is starting, is no primary at the moment, or is busy. */
const PASSING = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/;

/** True for what the engine itself has said, false for a broken connection. Its errors begin with a word in capitals. */
function isFinal(error: unknown): boolean {
  const message = messageOf(error);
  return /^[A-Z]{3,} /.test(message) && !PASSING.test(message);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
