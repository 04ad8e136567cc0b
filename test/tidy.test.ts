/** The shape of the repository, held by rules; each rule is shown something that breaks it. */
import * as peer from '@openai/agents-core';
import { agentMachine, runMachine, toolCallMachine, turnMachine } from 'loopchart/machines';
import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import { describedFindings, literalFindings, spawnFindings } from './tidy/charts.ts';
import { docFindings } from './tidy/docs.ts';
import { importFindings } from './tidy/imports.ts';
import { purityFindings } from './tidy/purity.ts';
import { CHART_LINES, FILE_LINES, FUNCTION_LINES, isChart, sizeFindings } from './tidy/sizes.ts';
import { type Rule, type Source, filesIn, sourceOf, textOf } from './tidy/source.ts';
import { anyFindings, nameFindings, todoFindings, workplaceFindings } from './tidy/wording.ts';

const paths = filesIn();
const open = (path: string): Source => sourceOf(path, textOf(path));
const shipped = paths.filter((path) => /^((machines|actors|adapters|visualizations)\/.*|index)\.ts$/.test(path)).map(open);
const inMachines = shipped.filter(({ path }) => path.startsWith('machines/'));
const texts = paths.filter((path) => /\.(ts|js|mjs|json|md|mmd|svg|html|css|yml|yaml)$|^\.ci\/|^LICENSE$|^\.gitignore$/.test(path)).map((path) => ({ path, text: textOf(path) }));

const findings = (sources: readonly Source[], rule: Rule) => sources.flatMap(rule);
const planted = (rule: Rule, path: string, text: string) => rule(sourceOf(path, text));

test('there is something to look at', () => {
  expect(shipped.length).toBeGreaterThan(150);
  expect(inMachines.filter(isChart).map(({ path }) => path)).toEqual(['machines/agent.ts', 'machines/run.ts', 'machines/thread.ts', 'machines/toolCall.ts', 'machines/turn.ts']);
});

describe('imports run one way: machines <- actors <- adapters', () => {
  test('they do', () => expect(findings(shipped, importFindings)).toEqual([]));

  const wrong: [path: string, text: string, reason: string][] = [
    ['machines/turn.ts', `import { Host } from '../actors/host.ts';`, 'machines import only machines and xstate'],
    ['machines/turn.ts', `import { readFile } from 'node:fs';`, 'machines import only machines and xstate'],
    ['machines/turn.ts', `import { z } from 'zod';`, 'zod stays in the schemas of the protocol'],
    ['machines/turn.ts', `export { z } from 'zod';`, 'zod stays in the schemas of the protocol'],
    ['actors/host.ts', `import { OpenAIProvider } from '../adapters/openai/index.ts';`, 'actors import only machines and actors'],
    ['actors/host.ts', `import { run } from '../index.ts';`, 'actors import only machines and actors'],
    ['actors/host.ts', `import { z } from 'zod';`, 'actors import no package but xstate, and the types of zod'],
    ['actors/host.ts', `import 'node:crypto';`, 'actors import no package but xstate, and the types of zod'],
    ['actors/host.ts', `const load = () => import('openai');`, 'actors import no package but xstate, and the types of zod'],
    ['actors/host.ts', `import { entrySchema } from '../machines/protocol/journalSchemas.ts';`, 'schemas load zod; import them when they are needed'],
    ['actors/host.ts', `import type { Observable } from 'rxjs';`, 'rxjs is loaded by actors/thread/observable.ts alone; its types stay in actors/thread'],
    ['actors/thread/thread.ts', `import { Observable } from 'rxjs';`, 'rxjs is loaded by actors/thread/observable.ts alone; its types stay in actors/thread'],
    ['actors/thread/thread.ts', `import { createStore } from '@xstate/store';`, '@xstate/store stays in actors/view'],
    ['index.ts', `export { events$ } from './actors/thread/index.ts';`, 'threads and views are entries of their own: they load packages'],
    ['adapters/inspector/page.ts', `import { says } from '../scripted/index.ts';`, 'an adapter imports machines, actors and itself'],
    ['adapters/inspector/page.ts', `import { run } from 'loopchart';`, 'an adapter imports machines, actors and itself'],
    ['adapters/inspector/page.ts', `type Client = import('openai').OpenAI;`, 'openai stays in adapters/openai'],
    ['adapters/journals/file.ts', `import { Pool } from 'pg';`, 'pg stays in adapters/journals/postgres*'],
    ['adapters/cli/main.ts', `import { play } from '../../test/scenarios/play.ts';`, 'nothing shipped imports tests'],
    ['visualizations/svg.ts', `import { says } from '../adapters/scripted/index.ts';`, 'visualizations import machines, actors and themselves'],
    ['index.ts', `export { OpenAIProvider } from './adapters/openai/index.ts';`, 'the front door imports machines and actors; adapters load on first use'],
  ];
  for (const [path, text, reason] of wrong) {
    test(`${path} may not say: ${text}`, () => {
      const [finding, ...more] = planted(importFindings, path, text);
      expect([finding?.startsWith(`${path}:1 imports `), finding?.endsWith(reason), more.length]).toEqual([true, true, 0]);
    });
  }

  test('what is allowed is not reported', () => {
    const allowed: [string, string][] = [
      ['machines/protocol/itemSchemas.ts', `import { z } from 'zod';`],
      ['actors/schemaTypes.ts', `import type { ZodType } from 'zod';`],
      ['actors/thread/types.ts', `import type { Observable } from 'rxjs';`],
      ['actors/thread/observable.ts', `import { Observable } from 'rxjs';`],
      ['actors/view/threadView.ts', `import { createStore } from '@xstate/store';`],
      ['adapters/openai/client.ts', `import OpenAI from 'openai'; import 'node:fs'; import '../../actors/ports.ts';`],
      ['adapters/journals/postgresConnections.ts', `const load = () => import('pg');`],
      ['adapters/cli/main.ts', `import '../scripted/index.ts'; import '../../index.ts'; import 'node:tty';`],
      ['index.ts', `const load = () => import('./adapters/openai/index.ts');`],
    ];
    expect(allowed.flatMap(([path, text]) => planted(importFindings, path, text))).toEqual([]);
  });
});

describe(`files have at most ${FILE_LINES} lines (charts ${CHART_LINES}), functions at most ${FUNCTION_LINES}`, () => {
  test('they do', () => expect(findings(shipped, sizeFindings)).toEqual([]));

  test('one line more is found', () => {
    const long = (lines: number) => '\n'.repeat(lines - 1) + 'x;\n';
    expect(planted(sizeFindings, 'actors/long.ts', long(FILE_LINES))).toEqual([]);
    expect(planted(sizeFindings, 'actors/long.ts', long(FILE_LINES + 1))).toEqual(['actors/long.ts has 301 lines, more than 300']);
    const chart = `setup({}).createMachine({});${'\n'.repeat(CHART_LINES)}x;`;
    expect(planted(sizeFindings, 'machines/long.ts', chart)).toEqual(['machines/long.ts has 361 lines, more than 360']);
    const body = (lines: number) => `function run() {${'\n'.repeat(lines - 1)}}`;
    expect(planted(sizeFindings, 'actors/long.ts', body(FUNCTION_LINES))).toEqual([]);
    expect(planted(sizeFindings, 'actors/long.ts', body(FUNCTION_LINES + 1))).toEqual(['actors/long.ts:1 run has 71 lines, more than 70']);
    expect(planted(sizeFindings, 'actors/long.ts', `class Host { run() {${'\n'.repeat(FUNCTION_LINES)}} }`)).toHaveLength(1);
  });
});

describe('machines know no clock, no chance and no world', () => {
  test('they do not', () => expect(findings(inMachines, purityFindings)).toEqual([]));

  const reaching = ['Date.now()', 'new Date()', 'Math.random()', 'crypto.randomUUID()', `fetch('http://127.0.0.1')`, 'setTimeout(() => {}, 1)', 'process.env', `console.log('x')`, 'globalThis.name'];
  for (const code of reaching) test(`${code} is found`, () => expect(planted(purityFindings, 'machines/clock.ts', `export const value = ${code};`)).toHaveLength(1));

  test('a field of that name reaches for nothing', () => {
    expect(planted(purityFindings, 'machines/clock.ts', `export const value = { process: 1, at: event.process, text: 'Date' }; // Date`)).toEqual([]);
  });
});

describe('names say something', () => {
  const peerNames = new Set(Object.keys(peer));
  test('they do', () => expect(findings(shipped, (source) => nameFindings(source, peerNames))).toEqual([]));
  test('in tests too', () => expect(paths.filter((path) => path.startsWith('test/')).flatMap((path) => nameFindings({ ...open('index.ts'), path, tree: { type: 'Program', start: 0, end: 0 } }))).toEqual([]));

  test('empty ones are found in files, folders and exports', () => {
    expect(planted(nameFindings, 'actors/utils.ts', '')).toEqual(['actors/utils.ts: "utils" says nothing']);
    expect(planted(nameFindings, 'actors/helpers/name.ts', '')).toHaveLength(1);
    expect(planted(nameFindings, 'actors/stringHelpers.test.ts', '')).toHaveLength(1);
    const exported = ['export class RunManager {}', 'export const data = 1;', 'export function handle() {}', 'export type Process = 1;', 'const x = 1; export { x as helpers };'];
    for (const text of exported) expect(planted(nameFindings, 'actors/name.ts', text)).toHaveLength(1);
    expect(planted(nameFindings, 'actors/name.ts', 'export const runData = 1; const data = 2; export class Handoff {}')).toEqual([]);
  });
});

describe('an any has its reason beside it', () => {
  test('it does', () => expect(findings(shipped, anyFindings)).toEqual([]));

  test('one without is found', () => {
    expect(planted(anyFindings, 'actors/loose.ts', 'const a: any = 1;\nconst b = a as any;')).toEqual(['actors/loose.ts:1 has an any without a reason', 'actors/loose.ts:2 has an any without a reason']);
    expect(planted(anyFindings, 'actors/loose.ts', 'const a: any = 1; // whatever the caller put there\nconst b: Agent<any> = a;')).toEqual([]);
    expect(planted(anyFindings, 'actors/loose.ts', '/** `any`: the types are known to the caller only. */\nconst a: any = 1;')).toEqual([]);
  });
});

describe('texts are about the library', () => {
  test('open ends have the number of their issue', () => expect(texts.flatMap(todoFindings)).toEqual([]));
  test('nothing tells where it was made', () => expect(texts.flatMap(workplaceFindings)).toEqual([]));

  test('an open end without a number is found', () => {
    const [open, fix] = ['TO' + 'DO', 'FIX' + 'ME'];
    expect(todoFindings({ path: 'a.ts', text: `x // ${open} later\ny // ${fix}: soon\nz // ${open} #12 when there are threads\n` })).toEqual([
      'a.ts:1 has an open end without the number of its issue', 'a.ts:2 has an open end without the number of its issue',
    ]);
  });

  test('a path of a machine, a registry and a signature are found', () => {
    const told = ['/' + 'work/main', '/' + 'tmp/x', '/' + 'root/.npmrc', 'https://registry.npm' + 'js.org/x', '"reso' + 'lved": "https://x"', 'Co-Auth' + 'ored-By: x'];
    for (const text of told) expect(workplaceFindings({ path: 'a.md', text })).toHaveLength(1);
    expect(workplaceFindings({ path: 'a.md', text: 'https://example.com/work/1 and network/work' })).toEqual([]);
  });
});

describe('what an entry offers is explained', () => {
  for (const entry of ['index.ts', 'machines/index.ts', 'actors/thread/index.ts', 'actors/view/index.ts', 'adapters/scripted/index.ts', 'adapters/openai/index.ts', 'adapters/inspector/index.ts', 'adapters/journals/file.ts', 'adapters/journals/sqlite.ts', 'adapters/journals/postgres.ts', 'visualizations/index.ts']) {
    test(entry, () => expect(docFindings(open(entry), open)).toEqual([]));
  }

  test('what is not explained is found, behind lists and stars too', () => {
    const files: Record<string, string> = {
      'index.ts': `export { a, b } from './actors/one.ts'; export * from './actors/two.ts'; export type * from './actors/three.ts';`,
      'actors/one.ts': `/** A. */\nexport function a(x: string): void;\nexport function a(x: unknown) {}\nexport const b = 1;\nexport const hidden = 2;`,
      'actors/two.ts': `// no docstring\nexport class C {}`,
      'actors/three.ts': `export const d = 1;`,
    };
    const opened = (path: string) => sourceOf(path, files[path]!);
    expect(docFindings(opened('index.ts'), opened)).toEqual(['actors/one.ts:4 b has no docstring', 'actors/two.ts:2 C has no docstring']);
  });
});

describe('charts can be read without running them', () => {
  const charts = { run: runMachine, agent: agentMachine, turn: turnMachine, toolCall: toolCallMachine };
  for (const [name, machine] of Object.entries(charts)) {
    const source = open(`machines/${name}.ts`);
    test(`${name} is one literal with id, version, description and a bound`, () => {
      expect(literalFindings(source)).toEqual([]);
      expect(machine.id).toBe(name);
    });
    test(`${name} says what each state means in which it can be found`, () => expect(describedFindings(machine)).toEqual([]));
    test(`${name} draws what it spawns, where it spawns it`, () => expect(spawnFindings(machine, source, inMachines)).toEqual([]));
  }

  const whole = `id: 'x', version: '1', description: 'x', context: {}, output: () => 1, options: { maxIterations: 9 }`;
  const unreadable: [text: string, reason: string][] = [
    [`setup({}).createMachine(config)`, 'makes its chart of something else'],
    [`createMachine({ ${whole} }); x.createMachine({ ${whole} })`, 'makes its chart of something else'],
    [`setup({}).createMachine({ ${whole} }); setup({}).createMachine({})`, 'makes 2 charts'],
    [`setup({}).createMachine({ ${whole.replace(`version: '1',`, '')} })`, 'the chart has no version'],
    [`setup({}).createMachine({ ${whole.replace('maxIterations: 9', '')} })`, 'no options.maxIterations'],
    [`setup({}).createMachine({ ${whole}, states: { a: idle } })`, 'a is no literal but Identifier'],
    [`setup({}).createMachine({ ${whole}, states: { ...more } })`, 'spreads something'],
    [`setup({}).createMachine({ ${whole}, states: { [name]: {} } })`, 'computed key'],
    [`setup({}).createMachine({ ${whole}, on: { go: { guard: () => true } } })`, 'guard is no literal but ArrowFunctionExpression'],
    [`setup({}).createMachine({ ${whole}, entry: assign({}) })`, 'entry is no literal but CallExpression'],
    [`setup({}).createMachine({ ${whole}, invoke: { src: 'model' } })`, 'an invoke has no id'],
  ];
  for (const [text, reason] of unreadable) {
    test(`${text.replace(whole, '…')} is found`, () => expect(planted(literalFindings, 'machines/x.ts', text).join('\n')).toContain(reason));
  }

  test('a state without a description is found, a crossing needs none', () => {
    const machine = setup({}).createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: { always: 'c' }, c: { type: 'final', description: 'The end.' } } });
    expect(describedFindings(machine)).toEqual(['(machine).a has no description']);
  });

  test('what is spawned and not drawn is found, and what is drawn and not spawned', () => {
    const text = `setup({ actions: { begin: assign(({ spawn }) => startAll(spawn)), nothing: assign({}) } }).createMachine({});
      function startAll(spawn) { spawn('child', {}); }`;
    const machine = setup({ actions: { begin: () => {}, nothing: () => {} } }).createMachine({
      id: 'x', initial: 'a',
      states: { a: { on: { go: { target: 'b', actions: 'begin' } } }, b: {}, c: { meta: { spawns: ['child'] } }, d: { on: { go: { actions: 'nothing' } } } },
    });
    expect(spawnFindings(machine, sourceOf('machines/x.ts', text))).toEqual([
      'x.b does not say that child is spawned there (meta.spawns)', 'x.c says that child is spawned there, but no transition does',
    ]);
  });
});
