/** Threads in worlds full of trouble: L1, L3, L4, M1–M4, J2, J4, O1–O4, D6, G3, I2. */
import { expect, test, vi } from 'vitest';
import { KNOWN_THREAD_SEEDS, SEED_COUNT, firstSeed, report } from './support/seeds.ts';
import { simulateThread } from './support/threadVoyage.ts';

vi.setConfig({ testTimeout: 300_000 });

test('fresh worlds of threads, with all that may befall them, are without complaint', async () => {
  const first = firstSeed(Date.now());
  const complaints: string[] = [];
  const endings = new Set<string>();
  const blows: string[] = [];
  for (let seed = first; seed < first + Math.ceil(SEED_COUNT / 4); seed += 1) {
    const verdict = await simulateThread(seed);
    complaints.push(...report(verdict, 'threads'));
    blows.push(...verdict.blows);
    for (const ending of verdict.endings) endings.add(ending);
  }
  console.log(`${Math.ceil(SEED_COUNT / 4)} worlds of threads from LOOPCHART_SEED=${first} on, ${blows.length} blows.`);
  expect(complaints).toEqual([]);
  expect([...blows]).toEqual(expect.arrayContaining(['before', 'after', 'refused', 'torn', 'frozen', 'lapsed', 'taken']));
  expect([...endings]).toEqual(expect.arrayContaining(['completed', 'interrupted']));
});

test.each(KNOWN_THREAD_SEEDS)('seed $seed, which found: $found', async ({ seed }) => {
  expect(report(await simulateThread(seed), 'threads')).toEqual([]);
});

test('the same seed is the same world', async () => {
  const [once, again] = [await simulateThread(7), await simulateThread(7)];
  expect(again.log).toEqual(once.log);
});
