/** Every example in a docstring runs, with what it imports and what its own file exports, and a model that says hello. */
import { afterEach, describe, expect, test } from 'vitest';
import { transform } from 'esbuild';
import { setDefaultModelProvider } from 'loopchart';
import { loop, says, scriptedModel } from 'loopchart/testing';
import { filesIn, textOf } from './tidy/source.ts';

/** The testing entry runs its own, in a scope of its own. */
const files = filesIn().filter((path) => /^(machines|actors|adapters|visualizations)\/.*\.ts$/.test(path) && !path.startsWith('adapters/scripted/'));
const examples = files.flatMap((path) => examplesIn(textOf(path)).map((code, index) => ({ path, code, name: `${path}${index > 0 ? ` (${index + 1})` : ''}` })));

const MODULES: Readonly<Record<string, () => Promise<object>>> = {
  loopchart: () => import('loopchart'),
  'loopchart/machines': () => import('loopchart/machines'),
  'loopchart/protocol': () => import('loopchart/protocol'),
  'loopchart/testing': () => import('loopchart/testing'),
  'loopchart/openai': () => import('loopchart/openai'),
  'loopchart/inspector': () => import('loopchart/inspector'),
  'loopchart/file': () => import('loopchart/file'),
  'loopchart/sqlite': () => import('loopchart/sqlite'),
  'loopchart/postgres': () => import('loopchart/postgres'),
  'loopchart/server': () => import('loopchart/server'),
  'loopchart/thread': () => import('loopchart/thread'),
  'loopchart/view': () => import('loopchart/view'),
  'loopchart/visualizations': () => import('loopchart/visualizations'),
  openai: () => import('openai'),
  xstate: () => import('xstate'),
  zod: () => import('zod'),
};
const own = (path: string): Promise<object> => import(new URL(`../${path}`, import.meta.url).href);

describe('the example of', () => {
  const { log } = console;
  afterEach(() => void (console.log = log));

  for (const { path, code, name } of examples) {
    test(name, async () => {
      console.log = () => undefined; // examples show their result to a reader
      setDefaultModelProvider({ getModel: () => scriptedModel(loop(says('Hello.'))) });
      const { imports, body } = separated(code);
      const scope: Record<string, unknown> = /\bimport\b/.test(code) ? {} : { ...(await own(path)) };
      for (const { names, from } of imports) Object.assign(scope, named(names, await moduleOf(from)));
      const { code: script } = await transform(`async function example() {\n${body}\n}`, { loader: 'ts', target: 'es2023' });
      await new Function(...Object.keys(scope), `${script}; return example();`)(...Object.values(scope));
    });
  }

  test('there are many', () => expect(examples.length).toBeGreaterThan(30));
});

function examplesIn(source: string): string[] {
  return [...source.matchAll(/@example\n([^]*?)\*\//g)].map(([, block = '']) => block.replace(/^ *\* ?/gm, '').replace(/^```\w*$/gm, ''));
}

function separated(code: string): { imports: { names: string; from: string }[]; body: string } {
  const imports: { names: string; from: string }[] = [];
  const body = code.replace(/^import (type )?(\{[^}]*\}|\w+) from '([^']+)';$/gm, (_, type: string | undefined, names: string, from: string) => {
    if (!type) imports.push({ names, from });
    return '';
  });
  return { imports, body };
}

function moduleOf(from: string): Promise<object> {
  const load = MODULES[from];
  if (load === undefined) throw new Error(`The example imports ${from}, which is none of: ${Object.keys(MODULES).join(', ')}.`);
  return load();
}

/** A name that the module does not have is a mistake in the example, types aside. */
function named(names: string, module: object): Record<string, unknown> {
  const from = module as Record<string, unknown>;
  if (!names.startsWith('{')) return { [names]: from.default };
  const values = names.slice(1, -1).split(',').map((name) => name.trim()).filter((name) => name !== '' && !name.startsWith('type '));
  return Object.fromEntries(values.map((value) => {
    const [name = '', alias = name] = value.split(' as ');
    if (!(name in from)) throw new Error(`The example imports ${name}, which its module does not export.`);
    return [alias, from[name]];
  }));
}
