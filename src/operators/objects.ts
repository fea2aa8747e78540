import type { OperatorFunction, Subscriber } from 'rxjs';
import type { LlmStreamEvent, StopReason } from '../contract/index.js';
import { ObjectValidationError } from '../errors/ObjectValidationError.js';
import { operate } from '../internal/operate.js';
import {
  issuePath,
  type SchemaInput,
  type SchemaOutput,
  type SchemaResult,
  type StandardSchema,
} from '../internal/standardSchema.js';
import type { PartialJsonError } from '../json/index.js';
import type { DeepPartial } from '../json/DeepPartial.js';
import { AnswerJson, type JsonLimits } from './answerJson.js';

/**
 * An object that a model writes: as far as it has come, or whole and validated. `value` can be drawn either way; where
 * `complete` is true it has the schema's own type.
 */
export type ObjectSnapshot<Input, Output = Input> =
  | { value: DeepPartial<Input>; complete: false }
  | { value: Output; complete: true };

/** Configuration of {@link objects}: the deepest nesting and the longest text, see {@link createPartialJson}. */
export type ObjectsConfig = JsonLimits;

/**
 * Emits the object that the answer's text spells in JSON as it grows, and at last the whole one, validated.
 *
 * The partial values are immutable, share every branch that did not change with the value before, and are not validated.
 * A code fence around the JSON is overlooked. The text is taken as whole at the `stop`, or where the source completes; a
 * stop with `tool-use` discards the text of that turn, one with `max-tokens` waits for a continuation. What is no JSON
 * then, or not what the schema asks for, is sent as an {@link ObjectValidationError} with the path that failed and
 * the raw text. After a `stream-reset` the values grow anew. Errors of the source pass through at once, its completion
 * after the validation; a source without text completes without a value.
 * ```text
 * source  --{"a":--1--}--s|
 *         objects(schema)
 * result  --a---------b--C|      a, b: partial, C: complete
 * ```
 * @example Draw a recipe while it is written
 * ```ts
 * import { objects, type LlmStreamEvent, type StandardSchema } from 'rx-llm';
 * import type { Observable } from 'rxjs';
 *
 * declare const events$: Observable<LlmStreamEvent>;
 * declare const Recipe: StandardSchema<{ title: string; steps: string[] }>; // of Zod, Valibot, ArkType, …
 *
 * events$.pipe(objects(Recipe)).subscribe(({ value, complete }) => {
 *   console.log(complete ? 'done' : 'writing', value.title ?? '', value.steps?.length ?? 0);
 * });
 * ```
 * @param schema - Any Standard Schema; it may validate asynchronously, and may transform.
 * @param config - Limits; by default 128 levels and 16 Mi UTF-16 code units.
 */
export function objects<Schema extends StandardSchema>(
  schema: Schema,
  config: ObjectsConfig = {},
): OperatorFunction<LlmStreamEvent, ObjectSnapshot<SchemaInput<Schema>, SchemaOutput<Schema>>> {
  type Snapshot = ObjectSnapshot<SchemaInput<Schema>, SchemaOutput<Schema>>;
  // Made here once, so that wrong limits throw at the call.
  new AnswerJson(config);

  return operate((subscriber: Subscriber<Snapshot>) => {
    let answer = new AnswerJson(config);
    let shown: unknown;
    let stopReason: StopReason | undefined;
    let state: 'reading' | 'validating' | 'done' = 'reading';
    let completed = false;

    const restart = (): void => {
      answer = new AnswerJson(config);
      shown = undefined;
      stopReason = undefined;
    };
    const fail = (error: PartialJsonError): void => {
      subscriber.error(invalidJson(error, answer.text, stopReason));
    };
    const settle = (result: SchemaResult<SchemaOutput<Schema>>): void => {
      if (result.issues) {
        subscriber.error(refused(result.issues, answer.text, stopReason));
        return;
      }
      state = 'done';
      subscriber.next({ value: result.value, complete: true });
      if (completed) subscriber.complete();
    };
    const finish = (): void => {
      state = 'validating';
      const error = answer.end();
      if (error) {
        fail(error);
        return;
      }
      const result = schema['~standard'].validate(answer.value);
      if (!(result instanceof Promise)) settle(result);
      else void result.then(settle).catch((reason: unknown) => subscriber.error(reason));
    };

    return {
      next: (event) => {
        if (state !== 'reading') return;
        if (event.type === 'text-delta') {
          const error = answer.push(event.text);
          if (error) {
            fail(error);
            return;
          }
          const value: unknown = answer.value;
          if (value === shown) return;
          shown = value;
          subscriber.next({ value: value as DeepPartial<SchemaInput<Schema>>, complete: false });
        } else if (event.type === 'stream-reset') {
          restart();
        } else if (event.type === 'stop') {
          if (event.reason === 'tool-use') {
            restart();
            return;
          }
          stopReason = event.reason;
          if (event.reason !== 'max-tokens' || answer.isWhole) finish();
        }
      },
      complete: () => {
        completed = true;
        if (state === 'reading' && (answer.text !== '' || stopReason !== undefined)) finish();
        else if (state !== 'validating') subscriber.complete();
      },
    };
  });
}
