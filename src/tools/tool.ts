import type { JsonObject, JsonValue, ToolDescriptor } from '../contract/index.js';
import type { SchemaOutput, SchemaResult, StandardSchema } from '../internal/standardSchema.js';
import { checkJsonSchema } from './checkJsonSchema.js';
import type { FromJsonSchema, JsonSchemaLike } from './FromJsonSchema.js';
import type { ToolOutput } from './toolOutput.js';

/** What a tool is given beside its input. */
export interface ToolContext {
  /** Aborted when nobody waits for the result any more: unsubscribed, timed out, or taken back by the model's stream. */
  signal: AbortSignal;
  /** Id of the call. */
  callId: string;
  /** Tells of progress; becomes a `tool-execution-progress` event. Does nothing after the end. */
  emit: (progress: unknown) => void;
  /**
   * Ends the call without a result: somebody outside has to give it, perhaps days later in another process. The
   * conversation is suspended with the `question`, and resumed with the answer as the result. Throws, so that nothing after
   * it is run.
   */
  suspend: (question?: JsonValue) => never;
}

/** What all tools have. Times are in milliseconds. */
interface CommonOptions<Input, Output> {
  /** Name under which the model calls it: letters, digits, `_` and `-`, at most 64. */
  name: string;
  /** Tells the model when and how to use it. */
  description: string;
  /**
   * Does the work. The values of an Observable or async iterable are told as progress, and the last one is the result; a
   * promise or a plain value is the result. Content blocks are sent as they are, a string as text, everything else as JSON. An
   * error is a failed result also where it is given and not thrown, and so is what JSON keeps nothing of: a `Map`, a `Response`.
   */
  execute: (input: Input, context: ToolContext) => ToolOutput<Output>;
  /** Longest run; then the call fails, and its signal is aborted. Defaults to no limit. */
  timeout?: number;
  /** Whether a call has to be approved before it runs; one that throws or rejects says yes. Defaults to false. */
  needsApproval?: boolean | ((input: Input) => boolean | PromiseLike<boolean>);
  /** True when it does no harm to run a call again of which it is not known whether it has run. Defaults to false. */
  idempotent?: boolean;
}

/** Options of {@link tool} with a schema of Zod, Valibot, ArkType or any other Standard Schema. */
export interface SchemaToolOptions<Schema extends StandardSchema, Output> extends CommonOptions<
  SchemaOutput<Schema>,
  Output
> {
  /** Checks the arguments; `execute` gets its output. */
  inputSchema: Schema;
  /** The schema as JSON Schema, as the model is told. Defaults to what the schema's own converter makes of it. */
  parameters?: JsonObject;
}

/** Options of {@link tool} with a plain JSON Schema. */
export interface JsonToolOptions<Schema extends JsonSchemaLike, Input, Output> extends CommonOptions<Input, Output> {
  /** Checks the arguments, drafts 7 and 2020-12; see {@link tool}. */
  inputSchema: Schema;
}

/** A tool that a model can call; made by {@link tool}. */
export interface Tool<Input = never, Output = unknown> {
  readonly name: string;
  /** What the model is told of it. */
  readonly descriptor: ToolDescriptor;
  /** Longest run in milliseconds; undefined for no limit. */
  readonly timeout: number | undefined;
  readonly idempotent: boolean;
  needsApproval(input: Input): boolean | PromiseLike<boolean>;
  /** Checks the arguments of a call; the value that it gives is the input. */
  validate(args: JsonValue): SchemaResult<unknown> | Promise<SchemaResult<unknown>>;
  execute(input: Input, context: ToolContext): ToolOutput<Output>;
}

/** Any tool, whatever its input: calls are checked by its own schema before they reach it. */
export type AnyTool = Tool<never, unknown>;

/**
 * Makes a tool from a Standard Schema. Its `execute` gets what the schema makes of the arguments.
 *
 * What `execute` throws or rejects with, a timeout, and arguments that do not pass become failed results, which the model
 * reads; they never break a stream.
 *
 * @example A tool that tells of its progress
 * ```ts
 * import { tool, type ToolContext } from 'rx-llm';
 * import { z } from 'zod';
 *
 * const copy = tool({
 *   name: 'copy_files',
 *   description: 'Copies files.',
 *   inputSchema: z.object({ paths: z.array(z.string()).min(1) }),
 *   needsApproval: ({ paths }) => paths.length > 10,
 *   timeout: 60_000,
 *   execute: async ({ paths }, { emit, signal }) => {
 *     for (const [done, path] of paths.entries()) {
 *       await fetch(`https://files.example/copy?${path}`, { signal });
 *       emit({ done: done + 1, of: paths.length });
 *     }
 *     return { copied: paths.length };
 *   },
 * });
 * ```
 * @param options - See {@link SchemaToolOptions}.
 * @throws TypeError on a name that providers refuse, or a schema that is not told as JSON Schema of an object.
 */
export function tool<Schema extends StandardSchema, Output>(
  options: SchemaToolOptions<Schema, Output>,
): Tool<SchemaOutput<Schema>, Output>;
/**
 * Makes a tool from a plain JSON Schema. The type of the input is read off a schema that is written in place or `as const`;
 * for any other, the parameter of `execute` says it.
 *
 * Arguments are checked by everything that JSON Schema knows except `format`, the `unevaluated…` keywords and references to
 * other documents.
 *
 * @example A tool with a plain JSON Schema
 * ```ts
 * import { tool } from 'rx-llm';
 *
 * const clock = tool({
 *   name: 'clock',
 *   description: 'Tells the time of a city.',
 *   inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
 *   execute: ({ city }) => `It is noon in ${city}.`,
 * });
 * ```
 * @param options - See {@link JsonToolOptions}.
 */
export function tool<const Schema extends JsonSchemaLike, Output, Input = FromJsonSchema<Schema>>(
  options: JsonToolOptions<Schema, Input, Output>,
): Tool<NoInfer<Input>, Output>;
export function tool<Input, Output>(
  options: CommonOptions<Input, Output> & { inputSchema: StandardSchema | JsonObject; parameters?: JsonObject },
): Tool<Input, Output> {
  const { name, description, inputSchema, timeout, idempotent = false, needsApproval = false } = options;
  checkOptions(options);
  const parameters = options.parameters ?? (isStandard(inputSchema) ? jsonSchemaOf(inputSchema, name) : inputSchema);
  return {
    name,
    descriptor: { id: name, name, description, parameters: ofObject(parameters, name) },
    timeout,
    idempotent,
    needsApproval: (input) => (typeof needsApproval === 'function' ? needsApproval(input) : needsApproval),
    validate: (args) =>
      isStandard(inputSchema) ? inputSchema['~standard'].validate(args) : checkJsonSchema(inputSchema, args),
    execute: (input, context) => options.execute(input, context),
  };
}

function checkOptions({
  name,
  inputSchema,
  execute,
  timeout,
}: CommonOptions<never, unknown> & { inputSchema: unknown }) {
  // Without a name the pattern would be held against the word `undefined`.
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw new TypeError(`tool: the name ${JSON.stringify(name)} must be 1 to 64 letters, digits, "_" or "-"`);
  }
  // ArkType's schemas are functions.
  if ((typeof inputSchema !== 'object' && typeof inputSchema !== 'function') || inputSchema === null) {
    throw new TypeError(`tool: give ${name} an inputSchema, a Standard Schema or a JSON Schema`);
  }
  if (typeof execute !== 'function') throw new TypeError(`tool: give ${name} an execute function`);
  if (timeout !== undefined && !(timeout > 0)) {
    throw new RangeError(`tool: the timeout of ${name} must be a positive number of milliseconds`);
  }
}

function isStandard(schema: StandardSchema | JsonObject): schema is StandardSchema {
  return '~standard' in schema;
}

/** Every vendor wants the schema of an object, and most refuse one that does not say so. */
function ofObject(parameters: JsonObject, name: string): JsonObject {
  const { type } = parameters;
  if (type === 'object') return parameters;
  if (type === undefined) return { type: 'object', ...parameters };
  throw new TypeError(
    `tool: the arguments of ${name} are described as ${JSON.stringify(type)}, but models give objects: describe an object`,
  );
}

/** The Standard JSON Schema interface (standardschema.dev): what a schema's own library makes of it. */
interface Convertible {
  readonly jsonSchema?: { readonly input: (options: { target: string }) => Record<string, unknown> };
}

function jsonSchemaOf(schema: StandardSchema, name: string): JsonObject {
  const standard: StandardSchema['~standard'] & Convertible = schema['~standard'];
  if (standard.jsonSchema === undefined) {
    throw new TypeError(
      `tool: the schema of ${name} (${standard.vendor}) does not know its JSON Schema; give it as \`parameters\``,
    );
  }
  try {
    const { $schema: _, ...parameters } = standard.jsonSchema.input({ target: 'draft-2020-12' });
    return parameters as JsonObject;
  } catch (error) {
    const options = { cause: error };
    throw new TypeError(`tool: the schema of ${name} cannot be told as JSON Schema: ${String(error)}`, options);
  }
}
