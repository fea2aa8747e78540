/** Gives numbers from 0 up to, but not including, 1. */
export type Random = () => number;

/**
 * Makes a reproducible source of numbers (mulberry32): the same seed gives the same numbers on every machine.
 *
 * @param seed - Any integer.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const HEX = '0123456789abcdef';

/** Gives text of the alphabets that vendors make their ids of. */
export interface Ids {
  alphanumeric(length: number): string;
  base58(length: number): string;
  hex(length: number): string;
  uuid(): string;
}

/** Makes ids from a source of numbers. */
export function idsFrom(random: Random): Ids {
  const pick = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet.charAt(Math.floor(random() * alphabet.length))).join('');
  return {
    alphanumeric: (length) => pick(ALPHANUMERIC, length),
    base58: (length) => pick(BASE58, length),
    hex: (length) => pick(HEX, length),
    uuid: () => {
      const hex = pick(HEX, 32);
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
    },
  };
}
