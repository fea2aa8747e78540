import type { JsonValue } from '../contract/index.js';
import { parseJson } from '../internal/parseJson.js';

/**
 * Parses the arguments of a call. Truncated JSON is never repaired: what does not parse is no value.
 *
 * @param json - The arguments as they were streamed.
 * @param state - Whether the call's block has `closed`, in which case nothing at all means no arguments and any JSON value
 * is whole; or is `open`, in which case only a JSON object is known to be whole.
 * @returns The arguments, or undefined when they are not whole.
 */
export function settleArguments(json: string, state: 'open' | 'closed'): JsonValue | undefined {
  const trimmed = json.trim();
  if (state === 'closed' && (trimmed === '' || trimmed === 'null')) return {};
  // Cheaper than a thrown SyntaxError, and an open call rarely ends at a brace.
  if (state === 'open' && !(trimmed.startsWith('{') && trimmed.endsWith('}'))) return undefined;
  const value = parseJson(trimmed) as JsonValue | undefined;
  return value === undefined || isTooDeep(value, MAX_DEPTH) ? undefined : value;
}

/** As for partial values. What is nested much deeper cannot be sent back: each level takes a part of the stack. */
const MAX_DEPTH = 128;

function isTooDeep(value: JsonValue, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isTooDeep(member, levels - 1));
}
