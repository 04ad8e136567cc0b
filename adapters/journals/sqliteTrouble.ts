/** What SQLite says, told so that somebody can do something about it. */
import { JournalStoreError } from './storeError.ts';

/** By primary result code. */
const FIXES: Readonly<Record<number, string>> = {
  3: 'this user may not use it. Give it the right to, or choose another file',
  5: 'another process keeps it locked. Let it finish, or raise busyTimeoutMs',
  6: 'another process keeps it locked. Let it finish, or raise busyTimeoutMs',
  8: 'it is read-only. Give this user the right to write to the file and to its folder, or choose another file',
  10: 'the disk fails, or has no room. Nothing of the batch counts; check the disk, then resume the run',
  11: 'it is damaged. Restore it from a copy',
  13: 'the disk is full. Nothing of the batch counts; make room, then resume the run',
  14: 'it cannot be opened: its folder is missing, or this user may not write there. Make the folder, or choose another file',
  26: 'it is no SQLite database. Choose another file',
};

/** @throws JournalStoreError for what SQLite may refuse; anything else as it is. */
export function told<Result>(path: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    const fix = FIXES[resultOf(error) ?? -1];
    if (fix === undefined) throw error;
    throw new JournalStoreError(`The journal ${path} cannot be used: ${fix}.`, { cause: error });
  }
}

/** It was locked for longer than one waits. */
export const isBusy = (error: unknown): boolean => resultOf(error) === 5 || resultOf(error) === 6;

/** Extended codes have the primary one in their lowest byte. Where the folder cannot be made, the file cannot be opened. */
function resultOf(error: unknown): number | undefined {
  const { code, errcode, syscall } = error as { code?: unknown; errcode?: unknown; syscall?: unknown }; // what Node puts on them
  if (syscall === 'mkdir' || syscall === 'stat') return 14;
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}
