import { concatMap, from, map, of, type Observable, type OperatorFunction, type Subscriber } from 'rxjs';
import type { JsonValue, ToldEvent } from '../contract/index.js';
import { ObjectValidationError } from '../errors/ObjectValidationError.js';
import { operate } from '../internal/operate.js';
import { checkSchema, type SchemaResult, type StandardSchema } from '../internal/standardSchema.js';
import type { JsonPath } from '../json/index.js';
import { AnswerJson, type JsonLimits } from './answerJson.js';
import { readAnswer, refusedValue } from './readAnswer.js';

/** Configuration of {@link arrayElements}. */
export interface ArrayElementsConfig<T> extends JsonLimits {
  /** What each element has to be; it may validate asynchronously, and may transform. Without it none is validated. */
  schema?: StandardSchema<unknown, T>;
}

interface Element {
  value: JsonValue;
  index: number;
  /** The raw text so far. */
  text: string;
}

/**
 * Emits each element of an array in the answer's JSON once, as soon as the element is complete.
 *
 * A code fence around the JSON is overlooked. An element that its schema refuses, a value at `path` that is no array, and
 * a text that is no JSON at its end are sent as an {@link ObjectValidationError} with the path that failed and the raw
 * text. An answer without anything at `path` gives no elements. What was emitted cannot be taken back: after
 * a `stream-reset` the elements of the new answer come from the first on, so recover with `resets: 'fail'` where that
 * does harm. Errors of the source pass through; its completion does too, after the validations. Unsubscribing unsubscribes
 * from the source, and drops the validations that run.
 * ```text
 * source  --t--t--t--s|      {"items":[1   ,2,3   ]}
 *         arrayElements('items')
 * result  -----(ab)c--|
 * ```
 * @example Import rows while the model still writes
 * ```ts
 * import { arrayElements, type LlmStreamEvent } from 'rx-llm';
 * import type { Observable } from 'rxjs';
 *
 * declare const events$: Observable<LlmStreamEvent>;
 *
 * events$.pipe(arrayElements<{ name: string }>('people')).subscribe((person) => console.log(person.name));
 * ```
 * @param path - Where the array is: keys and indexes, or a string of them with dots between; `''` for the root.
 * @param config - A schema for the elements, and limits on nesting and length, see {@link ArrayElementsConfig}.
 * @returns An operator function that emits the elements.
 * @throws TypeError on a schema that is no Standard Schema, RangeError on limits without sense.
 */
export function arrayElements<T = JsonValue>(
  path: string | JsonPath,
  config: ArrayElementsConfig<T> = {},
): OperatorFunction<ToldEvent, T> {
  // Made in vain, so that limits without sense throw at the call.
  new AnswerJson(config);
  const keys = typeof path === 'string' ? (path === '' ? [] : path.split('.')) : path.map(String);
  const { schema } = config;
  if (schema !== undefined) checkSchema(schema, 'arrayElements');

  return (source) => {
    const elements = source.pipe(readElements(keys, config));
    return schema
      ? elements.pipe(concatMap((element) => validated(element, schema, keys)))
      : elements.pipe(map(({ value }) => value as T));
  };
}

function readElements(keys: readonly string[], limits: JsonLimits): OperatorFunction<ToldEvent, Element> {
  return operate((subscriber: Subscriber<Element>) => {
    let found: { value: JsonValue; index: number }[] = [];
    let refused = false;

    const send = ({ text, stopReason }: AnswerJson): void => {
      const elements = found;
      found = [];
      for (const element of elements) subscriber.next({ ...element, text });
      if (!refused) return;
      const issue = { message: 'expected an array', path: keys };
      subscriber.error(new ObjectValidationError(keys, [issue], text, { stopReason }));
    };

    return readAnswer(subscriber, {
      begin: () => ({
        maxDepth: limits.maxDepth,
        maxLength: limits.maxLength,
        onValue: (path, value) => {
          if (path.length < keys.length || path.length > keys.length + 1) return;
          if (!keys.every((key, depth) => key === String(path[depth]))) return;
          const index = path[keys.length];
          if (typeof index === 'number') found.push({ value, index });
          else if (index === undefined && !Array.isArray(value)) refused = true;
        },
      }),
      grow: send,
      end: (answer, done) => {
        send(answer);
        done();
      },
    });
  });
}

function validated<T>(element: Element, schema: StandardSchema<unknown, T>, keys: readonly string[]): Observable<T> {
  const accept = (result: SchemaResult<T>): T => {
    if (result.issues)
      throw refusedValue(result.issues, { text: element.text, stopReason: undefined }, [...keys, element.index]);
    return result.value;
  };
  const result = schema['~standard'].validate(element.value);
  return ('then' in result ? from(result) : of(result)).pipe(map(accept));
}
