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
