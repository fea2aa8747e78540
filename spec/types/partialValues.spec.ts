import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import type { JsonObject, JsonValue, LlmStreamEvent } from '../../src/contract/index.js';
import type { StandardSchema } from '../../src/internal/standardSchema.js';
import type { DeepPartial } from '../../src/json/DeepPartial.js';
import { createPartialJson } from '../../src/json/index.js';
import { arrayElements } from '../../src/operators/arrayElements.js';
import { objects } from '../../src/operators/objects.js';
import { partialToolArguments } from '../../src/operators/partialToolArguments.js';
import { schemaOf } from '../operators/schemas.js';

interface Recipe {
  title: string;
  steps: { minutes: number; kind: 'boil' | 'bake' }[];
  size?: [number, string];
}

interface GrowingRecipe {
  title?: string;
  steps?: { minutes?: number; kind?: 'boil' | 'bake' }[];
  size?: [number?, string?];
}

const events$: Observable<LlmStreamEvent> = of();

describe('types of partial values', () => {
  it('should make every member optional at any depth, and leave elements as they are', () => {
    expectTypeOf<DeepPartial<Recipe>>().toEqualTypeOf<GrowingRecipe>();
    expectTypeOf<DeepPartial<string | null>>().toEqualTypeOf<string | null>();
    expectTypeOf<DeepPartial<unknown>>().toEqualTypeOf<unknown>();
    expectTypeOf<JsonObject>().toExtend<DeepPartial<JsonObject>>();
    expect(events$).toBeDefined();
  });

  it('should infer what `objects` emits from the schema, and narrow it by `complete`', () => {
    const dated: StandardSchema<{ day: string }, { day: Date }> = schemaOf<never>(() => []);
    events$.pipe(objects(dated)).subscribe((snapshot) => {
      if (snapshot.complete) expectTypeOf(snapshot.value).toEqualTypeOf<{ day: Date }>();
      else expectTypeOf(snapshot.value).toEqualTypeOf<{ day?: string }>();
    });
    events$.pipe(objects(schemaOf<Recipe>(() => []))).subscribe(({ value, complete }) => {
      expectTypeOf(value).toEqualTypeOf<Recipe | GrowingRecipe>();
      expectTypeOf(value.steps?.length).toEqualTypeOf<number | undefined>();
      expectTypeOf(complete).toEqualTypeOf<boolean>();
    });
    // @ts-expect-error a function is no schema
    expect(() => objects(() => true)).toThrow(TypeError);
  });

  it('should narrow what `partialToolArguments` emits by `complete`', () => {
    events$.pipe(partialToolArguments<Recipe>({ name: 'cook' })).subscribe((call) => {
      if (call.complete) expectTypeOf(call.value).toEqualTypeOf<Recipe>();
      else expectTypeOf(call.value).toEqualTypeOf<GrowingRecipe>();
    });
    events$.pipe(partialToolArguments()).subscribe((call) => {
      if (call.complete) expectTypeOf(call.value).toEqualTypeOf<JsonObject>();
    });
    // @ts-expect-error a call has no such field
    expect(() => partialToolArguments({ tool: 'cook' })).not.toThrow();
  });

  it('should type the elements of `arrayElements` by its schema, or as JSON', () => {
    expectTypeOf(events$.pipe(arrayElements('a'))).toEqualTypeOf<Observable<JsonValue>>();
    expectTypeOf(events$.pipe(arrayElements<Recipe>('a'))).toEqualTypeOf<Observable<Recipe>>();
    const schema: StandardSchema<unknown, Date> = schemaOf<never>(() => []);
    expectTypeOf(events$.pipe(arrayElements('a', { schema }))).toEqualTypeOf<Observable<Date>>();
    expect(schema).toBeDefined();
  });

  it('should type the value of a parser as the JSON of the contract', () => {
    expectTypeOf(createPartialJson().value).toEqualTypeOf<JsonValue | undefined>();
    expect(createPartialJson().value).toBeUndefined();
  });
});
