/** What a run waits for, as a short hash: the same for the same run, however it came there. A replay is held against it. */
import { checksum } from './checksum.ts';

export interface Standing {
  /** The state of the run chart, as XState gives it. */
  value: unknown;
  /** Effects that have been asked for and have not ended. */
  open: readonly string[];
  status: string | undefined;
}

export function markOf({ value, open, status }: Standing): string {
  return checksum(`${JSON.stringify(value) ?? ''} ${status ?? ''} ${[...open].sort().join(' ')}`);
}

/** A mark is made with every so many entries: often enough to find where a replay has gone another way, too seldom to cost anything. */
export const MARK_EVERY = 16;
