import { catchError, defer, map, retry, throwError, timeout, timer, type Observable, type SchedulerLike } from 'rxjs';
import { RunLogError } from '../runs/RunLogError.js';
import type { Connection } from './types.js';
import type { Keys } from './keys.js';
import type { Script } from './scripts.js';

/** Asks Redis, and waits for it while it is away. */
export class Engine {
  constructor(
    readonly connection: Connection,
    readonly keys: Keys,
    /** Milliseconds that a command waits for an engine that is away. */
    readonly patience: number,
    readonly scheduler: SchedulerLike,
  ) {}

  /** Sends a command whose first argument is a key, again while the connection is broken, and emits the reply. */
  ask(runId: string, args: string[]): Observable<unknown> {
    return this.#patient(runId, () => this.connection.send(args, args[1] ?? ''));
  }

  /** Runs a script on the keys of a run, again while the connection is broken, and emits its reply. */
  run(script: Script, runId: string, ...args: string[]): Observable<unknown[]> {
    return this.#patient(runId, () => this.runOnce(script, runId, ...args)).pipe(
      map((reply) => (Array.isArray(reply) ? (reply as unknown[]) : [reply])),
    );
  }

  /** Runs a text of Lua that says something of where a key is, again while the connection is broken, and emits its reply. */
  evaluate(text: string, key: string): Observable<unknown> {
    return this.#patient('*', () => this.connection.send(['EVAL', text, '1', key], key));
  }

  /** Runs a script without a second try. */
  async runOnce(script: Script, runId: string, ...args: string[]): Promise<unknown> {
    const keys = this.keys.of(runId);
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.connection.send(['EVALSHA', script.sha, ...rest], keys[0]);
    } catch (error) {
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
      return this.connection.send(['EVAL', script.text, ...rest], keys[0]);
    }
  }

  /** The same engine, for who can wait only so long. */
  within(patience: number): Engine {
    return new Engine(this.connection, this.keys, patience, this.scheduler);
  }

  /**
   * Sends a command whose first argument is a key, and of which nobody needs the reply. What it does mends itself when it gets
   * lost.
   */
  tell(...args: string[]): void {
    try {
      this.connection.send(args, args[1] ?? '').catch(() => {});
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
          if (error instanceof RangeError) return unavailable(error, error.message);
          if (isFinal(error)) return unavailable(error, `Redis refuses the command: ${explain(messageOf(error))}`);
          return timer(Math.min(25 * 2 ** Math.min(count, 6), isMoving(error) ? MOVING : 1_000), scheduler);
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

/** Longest pause between two tries while a slot is on its way, in milliseconds. */
const MOVING = 100;

/**
 * True when the keys of a command may be on two nodes, because their slot is on its way from one to the other. One client hands on
 * what Redis says, the other sends the command to and fro until it has had enough.
 */
export function isMoving(error: unknown): boolean {
  return /TRYAGAIN|redirections/.test(messageOf(error));
}

/** A client to one node that is given a whole cluster to ask learns what to do about it. */
function explain(message: string): string {
  if (!/^(MOVED|ASK) /.test(message)) return message;
  return `${message}; it is a node of a cluster: give redisRunLog a cluster client (createCluster, new Cluster)`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
