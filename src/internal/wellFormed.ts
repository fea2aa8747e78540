interface WellFormedString {
  isWellFormed?(): boolean;
  toWellFormed?(): string;
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const LONE_SURROGATES = new RegExp(LONE_SURROGATE, 'g');

/** True when the text has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  return (text as WellFormedString).isWellFormed?.() ?? !LONE_SURROGATE.test(text);
}

/**
 * Puts U+FFFD in the place of lone surrogates: providers answer 400 to them, and then to every later request that carries
 * them in its history.
 */
export function toWellFormed(text: string): string {
  return (text as WellFormedString).toWellFormed?.() ?? text.replace(LONE_SURROGATES, '\ufffd');
}

/** True when the text ends in the first half of a surrogate pair. */
export function endsInHighSurrogate(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

/** True when the text begins with the second half of a surrogate pair. */
export function beginsInLowSurrogate(text: string): boolean {
  const first = text.charCodeAt(0);
  return first >= 0xdc00 && first <= 0xdfff;
}
