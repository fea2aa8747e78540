import type { OperatorFunction, Subscriber } from 'rxjs';
import type { ToldEvent } from '../contract/index.js';
import { operate } from '../internal/operate.js';
import {
  checkSchema,
  type SchemaInput,
  type SchemaOutput,
  type SchemaResult,
  type StandardSchema,
} from '../internal/standardSchema.js';
import type { DeepPartial } from '../json/DeepPartial.js';
import { AnswerJson, type JsonLimits } from './answerJson.js';
import { readAnswer, refusedValue } from './readAnswer.js';

/**
 * An object that a model writes: as far as it has come, or whole and validated. `value` can be drawn either way; where
 * `complete` is true it is what the schema made of it.
 */
export type ObjectSnapshot<Input, Output = Input> =
  { value: DeepPartial<Input>; complete: false } | { value: Output; complete: true };

/** Configuration of {@link objects}. */
export type ObjectsConfig = JsonLimits;

/**
 * Emits the object that the answer's text spells in JSON as it grows, and at last the whole one, validated.
 *
 * The partial values are immutable, share every branch that did not change with the value before, and are not validated.
 * A code fence around the JSON is overlooked. The text is taken as whole at the `stop`, or where the source completes; a
 * stop with `tool-use`, or `end-turn` after a call, discards the text of that turn, one with `max-tokens` in the middle
 * waits for a continuation. What is no JSON then, or not what the schema asks for, is sent as an
 * {@link ObjectValidationError} with the path that failed and the raw text. After a `stream-reset` the values grow anew. Errors of the source pass through at once, its
 * completion after the validation; a source that completes without text and without a stop completes without a value, but a stop
 * without text is no JSON. Unsubscribing unsubscribes from the
 * source, and drops a validation that runs.
 * ```text
 * source  --t--t--t--s|
 *         objects(schema)
 * result  --a--b--c--V|      a, b, c: partial, V: complete
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
 * @param config - Limits on nesting and length; by default 128 levels and 16 Mi UTF-16 code units.
 * @returns An operator function that emits partial objects and one whole object.
 * @throws TypeError on what is no Standard Schema, RangeError on limits without sense.
 */
export function objects<Schema extends StandardSchema>(
  schema: Schema,
  config: ObjectsConfig = {},
): OperatorFunction<ToldEvent, ObjectSnapshot<SchemaInput<Schema>, SchemaOutput<Schema>>> {
  checkSchema(schema, 'objects');
  // Made in vain, so that limits without sense throw at the call.
  new AnswerJson(config);

  return operate((subscriber: Subscriber<ObjectSnapshot<SchemaInput<Schema>, SchemaOutput<Schema>>>) => {
    let shown: unknown;

    const settle = (result: SchemaResult<SchemaOutput<Schema>>, answer: AnswerJson, done: () => void): void => {
      if (result.issues) {
        subscriber.error(refusedValue(result.issues, answer));
        return;
      }
      subscriber.next({ value: result.value, complete: true });
      done();
    };

    return readAnswer(subscriber, {
      begin: () => {
        shown = undefined;
        return config;
      },
      grow: (answer) => {
        const partial: unknown = answer.value;
        if (partial === shown) return;
        shown = partial;
        subscriber.next({ value: partial as DeepPartial<SchemaInput<Schema>>, complete: false });
      },
      end: (answer, done) => {
        const result = schema['~standard'].validate(answer.value);
        if (!('then' in result)) settle(result, answer, done);
        else result.then((late) => settle(late, answer, done)).catch((error: unknown) => subscriber.error(error));
      },
    });
  });
}
