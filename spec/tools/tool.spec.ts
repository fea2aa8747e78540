import * as v from 'valibot';
import { z } from 'zod';
import type { JsonObject } from '../../src/index.js';
import { tool } from '../../src/tools/tool.js';
import { schemaOf } from '../operators/schemas.js';

const base = { name: 'look', description: 'Looks.', execute: () => 'seen' };

describe('tool', () => {
  it('should tell a Zod schema as the JSON Schema of its input', () => {
    const inputSchema = z.object({
      city: z.string().describe('Where'),
      days: z.int().min(1).default(1),
      kind: z.enum(['sun', 'rain']).optional(),
      at: z.string().transform((text) => new Date(text)),
    });

    const { descriptor } = tool({ ...base, inputSchema });

    expect(descriptor).toEqual({
      id: 'look',
      name: 'look',
      description: 'Looks.',
      parameters: {
        type: 'object',
        properties: {
          city: { type: 'string', description: 'Where' },
          days: { type: 'integer', default: 1, minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
          kind: { type: 'string', enum: ['sun', 'rain'] },
          at: { type: 'string' },
        },
        required: ['city', 'at'],
      },
    });
  });

  it('should give `execute` what the schema has made of the arguments', async () => {
    const zod = tool({ ...base, inputSchema: z.object({ n: z.coerce.number().default(2) }) });
    const valibot = tool({
      ...base,
      inputSchema: v.object({ n: v.optional(v.pipe(v.string(), v.transform(Number)), '3') }),
      parameters: { properties: { n: { type: 'string' } } },
    });

    expect(await zod.validate({ n: '7' })).toEqual({ value: { n: 7 } });
    expect(await zod.validate({})).toEqual({ value: { n: 2 } });
    expect(await valibot.validate({})).toMatchObject({ value: { n: 3 } });
    expect(await valibot.validate({ n: 1 })).toMatchObject({ issues: [{ path: [{ key: 'n' }] }] });
    expect(valibot.descriptor.parameters).toEqual({ type: 'object', properties: { n: { type: 'string' } } });
  });

  it('should take the JSON Schema that is given for one that the schema makes', () => {
    const parameters: JsonObject = { type: 'object', properties: { n: { type: 'number' } } };

    expect(tool({ ...base, inputSchema: z.object({ n: z.date() }), parameters }).descriptor.parameters).toBe(
      parameters,
    );
  });

  it('should take a schema that is a function, as those of ArkType are', () => {
    const schema = Object.assign(() => undefined, {
      '~standard': {
        ...schemaOf(() => [])['~standard'],
        jsonSchema: { input: ({ target }: { target: string }) => ({ $schema: target, type: 'object', made: true }) },
      },
    });

    expect(tool({ ...base, inputSchema: schema }).descriptor.parameters).toEqual({ type: 'object', made: true });
  });

  it.each([
    ['a name that providers refuse', { name: 'look around' }, 'the name "look around" must be 1 to 64 letters'],
    ['no name', { name: '' }, 'must be 1 to 64 letters'],
    ['a name that was left out', { name: undefined }, 'the name undefined must be 1 to 64 letters'],
    ['no schema', { inputSchema: undefined }, 'give look an inputSchema'],
    ['no function', { execute: undefined }, 'give look an execute function'],
    [
      'a schema that does not know its JSON Schema',
      { inputSchema: v.object({}) },
      '(valibot) does not know its JSON Schema; give it as `parameters`',
    ],
    [
      'a schema that cannot be told',
      { inputSchema: z.object({ at: z.date() }) },
      'cannot be told as JSON Schema: Error: Date',
    ],
    ['what is no object', { inputSchema: z.string() }, 'described as "string", but models give objects'],
    ['a JSON Schema of no object', { inputSchema: { type: 'array' } }, 'described as "array"'],
  ])('should refuse %s', (_, options, words) => {
    const make = () => tool({ ...base, inputSchema: {}, ...options } as never);

    expect(make).toThrow(TypeError);
    expect(make).toThrow(words);
  });

  it.each([0, -1, Number.NaN])('should refuse a timeout of %p', (timeout) => {
    expect(() => tool({ ...base, inputSchema: {}, timeout })).toThrow(
      new RangeError('tool: the timeout of look must be a positive number of milliseconds'),
    );
  });
});
