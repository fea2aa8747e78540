import type { JsonObject, JsonValue } from '../contract/index.js';
import type { SchemaIssue } from '../internal/standardSchema.js';
import { regExpOf, sameJson, type Check, type Path } from './jsonSchemaValues.js';

/** A keyword that sets a bound, how it is broken, and what is said then. */
type Bound = readonly [keyword: string, isBroken: (size: number, bound: number) => boolean, words: string];

const NUMBER: readonly Bound[] = [
  ['minimum', (size, bound) => size < bound, 'expected at least %'],
  ['maximum', (size, bound) => size > bound, 'expected at most %'],
  ['exclusiveMinimum', (size, bound) => size <= bound, 'expected more than %'],
  ['exclusiveMaximum', (size, bound) => size >= bound, 'expected less than %'],
  ['multipleOf', (size, bound) => !isMultiple(size, bound), 'expected a multiple of %'],
];
const STRING: readonly Bound[] = [
  ['minLength', (size, bound) => size < bound, 'expected at least % characters'],
  ['maxLength', (size, bound) => size > bound, 'expected at most % characters'],
];
const ARRAY: readonly Bound[] = [
  ['minItems', (size, bound) => size < bound, 'expected at least % items'],
  ['maxItems', (size, bound) => size > bound, 'expected at most % items'],
];

/** What is wrong with a number. */
export function checkNumber(schema: JsonObject, value: number, path: Path): SchemaIssue[] {
  return checkBounds(NUMBER, schema, value, path);
}

/** What is wrong with a string; its length counts code points. */
export function checkString(schema: JsonObject, value: string, path: Path): SchemaIssue[] {
  const { pattern } = schema;
  const issues = checkBounds(STRING, schema, [...value].length, path);
  if (typeof pattern === 'string' && !regExpOf(pattern).test(value)) {
    issues.push({ message: `expected a text that matches ${pattern}`, path });
  }
  return issues;
}

/** What is wrong with an array and its items. */
export function checkArray(schema: JsonObject, value: JsonValue[], path: Path, within: Check): SchemaIssue[] {
  const issues = checkBounds(ARRAY, schema, value.length, path);
  if (schema['uniqueItems'] === true && value.some((item, index) => isRepeated(value, item, index))) {
    issues.push({ message: 'expected items of which no two are equal', path });
  }
  if (schema['contains'] !== undefined) issues.push(...checkContains(schema, value, path, within));
  // In draft 7, `items` may be the list itself, and `additionalItems` what follows it.
  const { items } = schema;
  const [first, rest] = Array.isArray(items) ? [items, schema['additionalItems']] : [schema['prefixItems'], items];
  const leading = Array.isArray(first) ? first : [];
  value.forEach((item, index) => {
    issues.push(...within(index < leading.length ? leading[index] : rest, item, index));
  });
  return issues;
}

function checkContains(schema: JsonObject, value: JsonValue[], path: Path, within: Check): SchemaIssue[] {
  const { contains, minContains: least = 1, maxContains: most = Infinity } = schema;
  const count = value.filter((item, index) => within(contains, item, index).length === 0).length;
  if (typeof least === 'number' && count < least)
    return [{ message: `expected ${least} or more items of a kind`, path }];
  if (typeof most === 'number' && count > most) return [{ message: `expected ${most} or fewer items of a kind`, path }];
  return [];
}

function checkBounds(bounds: readonly Bound[], schema: JsonObject, size: number, path: Path): SchemaIssue[] {
  return bounds.flatMap(([keyword, isBroken, words]) => {
    const bound = schema[keyword];
    if (typeof bound !== 'number' || !isBroken(size, bound)) return [];
    return [{ message: words.replace('%', String(bound)), path }];
  });
}

/** 0.3 is a multiple of 0.1, whatever the remainder of the two doubles. */
function isMultiple(value: number, step: number): boolean {
  const quotient = value / step;
  return Number.isFinite(quotient) && Math.abs(quotient - Math.round(quotient)) <= Number.EPSILON * Math.abs(quotient);
}

function isRepeated(items: readonly JsonValue[], item: JsonValue, index: number): boolean {
  return items.findIndex((other) => sameJson(other, item)) < index;
}
