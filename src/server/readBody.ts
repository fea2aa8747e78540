import { InferenceExecutionError, type JsonObject, type JsonValue } from '../contract/index.js';

/** Makes the error for a body of a client that is wrong: says what, and what it should be. */
export function badBody(where: string, what: string): InferenceExecutionError {
  return new InferenceExecutionError('invalid-request', where === '' ? what : `${where}: ${what}`, { status: 400 });
}

/** Reads an object. */
export function objectIn(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw badBody(where, `expected an object, got ${kindOf(value)}`);
}

/** Reads a list. */
export function listIn(value: unknown, where: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw badBody(where, `expected a list, got ${kindOf(value)}`);
}

/** Reads a text that is not empty. */
export function textIn(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw badBody(where, `expected a text, got ${value === '' ? 'an empty one' : kindOf(value)}`);
}

/** Reads an optional number. */
export function numberIn(value: unknown, where: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw badBody(where, `expected a number, got ${kindOf(value)}`);
}

/** Reads the JSON text of a call's arguments; none at all are `{}`. */
export function argumentsIn(value: unknown, where: string): JsonValue {
  if (typeof value !== 'string') throw badBody(where, `expected JSON as a text, got ${kindOf(value)}`);
  if (value.trim() === '') return {};
  try {
    return JSON.parse(value) as JsonValue;
  } catch {
    throw badBody(where, 'is not valid JSON; leave out calls that did not arrive whole');
  }
}

/** Reads a JSON Schema; a tool without parameters takes an empty object. */
export function schemaIn(value: unknown, where: string): JsonObject {
  if (value === undefined || value === null) return { type: 'object', properties: {} };
  return objectIn(value, where) as JsonObject;
}

/** Splits a `data:` URL into its media type and its base64 data; null for any other URL. */
export function dataUrl(url: string): { mediaType: string; data: string } | null {
  const match = /^data:([^;,]*)(?:;[^,]*?)?;base64,(.*)$/s.exec(url);
  return match ? { mediaType: match[1] || 'application/octet-stream', data: match[2] ?? '' } : null;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
