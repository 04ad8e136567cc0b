/** What is special about runs in a database: one transaction a batch, and files that are not ours. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { JournalStoreError, SqliteJournal, type SqliteJournalOptions } from 'loopchart/sqlite';
import { JournalConflict, JournalDamage } from '../../../actors/journal.ts';
import { entryToText } from '../../../actors/journalText.ts';
import { told } from '../../../adapters/journals/sqliteTrouble.ts';
import { entry, rest, start, write } from './support/entries.ts';
import { temporaryFolder } from './support/temporaryFolder.ts';

const ENTRIES = [start('run_1'), entry('run_1', 1, 'ünï 漢字'), entry('run_1', 2, { a: [null, 'x'] }), rest(3)];

function place() {
  const path = join(temporaryFolder(), 'runs.db');
  const open = (options?: SqliteJournalOptions) => {
    const journal = new SqliteJournal(path, options);
    onTestFinished(() => journal.close());
    return journal;
  };
  /** What somebody else does to the file. */
  const change = (sql: string) => {
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
  };
  return { path, open, change };
}

describe('O5: what was changed is damage, never another entry', () => {
  test('the row of a run: its claim is damage, its name hides no other run', async () => {
    const { open, change } = place();
    const journal = open();
    await write(journal, 'run_1', ENTRIES);
    await write(journal, 'run_2', [start('run_2'), rest(9)]);
    journal.close();
    change(`UPDATE runs SET owner = '{' WHERE run_id = 'run_1'; UPDATE runs SET run_id = 'a\\y' WHERE run_id = 'run_2'`);
    expect(journal.list().map(({ runId }) => runId)).toEqual(['run_1', 'a\\y']);
    for (const act of [() => journal.open('run_1'), () => journal.remove('run_1'), () => journal.prune({ settledBefore: 100 })]) {
      expect(act).toThrow(expect.objectContaining({ name: 'JournalDamage', runId: 'run_1', message: expect.stringContaining('its claim was changed') }));
    }
  });

  test('any bit of an entry', async () => {
    const { open, path } = place();
    const journal = open();
    await write(journal, 'run_1', ENTRIES);
    journal.close(); // nothing is left beside the file
    const bytes = readFileSync(path);
    const text = Buffer.from(entryToText(ENTRIES[1]!, { runId: 'run_1', position: 1 }));
    const at = bytes.indexOf(text);
    for (let index = at; index < at + text.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index]! ^= 1 << (index % 8);
      writeFileSync(path, changed);
      expect(() => journal.read('run_1'), `byte ${index - at}`).toThrow(expect.objectContaining({ name: 'JournalDamage', position: 1 }));
      journal.close();
    }
  });

  const changes: [name: string, sql: string, position: number][] = [
    ['an entry taken out', 'DELETE FROM entries WHERE position = 1', 1],
    ['the last entry taken out', 'DELETE FROM entries WHERE position = 3', 3],
    ['all entries taken out', 'DELETE FROM entries', 0],
    ['an entry too many', `INSERT INTO entries SELECT run, 4, text FROM entries WHERE position = 3`, 4],
    ['an entry in place of another', 'UPDATE entries SET text = (SELECT text FROM entries WHERE position = 1) WHERE position = 2', 2],
    ['entries in another order', 'UPDATE entries SET position = 9 - position; UPDATE entries SET position = position - 6', 0],
    ['an entry of another run', `UPDATE entries SET text = (SELECT text FROM entries WHERE run = 2 AND position = 0) WHERE run = 1 AND position = 0`, 0],
  ];
  for (const [name, sql, position] of changes) {
    test(name, async () => {
      const { open, change } = place();
      const journal = open();
      await write(journal, 'run_1', ENTRIES);
      await write(journal, 'run_2', [start('run_2')]);
      change(sql);
      expect(() => journal.read('run_1')).toThrow(JournalDamage);
      expect(() => journal.read('run_1')).toThrow(expect.objectContaining({ runId: 'run_1', position }));
    });
  }

  test('a newer format says that loopchart is to be updated', () => {
    const { open, change, path } = place();
    open().close();
    change('PRAGMA user_version = 2');
    expect(() => open()).toThrow(`The journal ${path} is kept in format 2, this version reads 1: update loopchart.`);
  });
});

describe('O4: one owner', () => {
  test('who was replaced is refused in the transaction that would have written', async () => {
    const { open, change } = place();
    const [old, taker] = [open(), open()];
    const epoch = await write(old, 'run_1', ENTRIES.slice(0, 1));
    expect(() => taker.open('run_1')).toThrow('this process is at work on it');
    change('UPDATE runs SET seen_at = 0'); // no sign of life for long
    expect(taker.open('run_1')).toEqual({ epoch: epoch + 1, length: 1 });
    expect(() => old.append('run_1', { epoch, position: 1 }, [entry('run_1', 1, 'other')])).toThrow(JournalConflict);
    expect(() => old.append('run_1', { epoch, position: 1 }, [])).toThrow(JournalConflict);
    taker.keepCheckpoint('run_1', { epoch: epoch + 1, position: 1 }, '["taker"]');
    old.keepCheckpoint('run_1', { epoch, position: 1 }, '["old"]');
    expect(old.readCheckpoint('run_1')).toBe('["taker"]');
    old.release('run_1', epoch);
    taker.append('run_1', { epoch: epoch + 1, position: 1 }, ENTRIES.slice(1));
    expect(old.read('run_1')).toEqual(ENTRIES);
  });

  test('of a run that was removed and began anew, who owned it before is refused', async () => {
    const { open, change } = place();
    const [old, taker] = [open(), open()];
    const epoch = await write(old, 'run_1', []);
    change('DELETE FROM runs');
    taker.open('run_1');
    expect(() => old.append('run_1', { epoch, position: 0 }, ENTRIES)).toThrow(JournalConflict);
  });
});

test('what an append cannot write to the end, it does not write at all', async () => {
  const { open, change } = place();
  const journal = open();
  const epoch = await write(journal, 'run_1', ENTRIES.slice(0, 1));
  const before = journal.list();
  change(`CREATE TRIGGER refuse BEFORE INSERT ON entries WHEN NEW.position = 3 BEGIN SELECT RAISE(ABORT, 'no'); END`);
  expect(() => journal.append('run_1', { epoch, position: 1 }, ENTRIES.slice(1))).toThrow('no');
  expect([journal.read('run_1'), journal.list()]).toEqual([ENTRIES.slice(0, 1), before]);
  change('DROP TRIGGER refuse');
  journal.append('run_1', { epoch, position: 1 }, ENTRIES.slice(1));
  expect(journal.read('run_1')).toEqual(ENTRIES);
});

test('the database is durable with every append: a write-ahead log, synchronised in full', () => {
  const { open, path } = place();
  open().open('run_1');
  const database = new DatabaseSync(path);
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  database.close();
});

test('a journal in memory ends with its journal, and shares nothing with others', async () => {
  const [one, other] = [new SqliteJournal(':memory:'), new SqliteJournal(':memory:')];
  await write(one, 'run_1', ENTRIES);
  expect([one.read('run_1').length, other.read('run_1').length]).toEqual([4, 0]);
  for (const journal of [one, other, one]) journal.close();
  expect(one.list()).toEqual([]);
  one.close();
  expect(existsSync(':memory:')).toBe(false);
});

test('a journal that is used again after it was closed opens its file again', async () => {
  const { open } = place();
  const journal = open();
  await write(journal, 'run_1', ENTRIES);
  journal.close();
  expect([journal.read('run_1'), journal.open('run_1')]).toEqual([ENTRIES, { epoch: 2, length: 4 }]);
});

describe('trouble is told with its cause and what to do', () => {
  const unusable = (act: () => unknown, fix: string) => {
    expect(act).toThrow(JournalStoreError);
    expect(act).toThrow(fix);
  };

  test('a folder that is not there is made', () => {
    const path = join(temporaryFolder(), 'a', 'b', 'runs.db');
    new SqliteJournal(path).close();
    expect(existsSync(path)).toBe(true);
  });

  test('a file that is no database', () => {
    const { open, path } = place();
    writeFileSync(path, 'some notes, and no database at all');
    unusable(open, 'it is no SQLite database');
    expect(readFileSync(path, 'utf8')).toBe('some notes, and no database at all');
  });

  test('the database of something else', () => {
    const { open, path, change } = place();
    change('CREATE TABLE users (name TEXT)');
    unusable(open, `${path} is the database of something else`);
  });

  test('a folder that cannot be made', () => {
    const { path } = place();
    const link = join(dirname(path), 'link');
    writeFileSync(path, '');
    symlinkSync(`${path}/nowhere`, link);
    for (const where of [join(path, 'runs.db'), join(link, 'runs.db')]) unusable(() => new SqliteJournal(where), 'it cannot be opened: its folder is missing');
  });

  test('a folder in place of the file', () => {
    const { open, path } = place();
    mkdirSync(path);
    unusable(open, 'it cannot be opened');
  });

  test('a lock that lasts', () => {
    const { open, path } = place();
    const journal = open({ busyTimeoutMs: 5 });
    const database = new DatabaseSync(path);
    database.exec('BEGIN IMMEDIATE');
    unusable(() => journal.open('run_1'), 'raise busyTimeoutMs');
    database.exec('COMMIT');
    database.close();
    expect(journal.open('run_1')).toEqual({ epoch: 1, length: 0 });
  });

  test('a file that is read-only, a disk that is full', () => {
    const { open, path } = place();
    open().close();
    const readOnly = new DatabaseSync(path, { readOnly: true });
    unusable(() => told(path, () => readOnly.exec('DELETE FROM runs')), 'it is read-only');
    readOnly.close();
    const full = new DatabaseSync(path);
    full.exec('PRAGMA max_page_count = 1');
    unusable(() => told(path, () => full.exec(`INSERT INTO entries VALUES (1, 1, '${'x'.repeat(100_000)}')`)), 'the disk is full');
    full.close();
  });

  test('a file that was damaged', async () => {
    const { open, path } = place();
    const journal = open();
    await write(journal, 'run_1', ENTRIES);
    journal.close();
    writeFileSync(path, readFileSync(path).fill(0xff, 4_096));
    unusable(() => journal.list(), 'it is damaged. Restore it from a copy');
  });

  test('anything else is told as it is', () => {
    expect(() => told('x', () => { throw new RangeError('a bug'); })).toThrow(RangeError);
    expect(() => new SqliteJournal(':memory:', { busyTimeoutMs: 0 })).toThrow('busyTimeoutMs is 0');
  });
});
