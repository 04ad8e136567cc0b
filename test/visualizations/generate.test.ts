import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { chartFiles, staleCharts, writeCharts } from '../../visualizations/generate.ts';

const run = promisify(execFile);
const source = (path: string): string => fileURLToPath(new URL(`../../visualizations/${path}`, import.meta.url));
const digest = (files: ReadonlyMap<string, string>): Record<string, string> =>
  Object.fromEntries([...files].map(([name, content]) => [name, createHash('sha256').update(content).digest('hex')]));

const files = await chartFiles();

test('the checked-in drawings show the machines as they are (mend with: npm run charts)', async () => {
  expect(await staleCharts(files)).toEqual([]);
});

test('another process, on the other build of XState, draws the same bytes', async () => {
  const script = `
    import { createHash } from 'node:crypto';
    const { chartFiles } = await import(${JSON.stringify(pathToFileURL(source('generate.ts')).href)});
    const digest = [...(await chartFiles())].map(([name, content]) => [name, createHash('sha256').update(content).digest('hex')]);
    console.log(JSON.stringify(Object.fromEntries(digest)));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
  expect(JSON.parse(stdout)).toEqual(digest(files));
});

test('the five machines and the whole loop are drawn, and the index shows them', () => {
  expect([...files.keys()].sort()).toEqual(
    ['README.md', ...['agent', 'run', 'thread', 'toolCall', 'turn'].flatMap((id) => [`${id}.json`, `${id}.mmd`, `${id}.svg`]), 'loop.mmd', 'loop.svg'].sort(),
  );
  for (const name of files.keys()) if (name !== 'README.md') expect(files.get('README.md')).toContain(`(${name})`);
});

test('the overview nests thread, run, agent, turn and tool call', () => {
  const loop = files.get('loop.mmd') ?? '';
  const depths = ['run', 'agent', 'turn', 'toolCall'].map((id) => /^ */.exec(loop.split('\n').find((line) => line.includes(`as ${id}_machine {`)) ?? '')?.[0].length ?? 0);
  expect(depths[0]).toBeGreaterThan(0);
  expect(depths).toEqual(depths.toSorted((one, other) => one - other));
  expect(new Set(depths).size).toBe(4);
});

test('a missing, a changed and a left-over drawing are each named, and writing mends all three', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'charts-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const url = pathToFileURL(`${folder}/`);
  const wanted = new Map([['one.svg', '1'], ['two.svg', '2'], ['three.svg', '3']]);
  await writeFile(join(folder, 'one.svg'), '1');
  await writeFile(join(folder, 'two.svg'), 'old');
  await writeFile(join(folder, 'gone.svg'), '');
  await writeFile(join(folder, '.editor'), '');
  expect(await staleCharts(wanted, url)).toEqual(['two.svg is out of date', 'three.svg is missing', 'gone.svg is no longer drawn']);
  await writeCharts(wanted, url);
  expect(await staleCharts(wanted, url)).toEqual([]);
  expect((await readdir(folder)).sort()).toEqual(['.editor', 'one.svg', 'three.svg', 'two.svg']);
});

test('a folder that is not there is a folder without drawings', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'charts-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  expect(await staleCharts(new Map([['one.svg', '1']]), pathToFileURL(`${folder}/none/`))).toEqual(['one.svg is missing']);
});

test('the command explains itself, and refuses options it does not know', async () => {
  const { stdout } = await run(process.execPath, [source('generate.ts'), '--help']);
  expect(stdout).toContain('Usage: npm run charts -- [--check]');
  await expect(run(process.execPath, [source('generate.ts'), '--chekc'])).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('Unknown option "--chekc".') });
});

test('without elkjs a drawing is refused with the way to get it', async () => {
  const script = `
    import { registerHooks } from 'node:module';
    registerHooks({ resolve: (name, context, next) => {
      if (name.startsWith('elkjs')) throw Object.assign(new Error('Cannot find package elkjs'), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    } });
    const { chartOf, toMermaid, toSvg } = await import(${JSON.stringify(pathToFileURL(source('index.ts')).href)});
    const { createMachine } = await import('xstate');
    const chart = chartOf(createMachine({ id: 'lamp', initial: 'off', states: { off: {} } }));
    console.log(toMermaid(chart).length > 0, await toSvg(chart).catch((error) => error.message));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: source('..') });
  expect(stdout.trim()).toBe('true Drawing SVG needs the package "elkjs": npm install elkjs');
});
