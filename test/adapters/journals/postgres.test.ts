/** The journal in PostgreSQL, against a server of its own: what it promises to other processes. */
import { describe, expect, test } from 'vitest';
import { JournalConflict, JournalDamage } from 'loopchart';
import { PostgresJournal } from 'loopchart/postgres';
import { journalContract } from 'loopchart/testing';
import { OF_JOURNALS, errorOf, openWorld, steps, until } from './postgresWorld.ts';

const { config, url, isMissing, ask, connected, contender, freshSchema, journalOn } = await openWorld();

describe.skipIf(isMissing)('a journal in PostgreSQL', () => {
  describe('keeps the contract', () => {
    const contract = journalContract(() => {
      const schema = freshSchema();
      return { journal: new PostgresJournal(config, { schema }), another: () => new PostgresJournal(url, { schema }) };
    });
    for (const { name, check } of contract) test(name, check);
  });

  describe('between processes', () => {
    test('O4: of two that claim a run at once exactly one goes on, and the other is told', async () => {
      const schema = freshSchema();
      const both = [contender(schema), contender(schema)];
      const claims = await Promise.all(both.map((one) => one.does({ act: 'open', runId: 'run_1' })));
      const winner = both[claims.findIndex((answer) => 'value' in answer)]!;
      const refused = claims.filter((answer) => 'error' in answer);
      expect(refused).toEqual([{ error: { name: 'JournalConflict', message: expect.stringContaining('another process is at work on it') } }]);
      const { epoch } = (claims.find((answer) => 'value' in answer) as { value: { epoch: number } }).value;
      expect(await winner.does({ act: 'append', runId: 'run_1', at: { epoch, position: 0 }, entries: steps(0, 1) })).toEqual({});
    });

    test('O4: one that is killed frees its runs at once, long before its lease is over', async () => {
      const schema = freshSchema();
      const [killed, journal] = [contender(schema), journalOn(schema)];
      const claim = await killed.does({ act: 'open', runId: 'run_1' });
      expect(claim).toEqual({ value: { epoch: expect.any(Number), length: 0 } });
      await expect(journal.open('run_1')).rejects.toThrow(JournalConflict);
      killed.signal('SIGKILL');
      await until(() => journal.open('run_1'));
    });

    test('O4: one that is frozen keeps its run until its lease is over, and is refused when it wakes', async () => {
      const schema = freshSchema();
      const [frozen, journal] = [contender(schema, { leaseMs: 700 }), journalOn(schema)];
      await journal.list(); // connected: what follows has to come before the lease is over
      const first = (await frozen.does({ act: 'open', runId: 'run_1' })) as { value: { epoch: number } };
      await frozen.does({ act: 'append', runId: 'run_1', at: { epoch: first.value.epoch, position: 0 }, entries: steps(0, 1) });
      frozen.signal('SIGSTOP');
      await expect(journal.open('run_1')).rejects.toThrow(JournalConflict);
      const { epoch, length } = await until(() => journal.open('run_1'));
      expect(length).toBe(1);
      await journal.append('run_1', { epoch, position: 1 }, steps(1, 1, 'second'));
      frozen.signal('SIGCONT');
      const late = await frozen.does({ act: 'append', runId: 'run_1', at: { epoch: first.value.epoch, position: 1 }, entries: steps(1, 1, 'first') });
      expect(late).toEqual({ error: { name: 'JournalConflict', message: expect.stringContaining(`epoch ${first.value.epoch} is over`) } });
      expect(await journal.read('run_1', 1)).toEqual(steps(1, 1, 'second'));
    });

    test('O4: one that lives keeps all its runs for longer than a lease', async () => {
      const schema = freshSchema();
      const [journal, other] = [journalOn(schema, { leaseMs: 300 }), journalOn(schema)];
      await other.list();
      for (const runId of ['run_1', 'run_2']) await journal.open(runId);
      const leases = () => ask<{ until: Date }>(`SELECT lease_until AS until FROM ${schema}.loopchart_runs ORDER BY run_id`);
      const before = await leases();
      await until(async () => expect((await leases()).every(({ until: end }, index) => end.getTime() > before[index]!.until.getTime() + 300)).toBe(true));
      for (const runId of ['run_1', 'run_2']) await expect(other.open(runId)).rejects.toThrow(JournalConflict);
    });

    test('O4: a checkpoint of one that is replaced in the same moment is not kept', async () => {
      const schema = freshSchema();
      const journal = journalOn(schema);
      const { epoch } = await journal.open('run_1');
      await journal.append('run_1', { epoch, position: 0 }, steps(0, 1));
      const taker = await connected();
      await taker.query(`BEGIN; UPDATE ${schema}.loopchart_runs SET epoch = epoch + 1; INSERT INTO ${schema}.loopchart_checkpoints VALUES ('run_1', '["taker"]')`);
      const stale = journal.keepCheckpoint('run_1', { epoch, position: 1 }, '["stale"]');
      await until(async () => expect(await ask(`SELECT ${OF_JOURNALS} AND wait_event_type = 'Lock'`)).toHaveLength(1));
      await taker.query('COMMIT');
      await stale;
      expect(await journal.readCheckpoint('run_1')).toBe('["taker"]');
    });

    test('many may be the first to use a database at the same time', async () => {
      const schema = freshSchema();
      const all = Array.from({ length: 3 }, () => contender(schema));
      const here = Array.from({ length: 3 }, () => journalOn(schema));
      const answers = await Promise.all([...all.map((one) => one.does({ act: 'list' })), ...here.map(async (one) => ({ value: await one.list() }))]);
      expect(answers).toEqual(Array.from({ length: 6 }, () => ({ value: [] })));
      expect(await ask(`SELECT format FROM ${schema}.loopchart_version`)).toEqual([{ format: 1 }]);
    });

    test('a process whose journal is closed ends by itself', async () => {
      const other = contender(freshSchema());
      await other.does({ act: 'open', runId: 'run_1' });
      await other.does({ act: 'close' });
      expect(await other.leave()).toBe(0);
    });
  });

  describe('that is opened for looking', () => {
    const rowsOf = (schema: string) => ask<{ followed_until: Date | null }>(`SELECT run.*, run.xmin::text AS version FROM ${schema}.loopchart_runs run`);
    const locks = async () => (await ask<{ lock: string }>(`SELECT concat(classid, ' ', objid) AS lock FROM pg_locks WHERE locktype = 'advisory'`)).map(({ lock }) => lock);

    test('reads beside one that writes, follows it, and changes nothing: no row, no lock, nobody is asked to announce', async () => {
      const schema = freshSchema();
      const [writing, looking] = [journalOn(schema), journalOn(schema, { readOnly: true, pollMs: 20 })];
      const { epoch } = await writing.open('run_1');
      await writing.append('run_1', { epoch, position: 0 }, steps(0, 2));
      await writing.keepCheckpoint('run_1', { epoch, position: 2 }, '["kept"]');
      const [before, held] = [await rowsOf(schema), await locks()];
      expect([await looking.read('run_1'), await looking.list(), await looking.readCheckpoint('run_1')]).toEqual([steps(0, 2), await writing.list(), '["kept"]']);
      const tail = looking.tail('run_1', 1, new AbortController().signal);
      expect([(await tail.next()).value]).toEqual(steps(1, 1));
      const next = tail.next();
      expect(await rowsOf(schema)).toEqual(before);
      await writing.append('run_1', { epoch, position: 2 }, steps(2, 1));
      expect([(await next).value]).toEqual(steps(2, 1));
      const more = (await locks()).filter((lock) => !held.includes(lock));
      expect([(await rowsOf(schema)).map((row) => row.followed_until), more]).toEqual([[null], []]);
      await tail.return(undefined);
    });

    test('refuses to write, and says why', async () => {
      const schema = freshSchema();
      await journalOn(schema).list();
      const looking = journalOn(schema, { readOnly: true });
      const at = { epoch: 1, position: 0 };
      for (const act of [() => looking.open('run_1'), () => looking.append('run_1', at, steps(0, 1)), () => looking.keepCheckpoint('run_1', at, '[]'), () => looking.remove('run_1'), () => looking.prune({ settledBefore: 1 })]) {
        await expect(act()).rejects.toThrow('This journal was opened with readOnly, for looking only. Make one without it to write.');
      }
      await looking.release('run_1', 1); // nothing is held
    });

    test('makes nothing where nothing is, and needs no right but to read', async () => {
      const schema = freshSchema();
      await expect(journalOn(schema, { readOnly: true }).list()).rejects.toThrow(`There is no journal in schema "${schema}" of this database: nothing was ever written to it.`);
      expect(await ask('SELECT FROM pg_namespace WHERE nspname = $1', [schema])).toEqual([]);
      await journalOn(schema).list();
      await ask(`CREATE ROLE reader LOGIN PASSWORD 'reads'; GRANT USAGE ON SCHEMA ${schema} TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO reader`);
      expect(await journalOn(schema, { readOnly: true }, { ...config, user: 'reader', password: 'reads' }).list()).toEqual([]);
    });
  });

  test('nothing is left of a run to which nothing was written, not even a checkpoint', async () => {
    const schema = freshSchema();
    const journal = journalOn(schema);
    const { epoch } = await journal.open('run_1');
    await journal.keepCheckpoint('run_1', { epoch, position: 0 }, '[]');
    await journal.release('run_1', epoch);
    expect(await ask(`SELECT run_id FROM ${schema}.loopchart_runs UNION SELECT run_id FROM ${schema}.loopchart_checkpoints`)).toEqual([]);
  });

  describe('when rows were changed by others', () => {
    const damages: [what: string, sql: string, position: number][] = [
      ['a text was changed', `UPDATE loopchart_entries SET text = replace(text, 'x1', 'x7') WHERE position = 1`, 1],
      ['a text was cut', `UPDATE loopchart_entries SET text = left(text, 20) WHERE position = 2`, 2],
      ['two texts were exchanged', `UPDATE loopchart_entries one SET text = other.text FROM loopchart_entries other WHERE one.position + other.position = 3`, 0],
      ['an entry is missing in the middle', `DELETE FROM loopchart_entries WHERE position = 1`, 1],
      ['the last entry is missing', `DELETE FROM loopchart_entries WHERE position = 3`, 3],
      ['there is an entry too many', `INSERT INTO loopchart_entries SELECT run_id, 4, text FROM loopchart_entries WHERE position = 3`, 4],
    ];
    for (const [what, sql, position] of damages) {
      test(`O5: ${what}: reading says where`, async () => {
        const schema = freshSchema();
        const journal = journalOn(schema);
        const { epoch } = await journal.open('run_1');
        await journal.append('run_1', { epoch, position: 0 }, steps(0, 4));
        await ask(sql.replaceAll(/loopchart_entries(?= )/g, `${schema}.loopchart_entries`));
        const error = await errorOf(journal.read('run_1'));
        expect(error).toBeInstanceOf(JournalDamage);
        expect(error).toMatchObject({ runId: 'run_1', position });
      });
    }

    test('O5: an entry that stands where the next one belongs is not written over', async () => {
      const schema = freshSchema();
      const journal = journalOn(schema);
      const { epoch } = await journal.open('run_1');
      await ask(`INSERT INTO ${schema}.loopchart_entries VALUES ('run_1', 1, 'strange')`);
      expect(await errorOf(journal.append('run_1', { epoch, position: 0 }, steps(0, 2)))).toBeInstanceOf(JournalDamage);
      expect(await ask(`SELECT text FROM ${schema}.loopchart_entries`)).toEqual([{ text: 'strange' }]);
    });

    test('O5: tables of a newer format are left alone', async () => {
      const schema = freshSchema();
      await journalOn(schema).list();
      await ask(`UPDATE ${schema}.loopchart_version SET format = 2`);
      await expect(journalOn(schema).list()).rejects.toThrow(`The journal in schema "${schema}" is of format 2, which a newer loopchart made; this one knows 1. Update loopchart.`);
    });
  });
});
