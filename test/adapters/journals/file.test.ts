/** What is special about runs in files: lines that were cut, changed or moved, and who wrote them. */
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { FileJournal, type FileJournalOptions, type JournalRepair, JournalStoreError } from 'loopchart/file';
import { JournalConflict, JournalDamage } from '../../../actors/journal.ts';
import { keepBeside } from '../../../adapters/journals/fileCheckpoint.ts';
import { FILE_FORMAT, NEW_LOG, batchBody, claimBody, lineText, releaseBody } from '../../../adapters/journals/fileLines.ts';
import { FileLog } from '../../../adapters/journals/fileLog.ts';
import { fileNameOf } from '../../../adapters/journals/fileNames.ts';
import { told } from '../../../adapters/journals/fileTrouble.ts';
import { newOwner } from '../../../adapters/journals/owner.ts';
import { entry, late, rest, start, write } from './support/entries.ts';
import { temporaryFolder } from './support/temporaryFolder.ts';

interface Place { folder: string; path: string; repairs: JournalRepair[]; damages: Error[]; open: (options?: FileJournalOptions) => FileJournal }

function place(): Place {
  const folder = temporaryFolder();
  const repairs: JournalRepair[] = [];
  const damages: Error[] = [];
  const open = (options: FileJournalOptions = {}) => new FileJournal(folder, { onRepair: (repair) => repairs.push(repair), onDamage: (damage) => damages.push(damage), ...options });
  return { folder, path: join(folder, 'run_1.jsonl'), repairs, damages, open };
}

const ENTRIES = [start('run_1'), entry('run_1', 1, 'ünï 漢字'), entry('run_1', 2, { a: [null, 'x'] }), rest(3)];

/** A run with two claims and three batches. */
async function twoClaims({ open, path }: Place): Promise<Buffer> {
  const journal = open();
  await write(journal, 'run_1', ENTRIES.slice(0, 2), ENTRIES.slice(2, 3));
  journal.close();
  await write(journal, 'run_1', ENTRIES.slice(3));
  journal.close();
  return readFileSync(path);
}

describe('O5: a line that was cut', () => {
  test('at whatever byte, is closed by the next claim, which says so; all before it is there', async () => {
    const at = place();
    const journal = at.open();
    await write(journal, 'run_1', ENTRIES.slice(0, 2));
    const whole = statSync(at.path).size;
    journal.append('run_1', { epoch: 1, position: 2 }, ENTRIES.slice(2, 4));
    const bytes = readFileSync(at.path);
    journal.close();
    for (let length = whole; length < bytes.length; length += 1) {
      writeFileSync(at.path, bytes.subarray(0, length));
      utimesSync(at.path, 0, 0); // its owner has given no sign of life for long
      at.repairs.length = 0;
      expect(journal.read('run_1')).toEqual(ENTRIES.slice(0, 2));
      expect(journal.open('run_1')).toEqual({ epoch: 2, length: 2 });
      expect(at.repairs).toEqual(length > whole ? [{ runId: 'run_1', path: at.path, length: 2, bytes: length - whole }] : []);
      if (length % 4 === 0) journal.append('run_1', { epoch: 2, position: 2 }, [ENTRIES[3]!]);
      journal.release('run_1', 2);
      if (length % 4 > 0) continue;
      expect(journal.read('run_1')).toEqual([...ENTRIES.slice(0, 2), ENTRIES[3]]);
      expect(journal.list()).toMatchObject([{ state: 'settled', length: 3 }]);
    }
    expect(at.damages).toEqual([]);
  });

  test('in its first line too', async () => {
    const at = place();
    const journal = at.open();
    journal.open('run_1');
    journal.close();
    const bytes = readFileSync(at.path);
    for (let length = 0; length <= bytes.indexOf('\n'); length += 3) {
      writeFileSync(at.path, bytes.subarray(0, length));
      expect(journal.list()).toEqual([]);
      await write(journal, 'run_1', ENTRIES);
      journal.close();
      expect([journal.read('run_1'), journal.list().length]).toEqual([ENTRIES, 1]);
    }
  });

  test('by a full disk, does not count, and its owner goes on behind it', async () => {
    const at = place();
    const journal = at.open();
    const epoch = await write(journal, 'run_1', ENTRIES.slice(0, 1));
    appendFileSync(at.path, lineText('run_1', { at: statSync(at.path).size, torn: 0, epoch, from: 1 }, batchBody(['["sum",{}]'])).slice(0, -7));
    journal.append('run_1', { epoch, position: 1 }, ENTRIES.slice(1, 3));
    journal.append('run_1', { epoch, position: 3 }, ENTRIES.slice(3));
    expect(at.open().read('run_1')).toEqual(ENTRIES);
    journal.close();
    expect(at.open().open('run_1')).toEqual({ epoch: 2, length: 4 });
  });

  test('is a warning of the process when nobody asked to be told', async () => {
    const { folder, path } = place();
    const warnings: unknown[][] = [];
    vi.spyOn(process, 'emitWarning').mockImplementation((...given: unknown[]) => void warnings.push(given));
    const journal = new FileJournal(folder);
    await write(journal, 'run_1', ENTRIES);
    journal.close();
    appendFileSync(path, '{"at":');
    journal.open('run_1');
    journal.close();
    writeFileSync(path, 'x\n');
    expect(journal.list()).toEqual([]);
    vi.restoreAllMocks();
    expect(warnings).toEqual([
      [expect.stringContaining('The last write to run run_1 was cut: 6 bytes'), { code: 'LOOPCHART_JOURNAL_REPAIR' }],
      [expect.stringContaining('damaged'), { code: 'LOOPCHART_JOURNAL_DAMAGE' }],
    ]);
  });
});

describe('O5: what was changed is damage, never another entry, and the file is left as it is', () => {
  test('any bit', async () => {
    const at = place();
    const bytes = await twoClaims(at);
    const journal = at.open();
    for (let index = 0; index < bytes.length; index += 1) {
      for (const bit of index % 16 === 0 ? [0, 1, 2, 3, 4, 5, 6, 7] : [index % 8]) {
        const changed = Buffer.from(bytes);
        changed[index]! ^= 1 << bit;
        writeFileSync(at.path, changed);
        expect(() => journal.read('run_1'), `bit ${bit} of byte ${index}`).toThrow(JournalDamage);
        if (index % 7 > 0) continue;
        expect(() => journal.open('run_1')).toThrow(JournalDamage);
        expect(readFileSync(at.path).equals(changed)).toBe(true);
      }
    }
  });

  test('the error says which entry', async () => {
    const at = place();
    const bytes = await twoClaims(at);
    writeFileSync(at.path, bytes.toString().replace('漢', '汉'));
    expect(() => at.open().read('run_1')).toThrow(expect.objectContaining({ runId: 'run_1', position: 1 }));
  });

  test('lines in another order, twice, or taken out', async () => {
    const at = place();
    const lines = (await twoClaims(at)).toString().split(/(?<=\n)/);
    const damaged = (order: number[]) => {
      writeFileSync(at.path, order.map((index) => lines[index]).join(''));
      expect(() => at.open().read('run_1'), order.join()).toThrow(JournalDamage);
      expect(() => at.open().open('run_1'), order.join()).toThrow(JournalDamage);
    };
    const all = lines.map((_, index) => index);
    expect(all).toHaveLength(7);
    for (const one of all) {
      for (const place of all) damaged([...all.slice(0, place + 1), one, ...all.slice(place + 1)]);
      if (one < 6) damaged(all.filter((index) => index !== one));
      for (const other of all.slice(one + 1)) damaged(all.map((index) => (index === one ? other : index === other ? one : index)));
    }
  });

  test('the file of another run', async () => {
    const { open, path, folder } = place();
    const journal = open();
    await write(journal, 'run_1', ENTRIES);
    journal.close();
    renameSync(path, join(folder, 'run_2.jsonl'));
    expect(() => journal.read('run_2')).toThrow(JournalDamage);
  });

  test('one run that cannot be read does not hide the others', async () => {
    const at = place();
    const journal = at.open();
    await write(journal, 'run_1', ENTRIES.slice(0, 1), ENTRIES.slice(1, 2), ENTRIES.slice(2));
    await write(journal, 'run_2', [start('run_2'), rest(9)]);
    journal.close();
    writeFileSync(at.path, readFileSync(at.path, 'utf8').replace('effect', 'defect'));
    expect(at.open().list().map(({ runId }) => runId)).toEqual(['run_1', 'run_2']); // its ends are whole, and more is not looked at
    writeFileSync(at.path, readFileSync(at.path, 'utf8').replace('settled', 'nettles'));
    expect(at.open().list().map(({ runId }) => runId)).toEqual(['run_2']);
    expect(at.damages).toMatchObject([{ runId: 'run_1' }]);
  });

  test('a newer format says that loopchart is to be updated, and does not hide the others', async () => {
    const at = place();
    const { head } = claimBody('run_1', { owner: newOwner(), leaseMs: 1 });
    writeFileSync(at.path, lineText('run_1', { at: 0, torn: 0, epoch: 1, from: 0 }, { head: head.replace(`"loopchart":${FILE_FORMAT}`, `"loopchart":${FILE_FORMAT + 1}`) }));
    for (const act of [() => at.open().open('run_1'), () => at.open().read('run_1')]) expect(act).toThrow(/format 2, this version reads 1: update loopchart/);
    const journal = at.open();
    await write(journal, 'run_2', [start('run_2'), rest(9)]);
    expect(journal.list().map(({ runId }) => runId)).toEqual(['run_2']);
    expect(journal.prune({ settledBefore: 100 })).toBe(0); // it is at work
    expect(at.damages).toEqual([expect.objectContaining({ name: 'JournalStoreError', message: expect.stringContaining('format 2') })]); // once, until it changes
    journal.close();
  });

  test('what is no log, a log under the name of another, and a folder are left out of the list and told', async () => {
    const at = place();
    const journal = at.open();
    await write(journal, 'run_1', ENTRIES);
    journal.close();
    const put = (name: string, text: string) => writeFileSync(join(at.folder, `${name}.jsonl`), text);
    put('copy of run_1', readFileSync(at.path, 'utf8'));
    put('notes', 'Buy milk.\n');
    put('one line', 'Buy milk.');
    put('claimed', '{"at":0,"torn":0,"epo'); // by a process that died meanwhile: nothing is lost of it
    put('empty', '');
    mkdirSync(join(at.folder, 'folder.jsonl'));
    expect(journal.list().map(({ runId }) => runId)).toEqual(['run_1']);
    expect(at.damages.map(({ message }) => message).sort()).toEqual([
      expect.stringMatching(/^The journal at .*folder\.jsonl cannot be used: there is a folder in place of the file of a run\./),
      expect.stringMatching(/^The journal of run copy of run_1 is damaged at entry 0: its file begins as that of run run_1, which would be named run_1\.jsonl\./),
      expect.stringMatching(/^The journal of run notes is damaged at entry 0: its file does not begin as that of a run\./),
      expect.stringMatching(/^The journal of run one line is damaged at entry 0: its file does not begin as that of a run\./),
    ]);
  });

  test('entries that are gone while the run is at work', async () => {
    const at = place();
    const journal = at.open();
    const epoch = await write(journal, 'run_1', ENTRIES);
    truncateSync(at.path, 10);
    expect(() => journal.append('run_1', { epoch, position: 4 }, [rest(5)])).toThrow(JournalDamage);
  });
});

describe('O4: of lines for the same place the first counts', () => {
  const claimFor = (log: FileLog) => {
    const holder = { owner: newOwner(), leaseMs: 1_000 };
    return log.write(claimBody('run_1', holder), (state) => ({ ...state, epoch: state.epoch + 1, holder }));
  };

  test('of two claims', () => {
    const { path } = place();
    const [one, other] = [FileLog.open(path, 'run_1', 'create')!, FileLog.open(path, 'run_1', 'write')!];
    expect([claimFor(one), claimFor(other)]).toEqual([true, false]);
    expect(other.state.holder).toEqual(one.state.holder);
    expect(one.write(releaseBody, (state) => ({ ...state, holder: undefined }))).toBe(false); // the other's line came first, and counts for nothing
    expect(one.write(releaseBody, (state) => ({ ...state, holder: undefined }))).toBe(true);
    other.refresh();
    expect([claimFor(other), other.state.epoch]).toEqual([true, 2]);
    one.close();
    other.close();
  });

  test('of a claim and the write of an owner whose lease was over: one of both, never both', async () => {
    const at = place();
    const [old, taker] = [at.open(), at.open()];
    const epoch = await write(old, 'run_1', ENTRIES.slice(0, 1));
    const frozen = FileLog.open(at.path, 'run_1', 'write')!;
    frozen.refresh(); // what the owner knew when it stood still
    utimesSync(at.path, 0, 0);
    expect(taker.open('run_1')).toEqual({ epoch: 2, length: 1 });
    taker.append('run_1', { epoch: 2, position: 1 }, ENTRIES.slice(1, 2));
    expect(frozen.write(batchBody(['["sum",{}]']), (state) => ({ ...state, length: state.length + 1 }))).toBe(false);
    expect(() => old.append('run_1', { epoch, position: 1 }, [entry('run_1', 1, 'other')])).toThrow(JournalConflict);
    taker.append('run_1', { epoch: 2, position: 2 }, ENTRIES.slice(2));
    expect(at.open().read('run_1')).toEqual(ENTRIES);
    expect(at.open().list()).toMatchObject([{ state: 'settled', length: 4 }]);
    for (const one of [old, taker, frozen]) one.close();
  });

  test('a file that was removed and made again belongs to whoever claimed the new one', async () => {
    const { path, open } = place();
    const [old, taker] = [open(), open()];
    const epoch = await write(old, 'run_1', ENTRIES);
    rmSync(path);
    await write(taker, 'run_1', ENTRIES.slice(0, 1));
    expect(() => old.append('run_1', { epoch, position: 4 }, [rest(5)])).toThrow(JournalConflict);
    taker.close();
    expect(old.open('run_1')).toEqual({ epoch: 2, length: 1 });
    old.close();
  });
});

describe('a checkpoint', () => {
  const keep = async ({ open }: Place, text: string): Promise<FileJournal> => {
    const journal = open();
    const epoch = await write(journal, 'run_1', ENTRIES);
    journal.keepCheckpoint('run_1', { epoch, position: 4 }, text);
    journal.close();
    return journal;
  };

  test('is one file beside the log, for its owner only, and goes with it', async () => {
    const at = place();
    const journal = await keep(at, '["first"]');
    expect(readdirSync(at.folder).sort()).toEqual(['run_1.jsonl', 'run_1.jsonl.checkpoint']);
    expect(statSync(`${at.path}.checkpoint`).mode & 0o777).toBe(0o600);
    expect([journal.list().length, journal.readCheckpoint('run_1')]).toEqual([1, '["first"]']);
    writeFileSync(`${at.path}.checkpoint.draft`, '["sec'); // of a process that died while it wrote
    expect([journal.list().length, journal.readCheckpoint('run_1')]).toEqual([1, '["first"]']);
    journal.remove('run_1');
    expect(readdirSync(at.folder)).toEqual([]);
  });

  test('that was cut is returned as it is, and the run is none the worse for it', async () => {
    const at = place();
    const journal = await keep(at, '["first"]');
    truncateSync(`${at.path}.checkpoint`, 4);
    expect([journal.readCheckpoint('run_1'), journal.read('run_1')]).toEqual(['["fi', ENTRIES]);
    await keep(at, '["second"]');
    expect(journal.readCheckpoint('run_1')).toBe('["second"]');
  });

  test('O4: of an owner that was replaced is not kept, also when that was while it wrote', async () => {
    const at = place();
    const [old, taker] = [at.open(), at.open()];
    const epoch = await write(old, 'run_1', ENTRIES.slice(0, 1));
    utimesSync(at.path, 0, 0);
    const claim = taker.open('run_1');
    taker.keepCheckpoint('run_1', { epoch: claim.epoch, position: 1 }, '["taker"]');
    old.keepCheckpoint('run_1', { epoch, position: 1 }, '["old"]');
    keepBeside(at.path, '["old"]', () => false);
    expect(readdirSync(at.folder).sort()).toEqual(['run_1.jsonl', 'run_1.jsonl.checkpoint']);
    expect(old.readCheckpoint('run_1')).toBe('["taker"]');
    for (const journal of [old, taker]) journal.close();
  });

  test('that cannot be written says why, and leaves nothing behind', async () => {
    const at = place();
    const journal = await keep(at, '["first"]');
    const { epoch } = journal.open('run_1');
    rmSync(`${at.path}.checkpoint`);
    mkdirSync(`${at.path}.checkpoint`);
    expect(() => journal.keepCheckpoint('run_1', { epoch, position: 4 }, '["second"]')).toThrow(JournalStoreError);
    expect(existsSync(`${at.path}.checkpoint.draft`)).toBe(false);
    journal.close();
  });
});

describe('a list', () => {
  test('of long logs is made of their ends', async () => {
    const { open, path } = place();
    const long = Array.from({ length: 40 }, (_, index) => [entry('run_1', index, 'x'.repeat(10_000))]);
    const journal = open();
    await write(journal, 'run_1', [start('run_1', 5)], ...long, [rest(90)], ...long.map((_, index) => [late('run_1', 100 + index)]), [entry('run_1', 0, 'y'.repeat(200_000)), late('run_1', 7)]);
    journal.close();
    const middle = readFileSync(path);
    middle.fill('z', 150_000, 200_000); // not looked at
    writeFileSync(path, middle);
    expect(open().list()).toEqual([{ runId: 'run_1', agent: 'A', state: 'running', startedAt: 5, updatedAt: 7, length: 84 }]);
  });

  test('does not look into a file again that has not grown', async () => {
    const { open, path } = place();
    const journal = open();
    await write(journal, 'run_1', ENTRIES);
    journal.close();
    const before = journal.list();
    writeFileSync(path, 'z'.repeat(statSync(path).size));
    expect(journal.list()).toEqual(before);
    appendFileSync(path, 'z');
    expect(journal.list()).toEqual([]);
  });

  test('leaves out other files', async () => {
    const { open, folder } = place();
    writeFileSync(join(folder, 'notes.txt'), 'x');
    writeFileSync(join(folder, 'empty.jsonl'), '');
    expect(open().list()).toEqual([]);
  });
});

test('a plain id is the name of its file; others get one that no file system mixes up with another', () => {
  expect(fileNameOf('run_1-a')).toBe('run_1-a.jsonl');
  const names = ['Run', 'run', 'RUN', 'a/b', 'a:b', '..', '', 'con', 'x'.repeat(400), 'ü', '\u0000', '\ud800', '\udc00'].map(fileNameOf);
  for (const name of names) expect(name).toMatch(/^[a-z0-9_~-]{1,100}\.jsonl$/);
  expect(new Set(names).size).toBe(names.length);
});

describe('trouble is told with its cause and what to do', () => {
  const unusable = (act: () => unknown, code: string, fix: string) => {
    expect(act).toThrow(JournalStoreError);
    expect(act).toThrow(fix);
    expect(act).toThrow(expect.objectContaining({ cause: expect.objectContaining({ code }) }));
  };

  test('a file in place of the folder, or a link that leads nowhere', () => {
    const { path, folder } = place();
    writeFileSync(path, '');
    unusable(() => new FileJournal(path).open('run_1'), 'EEXIST', 'there is a file in place of the folder');
    unusable(() => new FileJournal(join(path, 'deeper')).open('run_1'), 'EEXIST', 'there is a file in place of the folder');
    unusable(() => new FileJournal(path).list(), 'ENOTDIR', 'a part of the path is a file');
    const link = join(folder, 'link');
    symlinkSync(join(folder, 'nowhere'), link); // to a disk that is not there, say
    unusable(() => new FileJournal(link).open('run_1'), 'EEXIST', 'a link that leads nowhere');
    unusable(() => new FileJournal(join(link, 'deeper')).open('run_1'), 'EEXIST', 'a link that leads nowhere');
  });

  test('a folder in place of a file', () => {
    const { open, path } = place();
    mkdirSync(path);
    unusable(() => open().open('run_1'), 'EISDIR', 'a folder in place of the file');
  });

  test.runIf(existsSync('/dev/full'))('a full disk', () => {
    const { open, path } = place();
    symlinkSync('/dev/full', path);
    unusable(() => open().open('run_1'), 'ENOSPC', 'the disk is full');
  });

  test.runIf(process.getuid?.() !== 0)('a folder that may not be written to', () => {
    const { open, folder } = place();
    chmodSync(folder, 0o500);
    unusable(() => open().open('run_1'), 'EACCES', 'has no right to it');
    chmodSync(folder, 0o700);
  });

  test('anything else is told as it is', () => {
    expect(() => told('x', () => { throw new RangeError('a bug'); })).toThrow(RangeError);
    for (const ms of [0, -1, NaN, Infinity]) expect(() => new FileJournal('x', { leaseMs: ms })).toThrow(RangeError);
  });
});

test('nothing is made before the first run, and only its owner may read it', async () => {
  const { folder } = place();
  const deeper = join(folder, 'a', 'b');
  const journal = new FileJournal(deeper);
  journal.keepCheckpoint('run_1', { epoch: 1, position: 0 }, '[]'); // it is not held
  expect([journal.list(), journal.read('run_1'), journal.prune({ settledBefore: 1 }), existsSync(deeper)]).toEqual([[], [], 0, false]);
  await write(journal, 'run_1', ENTRIES);
  journal.close();
  expect(readdirSync(deeper)).toEqual(['run_1.jsonl']);
  expect([deeper, join(deeper, 'run_1.jsonl')].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600]);
  expect(NEW_LOG).toEqual({ end: 0, torn: 0, length: 0, epoch: 0 });
});
