import type { StopReason } from '../contract/index.js';
import type { SchemaIssue } from '../internal/standardSchema.js';

/** Options of {@link ObjectValidationError}. */
export interface ObjectValidationErrorOptions extends ErrorOptions {
  /** Why the model stopped; absent where it has not said so: `max-tokens` explains an object that is cut off. */
  stopReason?: StopReason | undefined;
}

/** Error notification of the operators that read objects: the answer is no JSON, or not what its schema asks for. */
export class ObjectValidationError extends Error {
  override readonly name = 'ObjectValidationError';
  /** Why the model stopped, where it has said so. */
  readonly stopReason: StopReason | undefined;

  /**
   * @param path - Keys and indexes that lead to the first value that failed; empty for the value itself.
   * @param issues - Everything that is wrong, in the words of the schema or of the JSON parser.
   * @param text - The raw text of the answer as far as it had come.
   */
  constructor(
    readonly path: readonly PropertyKey[],
    readonly issues: readonly SchemaIssue[],
    readonly text: string,
    options: ObjectValidationErrorOptions = {},
  ) {
    super(describe(path, issues, options.stopReason), 'cause' in options ? { cause: options.cause } : undefined);
    this.stopReason = options.stopReason;
  }
}

function describe(path: readonly PropertyKey[], issues: readonly SchemaIssue[], stopReason?: StopReason): string {
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const stopped = stopReason === undefined || stopReason === 'end-turn' ? '' : `; the model stopped with ${stopReason}`;
  return `invalid object at ${pathText(path)}: ${issues[0]?.message ?? 'refused by the schema'}${more}${stopped}`;
}

function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'its root';
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      const name = String(key);
      if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}
