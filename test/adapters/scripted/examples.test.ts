/** Every example in the docstrings of the testing entry runs, with only the entry, a journal to hold against its contract, and a test framework in scope. */
import { readdirSync, readFileSync } from 'node:fs';
import { transform } from 'esbuild';
import { MemoryJournal } from 'loopchart';
import { describe, expect, test } from 'vitest';
import * as entry from 'loopchart/testing';

const folder = new URL('../../../adapters/scripted/', import.meta.url);
const examples = readdirSync(folder).flatMap((file) => {
  const source = readFileSync(new URL(file, folder), 'utf8');
  return [...source.matchAll(/@example\n((?: \*(?: .*)?\n)+?) \*\/\n(?:export )?(?:async )?(?:function|class|const) (\w+)/g)].map(([, block = '', name = '']) => ({
    name, code: block.replace(/^ \* ?/gm, ''),
  }));
});

describe('the example of', () => {
  for (const { name, code } of examples) {
    test(name, async () => {
      const checks: (() => unknown)[] = [];
      const scope = { ...entry, MemoryJournal, expect, test: (_name: string, check: () => unknown) => checks.push(check) };
      const { code: script } = await transform(`async function example() {\n${code}\n}`, { loader: 'ts', target: 'es2023' });
      await new Function(...Object.keys(scope), `${script}; return example();`)(...Object.values(scope));
      for (const check of checks) await check();
    });
  }
});

test('every function and class of the entry has an example', () => {
  const shown = new Set(examples.map(({ name }) => name));
  expect(Object.keys(entry).filter((name) => !shown.has(name))).toEqual([]);
});
