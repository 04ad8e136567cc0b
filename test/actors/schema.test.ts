import { tool as peerTool } from '@openai/agents-core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../actors/errors.ts';
import { resolveOutputType, resolveSchema } from '../../actors/schema.ts';
import type { JsonObjectSchema, JsonObjectSchemaStrict, StandardSchemaWithJSON } from '../../actors/schemaTypes.ts';

const owner = "tool 'pay'";
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const closed = (properties: Record<string, object>, required = Object.keys(properties)): JsonObjectSchemaStrict<Record<string, any>> => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const zodSchemas: Record<string, z.ZodObject<any>> = {
  'plain fields': z.object({ city: z.string().describe('the city'), days: z.number().int().min(1) }),
  'an optional field': z.object({ a: z.string().optional() }),
  'a described optional field': z.object({ a: z.string().optional().describe('later') }).describe('whole'),
  'a nullish field': z.object({ a: z.string().nullish() }),
  'a nullable field': z.object({ a: z.string().nullable() }),
  'a default': z.object({ a: z.string().default('x') }),
  'an enum and a literal': z.object({ a: z.enum(['x', 'y']), b: z.literal('q') }),
  'optional fields at depth': z.object({ a: z.object({ b: z.string().optional() }), list: z.array(z.object({ c: z.boolean().optional() })) }),
  'a record': z.object({ a: z.record(z.string(), z.number()) }),
  'a union with an object': z.object({ a: z.union([z.string(), z.object({ x: z.number().optional() })]) }),
  'a discriminated union': z.object({
    a: z.discriminatedUnion('kind', [z.object({ kind: z.literal('p'), v: z.string() }), z.object({ kind: z.literal('q'), w: z.number().optional() })]),
  }),
  'a tuple': z.object({ a: z.tuple([z.string(), z.number()]) }),
  'an intersection': z.object({ a: z.intersection(z.object({ x: z.string() }), z.object({ y: z.string() })) }),
  'no fields': z.object({}),
  'a loose object': z.looseObject({ a: z.string() }),
  'anything at all': z.object({ a: z.any(), b: z.unknown().optional() }),
  'a checked text': z.object({ a: z.email().min(3) }),
  'a coerced number': z.object({ a: z.coerce.number() }),
};

describe('the schema a model is sent', () => {
  test.each(Object.entries(zodSchemas))('is the same as the peer sends for a zod object with %s', (_name, schema) => {
    const theirs = peerTool({ name: 'pay', description: '', parameters: schema, execute: () => '' }).parameters;
    expect(asJson(resolveSchema(schema, { owner }).jsonSchema)).toEqual(asJson(theirs));
  });

  test('refers to itself where a zod schema is recursive', () => {
    const tree = z.object({ value: z.string(), get children() { return z.array(tree); } });
    expect(resolveSchema(tree, { owner }).jsonSchema).toMatchObject({ properties: { children: { items: { $ref: '#' } } }, additionalProperties: false });
  });

  test('is converted once, however many tools and agents share it', () => {
    const schema = z.object({ a: z.string() });
    expect(resolveSchema(schema, { owner }).jsonSchema).toBe(resolveSchema(schema, { owner: "tool 'other'" }).jsonSchema);
    expect(resolveOutputType(schema, "agent 'A'").serialized).toBe(resolveOutputType(schema, "agent 'B'").serialized);
  });

  test('is a plain JSON schema as it stands without strict mode', () => {
    const schema = { type: 'object', properties: { a: {} }, required: [], additionalProperties: true } as JsonObjectSchema<any>;
    expect(resolveSchema(schema, { owner, strict: false })).toMatchObject({ jsonSchema: schema, strict: false });
  });

  test('of a strict JSON schema lets what is optional be null, and leaves the original alone', () => {
    const schema = closed({ a: { type: 'string' }, b: { type: 'number', description: 'how many' } }, ['a']);
    const before = structuredClone(schema);
    expect(resolveSchema(schema, { owner }).jsonSchema).toEqual(
      closed({ a: { type: 'string' }, b: { description: 'how many', anyOf: [{ type: 'number', description: 'how many' }, { type: 'null' }] } }),
    );
    expect(schema).toEqual(before);
  });
});

describe('parsing', () => {
  test('gives what the schema makes of the value', () => {
    const schema = z.object({ a: z.string().transform((text) => text.length), b: z.number().default(3) });
    expect(resolveSchema(schema, { owner }).parse({ a: 'four', extra: 1 })).toEqual({ ok: true, value: { a: 4, b: 3 } });
  });

  test('C2: names every field that does not fit', () => {
    const schema = z.object({ list: z.array(z.object({ n: z.number() })), name: z.string() });
    expect(resolveSchema(schema, { owner }).parse({ list: [{ n: 1 }, { n: 'x' }], name: 2 })).toEqual({
      ok: false,
      message: 'list[1].n: Invalid input: expected number, received string; name: Invalid input: expected string, received number',
    });
  });

  test('takes null for "left out" only where strict mode put it', () => {
    const schema = z.object({
      gone: z.string().optional(),
      kept: z.string().nullable(),
      both: z.string().nullish(),
      deep: z.array(z.object({ gone: z.number().optional() })),
      either: z.union([z.object({ kind: z.literal('a'), gone: z.string().optional() }), z.object({ kind: z.literal('b'), kept: z.null() })]),
    });
    const { parse } = resolveSchema(schema, { owner });
    expect(parse({ gone: null, kept: null, both: null, deep: [{ gone: null }], either: { kind: 'a', gone: null } })).toEqual({
      ok: true,
      value: { kept: null, both: null, deep: [{}], either: { kind: 'a' } },
    });
    expect(parse({ kept: 'k', deep: [], either: { kind: 'b', kept: null } })).toEqual({
      ok: true,
      value: { kept: 'k', deep: [], either: { kind: 'b', kept: null } },
    });
  });

  test('takes null out of what recursive schemas leave optional', () => {
    const tree = z.object({ name: z.string().optional(), get children() { return z.array(tree); } });
    expect(resolveSchema(tree, { owner }).parse({ name: null, children: [{ name: null, children: [] }] })).toEqual({ ok: true, value: { children: [{ children: [] }] } });
  });

  test('keeps a property called __proto__ an ordinary one', () => {
    const { parse } = resolveSchema(closed({ a: { type: 'string' } }, []), { owner });
    const parsed = parse(JSON.parse('{"a":null,"__proto__":{"polluted":true}}'));
    expect(parsed.ok && Object.getPrototypeOf(parsed.value)).toBe(Object.prototype);
    expect(JSON.stringify(parsed)).toBe('{"ok":true,"value":{"__proto__":{"polluted":true}}}');
  });

  test('checks a strict JSON schema, with what is optional null or left out, and superfluous arguments allowed', () => {
    const { parse } = resolveSchema(closed({ a: { type: 'string' }, b: { type: 'integer' } }, ['a']), { owner });
    expect(parse({ a: 'x', b: null })).toEqual({ ok: true, value: { a: 'x' } });
    expect(parse({ a: 'x', more: 1 })).toEqual({ ok: true, value: { a: 'x', more: 1 } });
    expect(parse({ a: 'x', b: 1.5 })).toEqual({ ok: false, message: 'b: matches none of the allowed forms' });
    expect(parse({ b: 1 })).toEqual({ ok: false, message: 'a: is missing' });
  });

  test('passes anything on without a schema, and without strict mode', () => {
    expect(resolveSchema(undefined, { owner }).parse('as it is')).toEqual({ ok: true, value: 'as it is' });
    const loose = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: true } as JsonObjectSchema<any>;
    expect(resolveSchema(loose, { owner, strict: false }).parse({ a: 1 })).toEqual({ ok: true, value: { a: 1 } });
  });

  test('a check that throws has rejected the value', () => {
    const schema = z.object({ a: z.string().transform((text) => JSON.parse(text) as unknown) });
    expect(resolveSchema(schema, { owner }).parse({ a: '{' })).toMatchObject({ ok: false });
  });

  test('a zod check that is asynchronous is refused', () => {
    const { parse } = resolveSchema(z.object({ a: z.string().refine(async () => true) }), { owner });
    expect(() => parse({ a: 'x' })).toThrow("tool 'pay' validates asynchronously");
  });
});

describe('other schema libraries', () => {
  const library = (validate: StandardSchemaWithJSON['~standard']['validate'], properties: object, required: string[]): StandardSchemaWithJSON => {
    const describeIt = ({ target }: { target: string }) => ({ $schema: target, type: 'object', properties, required });
    return { '~standard': { version: 1, vendor: 'example', validate, jsonSchema: { input: describeIt, output: describeIt } } };
  };

  test('are described in the newest draft, and given values without the nulls of strict mode', () => {
    const seen: unknown[] = [];
    const schema = library((value) => { seen.push(value); return { value: 'made' }; }, { a: { type: 'string', default: 'd' } }, []);
    const resolved = resolveSchema(schema, { owner });
    expect(resolved.parse({ a: null })).toEqual({ ok: true, value: 'made' });
    expect(seen).toEqual([{}]);
    expect(resolved.jsonSchema).toMatchObject({ $schema: 'draft-2020-12', required: ['a'], properties: { a: { anyOf: [{ type: 'string', default: 'd' }, { type: 'null' }] } } });
    expect(resolveOutputType(schema, "agent 'A'").serialized).toMatchObject({ strict: true, name: 'output' });
  });

  test('may name the path of an issue by keys or by segments', () => {
    const schema = library(() => ({ issues: [{ message: 'is bad', path: ['a', { key: 0 }, 'b'] }, { message: 'is worse' }] }), {}, []);
    expect(resolveSchema(schema, { owner }).parse({})).toEqual({ ok: false, message: 'a[0].b: is bad; is worse' });
  });

  test('that validate later are refused when they do, and leave no rejection behind', () => {
    const schema = library(() => Promise.reject(new Error('later')), {}, []);
    const { parse } = resolveSchema(schema, { owner });
    expect(() => parse({})).toThrow(new UserError("The schema of tool 'pay' validates asynchronously, which is not supported here. Move the asynchronous check into the tool body or a guardrail."));
  });
});

describe('a schema that cannot be used is an error that names its owner and the place', () => {
  const failing: [string, () => unknown, string][] = [
    ['a date', () => resolveSchema(z.object({ a: z.object({ when: z.date() }) }), { owner }), 'tool \'pay\' cannot be used at `a.when`: Date cannot be represented'],
    ['a date in a list', () => resolveSchema(z.object({ a: z.array(z.date()).optional() }), { owner }), 'at `a[]`'],
    ['an output with a big number', () => resolveOutputType(z.object({ n: z.bigint() }), "agent 'Clerk'"), "agent 'Clerk' cannot be used at `n`"],
    ['no object at the root', () => resolveSchema(z.string() as never, { owner }), 'must describe an object'],
    ['zod without strict mode', () => resolveSchema(z.object({}), { owner, strict: false }), 'needs strict mode'],
    ['half a Standard Schema', () => resolveSchema({ '~standard': { version: 1, vendor: 'old', validate: () => ({ value: 1 }) } } as never, { owner }), 'Upgrade the schema library'],
    ['half a Standard Schema as output', () => resolveOutputType({ '~standard': { version: 1 } } as never, "agent 'Clerk'"), 'Upgrade the schema library'],
    ['a text', () => resolveSchema('schema' as never, { owner }), 'neither a zod or Standard Schema'],
    ['an unknown output type', () => resolveOutputType({ type: 'xml' } as never, "agent 'Clerk'"), "agent 'Clerk' is neither 'text'"],
    ['a form strict mode does not know', () => resolveSchema(closed({ a: { oneOf: [{ type: 'string' }] } }), { owner }), 'at `a`: uses "oneOf"'],
  ];
  test.each(failing)('%s', (_name, resolve, message) => {
    expect(resolve).toThrow(UserError);
    expect(resolve).toThrow(message);
  });
});

describe('output types', () => {
  test.each(Object.entries(zodSchemas))('a zod object with %s is sent as the peer sends it', async (_name, schema) => {
    const { Agent, Runner } = await import('@openai/agents-core');
    const { ScriptedModel, assistantMessage, modelResponse } = await import('@openai/agents-core/testing');
    const model = new ScriptedModel([modelResponse([assistantMessage('not json')])]);
    await new Runner({ tracingDisabled: true }).run(new Agent({ name: 'A', model, outputType: schema }), 'hi').catch(() => undefined);
    const request = model.calls[0]?.request;
    expect(request).toBeDefined();
    expect(asJson(resolveOutputType(schema, "agent 'A'").serialized)).toEqual(asJson(request?.outputType));
  });

  test('A4: text is taken as it is', () => {
    expect(resolveOutputType('text', "agent 'A'")).toMatchObject({ serialized: 'text', isText: true });
  });

  test('A4: a JSON schema definition is sent as it is and checked in full', () => {
    const definition = { type: 'json_schema', name: 'Answer', strict: true, schema: closed({ n: { type: 'integer' } }) } as const;
    const resolved = resolveOutputType(definition, "agent 'A'");
    expect(resolved.serialized).toBe(definition);
    expect(resolved.parse({ n: 1 })).toEqual({ ok: true, value: { n: 1 } });
    expect(resolved.parse({ n: 'x' })).toEqual({ ok: false, message: 'n: expected integer, got string' });
    expect(resolved.parse({ n: 1, more: 2 })).toEqual({ ok: false, message: 'more: is not a known property' });
  });
});
