/** The child as one file: a process that is to be killed soon should not spend its life on loading. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** @returns how to start it. */
export function bundled(entry: string, folder: string): { bundle: string; env: NodeJS.ProcessEnv } {
  const bundle = join(folder, `${entry}.mjs`);
  const source = fileURLToPath(new URL(`${entry}.ts`, import.meta.url));
  buildSync({ entryPoints: [source], outfile: bundle, bundle: true, minify: true, platform: 'node', format: 'esm', external: ['openai'], define: { 'process.env.NODE_ENV': '"production"' }, logLevel: 'error' });
  const env = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: join(folder, 'compiled') };
  spawnSync(process.execPath, [bundle], { env }); // leaves its compiled code behind; those that are killed cannot
  return { bundle, env };
}
