/** The scenarios of the suite, as they are, with a death in them: `npm run crash` plays them at every point, the tests at a share. */
import { readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { playBy } from '../../scenarios/support/scenario.ts';
import { everyCrash } from './everyCrash.ts';
import { OBSTACLES } from './exceptions.ts';

const ROOT = new URL('../../scenarios/', import.meta.url);
/** Those about durability kill their runs themselves, and have persons of their own who answer what only a person can; those of threads are played by a stage of their own. */
const ELSEWHERE = /^(peer|support|durability|threads)|^logs\.test/;
const SHARE = process.env['LOOPCHART_CRASH'] === 'all' ? 1 : 7;

/** Registers the tests of every nth file of scenarios, and one that counts what they have played. */
export async function crashScenarios({ nth, of }: { nth: number; of: number }): Promise<void> {
  vi.setConfig({ testTimeout: 120_000 });
  const { player, tally } = everyCrash(SHARE);
  playBy(player);
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts') && !ELSEWHERE.test(file)).sort();
  for (const [at, file] of files.entries()) if (at % of === nth) await import(new URL(file, ROOT).href);

  test('O1, O2, O3: nearly every scenario was played, at points of every kind; those that were not have their reason', ({ skip }) => {
    const { scripts, notPlayed, points, doubts, kinds } = tally;
    skip(scripts.size < 50, 'only some of the scenarios were chosen');
    const reasons = countsOf(notPlayed.values());
    const doubtful = [...doubts.values()].reduce((sum, count) => sum + count, 0);
    console.log(`${scripts.size - notPlayed.size} of ${scripts.size} scenarios, ${points} deaths, of which ${doubtful} held against the ledger alone`, { notPlayed: reasons, ledgerAlone: Object.fromEntries(doubts) });
    expect((notPlayed.size - (reasons[OBSTACLES.ownJournal] ?? 0)) / scripts.size).toBeLessThan(0.12);
    expect(doubtful / points).toBeLessThan(0.1);
    expect([...kinds]).toEqual(expect.arrayContaining(['run.start', 'effect.started', 'effect.done', 'run.rest'].flatMap((kind) => [`before ${kind}`, `after ${kind}`])));
  });
}

function countsOf(reasons: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
