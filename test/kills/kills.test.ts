/** O1-O3, D6, L1-L4, M2: a short form of `npm run kills`. */
import { expect, test } from 'vitest';
import { HELP, type Summary, kill, readSettings, toText } from './kills.ts';

test('O1, L1: processes that are killed anywhere lose nothing, do nothing twice, and their runs end as if nobody had been killed', async () => {
  let told = 0;
  const summary = await kill({ kills: 40, seed: 'brief', atATime: 2, keep: false }, () => (told += 1), new AbortController().signal);
  expect(summary.failed).toEqual([]);
  expect(summary.kills).toBeGreaterThanOrEqual(40);
  expect(told).toBe(summary.kills);
  const { regions, threads } = summary;
  expect(Math.min(regions.body, regions.model, regions.append)).toBeGreaterThanOrEqual(4); // each met several times, whatever the machine does
  expect(Math.min(threads.body + threads.model, threads.append + threads.command)).toBeGreaterThanOrEqual(2);
  expect(Object.values(regions).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(summary.kills);
}, 60_000);

test('the summary counts what was met, and says how to see a failing case again', () => {
  const regions = { start: 1, command: 2, heard: 0, body: 2, model: 3, append: 4, session: 0, between: 0 };
  const threads = { ...regions, start: 0, body: 1, append: 0 };
  const summary: Summary = { kills: 9, worlds: 2, regions, threads, failed: [] };
  expect(toText(summary)).toBe('9 kills in 2 worlds (1 start, 2 command, 2 body, 3 model, 4 append; in threads 2 command, 1 body, 3 model): nothing lost, nothing twice.');
  const failed = [{ seed: '7 --world 3', findings: ['O1: tools did not end'], lives: 1, deaths: [{ moment: { by: 'time' as const, ms: 20 }, hit: { all: [], threads: [] } }] }];
  expect(toText({ ...summary, failed }).split('\n').slice(1)).toEqual([
    '', '✗ O1: tools did not end', '  after: {"by":"time","ms":20}', '  again: npm run soak -- --seed 7 --world 3',
  ]);
});

test('arguments are read, and wrong ones refused with the reason', () => {
  expect(readSettings(['--kills', '10000', '--seed', '7', '--world', '3'])).toEqual({ kills: 10_000, seed: '7', world: 3, atATime: 3, keep: false });
  expect(readSettings(['--help'])).toBe('help');
  for (const option of ['--kills', '--seed', '--world', '--at-a-time', '--keep']) expect(HELP).toContain(option);
  expect(() => readSettings(['--kills', '0'])).toThrow('--kills takes a whole number from 1 on, not "0".');
});
