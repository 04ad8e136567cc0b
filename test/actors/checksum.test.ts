import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checksum } from '../../actors/checksum.ts';

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 });

test('O5: every change of a single character is noticed', () => {
  fc.assert(fc.property(text, fc.nat(), fc.nat(0xffff), (given, at, unit) => {
    const place = at % given.length;
    const changed = given.slice(0, place) + String.fromCharCode(unit) + given.slice(place + 1);
    expect(checksum(changed) === checksum(given)).toBe(changed === given);
  }), { numRuns: 2_000 });
});

test('O5: every bit of a text counts', () => {
  const given = 'The quick brown fox jumps over the lazy dog.';
  const sums = new Set([checksum(given)]);
  for (let at = 0; at < given.length; at += 1) {
    for (let bit = 0; bit < 16; bit += 1) sums.add(checksum(given.slice(0, at) + String.fromCharCode(given.charCodeAt(at) ^ (1 << bit)) + given.slice(at + 1)));
  }
  expect(sums.size).toBe(given.length * 16 + 1);
});

test('O5: a text that was cut, made longer, or whose characters changed places has another sum', () => {
  fc.assert(fc.property(text, fc.nat(), (given, at) => {
    const place = at % given.length;
    expect(checksum(given.slice(0, place))).not.toBe(checksum(given));
    expect(checksum(`${given}\0`)).not.toBe(checksum(given));
    const swapped = given.slice(0, place) + [...given.slice(place, place + 2)].reverse().join('') + given.slice(place + 2);
    if (swapped !== given) expect(checksum(swapped)).not.toBe(checksum(given));
  }), { numRuns: 1_000 });
});

test('a sum is short, and always the same', () => {
  expect(['', 'a', 'loopchart', '漢字 🂡', 'x'.repeat(10_000)].map(checksum)).toMatchInlineSnapshot(`
    [
      "xjuxg68xrf",
      "kk8wmooj80",
      "b15ifpy86e",
      "dmk281ud55",
      "pli9jmayry",
    ]
  `);
  expect(checksum('x'.repeat(10_000)).length).toBeLessThanOrEqual(11);
});
