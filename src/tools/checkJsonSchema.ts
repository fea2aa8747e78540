import type { JsonObject, JsonValue } from '../contract/index.js';
import type { SchemaIssue, SchemaResult } from '../internal/standardSchema.js';
import { checkArray, checkNumber, checkString } from './jsonSchemaKeywords.js';
import { isObject, quote, regExpOf, sameJson, typeName, type Check, type Path } from './jsonSchemaValues.js';

/** Deepest nesting of schemas; one that refers to itself without going into the value never comes to an end. */
const DEEPEST = 500;

/**
 * Checks a value against a plain JSON Schema (drafts 7 and 2020-12) and says everything that is wrong with it. References
 * within the schema are followed. Not looked at: `format`, the `unevaluated…` keywords, references to other documents.
 */
export function checkJsonSchema(schema: JsonObject, value: JsonValue): SchemaResult<JsonValue> {
  const issues = new Checker(schema).check(schema, value, [], 0);
  return issues.length > 0 ? { issues } : { value };
}

class Checker {
  constructor(private readonly root: JsonObject) {}

  check(schema: JsonValue | undefined, value: JsonValue, path: Path, depth: number): SchemaIssue[] {
    if (schema === false) return [{ message: 'is not allowed', path }];
    if (!isObject(schema)) return [];
    if (depth > DEEPEST) return [{ message: 'is nested too deeply, or its schema refers to itself', path }];
    const within: Check = (part, inner = value, key?) =>
      this.check(part, inner, key === undefined ? path : [...path, key], depth + 1);
    const wrong = wrongType(schema, value) ?? wrongConstant(schema, value);
    if (wrong !== undefined) return [{ message: wrong, path }];
    return [
      ...this.checkReference(schema, within),
      ...checkBranches(schema, path, within),
      ...checkValue(schema, value, path, within),
    ];
  }

  private checkReference(schema: JsonObject, within: Check): SchemaIssue[] {
    const { $ref } = schema;
    if (typeof $ref !== 'string' || !$ref.startsWith('#')) return [];
    return within(this.find($ref.slice(1)));
  }

  /** Finds a part of the schema by its JSON pointer (RFC 6901) or its anchor. */
  private find(fragment: string): JsonValue | undefined {
    if (fragment !== '' && !fragment.startsWith('/')) return findAnchor(this.root, fragment);
    let part: JsonValue | undefined = this.root;
    for (const step of fragment.split('/').slice(1)) {
      const key = decodeURIComponent(step).replace(/~1/g, '/').replace(/~0/g, '~');
      if (Array.isArray(part)) part = part[Number(key)];
      else part = isObject(part) && Object.hasOwn(part, key) ? part[key] : undefined;
    }
    return part;
  }
}

function findAnchor(part: JsonValue | undefined, name: string): JsonValue | undefined {
  if (Array.isArray(part)) {
    for (const item of part) {
      const found = findAnchor(item, name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isObject(part)) return undefined;
  return part['$anchor'] === name ? part : findAnchor(Object.values(part), name);
}

function wrongType({ type }: JsonObject, value: JsonValue): string | undefined {
  if (type === undefined) return undefined;
  const types = Array.isArray(type) ? type : [type];
  if (types.some((one) => (one === 'integer' ? Number.isInteger(value) : typeName(value) === one))) return undefined;
  return `expected ${types.map((one) => (typeof one === 'string' ? one : quote(one))).join(' or ')}, got ${typeName(value)}`;
}

function wrongConstant(schema: JsonObject, value: JsonValue): string | undefined {
  const { enum: choices } = schema;
  if (Array.isArray(choices) && !choices.some((choice) => sameJson(choice, value))) {
    return `expected one of ${choices.map(quote).join(', ')}`;
  }
  if (schema['const'] === undefined || sameJson(schema['const'], value)) return undefined;
  return `expected ${quote(schema['const'])}`;
}

function checkBranches(schema: JsonObject, path: Path, within: Check): SchemaIssue[] {
  const { allOf, anyOf, oneOf } = schema;
  const issues = Array.isArray(allOf) ? allOf.flatMap((branch) => within(branch)) : [];
  if (Array.isArray(anyOf))
    issues.push(
      ...nearest(
        anyOf.map((branch) => within(branch)),
        path,
      ),
    );
  if (Array.isArray(oneOf)) {
    const found = oneOf.map((branch) => within(branch));
    const fitting = found.filter(({ length }) => length === 0).length;
    if (fitting > 1) issues.push({ message: `fits ${fitting} alternatives, of which only one may fit`, path });
    issues.push(...nearest(found, path));
  }
  if (schema['not'] !== undefined && within(schema['not']).length === 0)
    issues.push({ message: 'is not allowed', path });
  if (schema['if'] !== undefined) {
    issues.push(...within(within(schema['if']).length === 0 ? schema['then'] : schema['else']));
  }
  return issues;
}

/** What is wrong with the alternative that comes nearest; nothing where one fits. */
function nearest(found: readonly SchemaIssue[][], path: Path): SchemaIssue[] {
  if (found.some(({ length }) => length === 0)) return [];
  const deepest = (issues: SchemaIssue[]): number => Math.max(...issues.map((issue) => issue.path?.length ?? 0));
  const best = found.reduce((near, issues) => (deepest(issues) > deepest(near) ? issues : near), []);
  if (deepest(best) > path.length) return best;
  return [{ message: found.map((issues) => issues[0]?.message).join(', or '), path }];
}

function checkValue(schema: JsonObject, value: JsonValue, path: Path, within: Check): SchemaIssue[] {
  if (typeof value === 'string') return checkString(schema, value, path);
  if (typeof value === 'number') return checkNumber(schema, value, path);
  if (Array.isArray(value)) return checkArray(schema, value, path, within);
  return isObject(value) ? checkObject(schema, value, path, within) : [];
}

function checkObject(schema: JsonObject, value: JsonObject, path: Path, within: Check): SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  const names = Object.keys(value);
  const needed = Array.isArray(schema['required']) ? [...schema['required']] : [];
  for (const [name, others] of entriesOf(schema['dependentRequired'])) {
    if (Object.hasOwn(value, name) && Array.isArray(others)) needed.push(...others);
  }
  for (const name of needed) {
    if (typeof name === 'string' && !Object.hasOwn(value, name)) {
      issues.push({ message: 'is missing', path: [...path, name] });
    }
  }
  const { minProperties: least, maxProperties: most } = schema;
  if (typeof least === 'number' && names.length < least)
    issues.push({ message: `expected at least ${least} members`, path });
  if (typeof most === 'number' && names.length > most)
    issues.push({ message: `expected at most ${most} members`, path });
  for (const [name, dependent] of entriesOf(schema['dependentSchemas'])) {
    if (Object.hasOwn(value, name)) issues.push(...within(dependent));
  }
  for (const [name, member] of Object.entries(value)) {
    if (schema['propertyNames'] !== undefined) issues.push(...within(schema['propertyNames'], name, name));
    issues.push(...checkMember(schema, name, member, within));
  }
  return issues;
}

function checkMember(schema: JsonObject, name: string, member: JsonValue, within: Check): SchemaIssue[] {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const own = Object.hasOwn(properties, name) ? [properties[name]] : [];
  const matching = entriesOf(schema['patternProperties']).filter(([pattern]) => regExpOf(pattern).test(name));
  const known = [...own, ...matching.map(([, part]) => part)];
  const parts = known.length > 0 ? known : [schema['additionalProperties']];
  return parts.flatMap((part) => within(part, member, name));
}

function entriesOf(value: JsonValue | undefined): [string, JsonValue][] {
  return isObject(value) ? Object.entries(value) : [];
}
