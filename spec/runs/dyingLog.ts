import { NEVER } from 'rxjs';
import type { RunLog } from '../../src/runs/index.js';

/** A log whose engine goes away after so many events; it keeps what it has. */
export function dying(log: RunLog, after: number): RunLog & { death: Promise<void> } {
  let left = after;
  let die: () => void = () => undefined;
  const death = new Promise<void>((resolve) => (die = resolve));
  return {
    death,
    claim: (runId, config) => log.claim(runId, config),
    append: (fence, events) => {
      if (left-- > 0) return log.append(fence, events);
      die();
      return NEVER;
    },
    read: (runId, seq) => log.read(runId, seq),
    head: (runId) => log.head(runId),
    orphans: (limit) => log.orphans(limit),
    expire: (runId, time) => log.expire(runId, time),
  };
}
