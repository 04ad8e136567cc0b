/** J4: whatever a run does and however it ends, nothing of it is left. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('tenThousand.ts', import.meta.url));

test('J4: after ten thousand runs, completed, failed, stopped, interrupted and waiting, no actor, timer or listener is left and the heap is flat', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--no-flush-bytecode', script], { timeout: 60_000 });
  const { born, bytesPerRun, ...left } = JSON.parse(stdout) as Record<string, number>;
  expect(left).toEqual({ alive: 0, timers: 0, listeners: 0, platformTimers: 0 });
  expect(born).toBeGreaterThan(50_000);
  expect(bytesPerRun).toBeLessThan(200); // the state of the smallest run weighs thousands
}, 70_000);

test('J4: after hundreds of runs of one thread, ended in every way, nothing of them is left in it and the heap is flat', async () => {
  const thread = fileURLToPath(new URL('longThread.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--no-flush-bytecode', thread], { timeout: 60_000 });
  const { runs, bytesPerRun, ...left } = JSON.parse(stdout) as Record<string, number>;
  expect(left).toEqual({ timers: 0, history: 0, queue: 0, mailbox: 0 });
  expect(runs).toBeGreaterThan(500);
  expect(bytesPerRun).toBeLessThan(1_000); // the smallest run that is held on to weighs thousands
}, 70_000);
