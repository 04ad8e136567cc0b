/**
 * Every command in every state: what is answered, what happens at once, what comes of it in the end. The table is commandTable.md, to be read
 * by people; `UPDATE_LOGS=1` writes it anew, and its difference is to be read too. Each cell keeps everything that holds of every thread.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { MOMENTS } from './support/moments.ts';
import { type Observed, observe } from './support/observed.ts';
import { SAYINGS } from './support/sayings.ts';

const FILE = fileURLToPath(new URL('commandTable.md', import.meta.url));
const rows = new Map<string, { states: string[]; observed: Observed }[]>();

test.each(SAYINGS)('L1, L5, M1–M9, J3: $name, in every state', async (saying) => {
  const found: { states: string[]; observed: Observed }[] = [];
  const problems: string[] = [];
  for (const moment of MOMENTS) {
    try {
      const observed = await observe(moment, saying);
      const alike = found.find((one) => JSON.stringify(one.observed) === JSON.stringify(observed));
      if (alike) alike.states.push(moment.name);
      else found.push({ states: [moment.name], observed });
    } catch (error) {
      problems.push(`${moment.name}: ${(error as Error).message}`);
    }
  }
  rows.set(saying.name, found);
  expect(problems).toEqual([]);
  if (process.env['UPDATE_LOGS'] === '1') return;
  expect(existsSync(FILE), 'run this test with UPDATE_LOGS=1, and read what was written').toBe(true);
  expect(table([saying.name]).join('\n')).toBe(written(saying.name));
});

test.runIf(process.env['UPDATE_LOGS'] === '1')('the table is written', () => {
  const all = SAYINGS.map(({ name }) => name);
  writeFileSync(FILE, [INTRODUCTION, ...table(all), ''].join('\n'));
});

const INTRODUCTION = `# What a thread does when it is told something

One line for each command and each group of states in which the same comes of it. *At once* is what has changed before any time has
passed (– is nothing); *in the end* is when every call was approved and nothing is at work any more: the runs that ended since, where
the words of the command are, the state of the thread. \`run.1\` had completed before; in states with a run that is \`run.2\`, or \`run.3\` while
preparing. When *paused*, \`run.2\` has failed and one entry is in the queue; when *winding down*, \`run.2\` was interrupted and its tool does not hear.

| command | state | answer | at once | in the end |
|---|---|---|---|---|`;

const table = (names: string[]): string[] =>
  names.flatMap((name) => rows.get(name)!.map(({ states, observed: { answer, atOnce, inTheEnd } }) => `| ${[name, states.join(' · '), answer, atOnce, inTheEnd].join(' | ')} |`));

const written = (name: string): string => readFileSync(FILE, 'utf8').split('\n').filter((line) => line.startsWith(`| ${name} | `)).join('\n');
