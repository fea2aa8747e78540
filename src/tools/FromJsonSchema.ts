import type { JsonValue } from '../contract/index.js';

/** A JSON Schema as it is written down, also `as const`. */
export type JsonSchemaLike = { readonly [key: string]: JsonLike };

type JsonLike = string | number | boolean | null | readonly JsonLike[] | JsonSchemaLike;

/**
 * The type of the values that a plain JSON Schema describes, as far as types can tell: `type`, `enum`, `const`,
 * `properties` with `required`, `items`, `anyOf` and `oneOf`. What is not known at compile time, a reference for one, is a
 * `JsonValue`.
 */
export type FromJsonSchema<Schema> = Schema extends { readonly const: infer Value }
  ? Mutable<Value>
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Mutable<Value>
    : Schema extends { readonly anyOf: readonly (infer Branch)[] }
      ? OneOf<Branch>
      : Schema extends { readonly oneOf: readonly (infer Branch)[] }
        ? OneOf<Branch>
        : Schema extends { readonly type: infer Type }
          ? OfType<Schema, Type extends readonly (infer Each)[] ? Each : Type>
          : JsonValue;

type OneOf<Branch> = Branch extends unknown ? FromJsonSchema<Branch> : never;

// A type that is no literal says nothing: `{ type: string }` comes from a schema that was not written in place.
type OfType<Schema, Type> = string extends Type ? JsonValue : Type extends string ? Named<Schema, Type> : JsonValue;

type Named<Schema, Type extends string> = Type extends 'string'
  ? string
  : Type extends 'number' | 'integer'
    ? number
    : Type extends 'boolean'
      ? boolean
      : Type extends 'null'
        ? null
        : Type extends 'array'
          ? ArrayOf<Schema>
          : Type extends 'object'
            ? ObjectOf<Schema>
            : JsonValue;

type ArrayOf<Schema> = Schema extends { readonly items: infer Items } ? FromJsonSchema<Items>[] : JsonValue[];

type ObjectOf<Schema> = Schema extends { readonly properties: infer Properties }
  ? Flat<
      {
        -readonly [Name in keyof Properties as Name extends Required<Schema> ? Name : never]: FromJsonSchema<
          Properties[Name]
        >;
      } & {
        -readonly [Name in keyof Properties as Name extends Required<Schema> ? never : Name]?: FromJsonSchema<
          Properties[Name]
        >;
      }
    >
  : { [key: string]: JsonValue };

type Required<Schema> = Schema extends { readonly required: readonly (infer Name)[] } ? Name : never;

type Flat<T> = { [Key in keyof T]: T[Key] };

/** A value without the marks of `const`. */
type Mutable<T> = T extends JsonLike
  ? T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T
  : JsonValue;
