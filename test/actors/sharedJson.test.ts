import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pack, unpack } from '../../actors/sharedJson.ts';

const there = (value: unknown) => JSON.stringify(pack(value));
const andBack = (value: unknown): unknown => unpack(JSON.parse(there(value)));
const LONG = 'a text that is longer than a reference';

/** Keys of our own and of the language, and texts that occur again. */
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(LONG, `${LONG}!`, '$same', '$own'));
const key = fc.oneof(fc.string(), fc.constantFrom('$same', '$own', '__proto__', 'constructor', 'toString', '0', '10', '-1', ''));
const { value: anyJson } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, text, fc.double(), fc.integer(), fc.boolean(), fc.constant(null), tie('list'), tie('object'), tie('shared')),
  list: fc.array(tie('value'), { maxLength: 5 }),
  object: fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map(Object.fromEntries),
  shared: fc.tuple(tie('object'), tie('list')).map(([object, list]) => [object, list, { object, again: [list, object] }, list]),
}));
const anything = fc.anything({ withBoxedValues: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true, withNullPrototype: true, withObjectString: true, key });

describe('a value comes back as JSON would bring it back', () => {
  test('for all JSON', () => {
    fc.assert(fc.property(anyJson, (value) => { expect(andBack(value)).toEqual(JSON.parse(JSON.stringify(value))); }), { numRuns: 500 });
  });

  test('for whatever else an app may give', () => {
    fc.assert(fc.property(anything, (value) => { expect(andBack({ value })).toEqual(JSON.parse(JSON.stringify({ value }))); }), { numRuns: 500 });
  });

  const hard: [name: string, value: unknown][] = [
    ['keys of ours', { $same: 0, deeper: { $own: { $same: null } }, $own: [{ $own: LONG }], text: LONG }],
    ['keys of the language', JSON.parse(`{"__proto__":{"a":"${LONG}"},"constructor":"${LONG}","toJSON":1}`)],
    ['what JSON leaves out', [undefined, () => LONG, Symbol(LONG), { a: undefined, b: () => LONG, c: Symbol('c'), d: Object.assign(() => 0, { toJSON: () => LONG }) }, LONG, LONG]],
    ['what says itself how it is written', [new Date(0), { toJSON: () => LONG }, { toJSON: () => ({ text: LONG }) }, { toJSON: () => undefined }, new URL('https://example.com/a/long/path/to/something'), LONG]],
    ['boxed values', [Object(LONG), Object(1), Object(true), LONG, { boxed: Object(LONG) }]],
    ['holes', [[, LONG, , LONG]]],
    ['numbers that JSON has no word for', [NaN, Infinity, -0]],
  ];
  for (const [name, value] of hard) {
    test(name, () => expect(JSON.stringify(andBack(value))).toBe(JSON.stringify(value)));
  }

  test('a large integer is written as text, and moves no reference', () => {
    const large = 10n ** 30n;
    expect(andBack([large, LONG, { large }, LONG, 5n])).toEqual([String(large), LONG, { large: String(large) }, LONG, '5']);
  });
});

describe('what occurs again', () => {
  const call = { type: 'function_call', name: 'search', arguments: '{"query":"something rather long"}' };

  test('is written once', () => {
    const bytes = there({ output: [call] }).length;
    expect(there({ output: [call], calls: [call, call], text: call.arguments }).length).toBeLessThan(bytes + 70);
  });

  test('is one object again', () => {
    const { output, calls } = andBack({ output: [call], calls: [{ call }] }) as { output: unknown[]; calls: { call: unknown }[] };
    expect(calls[0]!.call).toBe(output[0]);
  });

  test('may be inside of itself', () => {
    const value: Record<string, unknown> = { name: 'a' };
    value.self = value;
    const back = andBack(value) as typeof value;
    expect(back.self).toBe(back);
  });
});

test('O5: a reference to nothing is an error, not a value', () => {
  for (const at of [1, 9, -1, 0.5, '0', 'length', null]) expect(() => unpack([{ $same: at }])).toThrow('to refer to');
});
