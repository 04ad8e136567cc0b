/**
 * The checkpoint of a run, in a file beside its log. It is a cache, so nothing waits until it is on the disk: what a crash leaves of it
 * is returned as it is, and whoever reads it finds that its sum does not hold.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const placeOf = (logPath: string) => ({ path: `${logPath}.checkpoint`, draft: `${logPath}.checkpoint.draft` });

/**
 * Takes the place of an older one as a whole, if the run is still ours when it has been written. Who stands still for a whole lease
 * right after that question puts an older one in place again, which stands for fewer entries, and is as good.
 */
export function keepBeside(logPath: string, text: string, isOurs: () => boolean): void {
  const { path, draft } = placeOf(logPath);
  try {
    writeFileSync(draft, text, { mode: 0o600 });
    if (isOurs()) renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Nothing where there is none. */
export function readBeside(logPath: string): string | undefined {
  try {
    return readFileSync(placeOf(logPath).path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // Expected of most runs.
    throw error;
  }
}

export function removeBeside(logPath: string): void {
  for (const path of Object.values(placeOf(logPath))) rmSync(path, { force: true });
}
