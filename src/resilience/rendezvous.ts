const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

/** FNV-1a, 64 bits, over bytes. */
function fnv1a(bytes: Uint8Array): bigint {
  let hash = OFFSET;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK;
  return hash;
}

/**
 * Scores a member for a key by weighted rendezvous hashing (highest random weight): the member with the highest score is the
 * key's home. A key keeps its home whatever becomes of the other members, and each has keys in proportion to its weight.
 */
export function rendezvousScore(key: string, id: string, weight: number): number {
  const hash = fnv1a(new TextEncoder().encode(`${key}\0${id}`));
  // Never 0 and never 1, whose logarithms would decide without the weight.
  const chance = (Number(hash >> 11n) + 0.5) / 2 ** 53;
  return weight / -Math.log(chance);
}
