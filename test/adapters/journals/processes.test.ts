/** One writer a run, whatever happens to the processes that want to be it. */
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { FileJournal } from 'loopchart/file';
import { SqliteJournal } from 'loopchart/sqlite';
import { type Journal, type JournalClaim, JournalConflict } from '../../../actors/journal.ts';
import { entry, start, write } from './support/entries.ts';
import { type JournalProcess, journalProcess } from './support/journalProcess.ts';
import { temporaryFolder } from './support/temporaryFolder.ts';

const KINDS = {
  file: { in: (folder: string) => folder, open: (path: string): Journal => new FileJournal(path, { pollMs: 10, onRepair: () => undefined }) },
  sqlite: { in: (folder: string) => join(folder, 'runs.db'), open: (path: string): Journal => new SqliteJournal(path, { pollMs: 10 }) },
} as const;

describe.each(['file', 'sqlite'] as const)('%s', (kind) => {
  const place = () => KINDS[kind].in(temporaryFolder());
  const { open } = KINDS[kind];

  test('O4: of two processes that claim a run in the same instant exactly one wins, every time', async () => {
    const path = place();
    const [one, other] = await Promise.all([journalProcess(kind, path), journalProcess(kind, path)]);
    const wins = { one: 0, other: 0 };
    for (let round = 0; round < 20; round += 1) {
      const runId = `run_${round % 7}`;
      const at = Date.now() + 3;
      const claims = await Promise.all([one.open(runId, at), other.open(runId, at)]);
      const [winner, loser] = typeof claims[0] === 'string' ? [claims[1], claims[0]] : [claims[0], claims[1]];
      expect([typeof winner, loser]).toEqual(['object', 'JournalConflict']);
      const { epoch, length } = winner as JournalClaim;
      const owner = winner === claims[0] ? one : other;
      expect(await owner.append(runId, { epoch, position: length }, `round ${round}`)).toBeUndefined();
      await owner.release(runId, epoch);
      wins[owner === one ? 'one' : 'other'] += 1;
    }
    const journal = open(path);
    const values = (await Promise.all(Array.from({ length: 7 }, (_, index) => journal.read(`run_${index}`)))).flat();
    expect(values).toHaveLength(20);
    expect(new Set(values.map((written) => JSON.stringify(written))).size).toBe(20);
    await journal.close();
  });

  test('O4: when processes take a run from each other all the time, what was acknowledged is there, and what was refused is not', async () => {
    const path = place();
    const processes = await Promise.all([1, 2, 3].map(() => journalProcess(kind, path, 1)));
    const fights = await Promise.all(processes.map((one) => one.fight('run_1', 300)));
    const journal = open(path);
    const names = (await journal.read('run_1')).map((written) => (written as unknown as { outcome: { value: string } }).outcome.value); // as the workers wrote it
    expect({ ...names }).toEqual(Object.assign({}, ...fights.map(({ written }) => written)));
    expect(names.length).toBe(fights.reduce((sum, { written }) => sum + Object.keys(written).length, 0));
    expect(names.filter((name) => fights.some(({ refused }) => refused.includes(name)))).toEqual([]);
    for (const { claims } of fights) expect(claims).toBeGreaterThan(0);
    await journal.close();
  });

  test('O4: the claim of a process that was killed is free at once', async () => {
    const path = place();
    const other = await journalProcess(kind, path, 1_000_000);
    const claim = (await other.open('run_1')) as JournalClaim;
    await other.append('run_1', { epoch: claim.epoch, position: 0 }, 'last words');
    const journal = open(path);
    expect(() => journal.open('run_1')).toThrow(JournalConflict);
    expect(() => journal.open('run_1')).toThrow(`process ${other.child.pid} on `);
    await other.kill();
    expect(await journal.open('run_1')).toEqual({ epoch: claim.epoch + 1, length: 1 });
    await journal.close();
  });

  test('O4: a process that stood still for longer than its lease, and was replaced, is refused', async () => {
    const path = place();
    const other = await journalProcess(kind, path, 400);
    const { epoch } = (await other.open('run_1')) as JournalClaim;
    await other.append('run_1', { epoch, position: 0 }, 'before');
    other.child.kill('SIGSTOP');
    const journal = open(path);
    expect(() => journal.open('run_1')).toThrow(JournalConflict);
    const claim = await vi.waitFor(() => journal.open('run_1'), { interval: 10, timeout: 5_000 });
    await journal.append('run_1', { epoch: claim.epoch, position: 1 }, [entry('run_1', 1, 'after')]);
    other.child.kill('SIGCONT');
    expect(await other.append('run_1', { epoch, position: 1 }, 'too late')).toBe('JournalConflict');
    expect(await other.append('run_1', { epoch, position: 2 }, 'too late')).toBe('JournalConflict');
    await other.release('run_1', epoch); // not its to give
    expect(await other.open('run_1')).toBe('JournalConflict');
    expect(await journal.read('run_1')).toEqual([entry('run_1', 0, 'before'), entry('run_1', 1, 'after')]);
    await journal.close();
  });

  test('O4: a process that is alive holds its claim for longer than its lease', async () => {
    const path = place();
    const other = await journalProcess(kind, path, 250);
    const { epoch } = (await other.open('run_1')) as JournalClaim;
    const journal = open(path);
    const until = Date.now() + 400; // longer than the lease
    await vi.waitFor(() => {
      expect(() => journal.open('run_1')).toThrow(JournalConflict);
      expect(Date.now()).toBeGreaterThan(until);
    }, { interval: 5, timeout: 5_000 });
    expect(await other.append('run_1', { epoch, position: 0 }, 'still here')).toBeUndefined();
    await journal.close();
  });

  test('O1: what was acknowledged before a kill is there', async () => {
    const path = place();
    const runs = await Promise.all(['run_1', 'run_2'].map(async (runId, index) => {
      const other = await journalProcess(kind, path);
      return { runId, acknowledged: await killedAfter(other, runId, 40 + index * 17) };
    }));
    const journal = open(path);
    for (const { runId, acknowledged } of runs) {
      const entries = await journal.read(runId);
      expect(entries.length).toBeGreaterThan(acknowledged);
      expect(entries).toEqual(entries.map((_, position) => entry(runId, position, `entry ${position} ${'x'.repeat(position % 5_000)}`)));
      expect((await journal.open(runId)).length).toBe(entries.length);
    }
    await journal.close();
  });

  test('a tail sees what another process writes', async () => {
    const path = place();
    const journal = open(path);
    const epoch = await write(journal, 'run_1', [start('run_1')]);
    await journal.release('run_1', epoch);
    const stop = new AbortController();
    const tail = journal.tail('run_1', 0, stop.signal)[Symbol.asyncIterator]();
    expect((await tail.next()).value).toEqual(start('run_1'));
    const other = await journalProcess(kind, path);
    const claim = (await other.open('run_1')) as JournalClaim;
    await other.append('run_1', { epoch: claim.epoch, position: 1 }, 'one', 'two');
    expect([(await tail.next()).value, (await tail.next()).value]).toEqual([entry('run_1', 1, 'one'), entry('run_1', 2, 'two')]);
    stop.abort();
    expect((await tail.next()).done).toBe(true);
    await journal.close();
  });

  test('a process with nothing but an open journal comes to its end', async () => {
    const other = await journalProcess(kind, place(), 60);
    await other.open('run_1');
    const ended = new Promise((resolve) => other.child.once('exit', resolve));
    other.child.disconnect();
    expect(await ended).toBe(0);
  });
});

/** @returns the last position that was acknowledged. */
function killedAfter(other: JournalProcess, runId: string, position: number): Promise<number> {
  return new Promise((resolve) => {
    let last = -1;
    other.child.once('exit', () => resolve(last));
    other.appendForEver(runId, (written) => {
      last = written;
      if (written === position) void other.kill();
    });
  });
}
