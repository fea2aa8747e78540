import type { SchedulerLike, Subscription } from 'rxjs';
import type { Connection } from './types.js';

/** How long the first commands wait to hear whether all agree, in milliseconds: the node that knows may be away. */
const WAIT = 1_000;

/**
 * Refuses all commands, once it is known that other processes keep the runs in another number of shards: they would look for a run
 * elsewhere, and two of them could produce it. The first process writes the number down, the others read it.
 */
export function inAgreement(connection: Connection, key: string, shards: number, scheduler: SchedulerLike): Connection {
  let asked: Promise<void> | undefined;
  let late: Promise<void> | undefined;
  let watch: Subscription | undefined;
  let agreed = false;
  let refusal: RangeError | undefined;

  const ask = async (): Promise<void> => {
    try {
      await connection.send(['SET', key, String(shards), 'NX'], key);
      const others = String(await connection.send(['GET', key], key));
      agreed = others === String(shards);
      watch?.unsubscribe();
      if (agreed) return;
      refusal = new RangeError(
        `redisRunLog: the runs of this log are kept in ${others} shards, not in ${shards}; ` +
          `give every process the same number, or delete ${key} once there are no more runs`,
      );
    } catch {
      // The next command asks again.
      asked = undefined;
    }
  };

  const known = (): Promise<void> => {
    late ??= new Promise((resolve) => (watch = scheduler.schedule(() => resolve(), WAIT)));
    asked ??= ask();
    return Promise.race([asked, late]);
  };

  return {
    duplicate: () => connection.duplicate(),
    send: async (args, to) => {
      if (!agreed && refusal === undefined) await known();
      if (refusal) throw refusal;
      return connection.send(args, to);
    },
  };
}
