/** What a file system says, told so that somebody can do something about it. */
import { JournalStoreError } from './storeError.ts';

const FIXES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Nothing of the batch counts; make room, then resume the run',
  EDQUOT: 'the quota of the disk is used up. Nothing of the batch counts; make room, then resume the run',
  EACCES: 'this user has no right to it. Give it one, or choose another folder',
  EPERM: 'this user has no right to it. Give it one, or choose another folder',
  EROFS: 'the file system is read-only. Choose another folder',
  ENOTDIR: 'a part of the path is a file. Choose another folder',
  ENOENT: 'there is no such folder, and none can be made. Choose another folder',
  ELOOP: 'its links lead in a circle. Choose another folder',
  EEXIST: 'there is a file in place of the folder, or a link that leads nowhere. Choose another folder',
  EISDIR: 'there is a folder in place of the file of a run. Move it away',
  EMFILE: 'this process has too many files open. Raise its limit (ulimit -n), or hold fewer runs at once',
  ENFILE: 'this machine has too many files open. Raise its limit, or hold fewer runs at once',
  EIO: 'the disk fails. Whether the last batch was written is not known; check the disk, then resume the run from the journal',
};

/** @throws JournalStoreError for what a file system may refuse; anything else as it is. */
export function told<Result>(path: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    const fix = FIXES[(error as NodeJS.ErrnoException).code ?? ''];
    if (fix === undefined || !('syscall' in (error as Error))) throw error;
    throw new JournalStoreError(`The journal at ${path} cannot be used: ${fix}.`, { cause: error });
  }
}

/** One log cannot be used, for a reason that says nothing of the others beside it. */
export const isOfOneFile = (error: unknown): error is JournalStoreError =>
  error instanceof JournalStoreError && (error.cause === undefined || ['EACCES', 'EPERM', 'EISDIR'].includes((error.cause as NodeJS.ErrnoException).code ?? '')); // without a cause it was no system that refused it, but what stands in it
