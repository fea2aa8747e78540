import type { RunLog } from '../runs/RunLog.js';
import { appendCases } from './runLog/appendCases.js';
import { Bench } from './runLog/bench.js';
import { leaseCases } from './runLog/leaseCases.js';
import { readCases } from './runLog/readCases.js';

/** Options of {@link runLogConformance}. Times are in milliseconds. */
export interface RunLogConformanceOptions {
  /** A lease that is long for the engine and short for who waits. Defaults to 300. */
  lease?: number;
  /** Longest wait for anything that has to come. Defaults to 10,000. */
  limit?: number;
  /** Called after each case with the log that `makeLog` gave. Defaults to nothing. */
  close?: (log: RunLog) => void | Promise<void>;
}

/** One thing that a log has to do. */
export interface ConformanceCase {
  /** What it does, such as `refuses everything after the end`. */
  name: string;
  /** Rejects with what is wrong. */
  run: () => Promise<void>;
}

/**
 * What a `RunLog` has to do, as cases for any test runner: leases and fences, appends, readers, expiry.
 *
 * Each case takes a log of its own from `makeLog` and run ids of its own, so that all may share one engine. The cases take real
 * time: about four seconds together with a lease of 300 ms.
 * @example With Jest
 * ```ts
 * import { memoryRunLog } from 'rx-llm/runs';
 * import { runLogConformance } from 'rx-llm/testing';
 *
 * declare const it: (name: string, run: () => Promise<void>) => void;
 *
 * for (const { name, run } of runLogConformance(() => memoryRunLog())) it(`should be a log that ${name}`, run);
 * ```
 * @param makeLog - Gives the log under test.
 * @param options - See {@link RunLogConformanceOptions}.
 */
export function runLogConformance(
  makeLog: () => RunLog | Promise<RunLog>,
  options: RunLogConformanceOptions = {},
): ConformanceCase[] {
  const { lease = 300, limit = 10_000, close } = options;
  return Object.entries({ ...leaseCases, ...appendCases, ...readCases }).map(([name, check]) => ({
    name,
    run: async () => {
      const log = await makeLog();
      const runId = `conformance-${crypto.randomUUID()}`;
      const bench = new Bench(log, lease, limit, runId);
      try {
        await check(bench);
      } finally {
        bench.close();
        await close?.(log);
      }
    },
  }));
}
