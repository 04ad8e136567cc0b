/** Where the runs of a world are recorded. */
import { join } from 'node:path';
import { FileJournal } from '../../adapters/journals/file.ts';
import { SqliteJournal } from '../../adapters/journals/sqlite.ts';
import type { Journal } from '../../index.ts';

/** A write that is cut is what happens here all the time: nobody has to be told. */
export const journalIn = (folder: string, store: 'sqlite' | 'file', leaseMs?: number): Journal & { close(): void } =>
  store === 'sqlite' ? new SqliteJournal(join(folder, 'journal.db'), { leaseMs }) : new FileJournal(join(folder, 'runs'), { leaseMs, onRepair: () => undefined });
