/** Every rule in force is pinned by a test that names it: `D6: …`, or several at once, `K5, G1: …`. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The same list that stands at the head of machines/RULES.md. */
const IN_FORCE = [
  ...rules('P', 1, 5), ...rules('A', 1, 9), ...rules('B', 1, 4), ...rules('C', 1, 12), ...rules('D', 1, 9), ...rules('E', 1, 6), ...rules('F', 1, 5), ...rules('G', 1, 4),
  ...rules('H', 1, 3), ...rules('I', 1, 6), ...rules('J', 1, 4), ...rules('K', 1, 6), ...rules('L', 1, 7), ...rules('M', 1, 9), ...rules('N', 1, 3), ...rules('O', 1, 8),
];

test('each rule in force is written down', () => {
  const written = new Set(readFileSync(join(root, 'machines/RULES.md'), 'utf8').match(/^[A-Z]\d+(?=\.)/gm));
  expect(IN_FORCE.filter((rule) => !written.has(rule))).toEqual([]);
});

test('each rule in force is named by a scenario that pins it', () => {
  const named = new Set(testFiles(join(root, 'test/scenarios')).flatMap((file) => rulesNamedIn(readFileSync(file, 'utf8'))));
  expect(IN_FORCE.filter((rule) => !named.has(rule))).toEqual([]);
});

test('a rule that no name begins with is found missing', () => {
  expect(rulesNamedIn("test('B1: a limit', …); scenario(`K5, G1: both`, …); // A9: only a comment")).toEqual(['B1', 'K5', 'G1']);
});

function rules(letter: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, at) => `${letter}${from + at}`);
}

function rulesNamedIn(source: string): string[] {
  return [...source.matchAll(/['"`]((?:[A-Z]\d+(?:, | and )?)+): /g)].flatMap(([, names]) => names!.match(/[A-Z]\d+/g) ?? []);
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts')).map((file) => join(folder, file));
}
