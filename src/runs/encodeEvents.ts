import type { RunEvent } from './RunLog.js';

/**
 * The events as JSON, all of them or none.
 *
 * @throws TypeError when one is no JSON, has no `type`, or follows the `run-end`.
 */
export function encodeEvents(runId: string, events: readonly RunEvent[]): string[] {
  return events.map((event, index) => {
    const at = `run ${JSON.stringify(runId)}: event ${index + 1} of the append`;
    if (typeof (event as RunEvent | null)?.type !== 'string') throw new TypeError(`${at} has no type`);
    if (event.type === 'run-end' && index < events.length - 1) {
      throw new TypeError(`${at} is the run-end, but events follow it`);
    }
    try {
      return JSON.stringify(event);
    } catch (cause) {
      throw new TypeError(`${at} is no JSON: ${String(cause)}`, { cause });
    }
  });
}
