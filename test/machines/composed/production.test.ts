import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Found, findAll } from './production.ts';

/** Tests run with the development build of XState, apps with the production build; the two differ in what they warn of and check. */
test('the production build of XState goes the same ways as the one under test', { timeout: 60_000 }, async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL('./production.ts', import.meta.url))], { maxBuffer: 2 ** 26 });
  const { build, found } = JSON.parse(stdout) as { build: string; found: Record<string, Found> };
  expect(build).not.toContain('development');
  expect(stderr).toBe('');
  expect(found).toEqual(await findAll());
  for (const { problems, states } of Object.values(found)) expect([problems, states > 100]).toEqual([[], true]);
});
