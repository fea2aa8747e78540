import { TestScheduler } from 'rxjs/testing';

/**
 * A `TestScheduler` whose comparison looks at everything that an error carries: Jest's `toEqual` alone sees only its
 * name, message and cause, so that two errors with other fields, or of other classes, would pass for each other.
 */
export function createTestScheduler(): TestScheduler {
  return new TestScheduler((actual, expected) => {
    expect(comparable(actual)).toEqual(comparable(expected));
  });
}

/** Puts a plain picture of each error in its place, at any depth of arrays and plain objects. */
export function comparable(value: unknown, seen = new Map<object, unknown>()): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;

  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    seen.set(value, copy);
    for (const item of value) copy.push(comparable(item, seen));
    return copy;
  }
  if (value instanceof Error) {
    const copy: Record<string, unknown> = {};
    seen.set(value, copy);
    return Object.assign(copy, errorFields(value, seen));
  }
  if (isPlain(value)) {
    const copy: Record<string, unknown> = {};
    seen.set(value, copy);
    for (const [key, item] of Object.entries(value)) define(copy, key, comparable(item, seen));
    return copy;
  }
  return value;
}

function errorFields(error: Error, seen: Map<object, unknown>): Record<string, unknown> {
  const fields: Record<string, unknown> = { class: error.constructor, name: error.name, message: error.message };
  for (const key of Object.getOwnPropertyNames(error)) {
    if (key !== 'stack') define(fields, key, comparable(Reflect.get(error, key), seen));
  }
  return fields;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

// An assignment to `__proto__` would set the prototype instead of a field.
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
