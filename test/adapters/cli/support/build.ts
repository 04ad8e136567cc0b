import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder } from './agentFiles.ts';
import { BUILT, ROOT } from './commandLine.ts';

/** What `npm run build` does, into a folder of its own, so that tests of the real thing do not race with others over `dist`. */
export function build(): void {
  const compiler = `${ROOT}node_modules/.bin/tsc`;
  execFileSync(compiler, ['-p', 'tsconfig.build.json', '--outDir', BUILT, '--incremental', '--tsBuildInfoFile', `${BUILT}/.tsbuildinfo`], { cwd: ROOT, stdio: 'inherit' });
}

/** The built command as it is installed where only these packages are. */
export function copyWithoutPackages(present: readonly string[]): string {
  const folder = newFolder();
  cpSync(BUILT, join(folder, 'dist'), { recursive: true });
  cpSync(`${ROOT}package.json`, join(folder, 'package.json'));
  mkdirSync(join(folder, 'node_modules'));
  for (const name of present) symlinkSync(`${ROOT}node_modules/${name}`, join(folder, 'node_modules', name));
  return join(folder, 'dist/adapters/cli/main.js');
}
