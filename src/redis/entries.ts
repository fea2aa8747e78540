import type { RunEntry, RunEvent } from '../runs/RunLog.js';

/** An entry, or what says that the run was deleted. */
export type StoredEntry = RunEntry | 'deleted';

/** Reads the reply to XRANGE, or the part of a reply to XREAD that belongs to one stream. */
export function entriesOf(reply: unknown): StoredEntry[] {
  if (!Array.isArray(reply)) return [];
  return (reply as [id: string, fields: string[]][]).map(([id, [field, text = 'null']]) =>
    field === 'e' ? { seq: Number.parseInt(String(id), 10), event: JSON.parse(text) as RunEvent } : 'deleted',
  );
}

/** Reads the reply to XREAD: keys with the replies of their streams. It is a map in RESP3, and a list of pairs in RESP2. */
export function streamsOf(reply: unknown): [key: string, entries: unknown][] {
  if (reply === null || typeof reply !== 'object') return [];
  if (reply instanceof Map) return [...(reply as Map<string, unknown>)];
  if (Array.isArray(reply)) {
    // A flat list is what a client makes of a map that it does not know.
    if (typeof reply[0] !== 'string') return reply as [string, unknown][];
    return reply.flatMap((key: unknown, index) =>
      index % 2 === 0 ? [[String(key), (reply as unknown[])[index + 1]]] : [],
    );
  }
  return Object.entries(reply);
}
