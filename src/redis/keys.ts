/** Where everything of a log is. */
export interface Keys {
  /** True when shards may be on nodes of their own. */
  readonly clustered: boolean;
  /** In how many parts runs are kept and read; on a cluster, each part is in one slot. */
  readonly shards: number;
  shardOf(runId: string): number;
  /** The two keys of a run. */
  of(runId: string): [state: string, events: string];
  /** The run to which a key of events belongs, whatever a client has put before it. */
  runOf(key: string): string;
  /** The runs of a shard without an end. */
  leases(shard: number): string;
  /** What the keys begin with that wake those who wait for entries of a shard. */
  wake(shard: number): string;
}

const SLOTS = 16_384;

/** The keys on one Redis. The braces put both keys of a run into one slot, should it be a node of a cluster. */
export function plainKeys(prefix: string): Keys {
  return {
    clustered: false,
    shards: 1,
    shardOf: () => 0,
    of: (runId) => [`${prefix}{${runId}}:s`, `${prefix}{${runId}}:e`],
    runOf: (key) => /\{([^{}]+)\}:e$/.exec(key)?.[1] ?? '',
    leases: () => `${prefix}leases`,
    wake: () => `${prefix}wake:`,
  };
}

/**
 * The keys on a cluster. One command can wait for the entries of many runs only where all of them are in one slot: so runs are
 * shared out to a number of slots, each with its own index of leases.
 *
 * The slots lie at equal distances, because nodes own ranges of them: that each node has its part is no matter of luck.
 */
export function shardedKeys(prefix: string, shards: number): Keys {
  const begins = new Map<number, string>();
  const beginOf = (shard: number): string => {
    let begin = begins.get(shard);
    if (begin === undefined) begins.set(shard, (begin = `${prefix}{${tagOf(shard, shards)}}:`));
    return begin;
  };
  const shardOf = (runId: string): number => Math.floor((slotOf(runId) * shards) / SLOTS);
  return {
    clustered: true,
    shards,
    shardOf,
    of: (runId) => {
      const run = `${beginOf(shardOf(runId))}${runId}`;
      return [`${run}:s`, `${run}:e`];
    },
    runOf: (key) => /\}:([^{}]+):e$/.exec(key)?.[1] ?? '',
    leases: (shard) => `${beginOf(shard)}leases`,
    wake: (shard) => `${beginOf(shard)}wake:`,
  };
}

/** The first of `s7`, `s7-1`, `s7-2` … whose slot is in the part of all slots that belongs to the shard. */
function tagOf(shard: number, shards: number): string {
  for (let tries = 0; ; tries++) {
    const tag = tries === 0 ? `s${shard}` : `s${shard}-${tries}`;
    if (Math.floor((slotOf(tag) * shards) / SLOTS) === shard) return tag;
  }
}

/** The slot of a hash tag: CRC-16/XMODEM, as the cluster specification of Redis defines it. */
export function slotOf(tag: string): number {
  let crc = 0;
  for (let index = 0; index < tag.length; index++) {
    crc ^= tag.charCodeAt(index) << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % SLOTS;
}
