import { isWellFormed } from '../internal/wellFormed.js';
import type { InFlightTool, InterruptSnapshot } from './interruption.js';
import type { JsonValue } from './json.js';
import type { ToolCall } from './tool.js';

/** Deepest nesting that the reference's parser accepts. */
const MAX_DEPTH = 127;

/**
 * Builds a snapshot from raw parts by the reference's rule, to the letter: a call is complete when it has a name and its
 * arguments are any JSON value but `null`; everything else is in flight.
 *
 * The accumulator of this library knows more (which blocks have closed) and does not use this rule: there a bare `12` may
 * be the start of `123`, and a closed call without arguments is complete.
 *
 * @param text - The text so far, null when there was none.
 * @param partials - `[id, name, argsJson]` of each call, in the order in which they were opened.
 * @param bytesReceived - Bytes received so far.
 */
export function snapshotFromPartials(
  text: string | null,
  partials: readonly (readonly [id: string, name: string, argsJson: string])[],
  bytesReceived: number,
): InterruptSnapshot {
  const completedToolCalls: ToolCall[] = [];
  const inFlightTools: InFlightTool[] = [];
  for (const [id, name, argsJson] of partials) {
    const value = name === '' ? undefined : parseStrictly(argsJson);
    if (value === undefined || value === null) inFlightTools.push({ id, name, partialArgs: argsJson });
    else completedToolCalls.push({ id, name, arguments: value });
  }
  return {
    text,
    completedToolCalls,
    inFlightTool: inFlightTools.at(-1) ?? null,
    inFlightTools,
    reasoning: null,
    usage: null,
    cursor: null,
    bytesReceived,
  };
}

/** Parses as the reference's parser does: no lone surrogates, no infinite numbers, no nesting beyond its limit. */
function parseStrictly(json: string): JsonValue | undefined {
  let value: JsonValue;
  try {
    value = JSON.parse(json) as JsonValue;
  } catch {
    return undefined;
  }
  return isStrict(value, 0) ? value : undefined;
}

function isStrict(value: JsonValue, depth: number): boolean {
  if (typeof value === 'string') return isWellFormed(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isStrict(item, depth + 1));
  return Object.entries(value).every(([key, item]) => isWellFormed(key) && isStrict(item, depth + 1));
}
