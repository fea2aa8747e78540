import type { SchemaIssue, SchemaResult, StandardSchema } from '../../src/internal/standardSchema.js';

/** A Standard Schema from a function that finds what is wrong with a value. */
export function schemaOf<T>(check: (value: unknown) => SchemaIssue[]): StandardSchema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'spec',
      validate: (value): SchemaResult<T> => {
        const issues = check(value);
        return issues.length > 0 ? { issues } : { value: value as T };
      },
    },
  };
}

/** The same, answering with a promise that the test resolves or rejects. */
export function lateSchema<T>(): StandardSchema<T> & {
  asked: unknown[];
  settle: (result: SchemaResult<T>) => Promise<void>;
  fail: (error: unknown) => Promise<void>;
} {
  const asked: unknown[] = [];
  const waiting: { resolve: (result: SchemaResult<T>) => void; reject: (error: unknown) => void }[] = [];
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  return {
    asked,
    settle: (result) => {
      waiting.shift()?.resolve(result);
      return turn();
    },
    fail: (error) => {
      waiting.shift()?.reject(error);
      return turn();
    },
    '~standard': {
      version: 1,
      vendor: 'spec',
      validate: (value) => {
        asked.push(value);
        return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      },
    },
  };
}

/** Accepts anything. */
export const anything = schemaOf<unknown>(() => []);
