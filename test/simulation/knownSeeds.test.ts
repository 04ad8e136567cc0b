/** Every seed that ever failed is simulated for ever. */
import { expect, test } from 'vitest';
import { KNOWN_SEEDS, report, simulated } from './support/seeds.ts';

test.each(KNOWN_SEEDS)('seed $seed, which found: $found', async ({ seed }) => {
  expect(report(await simulated(seed))).toEqual([]);
});

test('O1: the same seed is the same world', async () => {
  const [once, again] = [await simulated(7), await simulated(7)];
  expect(again).toEqual(once);
  expect((await simulated(8)).log).not.toEqual(once.log);
});
