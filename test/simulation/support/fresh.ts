/** The fresh worlds of a day, shared out over files so that they are simulated side by side. */
import { expect, test, vi } from 'vitest';
import { SEED_COUNT, firstSeed, report, simulated } from './seeds.ts';

export function freshSeeds({ nth, of }: { nth: number; of: number }): void {
  vi.setConfig({ testTimeout: 300_000 });
  const first = firstSeed(Date.now());
  const seeds = Array.from({ length: SEED_COUNT }, (_, at) => first + at).filter((seed) => seed % of === nth);

  test('O1–O6, D6, G1, G3, I2: fresh worlds, with all that may befall them, are without complaint', async () => {
    const complaints: string[] = [];
    const endings = new Set<string>();
    let deaths = 0;
    for (const seed of seeds) {
      const verdict = await simulated(seed);
      complaints.push(...report(verdict));
      deaths += verdict.blows.length;
      for (const ending of verdict.endings) endings.add(ending);
    }
    console.log(`${seeds.length} worlds from LOOPCHART_SEED=${first} on, ${deaths} blows.`);
    expect(complaints).toEqual([]);
    expect(deaths).toBeGreaterThan(seeds.length);
    expect(endings).toContain('completed');
  });
}
