import { tool as peerTool } from '@openai/agents-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findViolation, type JsonSchemaRecord } from '../../actors/jsonSchema.ts';
import { SchemaProblem, acceptsNull, toStrictSchema } from '../../actors/strictSchema.ts';

const peerStrict = (schema: JsonSchemaRecord): unknown =>
  peerTool({ name: 't', description: '', parameters: structuredClone(schema) as never, strict: true, execute: () => '' }).parameters;
const object = (properties: Record<string, unknown>, required: string[] = []): JsonSchemaRecord => ({
  type: 'object', properties, required, additionalProperties: false,
});

/** Schemas of the kinds that strict mode knows, without unions of objects, which the peer refuses. */
const schemas = fc.letrec<{ node: JsonSchemaRecord; object: JsonSchemaRecord }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonSchemaRecord>({ type: 'string' }, { type: ['number', 'null'] }, { enum: ['a', null] }, { enum: [1, 2] }, { const: 'x' }, { type: 'boolean', default: null }),
    fc.record({ anyOf: fc.constantFrom([{ type: 'string' }, { type: 'null' }], [{ type: 'string' }, { type: 'number' }]), description: fc.constant('either') }),
    tie('node').map((items) => ({ type: 'array', items })),
    tie('object'),
  ),
  object: fc.record({ properties: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { maxKeys: 3 }), first: fc.boolean(), typed: fc.boolean() }).map(
    ({ properties, first, typed }) => ({ ...(typed ? { type: 'object' } : {}), properties, required: first ? Object.keys(properties).slice(0, 1) : [], additionalProperties: false }),
  ),
}));

/** Values that fit a strict form made of the schemas above. */
function fittingValues(node: unknown): fc.Arbitrary<unknown> {
  const { type, anyOf, enum: choices, const: only, items, properties = {} } = node as JsonSchemaRecord;
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map(fittingValues));
  if (Array.isArray(choices)) return fc.constantFrom(...(choices as unknown[]));
  if (only !== undefined) return fc.constant(only);
  if (type === 'array') return fc.array(fittingValues(items), { maxLength: 2 });
  if (type === 'object') return fc.record(Object.fromEntries(Object.entries(properties as object).map(([key, property]) => [key, fittingValues(property)])));
  const scalars: Record<string, fc.Arbitrary<unknown>> = { string: fc.string(), number: fc.integer(), boolean: fc.boolean(), null: fc.constant(null) };
  return fc.oneof(...[type].flat().map((name) => scalars[String(name)]!));
}

describe('strict form', () => {
  test('is what the peer makes of any schema both know', () => {
    fc.assert(fc.property(schemas.object, (schema) => { expect(toStrictSchema({ ...schema, type: 'object' }).schema).toEqual(peerStrict({ ...schema, type: 'object' })); }), { numRuns: 300, seed: 1 });
  });

  test('closes every object and requires every property, at any depth', () => {
    const isStrict = (node: unknown): boolean => {
      if (typeof node !== 'object' || node === null) return true;
      const { properties, required, additionalProperties } = node as Record<string, unknown>;
      const own = properties === undefined || (additionalProperties === false && JSON.stringify(required) === JSON.stringify(Object.keys(properties as object)));
      return own && Object.values(node).every(isStrict);
    };
    fc.assert(fc.property(schemas.object, (schema) => isStrict(toStrictSchema({ ...schema, type: 'object' }).schema)), { numRuns: 200, seed: 2 });
  });

  test('keeps a reference into the definitions, and gives one among the properties a definition of its own', () => {
    const schema = {
      ...object({ a: { type: 'string' }, same: { $ref: '#/properties/a' }, item: { $ref: '#/$defs/item' } }, ['same', 'item']),
      $defs: { item: object({ note: { type: 'string' } }) },
    };
    const { schema: strict, restore } = toStrictSchema(schema);
    expect(strict).toMatchObject({
      properties: { a: { anyOf: [{ type: 'string' }, { type: 'null' }] }, same: { $ref: '#/$defs/target1' }, item: { $ref: '#/$defs/item' } },
      $defs: { target1: { type: 'string' }, item: { required: ['note'] } },
    });
    expect(restore({ a: null, same: 's', item: { note: null } })).toEqual({ same: 's', item: {} });
  });

  test('gives such a definition a name that is not taken', () => {
    const schema = { ...object({ a: { type: 'string' }, same: { $ref: '#/properties/a' } }), $defs: { target1: { type: 'number' } } };
    expect(toStrictSchema(schema).schema).toMatchObject({ $defs: { target1: { type: 'number' }, target1_: { type: 'string' } } });
  });

  test('restores the branch of a union that the value fits, references into the whole document included', () => {
    const branch = (kind: string, extra: Record<string, unknown>) => object({ kind: { const: kind }, ...extra }, ['kind']);
    const schema = {
      ...object({ either: { anyOf: [branch('tree', { next: { $ref: '#/$defs/leaf' } }), branch('leaf', { note: { type: ['string', 'null'] } })] } }, ['either']),
      $defs: { leaf: object({ size: { type: 'number' } }) },
    };
    const { restore } = toStrictSchema(schema);
    expect(restore({ either: { kind: 'tree', next: null } })).toEqual({ either: { kind: 'tree' } });
    expect(restore({ either: { kind: 'tree', next: { size: null } } })).toEqual({ either: { kind: 'tree', next: {} } });
    expect(restore({ either: { kind: 'leaf', note: null } })).toEqual({ either: { kind: 'leaf', note: null } });
    expect(restore({ either: { kind: 'neither', note: null } })).toEqual({ either: { kind: 'neither', note: null } });
  });

  test('what fits the strict form fits the original once restored', () => {
    const cases = schemas.object.chain((generated) => {
      const schema = { ...generated, type: 'object' };
      const { schema: strict, restore } = toStrictSchema(schema);
      return fittingValues(strict).map((value) => ({ schema, strict, value, restored: restore(value) }));
    });
    fc.assert(
      fc.property(cases, ({ schema, strict, value, restored }) => {
        expect(findViolation(strict, value)).toBeUndefined();
        expect(findViolation(schema, restored)).toBeUndefined();
      }),
      { numRuns: 300, seed: 3 },
    );
  });
});

describe('what strict mode cannot express is refused with its place', () => {
  const nested = (levels: number): JsonSchemaRecord => (levels === 0 ? { type: 'string' } : { type: 'array', items: nested(levels - 1) });
  const refused: [string, JsonSchemaRecord, string, RegExp][] = [
    ['a keyword without strict meaning', object({ a: { allOf: [{ type: 'string' }] } }), 'a', /"allOf"/],
    ['an unresolved reference', object({ a: { type: 'array', items: { $ref: '#/$defs/gone' } } }), 'a[]', /#\/\$defs\/gone/],
    ['a reference to another document', object({ a: { $ref: 'https://example.com/a.json' } }), 'a', /local/],
    ['a reference that is no text', object({ a: { $ref: 1 } }), 'a', /not text/],
    ['a reference with a constraint beside it', { ...object({ a: { $ref: '#/$defs/x', minLength: 1 } }), $defs: { x: { type: 'string' } } }, 'a', /"minLength"/],
    ['an empty union', object({ a: { anyOf: [] } }), 'a', /anyOf/],
    ['a union with a constraint beside it', object({ a: { anyOf: [{ type: 'string' }], minLength: 1 } }), 'a', /"minLength"/],
    ['an open object without a type', object({ a: { properties: {} } }), 'a', /without a type/],
    ['a node that is no schema', object({ a: 'string' }), 'a', /neither a schema/],
    ['an id of its own', object({ a: { $id: 'x', type: 'string' } }), 'a', /\$id/],
    ['an optional property that may or may not be null', object({ a: { anyOf: [{ type: 7 }] } }), 'a', /null/],
    ['too many levels', object({ a: nested(120) }), `a${'[]'.repeat(40)}`.slice(0, 80), /levels deep/],
  ];
  test.each(refused)('%s', (_name, schema, path, message) => {
    let problem: unknown;
    try { toStrictSchema(schema); } catch (error) { problem = error; }
    expect(problem).toBeInstanceOf(SchemaProblem);
    expect(problem).toMatchObject({ path, message: expect.stringMatching(message) });
    expect(() => peerStrict(schema)).toThrow();
  });

  test('a schema that contains itself as an object is refused, not followed for ever', () => {
    const schema = object({});
    schema.properties = { self: schema };
    expect(() => toStrictSchema(schema)).toThrow(/levels deep/);
  });
});

test('null is accepted, refused, or cannot be told', () => {
  const root = { $defs: { text: { type: 'string' }, loop: { $ref: '#/$defs/loop' } } };
  const told = [true, false, {}, { type: 'null' }, { enum: ['a'] }, { const: null }, { $ref: '#/$defs/text' }, { $ref: '#/$defs/loop' }, { anyOf: [{ type: 'string' }, {}] }, { enum: 'a' }];
  expect(told.map((schema) => acceptsNull(schema, root))).toEqual([true, false, true, true, false, true, false, undefined, true, undefined]);
});
