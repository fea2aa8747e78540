import type { JsonObject, JsonValue } from '../../src/index.js';
import { issuePath } from '../../src/internal/standardSchema.js';
import { checkJsonSchema } from '../../src/tools/checkJsonSchema.js';

/** What is wrong, in short. */
function faults(schema: JsonObject, value: JsonValue): string[] {
  const { issues = [] } = checkJsonSchema(schema, value);
  return issues.map((issue) => `${issuePath(issue).map(String).join('.')}: ${issue.message}`);
}

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties, ...more });

describe('checkJsonSchema', () => {
  it('should give back what fits', () => {
    const value = { city: 'Lima', days: 3 };

    expect(checkJsonSchema(object({ city: { type: 'string' } }), value)).toEqual({ value });
  });

  it('should say everything that is wrong, and where', () => {
    const schema = object(
      { city: { type: 'string', minLength: 2 }, days: { type: 'array', items: { type: 'integer', minimum: 1 } } },
      { required: ['city', 'unit'], additionalProperties: false },
    );

    expect(faults(schema, { city: 'L', days: [1, 0, 1.5], at: null })).toEqual([
      'unit: is missing',
      'city: expected at least 2 characters',
      'days.1: expected at least 1',
      'days.2: expected integer, got number',
      'at: is not allowed',
    ]);
  });

  // Each line: a schema, what fits, what does not, and what is said of the latter.
  it.each<[JsonObject, JsonValue[], JsonValue, string]>([
    [{ type: ['string', 'null'] }, ['a', null], 1, 'expected string or null, got number'],
    [{ type: 'integer' }, [1, 1.0, -0], 1.5, 'expected integer, got number'],
    [{ enum: ['a', { b: [1] }] }, ['a', { b: [1] }], 'c', 'expected one of "a", {"b":[1]}'],
    [{ const: { a: 1, b: 2 } }, [{ b: 2, a: 1 }], { a: 1 }, 'expected {"a":1,"b":2}'],
    [{ const: [1, 2] }, [[1, 2]], [1], 'expected [1,2]'],
    [{ const: null }, [null], 0, 'expected null'],
    [{ minimum: 1, maximum: 3 }, [1, 3, 'no number'], 4, 'expected at most 3'],
    [{ exclusiveMinimum: 1, exclusiveMaximum: 3 }, [2], 3, 'expected less than 3'],
    [{ exclusiveMinimum: 1 }, [2], 1, 'expected more than 1'],
    [{ multipleOf: 0.1 }, [0.3, 0, 7], 0.35, 'expected a multiple of 0.1'],
    [{ multipleOf: 1e-300 }, [0], 1e300, 'expected a multiple of 1e-300'],
    [{ minLength: 1, maxLength: 2 }, ['👩🚀', 'ab'], 'abc', 'expected at most 2 characters'],
    [{ pattern: '^[\\w-.]+$' }, ['a-b'], 'a b', 'expected a text that matches ^[\\w-.]+$'],
    [{ minItems: 1, maxItems: 2 }, [[1], 'no list'], [], 'expected at least 1 items'],
    [{ maxItems: 1 }, [[1]], [1, 2], 'expected at most 1 items'],
    [
      { uniqueItems: true },
      [[1, '1', [1]]],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      'expected items of which no two are equal',
    ],
    [{ contains: { type: 'null' }, maxContains: 1 }, [[1, null]], [1], 'expected 1 or more items of a kind'],
    [{ contains: { type: 'null' }, maxContains: 1 }, [[null]], [null, null], 'expected 1 or fewer items of a kind'],
    [{ minProperties: 1, maxProperties: 1 }, [{ a: 1 }], {}, 'expected at least 1 members'],
    [{ maxProperties: 1 }, [{ a: 1 }], { a: 1, b: 2 }, 'expected at most 1 members'],
    [{ not: { type: 'null' } }, [1], null, 'is not allowed'],
    [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1], 3, 'expected at most 2'],
    [
      { anyOf: [{ type: 'null' }, { type: 'number' }] },
      [null, 1],
      'a',
      'expected null, got string, or expected number, got string',
    ],
    [{ oneOf: [{ type: 'number' }, { minimum: 3 }] }, [1, 'a'], 4, 'fits 2 alternatives, of which only one may fit'],
    [{ oneOf: [{ const: 1 }, { const: 2 }] }, [1, 2], 3, 'expected 1, or expected 2'],
    [{ if: { type: 'string' }, then: { const: 'a' }, else: { const: 1 } }, ['a', 1], 'b', 'expected "a"'],
    [{ if: { type: 'string' }, else: { const: 1 } }, ['b', 1], 2, 'expected 1'],
  ])('should know what %j asks for', (schema, fitting, other, words) => {
    expect(fitting.flatMap((value) => faults(schema, value))).toEqual([]);
    expect(faults(schema, other)).toEqual([`: ${words}`]);
  });

  it.each<[JsonObject, JsonValue, JsonValue, string]>([
    [
      { patternProperties: { '^x': { type: 'number' } } },
      { x: 1, y: 'a' },
      { x1: 'a' },
      'x1: expected number, got string',
    ],
    [{ additionalProperties: { type: 'number' } }, { a: 1 }, { a: 'a' }, 'a: expected number, got string'],
    [{ propertyNames: { maxLength: 1 } }, { a: 1 }, { ab: 1 }, 'ab: expected at most 1 characters'],
    [{ dependentRequired: { a: ['b'] } }, { b: 1 }, { a: 1 }, 'b: is missing'],
    [{ dependentSchemas: { a: { required: ['b'] } } }, { a: 1, b: 1 }, { a: 1 }, 'b: is missing'],
    [
      { prefixItems: [{ type: 'null' }], items: { type: 'number' } },
      [null, 1],
      [null, 'a'],
      '1: expected number, got string',
    ],
    [{ items: [{ type: 'null' }], additionalItems: false }, [null], [null, 1], '1: is not allowed'],
    [{ properties: { a: false } }, {}, { a: 1 }, 'a: is not allowed'],
    [{ properties: { a: true } }, { a: 1 }, [], ''],
    [{ required: ['toString'] }, { toString: 1 }, {}, 'toString: is missing'],
    [{ anyOf: [object({ a: { const: 1 } }), { type: 'null' }] }, { a: 1 }, { a: 2 }, 'a: expected 1'],
  ])('should look into %j', (schema, fitting, other, words) => {
    expect(faults(schema, fitting)).toEqual([]);
    expect(faults(schema, other)).toEqual(words === '' ? [] : [words]);
  });

  it('should follow references within the schema, by pointer and by anchor, also to itself', () => {
    const schema: JsonObject = {
      $ref: '#/$defs/a~1b%20c',
      $defs: {
        'a/b c': { type: 'object', properties: { next: { $ref: '#' }, name: { $ref: '#name' } } },
        list: [{ $anchor: 'name', type: 'string' }],
      },
    };

    expect(faults(schema, { next: { next: { name: 'a' } } })).toEqual([]);
    expect(faults(schema, { next: { next: { name: 1 } } })).toEqual(['next.next.name: expected string, got number']);
    expect(faults({ $ref: '#/$defs/list/0', $defs: { list: [{ type: 'null' }] } }, 1)).toEqual([
      ': expected null, got number',
    ]);
    expect(faults({ $ref: '#/missing' }, 1)).toEqual([]);
    expect(faults({ $ref: 'https://example.com/other.json' }, 1)).toEqual([]);
  });

  it('should not run for ever after a reference that leads nowhere else', () => {
    expect(faults({ $ref: '#' }, 1)).toEqual([': is nested too deeply, or its schema refers to itself']);
  });

  it('should not be taken in by names that objects have anyway', () => {
    const value = JSON.parse('{"__proto__":{"a":1},"constructor":2}') as JsonValue;

    expect(faults({ additionalProperties: { type: 'string' } }, value)).toEqual([
      '__proto__: expected string, got object',
      'constructor: expected string, got number',
    ]);
    expect(faults({ const: {} }, value)).toHaveLength(1);
  });
});
