/** States of the grammar of a JSON number, by what has been read last. */
const enum NumberState {
  Start,
  Minus,
  Zero,
  Integer,
  Point,
  Fraction,
  E,
  Sign,
  Exponent,
}

/** State before the first character of a number. */
export const NUMBER_START: number = NumberState.Start;

const NONE = -1;

/**
 * Takes one step through a number.
 *
 * @param state - State before it, {@link NUMBER_START} at first.
 * @param code - UTF-16 code unit that comes next.
 * @returns The next state, or -1 when the number does not go on with this character.
 */
export function nextNumberState(state: number, code: number): number {
  if (code >= 0x30 && code <= 0x39) return afterDigit(state, code === 0x30);
  if (code === 0x2e) return state === NumberState.Zero || state === NumberState.Integer ? NumberState.Point : NONE;
  if (code === 0x65 || code === 0x45) {
    return state === NumberState.Zero || state === NumberState.Integer || state === NumberState.Fraction
      ? NumberState.E
      : NONE;
  }
  if (code === 0x2d && state === NumberState.Start) return NumberState.Minus;
  return (code === 0x2d || code === 0x2b) && state === NumberState.E ? NumberState.Sign : NONE;
}

/** Tells whether a number may end in this state. */
export function mayEndNumber(state: number): boolean {
  return (
    state === NumberState.Zero ||
    state === NumberState.Integer ||
    state === NumberState.Fraction ||
    state === NumberState.Exponent
  );
}

function afterDigit(state: number, zero: boolean): number {
  if (state <= NumberState.Minus) return zero ? NumberState.Zero : NumberState.Integer;
  if (state === NumberState.Zero) return NONE;
  if (state === NumberState.Integer) return NumberState.Integer;
  return state <= NumberState.Fraction ? NumberState.Fraction : NumberState.Exponent;
}
