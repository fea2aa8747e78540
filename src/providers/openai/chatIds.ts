const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** A short name for a text, the same at each call: letters and digits only. FNV-1a, stirred once more for each letter. */
export function shortHash(text: string, length: number): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  let name = '';
  for (let i = 0; i < length; i++) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ i, 0x01000193);
    name += ALPHABET.charAt((hash >>> 8) % ALPHABET.length);
  }
  return name;
}

/**
 * Makes the ids of tool calls valid for a vendor: a history may come from another one. An id that fits stays; any other
 * gets the same new id in the call and in its result.
 */
export function toolCallIds(rule: { pattern: RegExp; length: number } | undefined): (id: string) => string {
  if (rule === undefined) return (id) => id;
  const { pattern, length } = rule;
  const made = new Map<string, string>();
  const used = new Set<string>();
  return (id) => {
    if (pattern.test(id)) return id;
    const known = made.get(id);
    if (known !== undefined) return known;
    let next = shortHash(id, length);
    for (let salt = 1; used.has(next); salt++) next = shortHash(`${id}#${salt}`, length);
    used.add(next);
    made.set(id, next);
    return next;
  };
}
