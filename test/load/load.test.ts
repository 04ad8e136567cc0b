/** M1–M4, L1, L3, L4: the short form of `npm run load`. */
import { expect, test } from 'vitest';
import { trendOf } from './figures.ts';
import { load, readSettings } from './threads.ts';

test('L3, M2: fifty threads in one process, steered, queued and interrupted at random: nothing is lost, every queue runs dry', async () => {
  const { problems, commands, runs } = await load({ threads: 50, seconds: 4, lifetime: 8, paceMs: 150, seed: Date.now() % 1_000_000 }, () => undefined);
  expect(problems).toEqual([]);
  expect([commands >= 100, runs >= 30]).toEqual([true, true]);
});

test('what the command takes is checked', () => {
  expect(readSettings(['--threads', '10', '--seconds', '5'])).toEqual({ threads: 10, seconds: 5, lifetime: 10, paceMs: 1_000, seed: 1 });
  expect(readSettings(['--help'])).toBe('help');
  expect(() => readSettings(['--threads', 'many'])).toThrow('--threads takes a whole number from 1 on, not "many"');
});

test('a heap that grows is told from one that does not', () => {
  const samples = (growth: number) => Array.from({ length: 60 }, (_, second) => ({ second, megabytes: 100 + second * growth + (second % 3) }));
  expect(trendOf(samples(0)).perMinute).toBeLessThan(1);
  expect(trendOf(samples(0.5)).perMinute).toBeGreaterThan(28);
});
