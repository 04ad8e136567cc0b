/** Every journal that is shipped keeps the contract. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { FileJournal } from 'loopchart/file';
import { SqliteJournal } from 'loopchart/sqlite';
import { type MakeJournal, journalContract } from 'loopchart/testing';
import { MemoryJournal } from '../../../actors/memoryJournal.ts';
import type { Journal } from '../../../actors/journal.ts';

const inFolder = (open: (folder: string) => Journal): MakeJournal => () => {
  const folder = mkdtempSync(join(tmpdir(), 'loopchart-journal-'));
  return { journal: open(folder), another: () => open(folder), dispose: () => rmSync(folder, { recursive: true }) };
};

const JOURNALS: Record<string, MakeJournal> = {
  MemoryJournal: () => new MemoryJournal(),
  FileJournal: inFolder((folder) => new FileJournal(join(folder, 'runs'), { pollMs: 10 })),
  SqliteJournal: inFolder((folder) => new SqliteJournal(join(folder, 'runs.db'), { pollMs: 10 })),
  'SqliteJournal in memory': () => new SqliteJournal(':memory:'),
};

for (const [name, makeJournal] of Object.entries(JOURNALS)) {
  describe(name, () => {
    for (const { name: claim, check } of journalContract(makeJournal)) test(claim, check);
  });
}
