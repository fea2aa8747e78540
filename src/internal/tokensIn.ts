/** Code units a token, rounded up: about what the vendors' tokenizers give for English. */
const UNITS_PER_TOKEN = 4;

/** Estimates how many tokens so many UTF-16 code units of text are. */
export function tokensIn(codeUnits: number): number {
  return Math.ceil(codeUnits / UNITS_PER_TOKEN);
}
