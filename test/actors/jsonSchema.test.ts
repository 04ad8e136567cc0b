import { describe, expect, test } from 'vitest';
import { findViolation, resolveLocalReference } from '../../actors/jsonSchema.ts';

describe('a value that fits has no violation, another says where and how', () => {
  const cases: [string, unknown, unknown, unknown, string][] = [
    ['type', { type: 'string' }, 'a', 1, 'expected string, got number'],
    ['several types', { type: ['integer', 'null'] }, null, 1.5, 'expected integer or null, got number'],
    ['array', { type: 'array', items: { type: 'number' } }, [1], [1, 'x'], '[1]: expected number, got string'],
    ['object', { type: 'object' }, {}, [], 'expected object, got array'],
    ['enum', { enum: ['a', { b: 1 }] }, { b: 1 }, { b: 2 }, 'expected one of "a", {"b":1}'],
    ['const', { const: [1] }, [1], [2], 'expected [1]'],
    ['required', { required: ['a'] }, { a: 1 }, {}, 'a: is missing'],
    ['properties', { properties: { a: { properties: { b: { type: 'null' } } } } }, { a: { b: null } }, { a: { b: 0 } }, 'a.b: expected null, got number'],
    ['no other properties', { properties: { a: {} }, additionalProperties: false }, { a: 1 }, { b: 1 }, 'b: is not a known property'],
    ['other properties', { additionalProperties: { type: 'number' } }, { x: 1 }, { x: '1' }, 'x: expected number, got string'],
    ['pattern of names', { patternProperties: { '^x-': {} }, additionalProperties: false }, { 'x-a': 1 }, { y: 1 }, 'y: is not a known property'],
    ['anyOf', { anyOf: [{ type: 'string' }, { type: 'number' }] }, 1, true, 'matches none of the allowed forms'],
    ['oneOf', { oneOf: [{ type: 'number' }, { type: 'integer' }] }, 1.5, 1, 'must match exactly one of the allowed forms'],
    ['allOf', { allOf: [{ type: 'number' }, { minimum: 2 }] }, 2, 1, 'must be at least 2'],
    ['not', { not: { type: 'string' } }, 1, 'a', 'has a form that is not allowed'],
    ['tuple', { prefixItems: [{ type: 'string' }], items: false }, ['a'], ['a', 1], '[1]: is not allowed'],
    ['tuple of draft 7', { items: [{ type: 'string' }], additionalItems: false }, ['a'], ['a', 1], '[1]: is not allowed'],
    ['length', { minLength: 2, maxLength: 2 }, '🙂🙂', '🙂', 'must have at least 2 characters'],
    ['longest', { maxLength: 1 }, 'a', 'ab', 'must have at most 1 characters'],
    ['pattern', { pattern: '^a+$' }, 'aa', 'b', 'must match ^a+$'],
    ['largest', { maximum: 2 }, 2, 3, 'must be at most 2'],
    ['above', { exclusiveMinimum: 2 }, 3, 2, 'must be greater than 2'],
    ['below', { exclusiveMaximum: 2 }, 1, 2, 'must be less than 2'],
    ['multiple', { multipleOf: 0.1 }, 0.3, 0.35, 'must be a multiple of 0.1'],
    ['fewest items', { minItems: 1 }, [1], [], 'must have at least 1 items'],
    ['most items', { maxItems: 1 }, [1], [1, 2], 'must have at most 1 items'],
    ['a reference', { $defs: { n: { type: 'number' } }, properties: { a: { $ref: '#/$defs/n' } } }, { a: 1 }, { a: 'x' }, 'a: expected number, got string'],
    ['nothing allowed', { properties: { a: false } }, {}, { a: 1 }, 'a: is not allowed'],
  ];
  test.each(cases)('%s', (_name, schema, fitting, other, violation) => {
    expect(findViolation(schema, fitting)).toBeUndefined();
    expect(findViolation(schema, other)).toBe(violation);
  });

  test('recursive data is checked to its ends, and a schema that only refers to itself accepts anything', () => {
    const tree = { properties: { kids: { type: 'array', items: { $ref: '#' } }, n: { type: 'number' } } };
    expect(findViolation(tree, { kids: [{ kids: [{ n: 'x' }] }] })).toBe('kids[0].kids[0].n: expected number, got string');
    expect(findViolation({ $ref: '#' }, 1)).toBeUndefined();
  });

  test('a pattern of another dialect is not checked', () => {
    expect(findViolation({ pattern: '(?i)a' }, 'b')).toBeUndefined();
  });

  test('superfluous properties can be let through', () => {
    expect(findViolation({ properties: {}, additionalProperties: false }, { a: 1 }, { allowExtraProperties: true })).toBeUndefined();
  });

  test('names that every object inherits are no properties', () => {
    expect(findViolation({ required: ['toString'] }, {})).toBe('toString: is missing');
    expect(findViolation({ properties: {}, additionalProperties: false }, JSON.parse('{"constructor":1}'))).toBe('constructor: is not a known property');
  });
});

test('a local reference is followed through escapes, and leads nowhere otherwise', () => {
  const root = { $defs: { 'a/b': { '~': 1 }, 'c d': 2 } };
  const lookups = ['#', '#/$defs/a~1b/~0', '#/$defs/c%20d', '#/$defs/none', '#/toString', 'other.json', '#anchor', '#/%'];
  expect(lookups.map((reference) => resolveLocalReference(reference, root))).toEqual([root, 1, 2, undefined, undefined, undefined, undefined, undefined]);
});
