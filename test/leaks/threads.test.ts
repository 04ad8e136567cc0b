/** J4: whatever a thread is told and however its runs end, nothing of them is left. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('manyRuns.ts', import.meta.url));

test('J4: after two thousand runs of one thread, and two thousand threads, no actor, timer or listener is left and the heap is flat', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--no-flush-bytecode', script], { timeout: 100_000 });
  const { born, bytesPerRun, bytesPerThread, ...left } = JSON.parse(stdout) as Record<string, number>;
  expect(left).toEqual({ history: 0, queue: 0, mailbox: 0, more: 0, alive: 0, timers: 0, listeners: 0, platformTimers: 0 });
  expect(born).toBeGreaterThan(20_000);
  expect(bytesPerRun).toBeLessThan(800); // a thread lists its runs, and XState what it looks for by the id of each; the smallest run weighs thousands
  expect(bytesPerThread).toBeLessThan(400);
}, 120_000);
