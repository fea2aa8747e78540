import type { JsonObject } from '../../contract/index.js';

/** Metadata for vendors that take texts only: whatever is none is written as JSON. */
export function textValues(metadata: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
