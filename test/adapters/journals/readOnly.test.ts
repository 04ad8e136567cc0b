import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SqliteJournal } from 'loopchart/sqlite';

const folder = mkdtempSync(join(tmpdir(), 'loopchart-journal-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a journal that is opened for looking reads beside one that writes, and refuses to write', () => {
  const path = join(folder, 'runs.db');
  const writing = new SqliteJournal(path);
  const { epoch } = writing.open('run_1');
  const reading = new SqliteJournal(path, { readOnly: true });
  writing.append('run_1', { epoch, position: 0 }, [{ type: 'command', command: { type: 'softStop' }, at: 1 }]);
  expect(reading.read('run_1')).toEqual(writing.read('run_1'));
  for (const act of [() => reading.open('run_2'), () => reading.remove('run_1'), () => reading.prune({ settledBefore: 1 })]) {
    expect(act).toThrow('This journal was opened with readOnly, for looking only. Make one without it to write.');
  }
  reading.close();
  writing.close();
});

test('it makes nothing where nothing is', () => {
  const path = join(folder, 'nowhere.db');
  expect(() => new SqliteJournal(path, { readOnly: true })).toThrow('it cannot be opened');
  expect(existsSync(path)).toBe(false);
});
