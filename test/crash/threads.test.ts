/** O1–O3, L1: the scenarios of threads, with processes that die at a share of their writes; `npm run crash` plays them at every one. */
import { readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { playThreadsBy } from '../scenarios/support/threadScenario.ts';
import { everyThreadCrash } from './support/everyThreadCrash.ts';

vi.setConfig({ testTimeout: 120_000 });
const ROOT = new URL('../scenarios/threads/', import.meta.url);
/** It plays its threads itself, some hundred of them. */
const ELSEWHERE = ['commandTable.test.ts'];
const { player, tally } = everyThreadCrash(process.env['LOOPCHART_CRASH'] === 'all' ? 1 : 5);
playThreadsBy(player);
for (const file of readdirSync(ROOT).filter((name) => name.endsWith('.test.ts') && !ELSEWHERE.includes(name)).sort()) await import(new URL(file, ROOT).href);

test('O1, L1: nearly every scenario of threads was played, at points of every kind; those that were not have their reason', ({ skip }) => {
  const { scripts, notPlayed, points, doubts, costs, kinds } = tally;
  skip(scripts.size < 100, 'only some of the scenarios were chosen');
  const doubtful = [...doubts.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${scripts.size - notPlayed.size} of ${scripts.size} scenarios of threads, ${points} deaths, of which ${doubtful} with another end and ${costs} with another cost`, { notPlayed: Object.fromEntries(notPlayed), doubts: Object.fromEntries(doubts) });
  expect(notPlayed.size / scripts.size).toBeLessThan(0.06);
  expect(doubtful / points).toBeLessThan(0.02);
  expect(costs / points).toBeLessThan(0.08);
  expect([...kinds]).toEqual(expect.arrayContaining(['thread.start', 'effect.done', 'run.rest'].flatMap((kind) => [`before ${kind}`, `after ${kind}`])));
});
