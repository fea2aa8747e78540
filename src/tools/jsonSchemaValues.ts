import type { JsonObject, JsonValue } from '../contract/index.js';
import type { SchemaIssue } from '../internal/standardSchema.js';

/** Keys and indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** Checks a part of a schema against the value itself, or against a member of it. */
export type Check = (schema: JsonValue | undefined, value?: JsonValue, key?: string | number) => SchemaIssue[];

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The type of a value as JSON Schema calls it. */
export function typeName(value: JsonValue): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** A value in a message. */
export function quote(value: JsonValue): string {
  return JSON.stringify(value);
}

/** True for equal JSON values; the order of members means nothing. */
export function sameJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index] ?? null));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameJson(a[name] ?? null, b[name] ?? null));
}

/** A pattern of a schema; many are written for engines without Unicode mode, which refuse needless escapes. */
export function regExpOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return new RegExp(pattern);
  }
}
