import { expectTypeOf } from 'expect-type';
import { of } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
import type { JsonObject, JsonValue, LlmExecutor, ToolResultBlock } from '../../src/contract/index.js';
import { converse } from '../../src/tools/converse.js';
import type { ConverseConfig } from '../../src/tools/ConverseConfig.js';
import type { ConversationState, ToolDecision } from '../../src/tools/ConversationState.js';
import type { FromJsonSchema } from '../../src/tools/FromJsonSchema.js';
import { tool, type AnyTool, type Tool } from '../../src/tools/tool.js';

const base = { name: 'weather', description: 'Tells the weather.' };
declare const executor: LlmExecutor;

/** What the types say is checked by the compiler; what runs here only shows that the values are there. */
describe('types of tools', () => {
  it('should infer the input from a Zod schema, transformations included, and the output from `execute`', () => {
    const weather = tool({
      ...base,
      inputSchema: z.object({
        city: z.string(),
        days: z.coerce.number().default(1),
        kind: z.enum(['sun', 'rain']).optional(),
      }),
      execute: (input, { signal, emit }) => {
        expectTypeOf(input).toEqualTypeOf<{ city: string; days: number; kind?: 'sun' | 'rain' | undefined }>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        expectTypeOf(emit).parameter(0).toEqualTypeOf<unknown>();
        return { degrees: input.days * 2 };
      },
    });
    expectTypeOf(weather).toExtend<Tool<{ city: string; days: number }, { degrees: number }>>();
    expectTypeOf(weather.execute).parameter(0).toExtend<{ city: string }>();
    expect(weather.name).toBe('weather');
  });

  it('should infer the input from a Valibot schema', () => {
    const weather = tool({
      ...base,
      inputSchema: v.object({
        city: v.string(),
        at: v.pipe(
          v.string(),
          v.transform((text) => new Date(text)),
        ),
      }),
      parameters: { type: 'object' },
      execute: async (input) => {
        expectTypeOf(input).toEqualTypeOf<{ city: string; at: Date }>();
        return Promise.resolve(input.city.length);
      },
    });
    expectTypeOf(weather).toEqualTypeOf<Tool<{ city: string; at: Date }, number>>();
    expect(weather.name).toBe('weather');
  });

  it('should infer the input from a JSON Schema that is written in place or `as const`', () => {
    const placed = tool({
      ...base,
      inputSchema: {
        type: 'object',
        properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1 }, unit: { enum: ['C', 'F'] } },
        required: ['city', 'unit'],
      },
      execute: (input) => {
        expectTypeOf(input).toEqualTypeOf<{ city: string; unit: 'C' | 'F'; days?: number }>();
        return of(input.city);
      },
    });
    expectTypeOf(placed).toEqualTypeOf<Tool<{ city: string; unit: 'C' | 'F'; days?: number }, string>>();

    const schema = { type: 'object', properties: { ids: { type: 'array', items: { type: 'number' } } } } as const;
    const named = tool({ ...base, inputSchema: schema, execute: ({ ids }) => ids?.length ?? 0 });
    expectTypeOf(named).toEqualTypeOf<Tool<{ ids?: number[] }, number>>();
    expect([placed.name, named.name]).toEqual(['weather', 'weather']);
  });

  it('should take the word of `execute` for a JSON Schema that is not known at compile time', () => {
    const fetched: JsonObject = { type: 'object' };
    const unsaid = tool({ ...base, inputSchema: fetched, execute: (input) => input });
    const said = tool({ ...base, inputSchema: fetched, execute: ({ city }: { city: string }) => city });
    expectTypeOf(unsaid).toEqualTypeOf<Tool<JsonValue, JsonValue>>();
    expectTypeOf(said).toEqualTypeOf<Tool<{ city: string }, string>>();
    expect(unsaid.descriptor.parameters).toEqual({ type: 'object' });
  });

  it('should say what a JSON Schema describes', () => {
    expectTypeOf<FromJsonSchema<{ type: ['string', 'null'] }>>().toEqualTypeOf<string | null>();
    expectTypeOf<FromJsonSchema<{ const: 3 }>>().toEqualTypeOf<3>();
    expectTypeOf<FromJsonSchema<{ const: { readonly a: readonly [1, 'b'] } }>>().toEqualTypeOf<{ a: [1, 'b'] }>();
    expectTypeOf<FromJsonSchema<{ anyOf: [{ type: 'boolean' }, { enum: ['x', 1] }] }>>().toEqualTypeOf<
      boolean | 'x' | 1
    >();
    expectTypeOf<FromJsonSchema<{ oneOf: [{ type: 'null' }, { type: 'integer' }] }>>().toEqualTypeOf<number | null>();
    expectTypeOf<FromJsonSchema<{ type: 'array'; items: { type: 'array' } }>>().toEqualTypeOf<JsonValue[][]>();
    expectTypeOf<FromJsonSchema<{ type: 'object' }>>().toEqualTypeOf<JsonObject>();
    expectTypeOf<FromJsonSchema<{ $ref: '#/$defs/a' }>>().toEqualTypeOf<JsonValue>();
    expectTypeOf<FromJsonSchema<{ type: string }>>().toEqualTypeOf<JsonValue>();
    expect(true).toBe(true);
  });

  it('should infer the output from promises, streams and async iterables', () => {
    const inputSchema = z.object({});
    expectTypeOf(tool({ ...base, inputSchema, execute: () => of(1, 2) })).toExtend<Tool<never, number>>();
    const growing = tool({
      ...base,
      inputSchema,
      async *execute() {
        yield await Promise.resolve('half');
        yield 'whole';
      },
    });
    expectTypeOf(growing).toExtend<Tool<never, string>>();
    const waiting = tool({ ...base, inputSchema, execute: (_, { suspend }) => suspend({ ask: 'whom?' }) });
    expectTypeOf(waiting).toExtend<AnyTool>();
    expect(growing.name).toBe('weather');
  });

  it('should refuse what is no tool', () => {
    const inputSchema = z.object({ city: z.string() });
    // @ts-expect-error the input has no such member
    tool({ ...base, inputSchema, execute: ({ town }) => String(town) });
    // @ts-expect-error there is no such option
    tool({ ...base, inputSchema, execute: () => 1, retries: 3 });
    // @ts-expect-error a tool has a description
    tool({ name: 'weather', inputSchema, execute: () => 1 });
    // @ts-expect-error without `execute` there is nothing to run
    expect(() => tool({ ...base, inputSchema })).toThrow(TypeError);
    // @ts-expect-error `needsApproval` is asked with the input
    tool({ ...base, inputSchema, execute: () => 1, needsApproval: ({ town }) => town === '' });
  });

  it('should take tools of any input side by side', () => {
    const tools = [
      tool({ ...base, inputSchema: z.object({ city: z.string() }), execute: ({ city }) => city }),
      tool({ ...base, name: 'add', inputSchema: v.tuple([v.number()]), parameters: {}, execute: ([a]) => a }),
    ];
    expectTypeOf(tools).toExtend<ConverseConfig['tools']>();
    const config: ConverseConfig = {
      tools: [
        tool({
          ...base,
          inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
          execute: (input) => {
            expectTypeOf(input).toEqualTypeOf<{ city: string }>();
            return input.city;
          },
        }),
      ],
    };
    expect([...tools, ...(config.tools ?? [])]).toHaveLength(3);
  });

  it('should narrow what a conversation emits by `type`', () => {
    const start = () =>
      converse(executor, { model: 'm', messages: [] }).subscribe((event) => {
        switch (event.type) {
          case 'text-delta':
            return expectTypeOf(event.text).toEqualTypeOf<string>();
          case 'tool-call-ready':
            return expectTypeOf(event.arguments).toEqualTypeOf<JsonValue>();
          case 'tool-execution-progress':
            return expectTypeOf(event.value).toEqualTypeOf<unknown>();
          case 'tool-execution-result':
            expectTypeOf(event.status).toEqualTypeOf<'succeeded' | 'failed' | 'denied' | 'interrupted' | 'unknown'>();
            return expectTypeOf(event.result).toEqualTypeOf<ToolResultBlock>();
          case 'conversation-suspended':
            return expectTypeOf(event.state).toEqualTypeOf<ConversationState>();
          case 'conversation-end':
            return expectTypeOf(event.steps).toEqualTypeOf<number>();
          case 'stop':
            // @ts-expect-error a stop has no text
            return event.text;
          default:
            return undefined;
        }
      });
    expect(typeof start).toBe('function');
  });

  it('should know the decisions', () => {
    expectTypeOf<'approve'>().toExtend<ToolDecision>();
    expectTypeOf<{ deny: string }>().toExtend<ToolDecision>();
    expectTypeOf<{ result: Date }>().toExtend<ToolDecision>();
    expectTypeOf<'yes'>().not.toExtend<ToolDecision>();
    const config: ConverseConfig = {
      approve: (calls) => (calls.length > 1 ? 'deny' : Promise.resolve({ a: 'approve' })),
    };
    expect(config.approve).toBeDefined();
  });
});
